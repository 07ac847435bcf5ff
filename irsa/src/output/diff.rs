//! Expected and found, one below the other, with the difference marked.

use super::style::{Style, width};
use crate::text::safe;

/// A run of text that is the same in both values, or is not.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// What to show, already escaped.
    pub text: String,
    /// True if the other value has something else here.
    pub differs: bool,
}

/// Two values on one line each.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// What it should be.
    pub expected: Vec<Piece>,
    /// What it is.
    pub found: Vec<Piece>,
    /// The line below, which points at the difference.
    pub marks: String,
}

/// A character as it is shown: escaped where it could do harm, together with its combining marks.
#[derive(Debug, PartialEq, Eq)]
struct Cell {
    text: String,
    width: usize,
}

/// At least one in so many characters must be common to both values; with fewer they have nothing to do with each other, and
/// marking a difference would not help.
const COMMON_SHARE: usize = 3;

fn cells(text: &str, quoted: bool, style: &Style) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    let quote = || Cell { text: String::from("\""), width: 1 };
    cells.extend(quoted.then(quote));
    for c in text.chars() {
        let shown = style.line(c.encode_utf8(&mut [0; 4]));
        match cells.last_mut() {
            Some(last) if width(&shown) == 0 => last.text.push_str(&shown),
            _ => cells.push(Cell { width: width(&shown), text: shown }),
        }
    }
    cells.extend(quoted.then(quote));
    cells
}

/// Without quotes it would not be clear where the value starts and ends.
fn wants_quotes(text: &str) -> bool {
    safe::value(text) != text
}

/// A word of more cells is no name, ARN or URL that somebody copies, but data.
const LONGEST_WORD: usize = 400;

/// One value, broken into lines of `columns` at its spaces; at most `most` lines, and then how many characters are missing. A word
/// that fits no line stays whole, unless it is data.
pub(super) fn single(text: &str, columns: usize, most: usize, style: &Style) -> Vec<String> {
    let cells = cells(text, wants_quotes(text), style);
    let mut lines = Vec::new();
    let mut start = 0;
    while start < cells.len() {
        if lines.len() == most {
            lines.push(format!("{} {} more characters", style.ellipsis(), cells.len() - start));
            return lines;
        }
        let end = line_end(&cells, start, columns);
        lines.push(cells[start..end].iter().map(|cell| cell.text.as_str()).collect());
        start = end;
    }
    lines
}

/// Where the line that starts at `start` ends: after the last space that fits, or after the first word.
fn line_end(cells: &[Cell], start: usize, columns: usize) -> usize {
    let mut end = start;
    let mut used = 0;
    while end < cells.len() && (used + cells[end].width <= columns || end == start) {
        used += cells[end].width;
        end += 1;
    }
    if end == cells.len() {
        return end;
    }
    let is_space = |cell: &Cell| cell.text == " ";
    if let Some(space) = cells[start..end].iter().rposition(is_space) {
        return start + space + 1;
    }
    let is_rest =
        start.checked_sub(1).and_then(|before| cells.get(before)).is_some_and(|cell| !is_space(cell));
    let word = cells[start..].iter().position(is_space).map_or(cells.len(), |at| start + at + 1);
    if is_rest || word - start > LONGEST_WORD { end } else { word }
}

/// Both values within `columns`, cut around their difference if they are longer; `None` if they have too little in common.
pub(super) fn pair(expected: &str, found: &str, columns: usize, style: &Style) -> Option<Pair> {
    if expected == found {
        return None;
    }
    // Quotes on both or on none: a quote on one side alone would itself be a difference.
    let quoted = wants_quotes(expected) || wants_quotes(found);
    let (left, right) = (cells(expected, quoted, style), cells(found, quoted, style));
    let same = |(a, b): &(&Cell, &Cell)| a == b;
    let prefix = left.iter().zip(&right).take_while(same).count();
    let room = left.len().min(right.len()) - prefix;
    let suffix = left.iter().rev().zip(right.iter().rev()).take(room).take_while(same).count();
    let quotes = if quoted { 2 } else { 0 };
    let common = (prefix + suffix).saturating_sub(quotes);
    if common * COMMON_SHARE < left.len().max(right.len()) - quotes || common == 0 {
        return None;
    }
    let ends = (left.len() - suffix, right.len() - suffix);
    let start = window_start(&left, &right, prefix, columns, style);
    let (expected, _) = pieces(&left, prefix..ends.0, start, columns, style);
    let (found, shown_end) = pieces(&right, prefix..ends.1, start, columns, style);

    let lead: usize = columns_of(&right[start..prefix]) + if start > 0 { width(style.ellipsis()) } else { 0 };
    let span = columns_of(&right[prefix..ends.1.min(shown_end)]);
    let hint = if prefix == ends.1 {
        String::from("missing here")
    } else if prefix == ends.0 {
        String::from("not expected")
    } else {
        look_alike(&right[prefix..ends.1])
    };
    Some(Pair { expected, found, marks: marks(lead, span.max(1), &hint, columns) })
}

