//! Moments after which no step may go on.

use std::io;
use std::time::{Duration, Instant};

/// A moment after which a step may not go on.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    pub fn after(duration: Duration) -> Deadline {
        Deadline(Instant::now() + duration)
    }

    /// This one, or so long from now if that is sooner.
    pub fn at_most(self, duration: Duration) -> Deadline {
        Deadline(self.0.min(Instant::now() + duration))
    }

    /// What is left, never zero.
    pub fn remaining(self) -> io::Result<Duration> {
        match self.0.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => Ok(left),
            _ => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time")),
        }
    }
}

/// The milliseconds since then.
pub fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
