//! For a person at a terminal: the first line is the answer; then the two values, what to type, and what to run then.

use std::collections::HashSet;

use super::as_code::Language;
use super::diff;
use super::place::place;
use super::policy;
use super::style::{Paint, Style, width, wrap};
use super::words;
use crate::diagnosis::{Diagnosis, Reported, Status, Unchecked, Verdict};
use crate::finding::{Confidence, Evidence, Severity};
use crate::repair::{Change, Command, Fix, PolicyChange, StatementChange};

/// Columns of the links' names: the longest is `service account`.
const LABELS: usize = 15;
/// Columns of `expected`, `found`, `in`.
const KEYS: usize = 11;
/// Columns before a command.
const COMMAND: usize = 4;
/// Lines of one value, without `-v`.
const VALUE_LINES: usize = 4;
/// Values beside the pair that differs, without `-v`.
const OTHER_VALUES: usize = 2;
/// Lines of what was not checked, without `-v`.
const NOT_CHECKED_LINES: usize = 7;
/// The same beside a cause that was found.
const BESIDE_A_CAUSE: usize = 2;
/// How to get what is lacking.
const PRINT_PERMISSIONS: &str = "--print-permissions: a policy and a Role for just these";
/// A note for readers on other shells.
const FOR_BASH: &str = "for bash (Git Bash, WSL); PowerShell and cmd treat quotes and $ differently";

pub(super) fn render(diagnoses: &[Diagnosis], style: &Style) -> String {
    let mut page = Page::new(style);
    let [_, _, ..] = diagnoses else {
        diagnoses.iter().for_each(|diagnosis| page.report(diagnosis));
        return page.out;
    };
    page.flow("", 0, 2, &words::tally(diagnoses), Paint::Strong);
    // A line is enough for those that need nothing.
    let is_brief = |diagnosis: &&Diagnosis| {
        style.verbose == 0
            && diagnosis.verdict == Verdict::Healthy
            && words::unexplained(diagnosis, Severity::Warning).is_empty()
            && words::told_errors(diagnosis).is_empty()
    };
    let (brief, full): (Vec<&Diagnosis>, Vec<&Diagnosis>) = diagnoses.iter().partition(is_brief);
    for diagnosis in full {
        page.out.push('\n');
        page.put(0, &style.rule());
        page.report(diagnosis);
    }
    for (index, diagnosis) in brief.into_iter().enumerate() {
        if index == 0 {
            page.out.push('\n');
            page.put(0, &style.rule());
        }
        page.headline(diagnosis);
        page.alike(diagnosis);
    }
    page.out
}

/// The text so far. Anything that is not our own text goes through [`Style::line`] on its way in.
pub(super) struct Page<'s> {
    pub(super) out: String,
    pub(super) style: &'s Style,
    /// What was not checked, as far as an earlier report of the page tells.
    told: HashSet<Unchecked>,
}

impl<'s> Page<'s> {
    pub(super) fn new(style: &'s Style) -> Self {
        Self { out: String::new(), style, told: HashSet::new() }
    }
}