/// Lines that stand in each other's place, to look at rather than to copy. Pairs are cut around their difference, to stay within
/// `columns`.
pub(super) fn cut(
    removed: Vec<String>,
    added: Vec<String>,
    columns: usize,
    style: &Style,
) -> (Vec<String>, Vec<String>) {
    let end = |line: &String| -> String {
        let all = cells(line, false, style);
        pieces(&all, 0..0, 0, columns, style).0.into_iter().map(|piece| piece.text).collect()
    };
    if removed.len() == added.len() {
        let both = removed.iter().zip(&added).map(|(old, new)| {
            let (old_text, new_text) = (old.trim_start_matches(' '), new.trim_start_matches(' '));
            let indent = old.len() - old_text.len();
            let text = |pieces: Vec<Piece>| {
                let texts = pieces.into_iter().map(|piece| piece.text);
                format!("{}{}", " ".repeat(indent), texts.collect::<String>())
            };
            match pair(new_text, old_text, columns.saturating_sub(indent), style) {
                Some(pair) => (text(pair.found), text(pair.expected)),
                None => (end(old), end(new)),
            }
        });
        return both.unzip();
    }
    // Where the difference is cannot be told by letters: all of it is.
    let whole = |lines: Vec<String>| lines.iter().map(|line| style.line(line)).collect();
    (whole(removed), whole(added))
}

/// The marks, with the hint beside them where there is room for it.
fn marks(lead: usize, span: usize, hint: &str, columns: usize) -> String {
    let marks = "^".repeat(span);
    let room = hint.len() + 1;
    if hint.is_empty() || (lead + span + room > columns && lead < room) {
        format!("{}{marks}", " ".repeat(lead))
    } else if lead + span + room <= columns {
        format!("{}{marks} {hint}", " ".repeat(lead))
    } else {
        format!("{}{hint} {marks}", " ".repeat(lead - room))
    }
}

/// A letter of another script looks like the right one; its number does not.
fn look_alike(cells: &[Cell]) -> String {
    match cells {
        [cell] if !cell.text.is_ascii() => {
            let numbers: Vec<String> = cell.text.chars().map(|c| format!("U+{:04X}", u32::from(c))).collect();
            numbers.join(" ")
        }
        _ => String::new(),
    }
}

fn columns_of(cells: &[Cell]) -> usize {
    cells.iter().map(|cell| cell.width).sum()
}

/// The first cell to show, so that the difference is visible with some of what comes before it.
fn window_start(left: &[Cell], right: &[Cell], prefix: usize, columns: usize, style: &Style) -> usize {
    let longest = columns_of(left).max(columns_of(right));
    if longest <= columns {
        return 0;
    }
    let longer = if columns_of(left) == longest { left } else { right };
    let ellipsis = width(style.ellipsis());
    // A third of the line before the difference; more if what follows it is short.
    let after = columns_of(&longer[prefix..]);
    let before = (columns / 3).max(columns.saturating_sub(after + ellipsis + 1));
    let mut start = prefix;
    let mut used = 0;
    while start > 0 && used + longer[start - 1].width + ellipsis <= before {
        start -= 1;
        used += longer[start].width;
    }
    start
}

