//! What a pod leaves as the probe's report is read, or refused without repeating it; and what the probe shortens can be read.
#![no_main]

use irsa::documents::report::read;
use irsa::facts::probed::{Place, ProbeFacts};
use irsa_fuzz::{assert_harmless, budget};
use libfuzzer_sys::fuzz_target;

/// As many bytes as always suffice for what is never left out.
const BUDGET: usize = 1024;

fuzz_target!(|text: &str| {
    let mut report = match read(text) {
        Ok(report) => report,
        Err(error) => {
            let words = error.to_string();
            assert_harmless(&words);
            return assert!(words.len() < 200, "{words}");
        }
    };
    let json = serde_json::to_string(&report).expect("a report is JSON");
    assert_eq!(read(&json).as_ref(), Ok(&report));
    // What only the probe itself writes there, and writes briefly.
    report.schema = irsa_probe::SCHEMA.to_owned();
    report.version = None;
    report.dropped.clear();
    let fitted = budget::fit(&report, BUDGET).expect("a report is JSON");
    assert!(fitted.len() <= BUDGET, "{} bytes: {fitted}", fitted.len());
    let fitted = read(&fitted).expect("a report that was shortened is one");
    assert_eq!((fitted.ended, fitted.now), (report.ended, report.now));
    let _ = ProbeFacts::reported(report, Place::Pod, "app", "irsa-probe-1");
});
