//! The registry keeps its promises: every check unique, documented, explained and shown in worlds, broken and fine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use irsa::checks::{LINKS, Meta, NOT_A_FAULT, all};
use irsa_tests::run::{plugin, run};
use irsa_tests::world::{Case, all_worlds, worlds_dir};

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn pages() -> BTreeMap<&'static str, String> {
    let checks = all().map(|check| (check.meta.id, check.page()));
    checks.chain(NOT_A_FAULT.iter().map(|(id, page)| (*id, (*page).to_owned()))).collect()
}

#[test]
fn ids_are_unique_and_named_after_their_files() {
    assert_eq!(pages().len(), all().count() + NOT_A_FAULT.len(), "an id is used twice");
    // What a folder's checks share is no check.
    let shared = ["mod", "agent", "denied", "trust"];
    let mut files = BTreeSet::new();
    for folder in std::fs::read_dir(repository().join("irsa/src/checks")).unwrap() {
        let folder = folder.unwrap().path();
        if !folder.is_dir() || folder.ends_with("shared") {
            continue;
        }
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if let Some(stem) = name.strip_suffix(".rs").filter(|stem| !shared.contains(stem)) {
                files.insert(stem.replace('_', "-"));
            }
        }
    }
    let ids: BTreeSet<String> = all().map(|check| check.meta.id.to_owned()).collect();
    assert_eq!(ids, files, "a file without a registered check, or a check under another name");
    for id in pages().keys() {
        assert!(id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{id}");
    }
}

#[test]
fn a_check_is_in_the_folder_of_its_step() {
    for link in LINKS {
        for check in link.checks {
            let Meta { id, step, .. } = check.meta;
            assert!(link.steps.contains(step), "{id} is about {step:?}, its folder about {:?}", link.steps);
        }
        for step in link.steps {
            assert!(link.checks.iter().any(|check| check.meta.step == *step), "{}: {step:?}", link.title);
        }
    }
}

#[test]
fn every_check_has_a_page_that_says_how_it_decides_and_how_to_repair() {
    for check in all() {
        let page = check.page();
        let id = check.meta.id;
        assert!(page.starts_with("# "), "{id}: the page has no title");
        assert!(page.contains("**Decided by**"), "{id}: the page does not say how it is decided");
        assert!(page.contains("**Repair**"), "{id}: the page does not say how to repair it");
        assert!(
            !check.meta.title.is_empty() && !check.meta.title.ends_with('.'),
            "{id}: {:?}",
            check.meta.title
        );
        assert!(page.lines().all(|line| line.chars().count() <= 130), "{id}: a line is too long");
    }
    for (id, page) in NOT_A_FAULT {
        assert!(page.starts_with("# ") && page.len() > 100, "{id}: no page");
    }
}

#[test]
fn the_pages_in_docs_are_those_of_the_checks() {
    let directory = repository().join("docs/checks");
    let mut index = String::from(
        "# Failure modes\n\nWritten from the checks themselves: `UPDATE_DOCS=1 cargo test --workspace --test registry`.\n\n",
    );
    for (id, page) in pages() {
        let title = page.lines().next().unwrap().trim_start_matches("# ");
        index += &format!("* [{id}]({id}.md): {title}\n");
    }
    let wanted: BTreeMap<String, String> = pages()
        .into_iter()
        .map(|(id, page)| (format!("{id}.md"), page))
        .chain([(String::from("README.md"), index)])
        .collect();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).unwrap();
        for (name, text) in &wanted {
            std::fs::write(directory.join(name), text).unwrap();
        }
    }
    let found: BTreeMap<String, String> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (entry.file_name().into_string().unwrap(), std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    let differ: Vec<_> =
        wanted.keys().chain(found.keys()).filter(|name| wanted.get(*name) != found.get(*name)).collect();
    assert!(differ.is_empty(), "docs/checks is out of date ({differ:?}): run with UPDATE_DOCS=1");
}

