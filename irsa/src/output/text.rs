//! For a person at a terminal: the first line is the answer, the last one the command that repairs it.

use super::diff;
use super::style::{Paint, Style, width, wrap};
use super::words;
use crate::diagnosis::{Diagnosis, Reported, Status, Verdict};
use crate::finding::{Evidence, Severity};
use crate::repair::Fix;

/// Columns of the links' names: the longest is `service account`.
const LABELS: usize = 15;
/// Columns of `expected`, `found`, `read from`.
const KEYS: usize = 11;
/// Lines of one value, without `-v`.
const VALUE_LINES: usize = 4;
/// Names of other pods with the same result, without `-v`.
const OTHERS: usize = 5;
/// A note for readers on other shells.
const FOR_BASH: &str = "for bash (Git Bash, WSL); PowerShell and cmd treat quotes and $ differently";

pub(super) fn render(diagnoses: &[Diagnosis], style: &Style) -> String {
    let mut page = Page { out: String::new(), style };
    if diagnoses.len() > 1 {
        page.flow("", 0, 0, &words::tally(diagnoses), Paint::Strong);
    }
    for diagnosis in diagnoses {
        if diagnoses.len() > 1 {
            page.out.push('\n');
            page.put(0, &style.rule());
        }
        page.report(diagnosis);
    }
    page.out
}

/// The text so far. Anything that is not our own text goes through [`Style::line`] on its way in.
struct Page<'s> {
    out: String,
    style: &'s Style,
}

