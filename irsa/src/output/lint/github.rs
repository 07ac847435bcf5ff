//! Annotations of GitHub: workflow commands, each on one line.

use super::message;
use crate::documents::Place;
use crate::lint::Report;
use crate::severity::Severity;
use crate::text::safe;

/// Annotations, as GitHub's runner reads them from a step's output.
pub fn github(report: &Report) -> String {
    let mut out = String::new();
    for problem in &report.problems {
        let command = if problem.severity == Severity::Error { "error" } else { "warning" };
        out.push_str(&annotation(command, &problem.place, problem.id, &message(problem)));
    }
    for one in &report.unchecked {
        out.push_str(&annotation("notice", &one.place, "could not check", &one.words));
    }
    for error in &report.unread {
        out.push_str(&format!("::error::{}\n", data(&format!("could not read {error}"))));
    }
    out
}

fn annotation(command: &str, place: &Place, title: &str, message: &str) -> String {
    let Place { file, position } = place;
    format!(
        "::{command} file={},line={},col={},title={}::{}\n",
        property(file),
        position.line,
        position.column,
        property(title),
        data(message)
    )
}

/// A message (`toolkit.escapeData`).
fn data(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(safe::line).collect();
    lines.join("\n").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property (`toolkit.escapeProperty`).
fn property(text: &str) -> String {
    data(&safe::line(text)).replace(':', "%3A").replace(',', "%2C")
}
