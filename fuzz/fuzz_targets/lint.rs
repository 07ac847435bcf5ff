//! A file of a change: whatever is in it, a problem stands at a place of the file, has a known id, and its words harm no terminal.
#![no_main]

use irsa::lint::{Lint, Options, ids};
use irsa::text::safe;
use irsa_fuzz::assert_harmless;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    let known = ids();
    for found in [false, true] {
        let mut lint = Lint::default();
        lint.file("file.yaml", bytes.to_vec(), found);
        let report = lint.report(&Options::default());
        for problem in &report.problems {
            assert!(known.contains(problem.id), "{}", problem.id);
            assert!((1..=lines).contains(&problem.place.position.line), "{problem:?}");
            assert_harmless(&safe::line(&problem.summary));
        }
        for error in report.unread.iter().chain(&report.skipped).chain(&report.foreign) {
            assert_harmless(&error.in_short());
        }
    }
});
