//! The application's own words: its log is parsed line by line, and only what is recognised is kept.

use jiff::Timestamp;

use super::api::{Api, NoAnswer};
use irsa::aws_error;
use irsa::derive::Derived;
use irsa::facts::{Fact, Facts, Grant, Heard, Listing, Source, Sourced, Subject, Why};

/// Pods whose logs are read; the others of a workload say the same.
const PODS: usize = 3;

/// Reads the target container's log, and that of its last run where it was restarted. `index` counts the subjects.
pub async fn of(api: &Api, facts: &Facts, wanted: bool, index: usize) -> Fact<Listing<Heard>> {
    let what = "the application's log";
    if !wanted {
        return Fact::unknown_because(what, Why::Excluded(String::from("--no-logs")), None);
    }
    if index >= PODS {
        return Fact::not_asked(what, format!("the logs of the newest {PODS} pods are read"));
    }
    let derived = Derived::of(facts);
    let (Subject::Pod(pod), Some(target)) = (&facts.subject, derived.target()) else {
        return Fact::not_asked(what, "there is no pod");
    };
    let (name, container) = (&pod.value.metadata.name, target.name());
    let restarted = pod
        .value
        .status
        .all_container_statuses()
        .any(|status| status.name == container && status.restart_count > 0);
    let log = |previous| api.log(&facts.namespace_name, name, container, previous);
    let before = async {
        // A log of a former run may be gone: that it was asked for is no fault.
        if restarted { log(true).await.unwrap_or_default() } else { Vec::new() }
    };
    let (now, before) = tokio::join!(log(false), before);
    let now = match now {
        Ok(now) => now,
        // 400: the container has not started yet, so it has said nothing.
        Err(NoAnswer::Status { code, .. }) if code.as_u16() == 400 => Vec::new(),
        Err(error) => {
            let denied = matches!(&error, NoAnswer::Status { code, .. } if code.as_u16() == 403);
            let grant = denied.then(|| Grant::rbac("get", "pods/log", Some(&facts.namespace_name)));
            return Fact::Unknown(api.unknown(what.to_owned(), &error, grant));
        }
    };
    let mut items = heard(&String::from_utf8_lossy(&now), &format!("log of container {container}"));
    let of = format!("log of container {container} before its last restart");
    items.extend(heard(&String::from_utf8_lossy(&before), &of));
    let source = Source::Api {
        verb: "get".into(),
        object: format!("pod/{name}/log"),
        namespace: Some(facts.namespace_name.clone()),
        field: String::new(),
    };
    Fact::observed(Listing { items, cut: None }, source)
}

/// Adds what the user pasted (`--error`): the first that counts.
pub fn add_said(facts: &mut Facts, text: &str) {
    let source = Source::Log { of: String::from("--error"), line: 1 };
    let mut items: Vec<Sourced<Heard>> = aws_error::parse(text)
        .into_iter()
        .map(|error| {
            let source = Source::Log { of: String::from("--error"), line: error.line };
            Sourced { value: Heard { error, at: None }, source }
        })
        .collect();
    match &mut facts.heard {
        Fact::Known(listing) => {
            items.append(&mut listing.value.items);
            listing.value.items = items;
        }
        other => *other = Fact::observed(Listing { items, cut: None }, source),
    }
}

/// The errors in a log whose lines begin with their times, as `timestamps=true` makes them.
fn heard(log: &str, of: &str) -> Vec<Sourced<Heard>> {
    let lines: Vec<(Option<Timestamp>, &str)> = log
        .lines()
        .map(|line| match line.split_once(' ').map(|(time, rest)| (time.parse::<Timestamp>(), rest)) {
            Some((Ok(time), rest)) => (Some(time), rest),
            _ => (None, line),
        })
        .collect();
    let text: Vec<&str> = lines.iter().map(|(_, line)| *line).collect();
    let errors = aws_error::parse(&text.join("\n")).into_iter();
    errors
        .map(|error| {
            let at = error.line.checked_sub(1).and_then(|index| lines.get(index)?.0);
            let source = Source::Log { of: of.to_owned(), line: error.line };
            Sourced { value: Heard { error, at }, source }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_lines() {
        let log = "2026-11-22T07:00:00.5Z starting\n\
                   2026-11-22T07:00:01Z An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: \
                   Not authorized to perform sts:AssumeRoleWithWebIdentity\n";
        let found = heard(log, "log of container app");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].value.at, "2026-11-22T07:00:01Z".parse().ok());
        assert_eq!(found[0].source.to_string(), "log of container app, line 2");
    }

    #[test]
    fn a_log_without_errors_says_nothing() {
        assert!(heard("2026-11-22T07:00:00Z listening on :8080\n", "log of container app").is_empty());
    }
}
