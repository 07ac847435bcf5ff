//! Whose words a record is: the process's own complaint, or something that it merely passes on.
//!
//! Logs are full of errors that nobody made just now: events that an application moves, answers that a bot quotes, links that
//! somebody else signed, tests that expect to be denied. The form of the record shows it; which of them concern the pod is decided
//! in `derive::attribution`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// In which voice a record says that something failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Voice {
    /// The process speaks of a call of its own, as far as the text shows.
    #[default]
    Own,
    /// One attempt of several, with more to come: `attempt 1/3`.
    Attempt,
    /// A record among the data that the process handles: an event of CloudTrail or of an audit log, a line of another pod's log.
    Payload,
    /// Somebody's words: in quotation marks after a verb of speech, or in a field for text.
    Quoted,
    /// What the process wanted to see: a test that passed.
    Expected,
    /// The answer to a request that somebody else signed: a presigned URL.
    Presigned,
    /// An answer as it came over the wire, which no SDK has read: nothing shows who had signed the request.
    Raw,
}

impl Voice {
    /// True if the record is no complaint of the process about a call of its own.
    pub const fn is_of_others(self) -> bool {
        match self {
            Self::Payload | Self::Quoted | Self::Expected | Self::Presigned => true,
            Self::Own | Self::Attempt | Self::Raw => false,
        }
    }
}

/// How far before a phrase a quotation may start, in bytes.
const QUOTATION: usize = 400;

/// Fields for text that people or other programs wrote.
const TEXT_FIELDS: [&str; 30] = [
    "answer",
    "ask",
    "body",
    "comment",
    "content",
    "contents",
    "description",
    "document",
    "example",
    "excerpt",
    "html",
    "line_sample",
    "markdown",
    "match",
    "matched",
    "pattern",
    "post",
    "prompt",
    "query",
    "question",
    "quote",
    "reply",
    "sample",
    "snippet",
    "subject",
    "summary",
    "text",
    "title",
    "transcript",
    "translation",
];
/// Fields that hold the data that a program handles.
const DATA_FIELDS: [&str; 15] = [
    "_source",
    "alert",
    "detail",
    "document",
    "event",
    "events",
    "hits",
    "item",
    "items",
    "payload",
    "record",
    "records",
    "row",
    "rows",
    "notification",
];
/// Words after which quotation marks hold somebody's words.
const SPEECH: [&str; 38] = [
    "about", "answer", "answers", "answered", "asked", "asks", "chat", "comment", "customer", "docs",
    "example", "explain", "explains", "grep", "issue", "match", "matched", "matches", "pattern", "post",
    "posted", "prompt", "question", "quote", "quoted", "quotes", "quoting", "replied", "replies", "reply",
    "rule", "said", "says", "text", "thread", "ticket", "tweet", "wrote",
];
/// Signs that the error was wanted.
const EXPECTED: [&str; 18] = [
    "as expected",
    "as it should",
    "assertraises",
    "correctly denied",
    "correctly rejected",
    "correctly refused",
    "expected accessdenied",
    "expected access denied",
    "expected denial",
    "expected failure",
    "expects accessdenied",
    "expects access denied",
    "expect accessdenied",
    "must be denied",
    "negative test",
    "pytest.raises",
    "should be denied",
    "is denied, good",
];
/// How test runners mark a test that passed, at the start of its line and at its end.
const PASSED: ([&str; 6], [&str; 5]) =
    (["--- pass", "ok ", "pass ", "pass: ", "✓", "✔"], [" passed", "... ok", " pass", "[ok]", " ✓"]);
/// The parameters of a presigned URL, and what people call one.
const PRESIGNED: [&str; 8] = [
    "x-amz-signature",
    "x-amz-credential",
    "x-amz-expires",
    "presigned",
    "pre-signed",
    "signed url",
    "signed link",
    "<message>request has expired",
];

/// The voice in which a record says what stands at `at`; `lower` is the record in lower case, and `is_read_by_sdk` tells that an
/// SDK had made words of the answer.
pub(super) fn of(record: &str, lower: &str, at: usize, is_read_by_sdk: bool) -> Voice {
    let contains = |signs: &[&str]| signs.iter().any(|sign| lower.contains(sign));
    if is_payload(record, lower) {
        Voice::Payload
    } else if contains(&PRESIGNED) {
        Voice::Presigned
    } else if contains(&EXPECTED) || is_passed_test(lower) {
        Voice::Expected
    } else if is_quoted(record, lower, at) {
        Voice::Quoted
    } else if attempt(lower).is_some_and(|(number, most)| number < most) {
        Voice::Attempt
    } else if lower[..at].contains("<error>") && !is_read_by_sdk {
        Voice::Raw
    } else {
        Voice::Own
    }
}

