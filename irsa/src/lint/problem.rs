//! What is reported.

use serde::Serialize;

use crate::documents::{DocumentError, Place};
use crate::severity::Severity;

use super::change::Unchecked;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where the value stands.
    pub place: Place,
    /// Id of the failure mode.
    pub id: &'static str,
    /// How bad: an error or a warning.
    pub severity: Severity,
    /// One sentence.
    pub summary: String,
    /// What differs; empty if the sentence says it all.
    pub what: String,
    /// What belongs there.
    pub expected: Option<String>,
    /// What is there.
    pub found: Option<String>,
    /// How to repair it, in words.
    pub fix: Option<String>,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// Files.
    pub files: usize,
    /// Service accounts.
    pub service_accounts: usize,
    /// Workloads and pods.
    pub workloads: usize,
    /// IAM roles.
    pub roles: usize,
    /// OIDC providers.
    pub providers: usize,
    /// EKS Pod Identity associations.
    pub associations: usize,
}

impl Checked {
    /// True if there was nothing to check.
    pub fn is_nothing(&self) -> bool {
        let Self { files: _, service_accounts, workloads, roles, providers, associations } = *self;
        service_accounts + workloads + roles + providers + associations == 0
    }
}

/// The result.
#[derive(Debug, Default)]
pub struct Report {
    /// What is wrong, by file and line.
    pub problems: Vec<Problem>,
    /// What could not be checked, by file and line.
    pub unchecked: Vec<Unchecked>,
    /// What could not be read.
    pub unread: Vec<DocumentError>,
    /// What was found in a directory and passed over, as it is nothing that is checked here.
    pub skipped: Vec<DocumentError>,
    /// The same of files that the user named.
    pub foreign: Vec<DocumentError>,
    /// What was looked at.
    pub checked: Checked,
    /// How many problems comments in the files suppress.
    pub suppressed: usize,
}

impl Problem {
    /// Where its page is.
    pub fn docs(&self) -> String {
        crate::diagnosis::docs(self.id)
    }

    /// By place, then id.
    pub(super) fn order(&self) -> (String, usize, usize, &'static str) {
        let Place { file, position } = &self.place;
        (file.clone(), position.line, position.column, self.id)
    }
}
