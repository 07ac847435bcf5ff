//! SARIF 2.1.0, as code scanning takes it.

use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::message;
use crate::documents::{DocumentError, Place};
use crate::lint::{self, Problem, Report};
use crate::output::RenderError;
use crate::severity::Severity;
use crate::text::safe;

/// What does not stand for itself in the path of a URI.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b':');

/// One run: its rules are the ids that it reports.
///
/// # Errors
/// It cannot be written, which does not happen with these values.
pub fn sarif(report: &Report) -> Result<String, RenderError> {
    let ids: BTreeSet<&str> = report.problems.iter().map(|problem| problem.id).collect();
    let rules: Vec<Value> = ids
        .iter()
        .map(|id| {
            json!({
                "id": id,
                "shortDescription": {"text": lint::title(id)},
                "helpUri": crate::diagnosis::docs(id),
            })
        })
        .collect();
    let results: Vec<Value> = report.problems.iter().map(|problem| result(problem, &ids)).collect();
    let unchecked = report.unchecked.iter().map(|one| {
        json!({
            "level": "note",
            "message": {"text": safe::line(&format!("could not check: {}", one.words))},
            "locations": [location(&one.place)],
        })
    });
    let unread = report.unread.iter().map(|error: &DocumentError| {
        json!({"level": "error", "message": {"text": safe::line(&format!("could not read {error}"))}})
    });
    let notifications: Vec<Value> = unchecked.chain(unread).collect();
    let sarif = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "kubectl-irsa",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": report.unread.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    });
    Ok(safe::escape_in_strings(&serde_json::to_string_pretty(&sarif)?) + "\n")
}

fn result(problem: &Problem, ids: &BTreeSet<&str>) -> Value {
    json!({
        "ruleId": problem.id,
        "ruleIndex": ids.iter().position(|id| *id == problem.id),
        "level": if problem.severity == Severity::Error { "error" } else { "warning" },
        "message": {"text": message(problem)},
        "locations": [location(&problem.place)],
    })
}

fn location(place: &Place) -> Value {
    json!({"physicalLocation": {
        "artifactLocation": {"uri": uri(&place.file)},
        // Nothing stands before the first line of a file.
        "region": {"startLine": place.position.line.max(1), "startColumn": place.position.column.max(1)},
    }})
}

/// A path, relative where it was given so, as the reference to a URI.
fn uri(path: &str) -> String {
    let path = if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() };
    let path = path.strip_prefix("./").unwrap_or(&path);
    utf8_percent_encode(path, ESCAPED).to_string()
}