fn is_passed_test(lower: &str) -> bool {
    let line = lower.trim();
    PASSED.0.iter().any(|mark| line.starts_with(mark)) || PASSED.1.iter().any(|mark| line.ends_with(mark))
}

/// `attempt 1/3`, `attempt 1 of 3`, `retry 2/5`, `try 1 of 3`: which attempt it was, and of how many.
fn attempt(lower: &str) -> Option<(u32, u32)> {
    ["attempt", "retry", "try"].iter().find_map(|word| {
        lower.match_indices(word).find_map(|(at, _)| {
            let rest = lower[at + word.len()..].trim_start_matches([' ', ':', '#', '=', '(']);
            let (number, rest) = number(rest)?;
            let rest = rest.trim_start();
            let rest = rest.strip_prefix('/').or_else(|| rest.strip_prefix("of "))?;
            let (most, _) = self::number(rest.trim_start())?;
            Some((number, most))
        })
    })
}

fn number(text: &str) -> Option<(u32, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text.get(..digits)?.parse().ok()?, &text[digits..]))
}

/// An event of CloudTrail, an event of a Kubernetes audit log, or a line of another pod's log as a shipper wraps it.
fn is_payload(record: &str, lower: &str) -> bool {
    let all = |keys: &[&str]| keys.iter().all(|key| lower.contains(key));
    all(&["\"eventsource\"", "\"eventname\""])
        || all(&["\"auditid\"", "\"verb\""])
        || all(&["\"kubernetes\"", "\"pod_name\""])
        || all(&["\"kubernetes\"", "\"namespace_name\""])
        || json(record).is_some_and(|value| says_so_within(&value, &DATA_FIELDS))
}

/// The record's JSON, where it is of JSON.
fn json(record: &str) -> Option<Value> {
    let from = record.find('{')?;
    let to = record.rfind('}')?;
    serde_json::from_str(record.get(from..=to)?).ok().filter(Value::is_object)
}

/// True if every error in the JSON lies under one of the fields.
fn says_so_within(value: &Value, fields: &[&str]) -> bool {
    let (mut within, mut beside) = (0, 0);
    tally(value, fields, false, &mut within, &mut beside);
    within > 0 && beside == 0
}

/// Counts the texts that tell of an error, under one of the fields and beside them.
fn tally(value: &Value, fields: &[&str], is_under: bool, within: &mut usize, beside: &mut usize) {
    match value {
        Value::String(text) if super::phrases::tells_of_an_error(&text.to_ascii_lowercase()) => {
            *(if is_under { within } else { beside }) += 1;
        }
        Value::Array(items) => items.iter().for_each(|item| tally(item, fields, is_under, within, beside)),
        Value::Object(map) => {
            for (key, value) in map {
                let is_under = is_under || fields.contains(&key.to_ascii_lowercase().as_str());
                tally(value, fields, is_under, within, beside);
            }
        }
        _ => {}
    }
}

/// True if the phrase at `at` is within quotation marks after a verb of speech, or in a field for text.
fn is_quoted(record: &str, lower: &str, at: usize) -> bool {
    if json(record).is_some_and(|value| says_so_within(&value, &TEXT_FIELDS)) {
        return true;
    }
    let start = lower.floor_char_boundary(at.saturating_sub(QUOTATION));
    let before = &lower[start..at];
    before.char_indices().any(|(open, mark)| {
        let (lead, quotation) = (&before[..open], &before[open + mark.len_utf8()..]);
        let closes = match mark {
            '"' | '\'' | '`' => mark,
            '“' => '”',
            _ => return false,
        };
        let opens = lead.ends_with([' ', '=', ':', '(', '[', '>']) && !quotation.starts_with(' ');
        opens && !is_closed(quotation, closes) && speaks_before(lead)
    })
}

/// True if the mark closes what stands before the phrase: followed by a space or a sign, not by a letter (`doesn't`).
fn is_closed(quotation: &str, mark: char) -> bool {
    quotation.match_indices(mark).any(|(at, found)| {
        !quotation[at + found.len()..].starts_with(|c: char| c.is_alphanumeric())
            && !quotation[..at].ends_with([' ', '=', ':', '('])
    })
}

