//! The probe: looks around in the pod, writes one report and ends. See the library for what it promises.

mod aws;
mod budget;
mod clock;
mod deadline;
mod environment;
mod look;
mod net;
mod run;
mod steps;

use irsa_probe::{Ended, Options, Report, secrets};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let started = Instant::now();
    forbid_core_dump();
    let written = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => {
            let (report, probe) = run::run(options, started);
            let written = write(report, &probe.options, |json| probe.secrets.scrub(json));
            probe.secrets.wipe();
            written
        }
        Err(error) => {
            let detail = Some(error.to_string());
            let report = Report { ended: Some(Ended::Usage), detail, ..Report::empty() };
            write(report, &Options::default(), str::to_owned)
        }
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// A core dump would contain the token. The limit counts for files; a core that a node pipes to a program is held back by the second.
fn forbid_core_dump() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    // Where a sandbox refuses this, the report is still worth having.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// The termination log first: the plugin waits for that. Scrubbing makes no text longer.
fn write(mut report: Report, options: &Options, scrub: impl Fn(&str) -> String) -> io::Result<()> {
    let compact = scrub(&budget::fit(&report, options.budget)?);
    // The kubelet provides the file; elsewhere there is none, and none is made.
    let file = OpenOptions::new().write(true).truncate(true).open(&options.termination_log);
    let logged = file.and_then(|mut file| file.write_all(compact.as_bytes()));
    report.termination_fault = logged.err().map(Into::into);
    let mut line = scrub(&serde_json::to_string(&report)?);
    line.push('\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(line.as_bytes())?;
    stdout.flush()
}
