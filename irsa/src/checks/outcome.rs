//! What a check answers.

use crate::facts::Unknown;
use crate::finding::{Finding, Severity};

/// The answer of one check.
#[derive(Debug)]
pub enum Outcome {
    /// Looked at, and in order.
    Pass,
    /// Findings of any severity.
    Fail(Vec<Finding>),
    /// The question does not arise here, and why.
    NotApplicable(&'static str),
    /// Could not be answered: what would have to be known.
    Unknown(Vec<Unknown>),
}

impl Outcome {
    /// `Pass` if there is no finding.
    pub fn of(findings: Vec<Finding>) -> Self {
        if findings.is_empty() { Self::Pass } else { Self::Fail(findings) }
    }

    /// The findings; but where there is no fault among them and something could not be read, that.
    pub fn with_unread(findings: Vec<Finding>, unread: Vec<Unknown>) -> Self {
        let remarks_only = findings.iter().all(|finding| finding.severity == Severity::Info);
        if remarks_only && !unread.is_empty() { Self::Unknown(unread) } else { Self::of(findings) }
    }
}

impl From<Finding> for Outcome {
    fn from(finding: Finding) -> Self {
        Self::Fail(vec![finding])
    }
}

/// Unknown for want of one fact.
pub fn unknown(fact: &Unknown) -> Outcome {
    Outcome::Unknown(vec![fact.clone()])
}
