//! What went well later in the same log, and so ends an earlier failure.

use serde::{Deserialize, Serialize};

use super::{Principal, pieces, principal};

/// Something that only works with credentials, and worked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Success {
    /// What worked.
    pub what: Worked,
    /// The line that says so, from 1.
    pub line: usize,
}

/// What worked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Worked {
    /// The process has new credentials.
    Credentials,
    /// AWS named the caller, outside an error.
    Caller(Principal),
    /// A request to AWS.
    Request,
    /// Another attempt was announced, and the process went on without another failure.
    NextAttempt,
}

/// The process says that it has credentials.
const CREDENTIALS: [&str; 16] = [
    "assumed role",
    "authenticated to aws",
    "credentials acquired",
    "credentials are valid",
    "credentials loaded",
    "credentials obtained",
    "credentials refreshed",
    "credentials renewed",
    "credentials updated",
    "got credentials",
    "loaded credentials",
    "obtained credentials",
    "refreshed credentials",
    "renewed credentials",
    "retrieved credentials",
    "session renewed",
];
/// Verbs of something done, as words.
const DONE: [&str; 34] = [
    "archived",
    "completed",
    "connected",
    "copied",
    "delivered",
    "done",
    "downloaded",
    "fetched",
    "flushed",
    "healthy",
    "listed",
    "loaded",
    "ok",
    "passed",
    "published",
    "pulled",
    "pushed",
    "read",
    "ready",
    "received",
    "recovered",
    "restored",
    "resumed",
    "saved",
    "sent",
    "stored",
    "succeeded",
    "success",
    "synced",
    "uploaded",
    "200",
    "204",
    "written",
    "wrote",
];
/// What belongs to AWS, as words or parts of them.
const OF_AWS: [&str; 17] = [
    "amazonaws",
    "arn:aws",
    "bucket",
    "dynamodb",
    "kinesis",
    "kms",
    "object",
    "queue",
    "s3",
    "secretsmanager",
    "sns",
    "sqs",
    "sts",
    "stream",
    "table",
    "topic",
    "aws",
];
/// Words of a failure; none may stand beside a success.
const FAILED: [&str; 16] = [
    "abort",
    "cannot",
    "can't",
    "could not",
    "couldn't",
    "denied",
    "error",
    "exception",
    "expired",
    "fail",
    "refused",
    "retry",
    "timeout",
    "timed out",
    "unable",
    "warn",
];
/// A count of failures that is nought.
const NONE_FAILED: [&str; 6] = ["0 failed", "0 errors", "0 failures", "no errors", "no failures", "0 denied"];

/// The success that a record without an error tells of.
pub(super) fn read(record: &str, line: usize) -> Option<Success> {
    let lower = record.to_ascii_lowercase();
    let plain = NONE_FAILED.iter().fold(lower, |text, none| text.replace(none, ""));
    if FAILED.iter().any(|word| plain.contains(word)) {
        return None;
    }
    let caller = || {
        let named = record.match_indices("arn:aws");
        named.filter_map(|(at, _)| principal(pieces::arn_at_start(&record[at..])?)).next()
    };
    let has_word =
        |words: &[&str]| plain.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| words.contains(&word));
    let what = if let Some(caller) = caller() {
        Worked::Caller(caller)
    } else if CREDENTIALS.iter().any(|words| plain.contains(words)) {
        Worked::Credentials
    } else if has_word(&DONE) && OF_AWS.iter().any(|word| plain.contains(word))
        || plain.contains("succeeded on attempt")
        || plain.contains("succeeded after")
    {
        Worked::Request
    } else {
        return None;
    };
    Some(Success { what, line })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn successes_are_told_from_failures() {
        let what = |record: &str| read(record, 1).map(|success| success.what);
        for record in ["credentials refreshed, valid for 59m58s", "successfully assumed role checkout"] {
            assert_eq!(what(record), Some(Worked::Credentials), "{record}");
        }
        for record in
            ["312 objects uploaded, 0 failed", "fetch: job 5540 done, 18 MB to s3://mailroom-inbox/"]
        {
            assert_eq!(what(record), Some(Worked::Request), "{record}");
        }
        assert!(matches!(
            what("caller is arn:aws:sts::111122223333:assumed-role/shop-checkout/1795859892123456789"),
            Some(Worked::Caller(_))
        ));
        for record in [
            "credentials refreshed failed",
            "upload to s3://a failed",
            "listening on :8080",
            "next run in 15m",
            "User: arn:aws:sts::111122223333:assumed-role/a/b is denied",
            "done",
        ] {
            assert_eq!(what(record), None, "{record}");
        }
    }
}