#[test]
fn explanations_name_known_checks_and_never_go_in_a_circle() {
    let explains: BTreeMap<&str, &[&str]> = all().map(|check| (check.meta.id, check.meta.explains)).collect();
    for (id, consequences) in &explains {
        for consequence in *consequences {
            assert!(
                explains.contains_key(consequence),
                "{id} explains {consequence}, which no check reports"
            );
        }
        let mut open = consequences.to_vec();
        let mut seen = BTreeSet::new();
        while let Some(next) = open.pop() {
            assert_ne!(next, *id, "{id} explains itself");
            if seen.insert(next) {
                open.extend(explains[next]);
            }
        }
    }
}

#[test]
fn every_check_has_a_broken_and_a_fine_world_and_every_non_fault_a_fine_one() {
    let worlds = all_worlds(&worlds_dir()).unwrap();
    let with = |case: Case| -> BTreeSet<String> {
        worlds.iter().filter(|file| file.case == case).map(|file| file.check.clone()).collect()
    };
    let (broken, fine) = (with(Case::Broken), with(Case::Fine));
    for check in all() {
        assert!(broken.contains(check.meta.id), "{} has no broken world", check.meta.id);
        assert!(fine.contains(check.meta.id), "{} has no fine world", check.meta.id);
    }
    for (id, _) in NOT_A_FAULT {
        assert!(fine.contains(*id), "{id} has no fine world");
        assert!(!broken.contains(*id), "{id} is no fault and has a broken world");
    }
    let known = pages();
    for file in &worlds {
        assert!(known.contains_key(file.check.as_str()), "{} belongs to no check", file.path.display());
    }
}

#[test]
fn explain_prints_every_page_and_lists_every_id() {
    let list = run(plugin().arg("explain")).stdout;
    let counts = list.lines().map_while(|line| line.rsplit_once(' ')?.1.parse::<usize>().ok());
    assert_eq!(counts.sum::<usize>(), pages().len(), "how many each link has comes first");
    for (id, page) in pages() {
        assert!(list.lines().any(|line| line.split_whitespace().next() == Some(id)), "{id} is not listed");
        assert_eq!(run(plugin().args(["explain", id])).stdout, page, "{id}");
    }
    let unknown = run(plugin().args(["explain", "sa-not-anotated"]));
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("did you mean sa-not-annotated?"), "{unknown:?}");
}

/// A snapshot that no test writes any more would be shown to nobody, and counted.
#[test]
fn every_snapshot_is_of_a_world() {
    let worlds: BTreeSet<String> = all_worlds(&worlds_dir())
        .unwrap()
        .into_iter()
        .filter_map(|file| {
            let path = file.path.strip_prefix(worlds_dir()).ok()?.with_extension("");
            Some(path.to_str()?.replace('/', "."))
        })
        .collect();
    for entry in std::fs::read_dir(repository().join("tests/snapshots")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name.trim_end_matches(".snap");
        assert!(name.starts_with("explain.") || worlds.contains(name), "{name}: no such world");
    }
}

/// What a person sees first on 80 columns, from the snapshots: a broken report with one fault fits a screen of 24 rows, and its first
/// command stands in the upper two thirds. Half of the worlds keep it; a policy to paste, or a long answer of a server, takes more.
#[test]
fn a_report_fits_a_screen() {
    let (mut rows, mut first) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(repository().join("tests/snapshots")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let report = text.splitn(3, "---\n").nth(2).unwrap_or_default();
        let several = report.chars().nth(2).is_some_and(|c| c.is_ascii_digit());
        if !report.starts_with("✗ ") || several {
            continue;
        }
        // Behind the report stands what was said on stderr.
        let lines: Vec<&str> =
            report.lines().take_while(|line| !line.starts_with(char::is_lowercase)).collect();
        let height = |line: &&str| line.chars().count().div_ceil(80).max(1);
        let is_command =
            |line: &&str| ["kubectl ", "aws "].iter().any(|name| line.trim_start().starts_with(name));
        rows.push(lines.iter().map(height).sum::<usize>());
        let above = lines.iter().take_while(|line| !is_command(line));
        if lines.iter().any(is_command) {
            first.push(1 + above.map(height).sum::<usize>());
        }
    }
    let median = |values: &mut Vec<usize>| {
        values.sort_unstable();
        values[values.len() / 2]
    };
    assert!(rows.len() > 400, "{} reports", rows.len());
    let (rows, first) = (median(&mut rows), median(&mut first));
    assert!(rows <= 24 && first <= 16, "{rows} rows, the first command in row {first}");
}
