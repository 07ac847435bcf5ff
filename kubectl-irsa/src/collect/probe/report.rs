//! The probe's report as it comes out of a pod: hostile until it is read.

use irsa_probe::Report;
use thiserror::Error;

use irsa::derive::Derived;
use irsa::facts::inside::{Inside, Place, Run};
use irsa::facts::kubernetes::{Pod, ProbeEnd, ProbeStatus};
use irsa::facts::{Fact, Facts, Why};

/// The largest report that is read, in bytes; the probe's own keep far below it.
pub const LARGEST: usize = 256 * 1024;
/// What the schemas begin with that this version reads.
const SCHEMA: &str = "irsa-probe/v1";

/// Why a report could not be read. Never in its own words: it may hold anything.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ReportError {
    /// Too long.
    #[error("the probe's report is larger than {LARGEST} bytes")]
    TooLarge,
    /// Not a report.
    #[error("what the probe left is no report (line {line}, column {column})")]
    NotAReport {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A report of another version.
    #[error("the probe's report is of another version than {SCHEMA}; use the probe image of this version")]
    OtherSchema,
}

/// Reads a report.
pub fn read(text: &str) -> Result<Report, ReportError> {
    if text.len() > LARGEST {
        return Err(ReportError::TooLarge);
    }
    let report: Report = serde_json::from_str(text.trim())
        .map_err(|error| ReportError::NotAReport { line: error.line(), column: error.column() })?;
    let same =
        report.schema.strip_prefix(SCHEMA).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    if same { Ok(report) } else { Err(ReportError::OtherSchema) }
}

/// The report that an earlier run left in the pod's status; `None` if there is none of the target container.
pub fn earlier(facts: &Facts) -> Option<Fact<Inside>> {
    let pod = facts.subject.pod()?;
    let derived = Derived::of(facts);
    let target = derived.target()?.name();
    let (status, end) = newest(&pod.value, target)?;
    Some(match read(&end.message) {
        Ok(report) => {
            let mut inside = Inside::reported(report, Place::Pod, target, &status.name);
            inside.value.run = Run::Earlier { ended: end.finished_at };
            Fact::Known(inside)
        }
        Err(error) => Fact::unknown_because(Inside::WHAT, Why::Failed(error.to_string()), None),
    })
}

/// The last report about a container.
fn newest<'p>(pod: &'p Pod, target: &str) -> Option<(&'p ProbeStatus, &'p ProbeEnd)> {
    let of_target = |status: &&ProbeStatus| {
        let container = pod.spec.ephemeral_containers.iter().find(|container| container.name == status.name);
        container.is_some_and(|container| super::looks_at(container) == Some(target))
    };
    let ended = pod.status.probes.iter().filter(of_target).filter_map(|status| {
        let end = status.state.terminated.as_ref()?;
        (!end.message.is_empty()).then_some((status, end))
    });
    ended.max_by_key(|(_, end)| end.finished_at)
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
    fn what_is_no_report_is_not_repeated() {
        let error = read("{\"schema\": \"\u{1b}[31mred").unwrap_err();
        assert_eq!(error.to_string(), "what the probe left is no report (line 1, column 13)");
        assert_eq!(read("{\"schema\":\"irsa-probe/v2\"}"), Err(ReportError::OtherSchema));
        assert_eq!(read("{\"schema\":\"irsa-probe/v10\"}"), Err(ReportError::OtherSchema));
        assert_eq!(read(&" ".repeat(LARGEST + 1)), Err(ReportError::TooLarge));
        for cut in 0..30 {
            assert!(read(&"{\"schema\":\"irsa-probe/v1\",\"now\":1}"[..cut]).is_err());
        }
    }
}
