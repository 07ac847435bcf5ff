//! A run: every step in a thread of its own, and an end in any case.

use crate::clock;
use crate::deadline::{Deadline, millis};
use crate::steps::{self, Found, Probe};
use irsa_probe::{Ended, Options, Report};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What of the deadline is left for the report: steps that are late still tell how far they came.
const TO_REPORT: Duration = Duration::from_millis(250);
const FIRST: &str = "look";

/// Where in the source a step panicked. Not the message, which may quote what it could not handle.
static PANICKED_AT: Mutex<Option<String>> = Mutex::new(None);

enum Event {
    /// The first step's result.
    Found(Box<Found>),
    /// A step has ended.
    Done { step: &'static str, panicked: bool },
    /// The probe is to end.
    Signal,
}

/// Tells that a step has ended, however it ends.
struct Tell {
    step: &'static str,
    to: Sender<Event>,
}

impl Drop for Tell {
    fn drop(&mut self) {
        // Nobody listens any more once the report is written.
        let _ = self.to.send(Event::Done { step: self.step, panicked: thread::panicking() });
    }
}

/// The steps that have not ended.
struct Running {
    steps: Vec<&'static str>,
    /// Those that never will.
    panicked: Vec<&'static str>,
    tell: Sender<Event>,
}

impl Running {
    fn start(
        &mut self,
        step: &'static str,
        work: impl FnOnce(&Sender<Event>) + Send + 'static,
    ) -> io::Result<()> {
        // First of all: where no thread can be started it stays unfinished.
        self.steps.push(step);
        let tell = Tell { step, to: self.tell.clone() };
        thread::Builder::new().name(step.into()).spawn(move || work(&tell.to)).map(drop)
    }
}

/// Looks at everything, and reports when all is seen, when the time is up or at a signal.
pub fn run(options: Options, started: Instant) -> (Report, Arc<Probe>) {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        *PANICKED_AT.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }));
    let whole = Duration::from_millis(options.deadline);
    let end = Deadline::after(whole);
    let probe = Arc::new(Probe::new(options, Deadline::after(whole.saturating_sub(TO_REPORT))));
    let (tell, events) = mpsc::channel();
    let mut running = Running { steps: Vec::new(), panicked: Vec::new(), tell: tell.clone() };
    let ended = listen(tell).and_then(|()| drive(&probe, &mut running, &events, end));
    let mut report = probe.report();
    report.version = Some(env!("CARGO_PKG_VERSION").into());
    match ended {
        Ok(ended) => report.ended = Some(ended),
        Err(error) => {
            report.ended = Some(Ended::Other);
            report.detail = Some(error.to_string());
        }
    }
    if let Some(place) = PANICKED_AT.lock().unwrap_or_else(PoisonError::into_inner).take() {
        report.detail = Some(place);
    }
    report.unfinished = running.panicked.into_iter().chain(running.steps).map(str::to_owned).collect();
    report.now = Some(clock::now());
    report.millis = Some(millis(started));
    (report, probe)
}

fn listen(tell: Sender<Event>) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        if signals.forever().next().is_some() {
            // Nobody listens any more once the report is written.
            let _ = tell.send(Event::Signal);
        }
    })?;
    Ok(())
}

fn drive(
    probe: &Arc<Probe>,
    running: &mut Running,
    events: &Receiver<Event>,
    end: Deadline,
) -> io::Result<Ended> {
    let mut ended = Ended::Complete;
    let first = probe.clone();
    running.start(FIRST, move |tell| {
        // Nobody listens any more once the report is written.
        let _ = tell.send(Event::Found(Box::new(steps::look(&first))));
    })?;
    while !running.steps.is_empty() {
        let Ok(left) = end.remaining() else { return Ok(Ended::Deadline) };
        match events.recv_timeout(left) {
            Ok(Event::Found(found)) => start_later(probe, running, &Arc::new(*found))?,
            Ok(Event::Done { step, panicked }) => {
                running.steps.retain(|&other| other != step);
                if panicked {
                    running.panicked.push(step);
                    ended = Ended::Panic;
                }
            }
            Ok(Event::Signal) => return Ok(Ended::Signal),
            Err(_) => return Ok(Ended::Deadline),
        }
    }
    Ok(ended)
}

fn start_later(probe: &Arc<Probe>, running: &mut Running, found: &Arc<Found>) -> io::Result<()> {
    for (step, work) in steps::LATER {
        let (probe, found) = (probe.clone(), found.clone());
        running.start(step, move |_| work(&probe, &found))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_a_step_and_not_the_run() {
        let (tell, events) = mpsc::channel();
        let mut running = Running { steps: Vec::new(), panicked: Vec::new(), tell };
        running.start("careless", |_| panic!("what it read")).unwrap();
        running.start("careful", |_| ()).unwrap();
        let mut done = Vec::new();
        while done.len() < 2 {
            match events.recv_timeout(Duration::from_secs(9)).unwrap() {
                Event::Done { step, panicked } => done.push((step, panicked)),
                Event::Found(_) | Event::Signal => panic!("nothing was found"),
            }
        }
        done.sort_unstable();
        assert_eq!(done, [("careful", false), ("careless", true)]);
        assert_eq!(running.steps, ["careless", "careful"]);
    }
}
