//! What a check answers.

use crate::facts::Unknown;
use crate::finding::{Finding, Severity};

/// The answer of one check.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Checked, and nothing is wrong.
    Pass,
    /// Findings of any severity.
    Fail(Vec<Finding>),
    /// The check does not apply, and why.
    NotApplicable(&'static str),
    /// Could not check: what is missing to decide it.
    Unknown(Vec<Unknown>),
}

impl Outcome {
    /// `Pass` if there is no finding.
    pub(crate) fn of(findings: Vec<Finding>) -> Self {
        if findings.is_empty() { Self::Pass } else { Self::Fail(findings) }
    }

    /// The findings; or, if none of them is a fault, whatever could not be read.
    pub(crate) fn with_unread(findings: Vec<Finding>, unread: Vec<Unknown>) -> Self {
        let info_only = findings.iter().all(|finding| finding.severity == Severity::Info);
        if info_only && !unread.is_empty() { Self::Unknown(unread) } else { Self::of(findings) }
    }
}

impl From<Finding> for Outcome {
    fn from(finding: Finding) -> Self {
        Self::Fail(vec![finding])
    }
}

/// Unknown because one fact is missing.
pub(crate) fn unknown(fact: &Unknown) -> Outcome {
    Outcome::Unknown(vec![fact.clone()])
}
