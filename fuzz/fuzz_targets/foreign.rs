//! Words of others, which may quote any secret: what is repeated of them is short, comes to rest, and holds none.
#![no_main]

use irsa::text::foreign::quoted;
use irsa_fuzz::secrets::Secrets;
use libfuzzer_sys::fuzz_target;

const TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJzeXN0ZW06c2EifQ.c2lnbmF0dXJl";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nc4n4ry\n-----END PRIVATE KEY-----";
const HEADER: &str = "\nAuthorization: Basic c4n4ry\n";

fuzz_target!(|text: &str| {
    let once = quoted(text);
    assert!(once.chars().count() <= 1050, "{once}");
    assert_eq!(quoted(&once), once);

    if text.contains("c4n4ry") || text.contains(&TOKEN[30..]) {
        return;
    }
    for secret in [TOKEN, KEY, HEADER] {
        let quoted = quoted(&format!("{text} {secret}"));
        assert!(!quoted.contains(&TOKEN[30..]) && !quoted.contains("c4n4ry"), "{quoted}");
    }

    let secrets = Secrets::default();
    secrets.add(text.as_bytes());
    let json = serde_json::json!({"before": "it is", "text": text}).to_string();
    let scrubbed = secrets.scrub(&json);
    assert!(scrubbed.len() <= json.len(), "{scrubbed}");
});
