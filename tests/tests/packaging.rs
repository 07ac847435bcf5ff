//! The krew manifest, as far as it can be checked before a release.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;

use serde_json::Value;

#[test]
fn the_krew_manifest_is_complete_but_for_the_sums() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../krew/irsa.yaml");
    let manifest: Value = serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(manifest["apiVersion"], "krew.googlecontainertools.github.com/v1alpha2");
    assert_eq!(manifest["kind"], "Plugin");
    assert_eq!(manifest["metadata"]["name"], "irsa");
    assert_eq!(manifest["spec"]["version"], format!("v{version}"));
    // krew-index asks for at most 50 characters and no word "kubectl".
    let short = manifest["spec"]["shortDescription"].as_str().unwrap();
    assert!(
        short.chars().count() <= 50 && !short.to_lowercase().contains("kubectl") && !short.ends_with('.'),
        "{short}"
    );
    let platforms = manifest["spec"]["platforms"].as_array().unwrap();
    let selectors: Vec<_> = platforms
        .iter()
        .map(|platform| {
            let labels = &platform["selector"]["matchLabels"];
            assert!(platform["uri"].as_str().unwrap().contains(&format!("/v{version}/")), "{platform}");
            assert_eq!(platform["sha256"].as_str().unwrap().len(), 64, "{platform}");
            assert_eq!(platform["bin"], "kubectl-irsa");
            format!("{}/{}", labels["os"].as_str().unwrap(), labels["arch"].as_str().unwrap())
        })
        .collect();
    assert_eq!(selectors, ["linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64"]);
}
