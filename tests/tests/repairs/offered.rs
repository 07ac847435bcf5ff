//! Which commands the checks offer, and the world in which each is tried: `tests/repairs.tsv`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A check's command of one sort.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offer {
    /// The check's id.
    pub check: String,
    /// What it touches.
    pub kind: String,
    /// The words that say what it does: `kubectl set env`.
    pub command: String,
}

/// What a diagnosis offers beyond looking.
pub fn offers(diagnosis: &Value) -> BTreeSet<Offer> {
    let findings = diagnosis["findings"].as_array().into_iter().flatten();
    // What follows from another fault is repaired with it.
    findings.filter(|finding| finding["causedBy"].is_null()).flat_map(of_finding).collect()
}

/// What a finding offers beyond looking.
pub fn of_finding(finding: &Value) -> BTreeSet<Offer> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fixes = finding["fixes"].as_array().into_iter().flatten();
    let changes = fixes.filter(|fix| fix["command"].is_string() && fix["kind"] != "inspect");
    changes
        .map(|fix| Offer {
            check: text(&finding["id"]),
            kind: text(&fix["kind"]),
            command: does(fix["command"].as_str().unwrap_or_default()),
        })
        .collect()
}

/// The program, what it does, and to what.
fn does(command: &str) -> String {
    // In a pipeline the last one writes.
    let last = command.rsplit(" | ").find(|stage| stage.starts_with("kubectl ") || stage.starts_with("aws "));
    let words: Vec<&str> =
        last.unwrap_or(command).split(' ').filter(|word| !word.starts_with("--")).collect();
    let words = words.iter().take(3).map(|word| word.split('/').next().unwrap_or_default());
    words.collect::<Vec<_>>().join(" ")
}

/// The file.
pub fn table_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("repairs.tsv")
}

/// The world in which each is tried, as `CHECK/CASE.NAME`.
pub fn table() -> BTreeMap<Offer, String> {
    let text = std::fs::read_to_string(table_path()).unwrap_or_default();
    let read = |line: &str| {
        let mut fields = line.split('\t').map(str::to_owned);
        let mut next = || fields.next().unwrap_or_default();
        (Offer { check: next(), kind: next(), command: next() }, next())
    };
    text.lines().map(read).collect()
}
