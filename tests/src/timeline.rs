//! Requests in time: tests assert on what was asked, and count the round trips that a user would wait for.

use std::sync::Mutex;
use std::time::Instant;

/// All requests in the order in which they came.
#[derive(Debug)]
pub struct Log<T>(Mutex<Vec<T>>);

impl<T> Default for Log<T> {
    fn default() -> Self {
        Log(Mutex::new(Vec::new()))
    }
}

impl<T: Clone> Log<T> {
    /// Notes a request; the number identifies it for [`Log::update`].
    pub fn start(&self, seen: T) -> usize {
        let mut log = self.0.lock().expect("no thread panics while it holds the log");
        log.push(seen);
        log.len() - 1
    }

    /// Notes more about a request, as that its answer is ready.
    pub fn update(&self, number: usize, change: impl FnOnce(&mut T)) {
        let mut log = self.0.lock().expect("no thread panics while it holds the log");
        if let Some(seen) = log.get_mut(number) {
            change(seen);
        }
    }

    /// A copy.
    pub fn all(&self) -> Vec<T> {
        self.0.lock().expect("no thread panics while it holds the log").clone()
    }
}

/// From when a request had been read up to its body to when the answer was ready; no end if it never was.
pub type Interval = (Instant, Option<Instant>);

/// The length of the longest chain of requests of which each started after the one before had finished. It counts
/// order in time, so requests must be slow enough to overlap (`set_latency` of the fakes) for it to mean anything.
pub fn sequential_depth(intervals: impl IntoIterator<Item = Interval>) -> usize {
    // The classic: of intervals sorted by their end, always take the next one that starts after the last taken.
    // Requests without an end can only be last in a chain.
    let mut intervals: Vec<Interval> = intervals.into_iter().collect();
    intervals.sort_by_key(|(started, finished)| (finished.is_none(), *finished, *started));
    let mut depth = 0;
    let mut free_from: Option<Instant> = None;
    for (started, finished) in intervals {
        if free_from.is_none_or(|end| started >= end) {
            depth += 1;
            match finished {
                Some(end) => free_from = Some(end),
                None => break,
            }
        }
    }
    depth
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn depth(intervals: &[(u64, Option<u64>)]) -> usize {
        let zero = Instant::now();
        let at = |ms: u64| zero + Duration::from_millis(ms);
        sequential_depth(intervals.iter().map(|&(started, finished)| (at(started), finished.map(at))))
    }

    #[test]
    fn chains() {
        assert_eq!(depth(&[]), 0);
        assert_eq!(depth(&[(0, Some(200))]), 1);
        assert_eq!(depth(&[(0, Some(200)), (1, Some(201)), (2, Some(202))]), 1, "concurrent");
        assert_eq!(depth(&[(0, Some(200)), (200, Some(400)), (401, Some(600))]), 3, "one after the other");
        let fan = [(0, Some(200)), (201, Some(401)), (202, Some(402)), (205, Some(405)), (410, Some(610))];
        assert_eq!(depth(&fan), 3, "one, three at once, one");
        assert_eq!(
            depth(&[(0, Some(1000)), (0, Some(10)), (11, Some(20)), (21, Some(30))]),
            3,
            "the short ones"
        );
    }

    #[test]
    fn an_unanswered_request_can_only_be_last() {
        assert_eq!(depth(&[(0, None), (1, Some(10)), (11, Some(20))]), 2);
        assert_eq!(depth(&[(0, Some(10)), (11, None), (12, None)]), 2);
    }
}