/// The cells from `start` that fit, and the index after the last of them.
fn pieces(
    cells: &[Cell],
    differs: std::ops::Range<usize>,
    start: usize,
    columns: usize,
    style: &Style,
) -> (Vec<Piece>, usize) {
    let ellipsis = style.ellipsis();
    let lead = if start > 0 { width(ellipsis) } else { 0 };
    let mut end = cells.len();
    if lead + columns_of(&cells[start.min(end)..]) > columns {
        let mut used = lead + width(ellipsis);
        end = start;
        while end < cells.len() && used + cells[end].width <= columns {
            used += cells[end].width;
            end += 1;
        }
    }
    let text = |from: usize, to: usize| -> String {
        let to = to.min(end);
        cells[from.min(to)..to].iter().map(|cell| cell.text.as_str()).collect()
    };
    let before = if start > 0 { ellipsis } else { "" };
    let after = if end < cells.len() { ellipsis } else { "" };
    let pieces = [
        Piece { text: format!("{before}{}", text(start, differs.start)), differs: false },
        Piece { text: text(differs.start, differs.end), differs: true },
        Piece { text: format!("{}{after}", text(differs.end, cells.len())), differs: false },
    ];
    (pieces.into_iter().filter(|piece| !piece.text.is_empty()).collect(), end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(expected: &str, found: &str, columns: usize) -> String {
        let join = |pieces: &[Piece]| pieces.iter().map(|piece| piece.text.as_str()).collect::<String>();
        match pair(expected, found, columns, &Style::default()) {
            Some(pair) => format!("{}\n{}\n{}", join(&pair.expected), join(&pair.found), pair.marks),
            None => String::from("two values"),
        }
    }

    #[test]
    fn one_character() {
        assert_eq!(
            shown("eks.amazonaws.com/role-arn", "eks.amazonaws.com/role_arn", 64),
            "eks.amazonaws.com/role-arn\neks.amazonaws.com/role_arn\n                      ^"
        );
    }

    #[test]
    fn what_cannot_be_seen_is_marked() {
        assert_eq!(
            shown("arn:aws:iam", "arn:aws:iam ", 64),
            "\"arn:aws:iam\"\n\"arn:aws:iam \"\n            ^ not expected"
        );
        assert_eq!(
            shown("arn:aws", "arn:\u{200b}aws", 64),
            "\"arn:aws\"\n\"arn:\\u{200b}aws\"\n     ^^^^^^^^ not expected"
        );
        assert_eq!(shown("arn:aws", "\u{430}rn:aws", 64), "arn:aws\n\u{430}rn:aws\n^ U+0430");
    }

    #[test]
    fn what_is_missing_is_pointed_at() {
        assert_eq!(shown("a:role/x", "a:rolex", 64), "a:role/x\na:rolex\n      ^ missing here");
        assert_eq!(
            shown("sts.amazonaws.com", "sts.amazonaws", 64),
            "sts.amazonaws.com\nsts.amazonaws\n             ^ missing here"
        );
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(shown("漢漢ax", "漢漢bx", 64), "漢漢ax\n漢漢bx\n    ^");
        assert_eq!(
            shown("e\u{301}e\u{301}ax", "e\u{301}e\u{301}bx", 64),
            "e\u{301}e\u{301}ax\ne\u{301}e\u{301}bx\n  ^"
        );
    }

    #[test]
    fn two_values_get_no_marks() {
        assert_eq!(shown("true", "none", 64), "two values");
        assert_eq!(shown("arn:aws:iam::111122223333:role/x", "", 64), "two values");
        assert_eq!(shown("", "x", 64), "two values");
        assert_eq!(shown("x", "x", 64), "two values");
    }

    #[test]
    fn long_values_are_cut_around_the_difference() {
        let long = |c: char| format!("{}{c}{}", "a".repeat(50), "b".repeat(50));
        assert_eq!(shown(&long('X'), &long('Y'), 20), "…aaaaaXbbbbbbbbbbbb…\n…aaaaaYbbbbbbbbbbbb…\n      ^");
        let end = |c: char| format!("{}{c}", "a".repeat(50));
        assert_eq!(
            shown(&end('X'), &end('Y'), 20),
            "…aaaaaaaaaaaaaaaaX\n…aaaaaaaaaaaaaaaaY\n                 ^"
        );
        let start = |c: char| format!("{c}{}", "a".repeat(50));
        assert_eq!(shown(&start('X'), &start('Y'), 10), "Xaaaaaaaa…\nYaaaaaaaa…\n^");
    }

    #[test]
    fn a_hint_stays_in_the_page() {
        let long = "a".repeat(50);
        assert_eq!(
            shown(&long, &format!("{long}Y"), 20),
            "…aaaaaaaaaaaaaaaa\n…aaaaaaaaaaaaaaaaY\n    not expected ^"
        );
    }

    #[test]
    fn a_single_value_wraps_and_ends() {
        assert_eq!(single("abcdef ghi", 4, 9, &Style::default()), ["abcdef ", "ghi"]);
        assert_eq!(single("ab cd ef ghij", 3, 2, &Style::default()), ["ab ", "cd ", "… 7 more characters"]);
        let data = "QUJD".repeat(150);
        assert_eq!(single(&data, 80, 9, &Style::default()).len(), 8, "data is no name");
        assert_eq!(single("", 4, 2, &Style::default()), ["\"\""]);
        assert_eq!(single("is unable to say", 12, 9, &Style::default()), ["is unable ", "to say"]);
        assert_eq!(single("a bbbbbbbbbbbb", 8, 9, &Style::default()), ["a ", "bbbbbbbbbbbb"]);
    }

    proptest::proptest! {
        #[test]
        fn it_stays_in_its_columns(a in "\\PC{0,60}", b in "\\PC{0,60}", common in "[a-z]{0,90}", columns in 20_usize..80) {
            for unicode in [true, false] {
                let style = Style { unicode, ..Style::default() };
                if let Some(pair) = pair(&format!("{common}{a}{common}"), &format!("{common}{b}{common}"), columns, &style) {
                    for pieces in [&pair.expected, &pair.found] {
                        let total: usize = pieces.iter().map(|piece| width(&piece.text)).sum();
                        proptest::prop_assert!(total <= columns, "{total} columns of {columns}");
                    }
                    proptest::prop_assert!(pair.marks.len() <= columns + 1, "{:?}", pair);
                }
            }
        }
    }
}
