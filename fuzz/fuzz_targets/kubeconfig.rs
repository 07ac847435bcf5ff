//! A kubeconfig is read, or refused; laid over itself it stays what it is.
#![no_main]

use irsa_fuzz::{assert_harmless, file};
use kubectl_irsa::collect::cluster::{Access, EksHints, Kubeconfig};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let file = file(bytes);
    let kubeconfig = match Kubeconfig::read(file.path()) {
        Ok(kubeconfig) => kubeconfig,
        Err(error) => return assert_harmless(&error.to_string()),
    };
    let shown = format!("{kubeconfig:?}");
    let hints = EksHints::of(&kubeconfig, &Access::default());
    let merged = kubeconfig.clone().merge(kubeconfig);
    assert_eq!(format!("{merged:?}"), shown);
    assert_eq!(EksHints::of(&merged, &Access::default()), hints);
});
