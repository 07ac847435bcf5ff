//! For a ticket.

use super::policy;
use super::words;
use crate::diagnosis::{Diagnosis, Reported, Status};
use crate::finding::{Evidence, Severity};
use crate::repair::{Fix, PolicyChange};
use crate::text::safe;

/// Columns of a command, where it can be broken between words.
const COLUMNS: usize = 100;

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

/// What few will read; it opens with a click.
fn details(out: &mut String, summary: &str, body: &str) {
    if !body.is_empty() {
        out.push_str(&format!("\n<details><summary>{}</summary>\n\n{body}\n</details>\n", text(summary)));
    }
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
    out.extend(words::signed_in(diagnosis).map(|who| format!("- {}\n", text(&who))));
    let at = diagnosis.observed_at.map_or_else(String::new, |at| format!(", observed at {at}"));
    out.push_str(&format!("- kubectl-irsa {}{at}\n", diagnosis.tool.version));
    let mut faults = words::faults(diagnosis);
    if faults.is_empty() {
        // A link that fails for some is no error, and yet the cause.
        faults.extend(&diagnosis.root_cause);
    }
    match faults.as_slice() {
        [] => {}
        [fault] => {
            if !fault.evidence.is_empty() {
                out.push_str("\n### Evidence\n\n");
                evidence(&mut out, "", &fault.evidence);
            }
            if !fault.fixes.is_empty() {
                out.push_str("\n### Fix\n\n");
                fixes(&mut out, "", &fault.fixes.iter().collect::<Vec<_>>());
            }
        }
        several => {
            out.push_str(&format!("\n### {} faults, in the order of repair\n\n", several.len()));
            for (index, (fault, repair)) in several.iter().zip(words::fixes(several)).enumerate() {
                finding(&mut out, index + 1, fault, &repair);
            }
        }
    }
    if let Some(rerun) = diagnosis.rerun.as_ref().filter(|_| words::repairs(&faults)) {
        out.push_str(&format!("\nThen: {}\n", code(&format!("{rerun} --wait"))));
    }
    let root = diagnosis.root_cause.as_ref().map(|root| root.key.as_str());
    let mut warnings = words::unexplained(diagnosis, Severity::Warning);
    warnings.retain(|warning| Some(warning.key.as_str()) != root);
    if !warnings.is_empty() {
        out.push_str(if root.is_none() { "\n### Found\n\n" } else { "\n### Also found\n\n" });
        for (index, warning) in warnings.iter().enumerate() {
            finding(&mut out, index + 1, warning, &warning.fixes.iter().collect::<Vec<_>>());
        }
    }
    app_errors(&mut out, diagnosis);
    if let Some(others) = words::other_containers(diagnosis) {
        out.push_str(&format!("\nOther containers: {}\n", text(&others)));
    }
    let counts = [Status::Fail, Status::Warn, Status::Unknown, Status::Skipped, Status::Pass];
    let counts = counts.into_iter().filter_map(|status| {
        let count = diagnosis.chain.iter().filter(|link| link.status == status).count();
        (count > 0).then(|| format!("{count} {}", words::status(status)))
    });
    details(&mut out, &format!("Chain: {}", counts.collect::<Vec<_>>().join(", ")), &chain(diagnosis));
    let unknowns = words::not_checked(diagnosis);
    details(&mut out, &format!("Not checked: {}", unknowns.len()), &not_checked(diagnosis));
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
            code(&item.source.to_string())
        ));
    }
}

fn chain(diagnosis: &Diagnosis) -> String {
    let mut out = String::from("| link | | |\n| --- | --- | --- |\n");
    for row in words::chain(diagnosis, false, "…") {
        let status = words::status(row.status);
        // The column before already says it.
        let words =
            row.text.strip_prefix(status).map_or(row.text.as_str(), |rest| rest.trim_start_matches(": "));
        out.push_str(&format!("| {} | {status} | {} |\n", row.label, text(words)));
    }
    out
}

fn finding(out: &mut String, number: usize, finding: &Reported, repair: &[&Fix]) {
    let lead = format!("{number}. ");
    let indent = " ".repeat(lead.len());
    out.push_str(&format!("{lead}{}: {}\n", tag(finding), text(&finding.summary)));
    evidence(out, &indent, &finding.evidence);
    fixes(out, &indent, repair);
}

fn not_checked(diagnosis: &Diagnosis) -> String {
    let unknowns = words::not_checked(diagnosis);
    let line = |gap: words::Gap<'_>| {
        let grants: Vec<String> = gap.grants.iter().map(|grant| code(&grant.to_string())).collect();
        let grants =
            if grants.is_empty() { String::new() } else { format!("; allow with {}", grants.join(", ")) };
        format!("- {}{grants}\n", text(&gap.sentence()))
    };
    words::gaps(&unknowns).into_iter().map(line).collect()
}

fn fixes(out: &mut String, indent: &str, fixes: &[&Fix]) {
    for fix in fixes {
        out.push_str(&format!("{indent}- {}\n", text(&words::fix_title(fix))));
        let keep = fix.policy().and_then(PolicyChange::keep);
        if let Some(policy) = fix.policy().filter(|_| keep.is_some()) {
            let lines =
                policy.statements().into_iter().flat_map(|change| policy::difference(&change, COLUMNS, "…"));
            let lines = lines.flat_map(|hunk| {
                let removed = hunk.removed.into_iter().map(|line| format!("- {line}"));
                removed.chain(hunk.added.into_iter().map(|line| format!("+ {line}"))).collect::<Vec<_>>()
            });
            fenced(out, indent, "diff", &lines.collect::<Vec<_>>());
        }
        if let Some(policy) = fix.policy().filter(|_| fix.command().is_none()) {
            let lines = policy.statements().into_iter().flat_map(|change| change.after.lines(COLUMNS));
            fenced(
                out,
                indent,
                "json",
                &lines.map(|line| safe::escape_in_strings(&line)).collect::<Vec<_>>(),
            );
        }
        let commands = keep.into_iter().chain(fix.command());
        let lines: Vec<String> = commands.flat_map(|command| command.lines(COLUMNS)).collect();
        if !lines.is_empty() {
            fenced(out, indent, "sh", &lines);
        }
    }
}

/// A block within an item of a list.
fn fenced(out: &mut String, indent: &str, language: &str, lines: &[String]) {
    let longest = lines.iter().map(|line| ticks(line)).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    out.push_str(&format!("{indent}  {fence}{language}\n"));
    for line in lines {
        out.push_str(format!("{indent}  {line}").trim_end());
        out.push('\n');
    }
    out.push_str(&format!("{indent}  {fence}\n"));
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
        fixes(&mut out, "", &[&fix]);
        assert_eq!(out, "- t\n  `````sh\n  echo '````'\n  `````\n");
    }
}
