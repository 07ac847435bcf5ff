//! The probe's report as it comes out of a pod: untrusted until it is parsed.

use irsa_probe::Report;
use serde_json::Value;
use thiserror::Error;

use crate::text::foreign::without_credentials;

/// The largest report that is read, in bytes; the probe's own are far smaller.
pub const LARGEST: usize = 256 * 1024;
/// The schema that this version reads.
const SCHEMA: &str = "irsa-probe/v1";
/// How every report begins, as the probe writes it.
const BEGINNING: &str = "{\"schema\":\"irsa-probe/";

/// Why a report could not be read. Never quotes it: it may contain anything.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ReportError {
    /// Too long.
    #[error("the probe's report is larger than {LARGEST} bytes")]
    TooLarge,
    /// Not a report.
    #[error("the probe left no valid report (line {line}, column {column})")]
    NotAReport {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// It ends in the middle. The kubelet shares 12 KiB among the messages of all containers of a pod, and cuts a message that
    /// was whole when others come: it says nothing about the pod.
    #[error(
        "the kubelet has cut the probe's report short: the pod has too many containers, earlier probes among them"
    )]
    Cut,
    /// A report of another version.
    #[error("the probe's report is not of version {SCHEMA}; use the probe image of this version")]
    OtherSchema,
}

/// Reads a report.
///
/// # Errors
/// It is too long, not a report, or of another version.
pub fn read(text: &str) -> Result<Report, ReportError> {
    if text.len() > LARGEST {
        return Err(ReportError::TooLarge);
    }
    let report: Report = serde_json::from_str(text.trim()).map_err(|error| {
        if error.is_eof() && text.starts_with(BEGINNING) {
            ReportError::Cut
        } else {
            ReportError::NotAReport { line: error.line(), column: error.column() }
        }
    })?;
    let same =
        report.schema.strip_prefix(SCHEMA).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    if same { Ok(scrubbed(report)) } else { Err(ReportError::OtherSchema) }
}

/// The same report without credentials: whatever wrote it may have quoted some.
fn scrubbed(report: Report) -> Report {
    let Ok(mut value) = serde_json::to_value(&report) else { return report };
    if scrub(&mut value) { serde_json::from_value(value).unwrap_or_else(|_| Report::empty()) } else { report }
}

/// True if something was withheld.
fn scrub(value: &mut Value) -> bool {
    match value {
        Value::String(text) => {
            let clean = without_credentials(text);
            let hides = clean != *text;
            *text = clean;
            hides
        }
        Value::Array(items) => items.iter_mut().fold(false, |hides, item| scrub(item) | hides),
        Value::Object(fields) => fields.values_mut().fold(false, |hides, field| scrub(field) | hides),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read() {
        let report = read("{\"schema\":\"irsa-probe/v1\",\"now\":1,\"future\":{}}\n").unwrap();
        assert_eq!(report.now, Some(1));
    }

    #[test]
    fn what_a_server_quoted_is_no_part_of_it() {
        let report =
            read(r#"{"schema":"irsa-probe/v1","now":1,"detail":"Authorization: Bearer canary"}"#).unwrap();
        assert_eq!(report.detail.as_deref(), Some("Authorization: Bearer [withheld]"));
    }

    #[test]
    fn what_is_no_report_is_not_repeated() {
        let error = read("{\"schema\": \"\u{1b}[31mred").unwrap_err();
        assert_eq!(error.to_string(), "the probe left no valid report (line 1, column 13)");
        assert_eq!(read("{\"schema\":\"irsa-probe/v2\"}"), Err(ReportError::OtherSchema));
        assert_eq!(read("{\"schema\":\"irsa-probe/v10\"}"), Err(ReportError::OtherSchema));
        assert_eq!(read(&" ".repeat(LARGEST + 1)), Err(ReportError::TooLarge));
    }

    #[test]
    fn a_report_that_was_cut_is_no_other_text() {
        let whole = "{\"schema\":\"irsa-probe/v1\",\"now\":1}";
        for cut in 0..whole.len() {
            let is_cut = read(&whole[..cut]) == Err(ReportError::Cut);
            assert_eq!(is_cut, cut >= BEGINNING.len(), "{cut}");
        }
        assert_eq!(
            read("{\"schema\":\"irsa-probe/v1\",!"),
            Err(ReportError::NotAReport { line: 1, column: 27 })
        );
    }
}
