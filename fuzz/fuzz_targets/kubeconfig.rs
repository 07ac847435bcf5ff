//! A kubeconfig is read, or refused; what it tells of the cluster in EKS needs no more than it.
#![no_main]

use irsa_fuzz::{assert_harmless, file};
use kubectl_irsa::collect::aws::EksHints;
use kubectl_irsa::collect::cluster::{Access, kubeconfig};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let file = file(bytes);
    match kubeconfig::read(file.path()) {
        Ok(read) => {
            EksHints::of(&read, &Access::default());
        }
        Err(error) => assert_harmless(&error.to_string()),
    }
});