impl Page<'_> {
    fn verbose(&self) -> bool {
        self.style.verbose > 0
    }

    /// A line that is already escaped and coloured.
    fn put(&mut self, indent: usize, line: &str) {
        let text = format!("{}{line}", " ".repeat(indent));
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn heading(&mut self, text: &str) {
        self.out.push('\n');
        self.put(2, &self.style.paint(Paint::Strong, text));
    }

    /// Text after a lead of `lead_width` columns; further lines are indented by `hang` columns.
    fn flow(&mut self, lead: &str, lead_width: usize, hang: usize, text: &str, paint: Paint) {
        let style = self.style;
        let columns = style.columns();
        let text = style.line(text);
        let (first, rest) = (columns.saturating_sub(lead_width), columns.saturating_sub(hang));
        for (index, line) in wrap(&text, first, rest, true).iter().enumerate() {
            let line = style.paint(paint, line);
            if index == 0 { self.put(0, &format!("{lead}{line}")) } else { self.put(hang, &line) }
        }
    }

    /// Indented text.
    fn text(&mut self, indent: usize, text: &str, paint: Paint) {
        self.flow(&" ".repeat(indent), indent, indent, text, paint);
    }

    fn report(&mut self, diagnosis: &Diagnosis) {
        self.headline(diagnosis);
        self.target(diagnosis);
        if let Some(root) = &diagnosis.root_cause {
            self.out.push('\n');
            self.evidence(4, &root.evidence);
        }
        self.chain(diagnosis);
        if let Some(others) = words::other_containers(diagnosis) {
            self.out.push('\n');
            self.flow("  other containers: ", 20, 4, &others, Paint::Plain);
        }
        self.also_broken(diagnosis);
        self.also_found(diagnosis);
        self.app_errors(diagnosis);
        self.not_checked(diagnosis);
        if diagnosis.verdict == Verdict::Inconclusive {
            self.next(diagnosis);
        }
        if let Some(root) = diagnosis.root_cause.as_ref().filter(|root| !root.fixes.is_empty()) {
            self.heading("fix");
            self.fixes(4, root.fixes.iter());
        }
    }

    fn headline(&mut self, diagnosis: &Diagnosis) {
        let (sign, paint) = self.style.verdict_sign(diagnosis.verdict);
        let faults = words::faults(diagnosis).len();
        let warnings = words::unexplained(diagnosis, Severity::Warning).len();
        let count = match (faults, warnings) {
            (0, 1) => String::from(", 1 warning"),
            (0, 2..) => format!(", {warnings} warnings"),
            (2.., _) => format!(", first of {faults} faults"),
            _ => String::new(),
        };
        let lead = format!("{sign} {}{count}:", words::verdict(diagnosis.verdict));
        let painted = format!("{} ", self.style.paint(paint, &lead));
        self.flow(&painted, width(&lead) + 1, 2, &diagnosis.summary, Paint::Strong);
    }

    fn target(&mut self, diagnosis: &Diagnosis) {
        let target = &diagnosis.target;
        let mut who = vec![words::subject(target)];
        who.extend(target.container.as_ref().map(|container| format!("container {container}")));
        if target.kind == "serviceaccount" && target.pod.is_none() {
            who.push(format!("namespace {}", target.namespace));
        } else {
            who.push(format!("service account {}/{}", target.namespace, target.service_account));
        }
        who.extend(target.owner.as_ref().map(|owner| format!("owned by {owner}")));
        self.out.push('\n');
        self.text(2, &who.join(", "), Paint::Plain);
        let most = if self.verbose() { usize::MAX } else { OTHERS };
        if let Some(others) = words::represents(diagnosis, most, self.style.ellipsis()) {
            self.flow("  ", 2, 4, &others, Paint::Plain);
        }
        if let Some(root) = &diagnosis.root_cause {
            self.flow("  ", 2, 4, &words::tag(root), Paint::Dim);
            // A line of its own whatever its length, so that it can be pasted.
            let more = format!("more: kubectl irsa explain {}", root.id);
            self.put(2, &self.style.paint(Paint::Dim, &self.style.line(&more)));
        }
        if self.verbose() || diagnosis.verdict == Verdict::Healthy {
            self.text(2, words::proof(diagnosis.proof), Paint::Dim);
        }
        if self.verbose() {
            if let Some(root) = &diagnosis.root_cause {
                self.put(2, &self.style.paint(Paint::Dim, &self.style.line(&root.docs)));
            }
            let at = diagnosis.observed_at.map_or_else(String::new, |at| format!(", observed at {at}"));
            self.text(2, &format!("kubectl-irsa {}{at}", diagnosis.tool.version), Paint::Dim);
        }
    }

    fn evidence(&mut self, indent: usize, evidence: &[Evidence]) {
        for (index, item) in evidence.iter().enumerate() {
            self.text(indent, &item.what, Paint::Plain);
            self.values(indent + 2, item);
            // Values from one source name it once.
            if evidence.get(index + 1).is_none_or(|next| next.source != item.source) {
                self.source(indent + 2, &item.source);
            }
        }
    }

    fn values(&mut self, indent: usize, item: &Evidence) {
        let style = self.style;
        let columns = style.columns().saturating_sub(indent + KEYS).max(20);
        if let (Some(expected), Some(found)) = (&item.expected, &item.found)
            && let Some(pair) = diff::pair(expected, found, columns, style)
        {
            let line = |pieces: &[diff::Piece], paint| -> String {
                let paint = |piece: &diff::Piece| {
                    style.paint(if piece.differs { paint } else { Paint::Plain }, &piece.text)
                };
                pieces.iter().map(paint).collect()
            };
            self.keyed(indent, "expected", &line(&pair.expected, Paint::Good));
            self.keyed(indent, "found", &line(&pair.found, Paint::Bad));
            self.keyed(indent, "", &style.paint(Paint::Bad, &pair.marks));
            return;
        }
        if let Some(expected) = &item.expected {
            self.value(indent, "expected", expected, columns);
        }
        match &item.found {
            Some(found) => self.value(indent, "found", found, columns),
            None => self.keyed(indent, "found", &style.paint(Paint::Dim, "(none)")),
        }
    }

    fn value(&mut self, indent: usize, key: &str, value: &str, columns: usize) {
        let most = if self.verbose() { usize::MAX } else { VALUE_LINES };
        for (index, line) in diff::single(value, columns, most, self.style).iter().enumerate() {
            self.keyed(indent, if index == 0 { key } else { "" }, line);
        }
    }

    fn keyed(&mut self, indent: usize, key: &str, shown: &str) {
        let key = self.style.paint(Paint::Dim, &format!("{key:<KEYS$}"));
        self.put(indent, &format!("{key}{shown}"));
    }

    /// Where it was read. Words are never cut, so that a path can be copied.
    fn source(&mut self, indent: usize, source: &str) {
        let columns = self.style.columns().saturating_sub(indent + KEYS);
        let source = self.style.line(source);
        for (index, line) in wrap(&source, columns, columns, false).iter().enumerate() {
            let shown = self.style.paint(Paint::Dim, line);
            self.keyed(indent, if index == 0 { "read from" } else { "" }, &shown);
        }
    }

    fn chain(&mut self, diagnosis: &Diagnosis) {
        self.heading("chain");
        for row in words::chain(diagnosis, self.verbose(), self.style.ellipsis()) {
            self.link(row.status, &row.label, &row.text);
        }
    }

    fn link(&mut self, status: Status, label: &str, text: &str) {
        let (sign, paint) = self.style.sign(status);
        let lead = format!("    {} {label:<LABELS$}  ", self.style.paint(paint, sign));
        let lead_width = 8 + width(label).max(LABELS);
        let paint = if matches!(status, Status::Pass | Status::Fail | Status::Warn) {
            Paint::Plain
        } else {
            Paint::Dim
        };
        self.flow(&lead, lead_width, 8 + LABELS, text, paint);
    }

    fn also_broken(&mut self, diagnosis: &Diagnosis) {
        let faults = words::other_faults(diagnosis);
        if !faults.is_empty() {
            self.heading("also broken");
            for (index, fault) in faults.iter().enumerate() {
                // The root cause is the first.
                self.numbered(4, index + 2, &format!("{} {}", fault.summary, words::tag(fault)));
                self.evidence(7, &fault.evidence);
                self.own_fixes(7, diagnosis, fault);
            }
        }
        let consequences = diagnosis.findings.iter().filter(|finding| finding.caused_by.is_some());
        let consequences: Vec<&Reported> = consequences.collect();
        if self.verbose() && !consequences.is_empty() {
            self.heading("consequences");
            for finding in consequences {
                let cause = words::cause(diagnosis, finding).unwrap_or_default();
                let (sign, paint) = self.style.sign(status_of(finding.severity));
                let lead = format!("    {} ", self.style.paint(paint, sign));
                let text = format!("{} [{}, because of {cause}]", finding.summary, finding.id);
                self.flow(&lead, 6, 6, &text, Paint::Plain);
                self.evidence(8, &finding.evidence);
            }
        }
    }

    fn also_found(&mut self, diagnosis: &Diagnosis) {
        let mut found = words::unexplained(diagnosis, Severity::Warning);
        if self.verbose() {
            found.extend(words::unexplained(diagnosis, Severity::Info));
        }
        if found.is_empty() {
            return;
        }
        self.heading(if words::faults(diagnosis).is_empty() { "found" } else { "also found" });
        for finding in found {
            let (sign, paint) = self.style.sign(status_of(finding.severity));
            let lead = format!("    {} ", self.style.paint(paint, sign));
            self.flow(&lead, 6, 6, &format!("{} {}", finding.summary, words::tag(finding)), Paint::Plain);
            self.evidence(8, &finding.evidence);
            self.own_fixes(8, diagnosis, finding);
        }
    }

    /// What the application reports and no finding explains.
    fn app_errors(&mut self, diagnosis: &Diagnosis) {
        let errors = words::told_errors(diagnosis);
        if errors.is_empty() {
            return;
        }
        self.heading(words::errors_heading(&errors));
        for error in errors {
            self.flow("    ", 4, 6, &words::app_error(error), Paint::Plain);
            if let Some(reason) = &error.reason {
                self.text(6, reason, Paint::Plain);
            }
            if !error.can_mean.is_empty() {
                self.put(6, &self.style.paint(Paint::Dim, "it can mean"));
            }
            for cause in &error.can_mean {
                self.flow(&" ".repeat(8), 8, 10, &format!("{}: {}", cause.id, cause.when), Paint::Plain);
            }
        }
    }

    fn not_checked(&mut self, diagnosis: &Diagnosis) {
        let unknowns = words::not_checked(diagnosis);
        if unknowns.is_empty() {
            return;
        }
        self.heading("not checked");
        for unknown in unknowns {
            self.flow("    ", 4, 6, &format!("{}: {}", unknown.what, unknown.why), Paint::Plain);
            // An inconclusive report ends with them.
            if let Some(grant) = unknown.grant.filter(|_| diagnosis.verdict != Verdict::Inconclusive) {
                self.text(6, &format!("allow with: {grant}"), Paint::Plain);
            }
        }
    }

    /// What would get further.
    fn next(&mut self, diagnosis: &Diagnosis) {
        let grants = words::grants(diagnosis);
        let files = words::wants_files(diagnosis);
        if grants.is_empty() && !files {
            return;
        }
        self.heading("to learn more");
        if files {
            self.text(4, "add what is missing to the files, then run this again", Paint::Plain);
        }
        if !grants.is_empty() {
            self.text(4, "run this again with these permissions", Paint::Plain);
            for grant in grants {
                // Whole, as `kubectl auth can-i` takes it.
                self.put(6, &self.style.paint(Paint::Command, &self.style.line(grant)));
            }
        }
    }

    /// The repairs of a finding that is not the root cause, without those that the last section lists anyway.
    fn own_fixes(&mut self, indent: usize, diagnosis: &Diagnosis, finding: &Reported) {
        let last = diagnosis.root_cause.as_ref().map_or(&[][..], |root| root.fixes.as_slice());
        let fixes: Vec<&Fix> = finding.fixes.iter().filter(|fix| !last.contains(fix)).collect();
        if fixes.is_empty() {
            return;
        }
        self.put(indent, &self.style.paint(Paint::Dim, "fix"));
        self.fixes(indent + 2, fixes.into_iter());
    }

    fn fixes<'f>(&mut self, indent: usize, fixes: impl ExactSizeIterator<Item = &'f Fix> + Clone) {
        let of_bash = |command: String| command.contains(['\'', '"', '$', '|']);
        if !self.style.posix && fixes.clone().filter_map(words::command).any(of_bash) {
            self.text(indent, FOR_BASH, Paint::Dim);
        }
        let several = fixes.len() > 1;
        for (index, fix) in fixes.enumerate() {
            let title = words::fix_title(fix);
            let below = if several {
                self.numbered(indent, index + 1, &title);
                indent + 3
            } else {
                self.text(indent, &title, Paint::Plain);
                indent
            };
            // One line whatever its length, so that it can be pasted.
            if let Some(command) = words::command(fix) {
                self.put(below, &self.style.paint(Paint::Command, &command));
            }
        }
    }

    fn numbered(&mut self, indent: usize, number: usize, text: &str) {
        let lead = format!("{}{number}. ", " ".repeat(indent));
        self.flow(&lead, width(&lead), width(&lead), text, Paint::Plain);
    }
}

fn status_of(severity: Severity) -> Status {
    match severity {
        Severity::Error => Status::Fail,
        Severity::Warning => Status::Warn,
        Severity::Info => Status::NotApplicable,
    }
}