impl Page<'_> {
    fn verbose(&self) -> bool {
        self.style.verbose > 0
    }

    /// A line that is already escaped and coloured.
    pub(super) fn put(&mut self, indent: usize, line: &str) {
        let text = format!("{}{line}", " ".repeat(indent));
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn heading(&mut self, text: &str) {
        self.out.push('\n');
        self.put(2, &self.style.paint(Paint::Strong, text));
    }

    /// Text after a lead of `lead_width` columns; further lines are indented by `hang` columns.
    pub(super) fn flow(&mut self, lead: &str, lead_width: usize, hang: usize, text: &str, paint: Paint) {
        let style = self.style;
        let columns = style.columns();
        let text = style.line(text);
        let (first, rest) = (columns.saturating_sub(lead_width), columns.saturating_sub(hang));
        // A word that fits no line stays whole: it may be copied.
        for (index, line) in wrap(&text, first, rest, false).iter().enumerate() {
            let line = style.paint(paint, line);
            if index == 0 { self.put(0, &format!("{lead}{line}")) } else { self.put(hang, &line) }
        }
    }

    /// Indented text.
    pub(super) fn text(&mut self, indent: usize, text: &str, paint: Paint) {
        self.flow(&" ".repeat(indent), indent, indent, text, paint);
    }

    /// A line of its own whatever its length, so that it can be pasted.
    fn labelled(&mut self, label: &str, command: &str) {
        let label = self.style.paint(Paint::Strong, label);
        let command = self.style.paint(Paint::Command, &self.style.line(command));
        self.put(2, &format!("{label}  {command}"));
    }

    fn report(&mut self, diagnosis: &Diagnosis) {
        let faults = words::faults(diagnosis);
        self.headline(diagnosis);
        match (&diagnosis.root_cause, faults.len()) {
            (Some(_), 2..) => {
                self.out.push('\n');
                self.who(diagnosis);
                for (index, (fault, fixes)) in faults.iter().zip(words::fixes(&faults)).enumerate() {
                    self.fault(index + 1, fault, &fixes);
                }
            }
            (Some(root), _) => {
                self.out.push('\n');
                self.inferred(root);
                self.evidence(2, &root.evidence);
                self.who(diagnosis);
                let fixes: Vec<&Fix> = root.fixes.iter().collect();
                if !fixes.is_empty() {
                    self.out.push('\n');
                    self.fixes("fix", &fixes);
                }
            }
            (None, _) => {
                self.out.push('\n');
                self.who(diagnosis);
            }
        }
        self.next(diagnosis, &faults);
        self.also_found(diagnosis);
        self.app_errors(diagnosis);
        if let Some(others) = words::other_containers(diagnosis) {
            self.out.push('\n');
            self.flow("  other containers: ", 20, 4, &others, Paint::Plain);
        }
        self.chain(diagnosis);
        if self.verbose() {
            self.consequences(diagnosis);
        }
        self.not_checked(diagnosis);
        self.signed_in(diagnosis);
        if self.verbose() {
            self.colophon(diagnosis);
        }
    }

    fn headline(&mut self, diagnosis: &Diagnosis) {
        let (sign, paint) = self.style.verdict_sign(diagnosis.verdict);
        let faults = words::faults(diagnosis).len();
        if diagnosis.root_cause.is_some() && faults > 1 {
            let lead = format!("{} ", self.style.paint(paint, sign));
            let text = words::several_faults(diagnosis, faults);
            return self.flow(&lead, width(sign) + 1, 2, &text, Paint::Strong);
        }
        let verdict = words::verdict(diagnosis.verdict);
        let lead = match (&diagnosis.root_cause, words::unexplained(diagnosis, Severity::Warning).len()) {
            (Some(root), _) if diagnosis.verdict == Verdict::Broken => root.id.to_owned(),
            (Some(root), _) => format!("{verdict}, {}", root.id),
            (None, 0) => verdict.to_owned(),
            (None, 1) => format!("{verdict}, 1 warning"),
            (None, warnings) => format!("{verdict}, {warnings} warnings"),
        };
        let lead = format!("{sign} {lead}:");
        let painted = format!("{} ", self.style.paint(paint, &lead));
        self.flow(&painted, width(&lead) + 1, 2, &diagnosis.summary, Paint::Strong);
        if diagnosis.verdict == Verdict::Healthy {
            if let Some(role) = words::role(diagnosis) {
                self.text(2, role, Paint::Plain);
            }
            self.text(2, words::proof(diagnosis.proof), Paint::Dim);
        }
    }

    /// What was diagnosed.
    fn who(&mut self, diagnosis: &Diagnosis) {
        let target = &diagnosis.target;
        let mut who = vec![words::subject(target)];
        who.extend(target.container.as_ref().map(|container| format!("container {container}")));
        if target.kind == "serviceaccount" && target.pod.is_none() {
            who.push(format!("namespace {}", target.namespace));
        } else {
            who.push(format!("service account {}/{}", target.namespace, target.service_account));
        }
        if self.verbose() {
            who.extend(target.owner.as_ref().map(|owner| format!("owned by {owner}")));
        }
        self.text(2, &who.join(", "), Paint::Plain);
        self.alike(diagnosis);
    }

    /// Other pods with the same result; by name if there is room for all.
    fn alike(&mut self, diagnosis: &Diagnosis) {
        let alike = if self.verbose() {
            words::represents(diagnosis, usize::MAX, self.style.ellipsis())
        } else {
            words::alike_pods(diagnosis)
        };
        if let Some(alike) = alike {
            self.flow("  ", 2, 4, &alike, Paint::Plain);
        }
    }

    fn inferred(&mut self, finding: &Reported) {
        if finding.confidence == Confidence::Inferred {
            self.text(2, "inferred: another cause is possible", Paint::Dim);
        }
    }

    /// One of several faults, with its own repair.
    fn fault(&mut self, number: usize, fault: &Reported, fixes: &[&Fix]) {
        self.out.push('\n');
        let lead = format!("{number} {}: ", fault.id);
        let painted = self.style.paint(Paint::Bad, &lead);
        self.flow(&painted, width(&lead), 2, &fault.summary, Paint::Strong);
        self.inferred(fault);
        self.evidence(2, &fault.evidence);
        if !fixes.is_empty() {
            self.fixes("fix", fixes);
        } else if !fault.fixes.is_empty() {
            self.put(2, &format!("{}  as for the next", self.style.paint(Paint::Strong, "fix")));
        }
    }

    /// What to run after the repair, or if the application still fails.
    fn next(&mut self, diagnosis: &Diagnosis, faults: &[&Reported]) {
        let rerun = diagnosis.rerun.as_deref();
        if let Some(root) = &diagnosis.root_cause {
            if root.fixes.is_empty() || faults.len() > 1 {
                self.out.push('\n');
            }
            if let Some(rerun) = rerun.filter(|_| words::repairs(faults) || words::repairs(&[root])) {
                self.labelled("then", &format!("{rerun} --wait"));
            }
            self.labelled("more", &format!("kubectl irsa explain {}", root.id));
        } else if let Some(rerun) = rerun.filter(|_| diagnosis.verdict == Verdict::Healthy) {
            self.heading("if the application still fails");
            for flags in ["--error '<its message>'", "--action s3:GetObject --resource ARN"] {
                let command = self.style.line(&format!("{rerun} {flags}"));
                self.put(COMMAND, &self.style.paint(Paint::Command, &command));
            }
        }
    }

    fn evidence(&mut self, indent: usize, evidence: &[Evidence]) {
        if self.verbose() {
            for (index, item) in evidence.iter().enumerate() {
                self.text(indent, &item.what, Paint::Plain);
                self.values(indent + 2, item);
                // Values from one source name it once.
                if evidence.get(index + 1).is_none_or(|next| next.source != item.source) {
                    self.source(indent + 2, "read from", &item.source.to_string());
                }
            }
            return;
        }
        let pair = evidence.iter().position(|item| item.expected.is_some());
        if let Some(item) = pair.and_then(|index| evidence.get(index)) {
            self.text(indent, &item.what, Paint::Plain);
            self.values(indent + 2, item);
            self.source(indent + 2, "in", &place(&item.source, self.style.ellipsis()));
        }
        // What only says the same as the pair is left out.
        let expected = pair.and_then(|index| evidence.get(index)).and_then(|item| item.expected.as_deref());
        let others = evidence.iter().enumerate().filter(|(index, _)| Some(*index) != pair);
        let others: Vec<&Evidence> = others
            .map(|(_, item)| item)
            .filter(|item| item.found.is_none() || item.found.as_deref() != expected)
            .collect();
        let most = if pair.is_some() { OTHER_VALUES } else { OTHER_VALUES + 1 };
        for item in others.iter().take(most) {
            let found =
                item.found.as_deref().map_or_else(|| String::from("(none)"), crate::text::safe::value);
            let columns = self.style.columns().saturating_sub(indent + 2);
            let text = format!("{}: {found}", item.what);
            let shown = diff::single(&text, columns, 2, self.style);
            for (index, line) in shown.iter().enumerate() {
                self.put(if index == 0 { indent } else { indent + 2 }, line);
            }
        }
        if others.len() > most {
            let more = format!("{} more: -v", others.len() - most);
            self.text(indent, &more, Paint::Dim);
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
    fn source(&mut self, indent: usize, key: &str, source: &str) {
        let columns = self.style.columns().saturating_sub(indent + KEYS);
        let source = self.style.line(source);
        for (index, line) in wrap(&source, columns, columns, false).iter().enumerate() {
            let shown = self.style.paint(Paint::Dim, line);
            self.keyed(indent, if index == 0 { key } else { "" }, &shown);
        }
    }

    /// The steps of a repair, numbered if there are several.
    fn fixes(&mut self, label: &str, fixes: &[&Fix]) {
        let style = self.style;
        let several = fixes.len() > 1;
        let of_bash = |command: String| command.contains(['\'', '"', '$', '|']);
        if !style.posix && fixes.iter().filter_map(|fix| words::command(fix)).any(of_bash) {
            self.text(2, FOR_BASH, Paint::Dim);
        }
        for (index, fix) in fixes.iter().enumerate() {
            let label = if index == 0 { label.to_owned() } else { " ".repeat(width(label)) };
            let number = if several { format!(" {}", index + 1) } else { String::new() };
            let lead = format!("  {}{number}  ", style.paint(Paint::Strong, &label));
            let lead_width = 4 + width(&label) + width(&number);
            let title = if self.verbose() { words::fix_title(fix) } else { words::short_title(fix) };
            self.flow(&lead, lead_width, lead_width, &title, Paint::Plain);
            if let Some(policy) = fix.policy() {
                if fix.command().is_none() {
                    self.statements(policy);
                }
                self.difference(policy);
            }
            if let (Some(language), Some(change)) = (style.fix_as, fix.change()) {
                self.declared(language, change);
                continue;
            }
            if let Some(policy) = fix.policy() {
                if fix.is_alternative() && !self.verbose() {
                    self.text(COMMAND, "(-v prints its command)", Paint::Dim);
                    continue;
                }
                if let Some(keep) = policy.keep() {
                    self.command(keep);
                }
            }
            if let Some(command) = fix.command() {
                self.command(command);
            }
        }
    }

    /// What somebody else is to add to a policy, ready to be sent.
    fn statements(&mut self, policy: &PolicyChange) {
        let columns = self.style.columns().saturating_sub(COMMAND);
        for change in policy.statements() {
            for line in change.after.lines(columns) {
                let line = self.style.paint(Paint::Command, &crate::text::safe::escape_in_strings(&line));
                self.put(COMMAND, &line);
            }
        }
    }

    /// What an existing policy document loses and gets; all of a new one is in its command.
    fn difference(&mut self, policy: &PolicyChange) {
        if policy.keep().is_none() {
            return;
        }
        policy.statements().iter().for_each(|change| self.hunks(change));
    }

    /// The lines in which a statement, or a whole document, differs from the one before.
    pub(super) fn hunks(&mut self, change: &StatementChange<'_>) {
        let columns = self.style.columns().saturating_sub(COMMAND + 2);
        for hunk in policy::difference(change, columns, self.style.ellipsis()) {
            let (removed, added) = diff::cut(hunk.removed, hunk.added, columns, self.style);
            let removed = removed.into_iter().map(|line| ("-", Paint::Bad, line));
            for (sign, paint, line) in removed.chain(added.into_iter().map(|line| ("+", Paint::Good, line))) {
                self.put(COMMAND, &self.style.paint(paint, &format!("{sign} {line}")));
            }
        }
    }

    /// A change in a language, to paste where the rest of it is declared.
    fn declared(&mut self, language: Language, change: &Change) {
        match language.declare(change) {
            Some(code) => {
                for line in code.lines() {
                    let line = self.style.paint(Paint::Command, &crate::text::safe::escape_in_strings(line));
                    self.put(COMMAND, &line);
                }
            }
            None => self.text(COMMAND, &language.words(change), Paint::Dim),
        }
    }

    /// A command to paste; on one line where the shell may not be a POSIX shell.
    fn command(&mut self, command: &Command) {
        let style = self.style;
        let lines = if style.posix {
            command.lines(style.columns().saturating_sub(COMMAND))
        } else {
            vec![command.to_string()]
        };
        for line in lines {
            self.put(COMMAND, &style.paint(Paint::Command, &line));
        }
    }

    fn chain(&mut self, diagnosis: &Diagnosis) {
        if self.verbose() {
            self.heading("chain");
            for row in words::chain(diagnosis, true, self.style.ellipsis()) {
                self.link(row.status, &row.label, &row.text);
            }
            return;
        }
        self.out.push('\n');
        for row in words::links(diagnosis, self.style.ellipsis()) {
            let (sign, paint) = self.style.sign(row.status);
            let lead = format!("  {} ", self.style.paint(paint, sign));
            let paint =
                if matches!(row.status, Status::Fail | Status::Warn) { Paint::Plain } else { Paint::Dim };
            self.flow(&lead, 4, 4, &row.text, paint);
        }
    }

    fn signed_in(&mut self, diagnosis: &Diagnosis) {
        if let Some(who) = words::signed_in(diagnosis) {
            self.text(2, &who, Paint::Dim);
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

    fn consequences(&mut self, diagnosis: &Diagnosis) {
        let consequences = diagnosis.findings.iter().filter(|finding| finding.caused_by.is_some());
        let consequences: Vec<&Reported> = consequences.collect();
        if !consequences.is_empty() {
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

    /// Warnings; beside a fault in a line each.
    fn also_found(&mut self, diagnosis: &Diagnosis) {
        let mut found = words::unexplained(diagnosis, Severity::Warning);
        if self.verbose() {
            found.extend(words::unexplained(diagnosis, Severity::Info));
        }
        let root = diagnosis.root_cause.as_ref().map(|root| root.key.as_str());
        found.retain(|finding| Some(finding.key.as_str()) != root);
        if found.is_empty() {
            return;
        }
        let in_full = self.verbose() || root.is_none();
        self.heading(if root.is_some() { "also found" } else { "found" });
        for finding in found {
            let (sign, paint) = self.style.sign(status_of(finding.severity));
            let lead = format!("  {} ", self.style.paint(paint, sign));
            self.flow(&lead, 4, 4, &format!("{} {}", finding.summary, words::tag(finding)), Paint::Plain);
            if in_full {
                self.evidence(4, &finding.evidence);
                self.fixes("  fix", &finding.fixes.iter().collect::<Vec<_>>());
            }
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
        if diagnosis.root_cause.is_some() && !self.verbose() {
            return self.not_checked_beside_a_cause(diagnosis);
        }
        let mut unknowns = words::not_checked(diagnosis);
        let news: Vec<Unchecked> = unknowns.iter().copied().cloned().collect();
        unknowns.retain(|unknown| !self.told.contains(*unknown));
        self.told.extend(news);
        if unknowns.is_empty() {
            return;
        }
        self.heading("not checked");
        let most = if self.verbose() { usize::MAX } else { NOT_CHECKED_LINES };
        let lines = self.gaps(diagnosis, &unknowns);
        let grants = !words::grants(&unknowns).is_empty();
        let room = most - usize::from(grants);
        for line in lines.iter().take(if lines.len() > room { room - 1 } else { room }) {
            self.put(4, line);
        }
        if lines.len() > room {
            self.put(4, &self.style.paint(Paint::Dim, "and more: -v"));
        }
        if grants {
            self.put(4, PRINT_PERMISSIONS);
        }
    }

    /// It is no reason to doubt the cause, and has a line or two.
    fn not_checked_beside_a_cause(&mut self, diagnosis: &Diagnosis) {
        let style = self.style;
        let text = style.line(&words::reasons(diagnosis).join("; "));
        // Room for the end of a line that is cut.
        let columns = style.columns().saturating_sub(COMMAND + 9);
        let lines = wrap(&text, columns, columns, false);
        let is_cut = lines.len() > BESIDE_A_CAUSE;
        for (index, line) in lines.iter().take(BESIDE_A_CAUSE).enumerate() {
            let more = if is_cut && index + 1 == BESIDE_A_CAUSE { " … (-v)" } else { "" };
            self.put(COMMAND, &style.paint(Paint::Dim, &format!("{line}{}", style.line(more))));
        }
        if diagnosis.unknowns.iter().any(|unknown| unknown.denied && unknown.grant.is_some()) {
            self.put(COMMAND, &style.paint(Paint::Dim, PRINT_PERMISSIONS));
        }
    }

    /// What was not checked, a line each: permissions whole, sentences wrapped.
    fn gaps(&self, diagnosis: &Diagnosis, unknowns: &[&Unchecked]) -> Vec<String> {
        let style = self.style;
        let columns = style.columns().saturating_sub(COMMAND);
        let mut lines = Vec::new();
        if words::wants_files(diagnosis) {
            lines.push(String::from("add what is missing to the files, then run this again"));
        }
        let (denied, others): (Vec<_>, Vec<_>) =
            words::gaps(unknowns).into_iter().partition(|gap| gap.denied);
        let lacking: Vec<&Unchecked> = unknowns.iter().filter(|unknown| unknown.denied).copied().collect();
        let grants = words::grants(&lacking);
        if !denied.is_empty() {
            lines.push(String::from("you lack, the deciding one first"));
        }
        for grant in &grants {
            lines.push(style.paint(Paint::Command, &style.line(&format!("  {grant}"))));
        }
        // What the server says of it adds nothing to the permission's name.
        for gap in denied.iter().filter(|gap| self.verbose() || gap.grants.is_empty()).chain(&others) {
            let text = style.line(&gap.sentence());
            let wrapped = wrap(&text, columns, columns - 2, false);
            lines.extend(
                wrapped.iter().enumerate().map(
                    |(index, line)| {
                        if index == 0 { line.clone() } else { format!("  {line}") }
                    },
                ),
            );
        }
        lines
    }

    /// With `-v`: how far the proof reaches, the page, the version.
    fn colophon(&mut self, diagnosis: &Diagnosis) {
        self.out.push('\n');
        if diagnosis.verdict != Verdict::Healthy {
            self.text(2, words::proof(diagnosis.proof), Paint::Dim);
        }
        if let Some(root) = &diagnosis.root_cause {
            self.put(2, &self.style.paint(Paint::Dim, &self.style.line(&root.docs)));
        }
        let at = diagnosis.observed_at.map_or_else(String::new, |at| format!(", observed at {at}"));
        self.text(2, &format!("kubectl-irsa {}{at}", diagnosis.tool.version), Paint::Dim);
    }
}

fn status_of(severity: Severity) -> Status {
    match severity {
        Severity::Error => Status::Fail,
        Severity::Warning => Status::Warn,
        Severity::Info => Status::NotApplicable,
    }
}
