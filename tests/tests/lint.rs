//! `kubectl irsa lint`: generated change sets with planted faults; what it prints; what it makes of hostile input.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod lint {
    pub mod change_set;
    pub mod output;
    pub mod reading;
}

use std::collections::{BTreeMap, BTreeSet};

use irsa::lint::{Lint, Options, Report};

use lint::change_set::{ChangeSet, FAULTS};

/// Judges files, each a name and a text.
fn judged(files: &[(String, String)]) -> Report {
    let mut lint = Lint::default();
    files.iter().for_each(|(name, text)| lint.file(name, text.clone().into_bytes(), false));
    lint.report(&Options::default())
}

/// What is reported: id, file and line.
fn reported(report: &Report) -> BTreeSet<(String, String, usize)> {
    let problems = report.problems.iter();
    problems
        .map(|problem| (problem.id.to_owned(), problem.place.file.clone(), problem.place.position.line))
        .collect()
}

fn shown(report: &Report) -> String {
    irsa::output::lint::text(report, &irsa::output::Style::default())
}

/// How many change sets are generated, with planted faults and without.
const SETS: u64 = 240;
const HEALTHY: u64 = 60;

#[test]
fn none_missed_and_none_extra() {
    let mut planted_by_id: BTreeMap<String, usize> = BTreeMap::new();
    let mut failures = Vec::new();
    for seed in 0..SETS {
        let set = ChangeSet::generate(seed, true);
        let report = judged(&set.files);
        let (found, planted) = (reported(&report), set.planted.clone());
        planted.iter().for_each(|(id, ..)| *planted_by_id.entry(id.clone()).or_default() += 1);
        assert!(report.unread.is_empty(), "seed {seed}: {:?}", report.unread);
        assert!(
            found.iter().all(|(id, ..)| irsa::lint::ids().contains(id.as_str())),
            "seed {seed}: {found:?}"
        );
        if found != planted {
            let missed: Vec<_> = planted.difference(&found).collect();
            let extra: Vec<_> = found.difference(&planted).collect();
            failures.push(format!("seed {seed} ({:?}): missed {missed:?}, extra {extra:?}", set.faults));
        }
    }
    assert!(failures.is_empty(), "{} of {SETS}:\n{}", failures.len(), failures.join("\n"));
    let total: usize = planted_by_id.values().sum();
    assert!(total > 400 && planted_by_id.len() > 30, "{planted_by_id:?}");
    assert!(planted_by_id.values().all(|count| *count >= 3), "{planted_by_id:?}");
}

#[test]
fn healthy_change_sets_yield_nothing() {
    for seed in 0..HEALTHY {
        let set = ChangeSet::generate(seed, false);
        let report = judged(&set.files);
        assert!(report.problems.is_empty(), "seed {seed}:\n{}", shown(&report));
        assert!(!report.checked.is_nothing());
    }
}

/// Every id that can be reported has a page, and every fault that is planted is one of them.
#[test]
fn every_id_is_explained_and_can_be_planted_or_is_said_why_not() {
    let ids = irsa::lint::ids();
    for id in &ids {
        assert!(irsa::checks::catalogue::entry(id).is_some(), "{id} has no page");
    }
    let planted: BTreeSet<&str> = FAULTS.iter().flat_map(|fault| fault.ids.iter().copied()).collect();
    assert!(planted.is_subset(&ids), "{:?}", planted.difference(&ids).collect::<Vec<_>>());
    // What the generator does not plant: shown by a world of `debug`, and judged by the same check here.
    let not_planted: Vec<&&str> = ids.iter().filter(|id| !planted.contains(**id)).collect();
    assert_eq!(
        not_planted,
        [
            &"aws-profile",
            &"env-from-secret-overrides",
            &"oidc-other-cluster",
            &"trust-session-name-or-tag",
            &"wrong-token-path-manual"
        ]
    );
}

/// Of the examples, the one that shows a fault to `debug` shows it here, too; nothing else is reported.
#[test]
fn the_examples() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");
    let files: Vec<(String, String)> = ["shop.yaml", "trust.yaml"]
        .map(|name| (name.to_owned(), std::fs::read_to_string(format!("{root}/{name}")).unwrap()))
        .into();
    let found = reported(&judged(&files));
    let ids: Vec<&str> = found.iter().map(|(id, ..)| id.as_str()).collect();
    assert_eq!(ids, ["annotation-key-typo"], "{found:?}");
}
