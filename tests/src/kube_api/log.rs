//! What was asked, and when: tests assert on it, and count the round trips that a user would wait for.

use super::route::Route;
use http::HeaderMap;
use std::sync::Mutex;
use std::time::Instant;

/// One request.
#[derive(Debug, Clone)]
pub struct Seen {
    /// HTTP method.
    pub method: String,
    /// RBAC verb.
    pub verb: String,
    /// `pods`, `serviceaccounts/token`, or the path of a non-resource URL.
    pub resource: String,
    /// Namespace, empty at the cluster scope.
    pub namespace: String,
    /// Object name, empty for lists.
    pub name: String,
    /// As on the request line.
    pub path_and_query: String,
    /// When the request had been read up to its body.
    pub started: Instant,
    /// When the answer was ready (of a watch: its first events); `None` for requests that never got one.
    pub finished: Option<Instant>,
    /// HTTP status of the answer.
    pub status: Option<u16>,
    /// Accept header.
    pub accept: String,
    /// `Impersonate-User` header.
    pub impersonate_user: Option<String>,
    /// `Impersonate-Group` headers.
    pub impersonate_groups: Vec<String>,
    /// `Impersonate-Uid` header.
    pub impersonate_uid: Option<String>,
}

impl Seen {
    /// A request that starts now.
    pub fn new(method: &str, path_and_query: &str, route: &Route, headers: &HeaderMap) -> Seen {
        let all = |name: &str| -> Vec<String> {
            headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).map(str::to_owned).collect()
        };
        let resource = route.resource.clone().unwrap_or_default();
        Seen {
            method: method.to_owned(),
            verb: route.verb.clone(),
            resource: route.label(),
            namespace: resource.namespace,
            name: resource.name,
            path_and_query: path_and_query.to_owned(),
            started: Instant::now(),
            finished: None,
            status: None,
            accept: all("accept").join(", "),
            impersonate_user: all("impersonate-user").pop(),
            impersonate_groups: all("impersonate-group"),
            impersonate_uid: all("impersonate-uid").pop(),
        }
    }
}

/// All requests in the order in which they came.
#[derive(Debug, Default)]
pub struct Log(Mutex<Vec<Seen>>);

impl Log {
    /// Notes a request; the number identifies it for [`Log::finish`].
    pub fn start(&self, seen: Seen) -> usize {
        let mut log = self.0.lock().expect("no thread panics while it holds the log");
        log.push(seen);
        log.len() - 1
    }

    /// Notes that the answer is ready.
    pub fn finish(&self, number: usize, status: u16) {
        let mut log = self.0.lock().expect("no thread panics while it holds the log");
        if let Some(seen) = log.get_mut(number) {
            seen.finished = Some(Instant::now());
            seen.status = Some(status);
        }
    }

    /// A copy.
    pub fn all(&self) -> Vec<Seen> {
        self.0.lock().expect("no thread panics while it holds the log").clone()
    }
}

/// The length of the longest chain of requests of which each started after the one before had finished. It counts
/// order in time, so requests must be slow enough to overlap (`FakeKube::set_latency`) for it to mean anything.
pub fn sequential_depth(log: &[Seen]) -> usize {
    // The classic: of intervals sorted by their end, always take the next one that starts after the last taken.
    // Requests without an end can only be last in a chain.
    let mut intervals: Vec<(Instant, Option<Instant>)> =
        log.iter().map(|s| (s.started, s.finished)).collect();
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
    use http::Method;
    use std::time::Duration;

    fn depth(intervals: &[(u64, Option<u64>)]) -> usize {
        let zero = Instant::now();
        let at = |ms: u64| zero + Duration::from_millis(ms);
        let route = Route::parse(&Method::GET, "/version", None);
        let seen = |&(started, finished): &(u64, Option<u64>)| Seen {
            started: at(started),
            finished: finished.map(at),
            ..Seen::new("GET", "/version", &route, &HeaderMap::new())
        };
        sequential_depth(&intervals.iter().map(seen).collect::<Vec<_>>())
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
