//! What applications log, and what people paste, is read without a panic, and no secret in it comes out.
#![no_main]

use irsa_fuzz::assert_harmless;
use irsa::aws_error::{caller, parse};
use irsa::output::{Style, explanation};
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
        let (sightings, caller) = (parse(&text), caller(&text));
        for sighting in &sightings {
            assert!((1..=lines).contains(&sighting.line), "line {} of {lines}", sighting.line);
            assert!((1..=lines.max(sighting.count)).contains(&sighting.count), "{} times", sighting.count);
        }
        let page = explanation::errors(&sightings, caller.as_ref(), &Style::default());
        assert_harmless(&page);
        let said = format!("{sightings:?}{caller:?}{page}");
        assert!(!said.contains(secret), "{said}");
        assert_eq!(parse(&text), sightings, "it is the same each time");
    }
});
