//! When the waiting of a run ends: at its time limit, or when the user stops it. It ends the waiting, not the report: what was late
//! is unknown, and why.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use irsa::facts::Why;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Lets the user end the waiting.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<bool>);

/// The end of a run's waiting. Every wait of the run is within it.
#[derive(Debug, Clone)]
pub struct Deadline {
    at: Instant,
    limit: Duration,
    stop: Stop,
    /// What was still waited for at the end.
    late: Arc<Mutex<BTreeSet<String>>>,
}

/// How many late answers are named.
const SHOWN: usize = 3;

/// Why a wait ended without its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// This answer took longer than one answer may.
    Answer(Duration),
    /// The whole run may not take longer.
    Run(Duration),
    /// The user stopped the run.
    Interrupted,
}

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stop {
    /// Ends every wait.
    pub fn now(&self) {
        self.0.send_replace(true);
    }

    /// True once the user has stopped the run.
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    async fn stopped(&self) {
        // Fails only without a sender, and there is one in here.
        let _ = self.0.subscribe().wait_for(|stopped| *stopped).await;
    }
}

impl Deadline {
    /// After so long, or when `stop` says so.
    pub fn after(limit: Duration, stop: &Stop) -> Self {
        Self { at: Instant::now() + limit, limit, stop: stop.clone(), late: Arc::default() }
    }

    /// For what must be done after the end of the waiting, and takes at most so long.
    pub fn beyond(limit: Duration) -> Self {
        Self::after(limit, &Stop::default())
    }

    /// The end of one of several tries of the run, which may take so long.
    pub fn part(&self, limit: Duration) -> Self {
        let at = self.within(limit);
        let limit = if at < self.at { limit } else { self.limit };
        Self { at, limit, stop: self.stop.clone(), late: Arc::default() }
    }

    /// Lets time pass; false if the end comes first.
    pub async fn pause(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        tokio::select! {
            () = self.stop.stopped() => false,
            () = sleep_until(self.at.min(end)) => end < self.at,
        }
    }

    /// When it is.
    pub fn at(&self) -> Instant {
        self.at
    }

    /// When a wait ends that begins now and may take so long.
    pub fn within(&self, limit: Duration) -> Instant {
        self.at.min(Instant::now() + limit)
    }

    /// How long it is until then.
    pub fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Why nothing is waited for any more; `None` while it is.
    pub fn over(&self) -> Option<Late> {
        match self.stop.is_stopped() {
            true => Some(Late::Interrupted),
            false => (self.at <= Instant::now()).then_some(Late::Run(self.limit)),
        }
    }

    /// Waits for an answer, as long as one answer may take. `from` says whose it is.
    pub async fn wait<T>(
        &self,
        from: &str,
        limit: Duration,
        answer: impl Future<Output = T>,
    ) -> Result<T, Late> {
        let was_over = self.over().is_some();
        let late =
            if self.at <= Instant::now() + limit { Late::Run(self.limit) } else { Late::Answer(limit) };
        let outcome = tokio::select! {
            // What is here counts, even if it came with the end.
            biased;
            answer = answer => Ok(answer),
            () = self.stop.stopped() => Err(Late::Interrupted),
            () = sleep_until(self.within(limit)) => Err(late),
        };
        // What was not even begun before the end is nobody's delay.
        if matches!(outcome, Err(Late::Run(_) | Late::Interrupted)) && !was_over {
            self.late().insert(from.to_owned());
        }
        outcome
    }

    /// Who was waited for when the waiting ended, in one sentence; `None` if it did not end early.
    pub fn blame(&self) -> Option<String> {
        let late = self.late();
        let shown: Vec<&str> = late.iter().take(SHOWN).map(String::as_str).collect();
        let more = late.len() - shown.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let end = self.end();
        (!shown.is_empty()).then(|| format!("{end}; no answer came in time from {}{more}", shown.join(", ")))
    }

    /// What ends the waiting.
    pub fn end(&self) -> String {
        match self.stop.is_stopped() {
            true => String::from("interrupted"),
            false => format!("stopped waiting after {} s (--timeout)", self.limit.as_secs()),
        }
    }

    fn late(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Late {
    /// The flag that allows more time.
    fn flag(self) -> &'static str {
        match self {
            Self::Answer(_) => " (--request-timeout)",
            Self::Run(_) => " (--timeout)",
            Self::Interrupted => "",
        }
    }
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Why::from(*self), self.flag())
    }
}

impl From<Late> for Why {
    fn from(late: Late) -> Self {
        match late {
            Late::Answer(limit) => Self::TimedOut(limit.as_secs()),
            Late::Run(limit) => Self::TimeIsUp(limit.as_secs()),
            Late::Interrupted => Self::Interrupted,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    const SOON: Duration = Duration::from_millis(10);
    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn the_first_end_counts() {
        let stop = Stop::default();
        let run = Deadline::after(HOUR, &stop);
        assert_eq!(run.wait("STS", SOON, pending::<()>()).await, Err(Late::Answer(SOON)));
        assert_eq!(
            Deadline::after(SOON, &stop).wait("STS", HOUR, pending::<()>()).await,
            Err(Late::Run(SOON))
        );
        assert_eq!(run.over(), None);
        assert_eq!(run.blame(), None);
        stop.now();
        assert_eq!(run.wait("IAM", HOUR, pending::<()>()).await, Err(Late::Interrupted));
        assert_eq!(run.over(), Some(Late::Interrupted));
    }

    #[tokio::test]
    async fn who_was_late_is_named() {
        let run = Deadline::after(SOON, &Stop::default());
        let _ = tokio::join!(run.wait("IAM", HOUR, pending::<()>()), run.wait("STS", HOUR, ready(())));
        let _ = run.wait("EKS", HOUR, pending::<()>()).await;
        let blame = run.blame().unwrap();
        assert_eq!(blame, "stopped waiting after 0 s (--timeout); no answer came in time from IAM");
    }

    #[tokio::test]
    async fn a_part_ends_no_later_than_the_whole() {
        let stop = Stop::default();
        let run = Deadline::after(HOUR, &stop);
        assert_eq!(run.part(SOON).wait("STS", HOUR, pending::<()>()).await, Err(Late::Run(SOON)));
        assert_eq!((run.over(), run.blame()), (None, None));
        let whole = Deadline::after(SOON, &stop);
        assert_eq!(whole.part(HOUR).wait("STS", HOUR, pending::<()>()).await, Err(Late::Run(SOON)));
        assert!(run.pause(SOON).await && !Deadline::after(SOON, &stop).pause(HOUR).await);
        stop.now();
        assert!(!run.pause(HOUR).await);
    }

    #[tokio::test]
    async fn what_is_here_at_the_end_counts() {
        let stop = Stop::default();
        stop.now();
        assert_eq!(Deadline::after(Duration::ZERO, &stop).wait("STS", HOUR, ready(1)).await, Ok(1));
    }
}
