//! `docs/reliability.md`: its tables are written from what the cells showed, its words by hand.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;

use irsa_tests::fault::{Fault, HOST, IN_POD};

use super::oracle::{Lost, Matrix, Subject};

/// What the cells showed: of each pair, kind and base, by fault.
pub type Results = BTreeMap<(usize, String, usize), BTreeMap<Fault, String>>;

/// The sections are of different tests, which run at once.
static FILE: Mutex<()> = Mutex::new(());

/// Holds the page's section against what the cells showed, or writes it.
pub fn compare(matrix: &Matrix<'_>, results: &Results) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/reliability.md");
    let (begin, end) = (format!("<!-- {} -->\n", matrix.section), "<!-- end -->\n");
    let wanted = tables(matrix, results);
    let guard = FILE.lock();
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(&begin).expect("the page has this section");
    let (found, after) = rest.split_once(end).expect("the section ends");
    let found = found.to_owned();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{begin}{wanted}{end}{after}")).unwrap();
        return;
    }
    drop(guard);
    let how = "UPDATE_DOCS=1 cargo test --workspace --test reliability";
    let only = |of: &str, other: &str, sign: &str| -> String {
        let lines = of.lines().filter(|line| !other.lines().any(|known| known == *line));
        lines.map(|line| format!("{sign} {line}\n")).collect()
    };
    let differ = only(&found, &wanted, "-") + &only(&wanted, &found, "+");
    assert!(found == wanted, "docs/reliability.md does not say what happened. {how} writes it:\n{differ}");
}

fn tables(matrix: &Matrix<'_>, results: &Results) -> String {
    let mut out = String::new();
    for (index, pair) in matrix.pairs.iter().enumerate() {
        for (of_hosts, heading) in [(false, "request"), (true, "host")] {
            let of_pair = |subject: &&Subject| {
                let bases = [0, 1].map(|base| results.get(&(index, subject.kind.to_owned(), base)));
                subject.kind.starts_with(HOST) == of_hosts && bases.iter().any(Option::is_some)
            };
            let subjects: Vec<&Subject> = matrix.subjects.iter().filter(of_pair).collect();
            if subjects.is_empty() {
                continue;
            }
            writeln!(out, "\n**{}**, by {heading}\n", pair.title).unwrap();
            writeln!(out, "| {heading} | healthy | broken | named as |").unwrap();
            writeln!(out, "|---|---|---|---|").unwrap();
            for subject in subjects {
                let base = |base| {
                    let cells = results.get(&(index, subject.kind.to_owned(), base));
                    cells.map_or("not asked".to_owned(), |cells| row(cells, ["healthy", "broken"][base]))
                };
                let kind = subject.kind.trim_start_matches(HOST).trim_end_matches(IN_POD);
                writeln!(out, "| {kind} | {} | {} | {} |", base(0), base(1), named(&subject.lost)).unwrap();
            }
        }
    }
    out.push('\n');
    out
}

fn named(lost: &Lost) -> String {
    let words = lost.words().iter().map(|words| format!("“{words}”")).collect::<Vec<_>>().join(", ");
    match lost {
        Lost::Target => "the run ends: it is about this".to_owned(),
        Lost::Named(_) => words,
        Lost::Evidence(_) => format!("{words}; nothing else shows the fault"),
        Lost::Unneeded(_, why) => format!("{words}, or nothing: {why}"),
    }
}

/// What most faults lead to, then the others with the faults that do. That a slow answer changes nothing is said once for all.
fn row(cells: &BTreeMap<Fault, String>, whole: &str) -> String {
    let mut by_outcome: BTreeMap<&str, Vec<Fault>> = BTreeMap::new();
    for (fault, cell) in cells.iter().filter(|(fault, cell)| **fault != Fault::Slow || *cell != whole) {
        by_outcome.entry(cell).or_default().push(*fault);
    }
    let mut groups: Vec<_> = by_outcome.into_iter().collect();
    groups.sort_by_key(|(_, faults)| std::cmp::Reverse(faults.len()));
    let mut out = String::new();
    for (index, (outcome, faults)) in groups.iter().enumerate() {
        if index == 0 {
            out += outcome;
        } else {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            write!(out, "; {outcome}: {}", faults.join(", ")).unwrap();
        }
    }
    out
}
