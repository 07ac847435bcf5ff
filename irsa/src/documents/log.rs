//! The application's own errors: parsed line by line, and only what is recognised is kept.

use jiff::Timestamp;

use crate::aws_error::{self, Sighting};
use crate::facts::{Fact, Facts, Listing, LoggedError, Source, Sourced, UnknownText};

/// Adds what the user pasted (`--error`): the first that counts. A text in which nothing is recognised is kept in part, to be said.
pub fn add_said(facts: &mut Facts, text: &str) {
    let source = |line| Source::Log { of: String::from("--error"), line };
    let given = |error: Sighting, unknown_text| {
        let source = source(error.line);
        Sourced { value: LoggedError { error, at: None, given: true, unknown_text }, source }
    };
    let mut items: Vec<Sourced<LoggedError>> =
        aws_error::pasted(text).into_iter().map(|error| given(error, None)).collect();
    if items.is_empty() && !text.trim().is_empty() {
        let unknown =
            UnknownText { excerpt: aws_error::excerpt(text), of_aws: aws_error::mentions_aws(text) };
        items.push(given(Sighting::of_unknown_text(), Some(unknown)));
    }
    let source = source(1);
    match &mut facts.app_errors {
        Fact::Known(listing) => {
            items.append(&mut listing.value.items);
            listing.value.items = items;
        }
        other => *other = Fact::observed(Listing { items, cut: None }, source),
    }
}

/// The errors in a log whose lines begin with their times, as `timestamps=true` makes them.
pub fn app_errors(log: &str, of: &str) -> Vec<Sourced<LoggedError>> {
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
            Sourced { value: LoggedError { error, at, given: false, unknown_text: None }, source }
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
        let found = app_errors(log, "log of container app");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].value.at, "2026-11-22T07:00:01Z".parse().ok());
        assert_eq!(found[0].source.to_string(), "log of container app, line 2");
    }

    #[test]
    fn a_log_without_errors_says_nothing() {
        assert!(app_errors("2026-11-22T07:00:00Z listening on :8080\n", "log of container app").is_empty());
    }
}