/// True if what stands before a quotation mark ends in a verb of speech or in a field for text.
fn speaks_before(lead: &str) -> bool {
    let word = |text: &str| {
        let text = text.trim_end_matches([' ', '=', ':', '(', '[', ',', '>', '"', '\'']);
        let last = text.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        (last.to_owned(), text.len() - last.len())
    };
    let (last, from) = word(lead);
    let (former, _) = word(&lead[..from]);
    let is_speech = |word: &str| SPEECH.contains(&word);
    is_speech(&last) || TEXT_FIELDS.contains(&last.as_str()) || is_speech(&former)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_error::parse;

    fn voice(line: &str) -> Option<Voice> {
        parse(line).first().map(|sighting| sighting.voice)
    }

    const DENIED: &str = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
    const EXPIRED: &str = "ExpiredToken: The provided token has expired.";

    #[test]
    fn what_a_process_says_of_its_own_calls_is_its_own() {
        for line in [
            format!(
                "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: {DENIED}"
            ),
            format!("level=error msg=\"cannot start: AccessDenied: {DENIED}\" status=\"403\""),
            format!("{{\"level\":\"error\",\"error\":\"WebIdentityErr: AccessDenied: {DENIED}\"}}"),
            format!(
                "{{\"level\":\"info\",\"msg\":\"failed\",\"fields\":{{\"err\":\"AccessDenied: {DENIED}\"}}}}"
            ),
            format!("panic: \"{DENIED}\""),
            format!("attempt 3/3: AccessDenied: {DENIED}"),
            format!("retrying in 8 s: AccessDenied: {DENIED}"),
            format!("Post \"https://sts.eu-west-1.amazonaws.com/\": AccessDenied: {DENIED}"),
        ] {
            assert_eq!(voice(&line), Some(Voice::Own), "{line}");
        }
    }

    #[test]
    fn what_it_passes_on_is_not() {
        for (line, expected) in [
            (
                format!(
                    "{{\"msg\":\"event\",\"event\":{{\"eventSource\":\"sts.amazonaws.com\",\"eventName\":\"AssumeRoleWithWebIdentity\",\
                     \"errorMessage\":\"{DENIED}\"}}}}"
                ),
                Voice::Payload,
            ),
            (format!("{{\"msg\":\"forward\",\"payload\":\"{DENIED}\"}}"), Voice::Payload),
            (
                format!("{{\"log\":\"{DENIED}\",\"kubernetes\":{{\"pod_name\":\"ledger-0\"}}}}"),
                Voice::Payload,
            ),
            (format!("user 12 asked: \"why {DENIED}?\""), Voice::Quoted),
            (format!("{{\"channel\":\"ops\",\"text\":\"we get {DENIED}\"}}"), Voice::Quoted),
            (format!("level=info msg=\"ticket 88 says \\\"{DENIED}\\\"\""), Voice::Quoted),
            (format!("customer says: \"{EXPIRED}\" from s3.amazonaws.com"), Voice::Quoted),
            (format!("test_stranger_is_denied: got {DENIED}, as expected"), Voice::Expected),
            (format!("tests/test_s3.py::test_{DENIED} PASSED"), Voice::Expected),
            (format!("attempt 1/3: AccessDenied: {DENIED}"), Voice::Attempt),
            (
                String::from(
                    "GET https://x.s3.amazonaws.com/a?X-Amz-Expires=60 answered <Error><Code>ExpiredToken</Code><Message>The provided \
                     token has expired.</Message>",
                ),
                Voice::Presigned,
            ),
            (
                String::from(
                    "job 5531 answered 400: <Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error> \
                     (https://x.s3.us-west-2.amazonaws.com/r.csv)",
                ),
                Voice::Raw,
            ),
        ] {
            assert_eq!(voice(&line), Some(expected), "{line}");
        }
    }

    #[test]
    fn attempts_are_counted() {
        assert_eq!(attempt("retrying, attempt 1/3: x"), Some((1, 3)));
        assert_eq!(attempt("attempt #2 of 5"), Some((2, 5)));
        assert_eq!(attempt("retry=1/2"), Some((1, 2)));
        assert_eq!(attempt("exceeded maximum number of attempts, 3"), None);
        assert_eq!(attempt("attempt 99999999999/3"), None);
    }
}
