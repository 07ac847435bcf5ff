//! What `lint` found: for a person here, for programs beside it.

mod github;
mod json;
mod sarif;

pub use github::github;
pub use json::json;
pub use sarif::sarif;

use super::style::{Paint, Style, wrap};
use crate::documents::{DocumentError, Place};
use crate::lint::{Checked, Problem, Report};
use crate::severity::Severity;
use crate::text::safe;

/// For a person.
pub fn text(report: &Report, style: &Style) -> String {
    let mut out = String::new();
    for problem in &report.problems {
        out.push_str(&one(problem, style));
        out.push('\n');
    }
    let unchecked = report.unchecked.iter().map(|one| format!("{}  {}", place(&one.place), one.words));
    out.push_str(&listed("could not check", unchecked, style));
    let unread = report.unread.iter().map(DocumentError::to_string);
    out.push_str(&listed("could not read", unread, style));
    let explain = if report.problems.is_empty() { "" } else { "; kubectl irsa explain ID says more" };
    for line in wrap(&format!("{}{explain}", summary(report)), style.columns(), style.columns(), false) {
        out.push_str(&format!("{}\n", style.line(&line)));
    }
    out
}

fn one(problem: &Problem, style: &Style) -> String {
    let paint = if problem.severity == Severity::Error { Paint::Bad } else { Paint::Warning };
    let head = format!(
        "{}: {} {}\n",
        style.paint(Paint::Strong, &style.line(&place(&problem.place))),
        style.paint(paint, name(problem.severity)),
        style.paint(Paint::Strong, problem.id),
    );
    let columns = style.columns().saturating_sub(2);
    let mut out = head;
    for line in wrap(&style.line(&problem.summary), columns, columns, false) {
        out.push_str(&format!("  {line}\n"));
    }
    // Each value is whole, on a line of its own.
    let labels = if problem.expected.is_some() { ("needs", "has") } else { ("", "has") };
    for (label, value) in [(labels.0, &problem.expected), (labels.1, &problem.found)] {
        if let Some(value) = value {
            let shown = style.line(&safe::value(value));
            out.push_str(&format!("    {}  {shown}\n", style.paint(Paint::Dim, &format!("{label:5}"))));
        }
    }
    if let Some(fix) = &problem.fix {
        let room = columns.saturating_sub(5);
        for (index, line) in wrap(&style.line(fix), room, room, false).into_iter().enumerate() {
            let label = if index == 0 { "fix" } else { "" };
            out.push_str(&format!("  {}  {line}\n", style.paint(Paint::Good, &format!("{label:3}"))));
        }
    }
    out
}

fn listed(heading: &str, items: impl Iterator<Item = String>, style: &Style) -> String {
    let mut out = String::new();
    let columns = style.columns().saturating_sub(4);
    for item in items {
        if out.is_empty() {
            out.push_str(&format!("{}\n", style.paint(Paint::Strong, heading)));
        }
        let lines = wrap(&style.line(&item), columns + 2, columns, false);
        for (index, line) in lines.into_iter().enumerate() {
            out.push_str(&format!("{}{line}\n", if index == 0 { "  " } else { "    " }));
        }
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// `path:line:column`, on one line.
fn place(place: &Place) -> String {
    safe::line(&place.to_string())
}

fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// One sentence: what was found in what.
pub fn summary(report: &Report) -> String {
    if report.checked.is_nothing() {
        return if report.unread.is_empty() {
            String::from(
                "nothing to check: no service account, workload, IAM role, OIDC provider or EKS Pod Identity association",
            )
        } else {
            String::from("nothing was checked")
        };
    }
    let errors = report.problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    let all = report.problems.len();
    let found = match (all, errors) {
        (0, _) => String::from("no problems"),
        (1, 1) => String::from("1 error"),
        (1, _) => String::from("1 warning"),
        (all, errors) if all == errors => format!("{errors} errors"),
        (all, 0) => format!("{all} warnings"),
        (all, errors) => {
            format!("{all} problems ({}, {})", many(errors, "error"), many(all - errors, "warning"))
        }
    };
    let suppressed = match report.suppressed {
        0 => String::new(),
        count => format!(", {count} suppressed"),
    };
    format!("{found}{suppressed} in {}", looked_at(&report.checked))
}

fn looked_at(checked: &Checked) -> String {
    let Checked { files, service_accounts, workloads, roles, providers, associations } = *checked;
    let parts = [
        (service_accounts, "service account"),
        (workloads, "workload"),
        (roles, "role"),
        (providers, "OIDC provider"),
        (associations, "association"),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, word)| many(count, word)).collect();
    format!("{} of {}", parts.join(", "), many(files, "file"))
}

fn many(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// The sentence, the values, the repair: for formats that have room for one text.
pub fn message(problem: &Problem) -> String {
    let mut lines = vec![problem.summary.clone()];
    let labelled = [("needs", &problem.expected), ("has", &problem.found)];
    lines.extend(
        labelled.into_iter().filter_map(|(label, value)| {
            value.as_ref().map(|value| format!("{label}: {}", safe::value(value)))
        }),
    );
    lines.extend(problem.fix.as_ref().map(|fix| format!("fix: {fix}")));
    lines.iter().map(|line| safe::line(line)).collect::<Vec<_>>().join("\n")
}
