//! Lists of failure modes, as `explain` shows them.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

use super::style::{Paint, Style};
use crate::checks::catalogue::Entry;
use crate::text::safe;

/// Before every row.
const INDENT: &str = "  ";

/// The entries under the names of their links, in their order. `width` is the terminal's; without one no line is wrapped, so
/// that `grep` finds whole titles.
pub fn list(entries: &[Entry], width: Option<usize>, style: &Style) -> String {
    let ids = entries.iter().map(|entry| entry.id.len()).max().unwrap_or(0);
    let groups = entries.chunk_by(|a, b| a.link == b.link);
    groups
        .map(|group| {
            let heading = group.first().map_or("", |entry| entry.link);
            format!("{}\n{}", style.paint(Paint::Strong, heading), table(group, ids, width))
        })
        .collect()
}

/// The results of a search.
pub fn found(words: &str, entries: &[Entry], width: Option<usize>, style: &Style) -> String {
    let ids = entries.iter().map(|entry| entry.id.len()).max().unwrap_or(0);
    let count = entries.len();
    let pages = if count == 1 { "page" } else { "pages" };
    format!(
        "{count} {pages} about \"{}\"\n{}\nread one\n{INDENT}{}\n",
        safe::line(words),
        table(entries, ids, width),
        style.paint(Paint::Command, "kubectl irsa explain ID"),
    )
}

/// Ids and titles; the titles of all groups line up.
fn table(entries: &[Entry], ids: usize, width: Option<usize>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    match width.and_then(|width| u16::try_from(width.saturating_sub(INDENT.len())).ok()) {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.add_rows(
        entries.iter().map(|entry| [format!("{:ids$}", safe::line(entry.id)), safe::line(&entry.title)]),
    );
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| format!("{INDENT}{}\n", line.trim_end())).collect()
}
