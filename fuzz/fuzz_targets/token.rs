//! A token file is read within limits; what both the probe and the plugin can read of it, they read alike.
#![no_main]

use irsa_fuzz::look::jwt;
use kubectl_irsa::collect::token::Token;
use libfuzzer_sys::fuzz_target;

/// No claim is longer in the probe's report.
const LONGEST: usize = 512;

fuzz_target!(|text: &str| {
    let Some(seen) = jwt::read(text.as_bytes()).claims else { return };
    let mut texts = seen.aud.iter().chain(&seen.iss).chain(&seen.sub);
    assert!(texts.all(|text| text.len() <= LONGEST));
    let Some(other) = Token::new(text.to_owned()).claims() else { return };
    for (seen, other) in [(seen.iss, other.iss), (seen.sub, other.sub)] {
        let is_cut = other.as_ref().is_some_and(|other| other.len() > LONGEST);
        assert!(is_cut || seen == other, "{seen:?} {other:?}");
    }
});
