//! What applications log, and what people paste, is read without a panic, and no secret in it comes out.
#![no_main]

use irsa::aws_error::{Sighting, caller, parse, pasted, unwrapped};
use irsa::output::{Style, explanation};
use irsa_fuzz::assert_harmless;
use libfuzzer_sys::fuzz_target;

/// What stands in place of every `$` of the input; made up.
const SECRETS: [&str; 3] = [
    "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQifQ.dGhpcy1pcy1uby1zaWduYXR1cmU",
    "IQoJb3JpZ2luX2VjEJr//////////wEaCWV1LXdlc3QtMSJHMEUCIQDexample",
    "AKIAIOSFODNN7EXAMPLE",
];

fuzz_target!(|text: &str| {
    for secret in SECRETS {
        let text = text.replace('$', secret);
        let lines = text.lines().count();
        let whole = unwrapped(&text);
        assert!(whole.lines().count() <= lines, "lines keep their numbers");
        let (sightings, caller) = (parse(&text), caller(&whole));
        let of_pasted = pasted(&text);
        for sighting in sightings.iter().chain(&of_pasted) {
            assert!((1..=lines).contains(&sighting.line), "line {} of {lines}", sighting.line);
            assert!(sighting.count >= 1, "{} times", sighting.count);
        }
        let most = |found: &[Sighting]| found.iter().map(|sighting| sighting.count).max();
        assert!(most(&sightings) <= Some(lines.max(1)), "no more than one of each a line");
        let page = explanation::errors(&of_pasted, caller.as_ref(), &Style::default());
        assert_harmless(&page);
        let said = format!("{sightings:?}{of_pasted:?}{caller:?}{page}");
        assert!(!said.contains(secret), "{said}");
        assert_eq!(parse(&text), sightings, "it is the same each time");
    }
});
