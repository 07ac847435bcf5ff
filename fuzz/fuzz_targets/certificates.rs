//! A bundle of certificates from a cluster is read, or refused.
#![no_main]

use irsa::derive::ca;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let bundle = std::str::from_utf8(bytes).map(ca::from_base64);
    for certificates in [ca::from_pem(bytes)].into_iter().chain(bundle).flatten() {
        assert!(!certificates.is_empty(), "a bundle without certificates is none");
        assert!(certificates.iter().all(|certificate| certificate.same_authority(certificate)));
        assert!(!ca::shown(&certificates).is_empty());
    }
});
