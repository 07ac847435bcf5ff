//! For programs.

use serde::Serialize;

use super::summary;
use crate::documents::DocumentError;
use crate::lint::{Checked, Problem, Report};
use crate::output::RenderError;
use crate::severity::Severity;
use crate::text::safe;

/// The report of `-o json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Machine<'r> {
    api_version: &'static str,
    kind: &'static str,
    tool: Tool,
    summary: String,
    problems: Vec<MachineProblem<'r>>,
    unchecked: Vec<Note>,
    unread: Vec<String>,
    suppressed: usize,
    checked: Checked,
}

#[derive(Serialize)]
struct Tool {
    version: &'static str,
}

#[derive(Serialize)]
struct MachineProblem<'r> {
    file: &'r str,
    line: usize,
    column: usize,
    id: &'static str,
    severity: Severity,
    summary: &'r str,
    what: &'r str,
    expected: Option<&'r str>,
    found: Option<&'r str>,
    fix: Option<&'r str>,
    docs: String,
}

impl<'r> MachineProblem<'r> {
    fn of(problem: &'r Problem) -> Self {
        Self {
            file: &problem.place.file,
            line: problem.place.position.line,
            column: problem.place.position.column,
            id: problem.id,
            severity: problem.severity,
            summary: &problem.summary,
            what: &problem.what,
            expected: problem.expected.as_deref(),
            found: problem.found.as_deref(),
            fix: problem.fix.as_deref(),
            docs: problem.docs(),
        }
    }
}

#[derive(Serialize)]
struct Note {
    file: String,
    line: usize,
    column: usize,
    why: String,
}

/// For programs.
///
/// # Errors
/// It cannot be written, which does not happen with these types.
pub fn json(report: &Report) -> Result<String, RenderError> {
    let machine = Machine {
        api_version: "irsa/v1",
        kind: "Lint",
        tool: Tool { version: env!("CARGO_PKG_VERSION") },
        summary: summary(report),
        problems: report.problems.iter().map(MachineProblem::of).collect(),
        unchecked: report
            .unchecked
            .iter()
            .map(|one| Note {
                file: one.place.file.clone(),
                line: one.place.position.line,
                column: one.place.position.column,
                why: one.words.clone(),
            })
            .collect(),
        unread: report.unread.iter().map(DocumentError::to_string).collect(),
        suppressed: report.suppressed,
        checked: report.checked,
    };
    Ok(safe::escape_in_strings(&serde_json::to_string_pretty(&machine)?) + "\n")
}
