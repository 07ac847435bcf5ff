//! One line per diagnosis, to paste into a chat.

use super::style::Style;
use super::words;
use crate::diagnosis::Diagnosis;
use crate::finding::Severity;

/// A longer command, in characters, is for a terminal.
const LONGEST_COMMAND: usize = 200;

pub(super) fn render(diagnoses: &[Diagnosis], style: &Style) -> String {
    diagnoses.iter().map(|diagnosis| line(diagnosis, style) + "\n").collect()
}

fn line(diagnosis: &Diagnosis, style: &Style) -> String {
    let target = &diagnosis.target;
    let more = match target.represents.len() {
        0 => String::new(),
        count => format!(" +{count}"),
    };
    let mut line = style.line(&format!(
        "{} {}{more} ({}): {}",
        diagnosis.verdict.name(),
        words::subject(target),
        target.namespace,
        diagnosis.summary
    ));
    if let Some(root) = &diagnosis.root_cause {
        line.push_str(&format!(" [{}]", root.id));
        match words::faults(diagnosis).len() {
            0 | 1 => {}
            2 => line.push_str(" +1 more fault"),
            faults => line.push_str(&format!(" +{} more faults", faults - 1)),
        }
        let short = |command: &String| command.chars().count() <= LONGEST_COMMAND;
        let first = root.fixes.first();
        if let Some(command) = first.and_then(words::command).filter(short) {
            line.push_str(&format!(" fix: {command}"));
        } else if let Some(fix) = first {
            line.push_str(&format!(" fix: {}", style.line(&words::fix_title(fix))));
        }
    }
    let warnings = words::unexplained(diagnosis, Severity::Warning);
    if !warnings.is_empty() && diagnosis.root_cause.is_none() {
        let ids: Vec<&str> = warnings.iter().map(|warning| warning.id).collect();
        line.push_str(&format!(" [warnings: {}]", ids.join(", ")));
    }
    line
}
