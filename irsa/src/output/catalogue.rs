//! Lists of failure modes, as `explain` shows them.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

use super::style::{Paint, Style};
use crate::checks::catalogue::Entry;
use crate::text::safe;

/// Before every row.
const INDENT: &str = "  ";

/// How many entries each link has, and how to read them: for a terminal, from which the whole list would scroll away.
pub fn overview(entries: &[Entry], style: &Style) -> String {
    let mut out = counts(entries);
    for (what, command) in [
        ("those of one link", "kubectl irsa explain 'trust policy'"),
        ("those about a word", "kubectl irsa explain audience"),
        ("all of them", "kubectl irsa explain | less"),
    ] {
        out += &format!("\n{what}\n{INDENT}{}\n", style.paint(Paint::Command, command));
    }
    out
}

/// How many entries each link has, then all of them, under the names of their links. No line is wrapped, so that `grep` finds whole
/// titles.
pub fn list(entries: &[Entry], style: &Style) -> String {
    let ids = entries.iter().map(|entry| entry.id.len()).max().unwrap_or(0);
    let groups = links(entries)
        .map(|(name, group)| format!("\n{}\n{}", style.paint(Paint::Strong, name), table(group, ids, None)));
    counts(entries) + &groups.collect::<String>()
}

fn counts(entries: &[Entry]) -> String {
    let names = links(entries).map(|(name, _)| name.len()).max().unwrap_or(0);
    links(entries).map(|(name, group)| format!("{INDENT}{name:names$}  {:>3}\n", group.len())).collect()
}

/// The entries of each link, with its name.
fn links(entries: &[Entry]) -> impl Iterator<Item = (&'static str, &[Entry])> {
    let groups = entries.chunk_by(|a, b| a.link == b.link);
    groups.filter_map(|group| Some((group.first()?.link, group)))
}

/// The results of a search, or one link's.
pub fn found(words: &str, entries: &[Entry], width: Option<usize>, style: &Style) -> String {
    let ids = entries.iter().map(|entry| entry.id.len()).max().unwrap_or(0);
    let count = entries.len();
    format!(
        "{count} pages about \"{}\"\n{}\nread one\n{INDENT}{}\n",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::catalogue::{entries, group, search};

    #[test]
    fn the_overview_fits_a_small_terminal_and_its_commands_lead_somewhere() {
        let all: Vec<Entry> = entries().collect();
        let shown = overview(&all, &Style::default());
        // And a row for the prompt.
        assert!(shown.lines().count() < 24, "{shown}");
        assert!(shown.lines().next().is_some_and(|line| line.starts_with("  service account ")), "{shown}");
        let asked: Vec<&str> =
            shown.lines().filter_map(|line| line.split_once("irsa explain ")).map(|it| it.1).collect();
        let [link, word, "| less"] = asked[..] else { panic!("{asked:?}") };
        assert!(group(link.trim_matches('\'')).len() > 1 && search(&[word]).len() > 1, "{asked:?}");
    }
}
