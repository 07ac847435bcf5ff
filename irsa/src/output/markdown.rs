//! For a ticket.

use super::words;
use crate::diagnosis::{Diagnosis, Reported};
use crate::finding::{Evidence, Severity};
use crate::repair::Fix;
use crate::text::safe;

pub(super) fn render(diagnoses: &[Diagnosis]) -> String {
    let mut parts: Vec<String> = Vec::new();
    if diagnoses.len() > 1 {
        parts.push(format!("{}\n", words::tally(diagnoses)));
    }
    parts.extend(diagnoses.iter().map(report));
    parts.join("\n")
}

/// Escapes text so that it stays text: no markup, no HTML, one line.
fn text(text: &str) -> String {
    let mut safe = String::new();
    for c in safe::line(text).chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '#' | '!' => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}

/// The longest run of backticks.
fn ticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A value in a code span, whatever backticks it holds.
fn code(value: &str) -> String {
    let value = safe::value(value);
    let fence = "`".repeat(ticks(&value) + 1);
    let pad = if value.starts_with('`') || value.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{value}{pad}{fence}")
}

fn report(diagnosis: &Diagnosis) -> String {
    let target = &diagnosis.target;
    let mut out = format!("## {}: {}\n\n", words::verdict(diagnosis.verdict), text(&words::subject(target)));
    out.push_str(&format!("**{}**\n\n", text(diagnosis.summary.trim())));
    let mut facts = vec![format!("namespace {}", code(&target.namespace))];
    facts.extend(target.container.as_ref().map(|container| format!("container {}", code(container))));
    facts.push(format!("service account {}", code(&target.service_account)));
    facts.extend(target.owner.as_ref().map(|owner| format!("owned by {}", code(owner))));
    out.push_str(&format!("- {}\n", facts.join(", ")));
    if let Some(others) = words::represents(diagnosis, usize::MAX, "…") {
        out.push_str(&format!("- {}\n", text(&others)));
    }
    if let Some(root) = &diagnosis.root_cause {
        out.push_str(&format!("- root cause: {}\n", tag(root)));
    }
    out.push_str(&format!("- {}\n", words::proof(diagnosis.proof)));
    let at = diagnosis.observed_at.map_or_else(String::new, |at| format!(", observed at {at}"));
    out.push_str(&format!("- kubectl-irsa {}{at}\n", diagnosis.tool.version));
    if let Some(root) = diagnosis.root_cause.as_ref().filter(|root| !root.evidence.is_empty()) {
        out.push_str("\n### Evidence\n\n");
        evidence(&mut out, "", &root.evidence);
    }
    chain(&mut out, diagnosis);
    if let Some(others) = words::other_containers(diagnosis) {
        out.push_str(&format!("\nOther containers: {}\n", text(&others)));
    }
    findings(&mut out, "Also broken", &words::other_faults(diagnosis));
    let warnings = words::unexplained(diagnosis, Severity::Warning);
    findings(&mut out, if words::faults(diagnosis).is_empty() { "Found" } else { "Also found" }, &warnings);
    app_errors(&mut out, diagnosis);
    not_checked(&mut out, diagnosis);
    if let Some(root) = diagnosis.root_cause.as_ref().filter(|root| !root.fixes.is_empty()) {
        out.push_str("\n### Fix\n\n");
        fixes(&mut out, "", &root.fixes);
    }
    out
}

/// What the application reports and no finding explains.
fn app_errors(out: &mut String, diagnosis: &Diagnosis) {
    let errors = words::told_errors(diagnosis);
    if errors.is_empty() {
        return;
    }
    let heading = words::errors_heading(&errors);
    out.push_str(&format!("\n### {}{}\n\n", heading[..1].to_uppercase(), &heading[1..]));
    for error in errors {
        out.push_str(&format!("- {}\n", text(&words::app_error(error))));
        if let Some(reason) = &error.reason {
            out.push_str(&format!("  {}\n", text(reason)));
        }
        for cause in &error.can_mean {
            out.push_str(&format!("  - {}: {}\n", code(cause.id), text(cause.when)));
        }
    }
}

fn tag(finding: &Reported) -> String {
    let link = format!("[{}](<{}>)", code(finding.id), finding.docs);
    match words::tag(finding).split_once(", ") {
        Some((_, rest)) => format!("{link} ({})", rest.trim_end_matches(']')),
        None => link,
    }
}

fn evidence(out: &mut String, indent: &str, evidence: &[Evidence]) {
    for item in evidence {
        let expected = item.expected.as_ref().map(|value| format!("expected {}, ", code(value)));
        let found = item.found.as_ref().map_or_else(|| String::from("(none)"), |value| code(value));
        out.push_str(&format!(
            "{indent}- {}: {}found {found}; read from {}\n",
            text(&item.what),
            expected.unwrap_or_default(),
            code(&item.source)
        ));
    }
}

fn chain(out: &mut String, diagnosis: &Diagnosis) {
    out.push_str("\n### Chain\n\n| link | | |\n| --- | --- | --- |\n");
    for row in words::chain(diagnosis, false, "…") {
        let status = words::status(row.status);
        // The column before already says it.
        let words =
            row.text.strip_prefix(status).map_or(row.text.as_str(), |rest| rest.trim_start_matches(": "));
        out.push_str(&format!("| {} | {status} | {} |\n", row.label, text(words)));
    }
}

fn findings(out: &mut String, heading: &str, findings: &[&Reported]) {
    if findings.is_empty() {
        return;
    }
    out.push_str(&format!("\n### {heading}\n\n"));
    for (index, finding) in findings.iter().enumerate() {
        let lead = format!("{}. ", index + 1);
        let indent = " ".repeat(lead.len());
        out.push_str(&format!("{lead}{}: {}\n", tag(finding), text(&finding.summary)));
        evidence(out, &indent, &finding.evidence);
        fixes(out, &indent, &finding.fixes);
    }
}

fn not_checked(out: &mut String, diagnosis: &Diagnosis) {
    let unknowns = words::not_checked(diagnosis);
    if unknowns.is_empty() {
        return;
    }
    out.push_str("\n### Not checked\n\n");
    for unknown in unknowns {
        let grant = unknown.grant.map_or_else(String::new, |grant| format!("; allow with {}", code(&grant)));
        out.push_str(&format!("- {}: {}{grant}\n", text(&unknown.what), text(&unknown.why)));
    }
}

fn fixes(out: &mut String, indent: &str, fixes: &[Fix]) {
    for fix in fixes {
        out.push_str(&format!("{indent}- {}\n", text(&words::fix_title(fix))));
        if let Some(command) = words::command(fix) {
            let fence = "`".repeat((ticks(&command) + 1).max(3));
            out.push_str(&format!("{indent}  {fence}sh\n{indent}  {command}\n{indent}  {fence}\n"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repair::Command;

    #[test]
    fn markup_of_others_stays_text() {
        assert_eq!(
            text("a|b `c` <img src=x> **d** [e](f)\n#g"),
            "a\\|b \\`c\\` &lt;img src=x&gt; \\*\\*d\\*\\* \\[e\\](f)\\\\n\\#g"
        );
        assert_eq!(code("plain"), "`plain`");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(code(""), "`\"\"`");
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        let fix = Fix::inspect("t", Command::new(["echo", "````"]));
        let mut out = String::new();
        fixes(&mut out, "", &[fix]);
        assert_eq!(out, "- t\n  `````sh\n  echo '````'\n  `````\n");
    }
}
