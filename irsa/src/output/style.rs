//! How text is put on a terminal: colour, width, and substitutes for characters that it cannot show.

use anstyle::{AnsiColor, Effects};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::as_code::Language;
use crate::diagnosis::{Status, Verdict};
use crate::text::safe;

/// What the terminal can do, and how much detail the reader wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Use colour.
    pub color: bool,
    /// Columns.
    pub width: usize,
    /// Characters beyond ASCII can be shown.
    pub unicode: bool,
    /// The reader's shell quotes as POSIX shells do; PowerShell and cmd do not.
    pub posix: bool,
    /// How often `-v` was given.
    pub verbose: u8,
    /// The language of repairs; `None` for commands.
    pub fix_as: Option<Language>,
}

impl Default for Style {
    /// For a pipe: plain, 80 columns.
    fn default() -> Self {
        Self { color: false, width: 80, unicode: true, posix: true, verbose: 0, fix_as: None }
    }
}

/// What a piece of text is, which decides its colour. Colour never carries meaning alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    Plain,
    Strong,
    Good,
    Bad,
    Warning,
    Dim,
    Command,
}

/// Below this a page of nested lists cannot be laid out; lines are then wider than the terminal.
const NARROWEST: usize = 40;

impl Style {
    /// The text in its colour.
    pub fn paint(&self, paint: Paint, text: &str) -> String {
        let style = anstyle::Style::new();
        let style = match paint {
            Paint::Plain => style,
            Paint::Strong => style.effects(Effects::BOLD),
            Paint::Good => style.fg_color(Some(AnsiColor::Green.into())),
            Paint::Bad => style.fg_color(Some(AnsiColor::Red.into())).effects(Effects::BOLD),
            Paint::Warning => style.fg_color(Some(AnsiColor::Yellow.into())),
            Paint::Dim => style.effects(Effects::DIMMED),
            Paint::Command => style.fg_color(Some(AnsiColor::Cyan.into())),
        };
        if self.color && !style.is_plain() && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// How many columns a page uses.
    pub fn columns(&self) -> usize {
        self.width.max(NARROWEST)
    }

    /// Text from the cluster, or text of ours that may quote it, as one escaped line.
    pub fn line(&self, text: &str) -> String {
        self.fold(safe::line(text))
    }

    /// Marks an omission.
    pub fn ellipsis(&self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    /// The sign of a link.
    pub fn sign(&self, status: Status) -> (&'static str, Paint) {
        match (status, self.unicode) {
            (Status::Pass, true) => ("✓", Paint::Good),
            (Status::Pass, false) => ("+", Paint::Good),
            (Status::Fail, true) => ("✗", Paint::Bad),
            (Status::Fail, false) => ("x", Paint::Bad),
            (Status::Warn, _) => ("!", Paint::Warning),
            (Status::Unknown | Status::Skipped | Status::NotApplicable, true) => ("–", Paint::Dim),
            (Status::Unknown | Status::Skipped | Status::NotApplicable, false) => ("-", Paint::Dim),
        }
    }

    /// The sign of a verdict.
    pub fn verdict_sign(&self, verdict: Verdict) -> (&'static str, Paint) {
        match verdict {
            Verdict::Healthy => self.sign(Status::Pass),
            Verdict::Broken | Verdict::Degraded => self.sign(Status::Fail),
            Verdict::Inconclusive => (self.sign(Status::Unknown).0, Paint::Warning),
            Verdict::NotConfigured => (self.sign(Status::Unknown).0, Paint::Strong),
        }
    }

    /// A line across the page.
    pub fn rule(&self) -> String {
        self.paint(Paint::Dim, &if self.unicode { "─" } else { "-" }.repeat(self.columns()))
    }

    /// Reduces the text to ASCII where the terminal can show nothing else.
    fn fold(&self, text: String) -> String {
        if self.unicode || text.is_ascii() {
            return text;
        }
        let mut folded = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '…' => folded.push_str("..."),
                '–' | '—' | '‐' => folded.push('-'),
                '‘' | '’' => folded.push('\''),
                '“' | '”' => folded.push('"'),
                c if c.is_ascii() => folded.push(c),
                c => folded.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            }
        }
        folded
    }
}

/// Columns that a text takes.
pub(super) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Breaks a text at its spaces: the first line has `first` columns, the others `rest`. A word that fits no line is cut
/// if `cut`, and overhangs otherwise. What stands in backticks is one word if it fits a line: it may be a command.
pub(super) fn wrap(text: &str, first: usize, rest: usize, cut: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words(text, rest) {
        let room = |lines: &Vec<String>| if lines.is_empty() { first } else { rest }.max(1);
        if !line.is_empty() {
            if width(&line) + 1 + width(word) <= room(&lines) {
                line.push(' ');
                line.push_str(word);
                continue;
            }
            lines.push(std::mem::take(&mut line));
        } else if lines.is_empty() && width(word) > first && width(word) <= rest {
            // The lead leaves too little room for this word; below it there is enough.
            lines.push(String::new());
        }
        if !cut || width(word) <= room(&lines) {
            line.push_str(word);
            continue;
        }
        for c in word.chars() {
            if width(&line) + c.width().unwrap_or(0) > room(&lines) && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// The words of a text; a span in backticks is one of them, up to `most` columns.
fn words(text: &str, most: usize) -> Vec<&str> {
    let mut words = Vec::new();
    let mut left = text.trim_start_matches(' ');
    while !left.is_empty() {
        let end = |from: usize| left[from..].find(' ').map_or(left.len(), |space| from + space);
        let span = left.strip_prefix('`').and_then(|quoted| quoted.find('`')).map(|close| end(close + 2));
        let end = span.filter(|end| width(&left[..*end]) <= most).unwrap_or_else(|| end(0));
        words.push(&left[..end]);
        left = left[end..].trim_start_matches(' ');
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(wrap("aa bb ccc", 5, 5, true), ["aa bb", "ccc"]);
        assert_eq!(wrap("aa bbbbbbb", 5, 5, true), ["aa", "bbbbb", "bb"]);
        assert_eq!(wrap("aa bbbbbbb", 5, 5, false), ["aa", "bbbbbbb"]);
        assert_eq!(wrap("bbbb c", 2, 5, true), ["", "bbbb", "c"]);
        assert_eq!(wrap("漢漢漢", 4, 4, true), ["漢漢", "漢"]);
        assert_eq!(wrap("", 4, 4, true), [""]);
        assert_eq!(wrap("a `b c`, d", 7, 7, true), ["a", "`b c`,", "d"]);
        assert_eq!(wrap("a `b c` d", 4, 4, true), ["a `b", "c` d"]);
        assert_eq!(wrap("a ` b  c ", 3, 3, true), ["a `", "b c"]);
    }

    #[test]
    fn ascii_is_all_that_a_plain_terminal_gets() {
        let style = Style { unicode: false, ..Style::default() };
        assert_eq!(style.line("a … é – “x”"), "a ... \\u{e9} - \"x\"");
    }
}
