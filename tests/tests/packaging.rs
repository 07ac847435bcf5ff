//! The archives and the manifest that krew installs, made as for a release, installed, and run by a real kubectl; the probe's
//! image; and what `./demo` installs first.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "packaging/setup.rs"]
mod setup;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use irsa_tests::run::run;
use serde_json::Value;

const PLATFORMS: [&str; 5] = ["linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64", "windows-amd64"];

fn script(path: &str) -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path))
}

/// In place of what `.ci/licences` writes.
fn licences() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../LICENSE")
}

/// What `krew/package` makes of this file for every platform.
fn package(directory: PathBuf, plugin: &Path) -> PathBuf {
    let mut package = script("krew/package");
    package.arg(&directory).arg(licences());
    package.args(PLATFORMS.map(|platform| format!("{platform}={}", plugin.display())));
    let done = run(package.env("SOURCE_DATE_EPOCH", "1700000000"));
    assert_eq!(done.code, Some(0), "{done:?}");
    directory
}

/// krew's own rules (`validate-krew-manifest`), and those that krew-index asks of a description.
#[test]
fn the_manifest_keeps_krews_rules() {
    let directory = tempfile::tempdir().unwrap();
    let packed = package(directory.path().join("dist"), Path::new("/bin/sh"));
    let manifest: Value =
        serde_saphyr::from_str(&std::fs::read_to_string(packed.join("irsa.yaml")).unwrap()).unwrap();
    let version = concat!("v", env!("CARGO_PKG_VERSION"));
    assert_eq!(manifest["apiVersion"], "krew.googlecontainertools.github.com/v1alpha2");
    assert_eq!(manifest["kind"], "Plugin");
    assert_eq!(manifest["metadata"]["name"], "irsa");
    assert_eq!(manifest["spec"]["version"], version);
    assert!(manifest["spec"]["homepage"].as_str().unwrap().starts_with("https://"));
    assert!(!manifest["spec"]["description"].as_str().unwrap().is_empty());
    let short = manifest["spec"]["shortDescription"].as_str().unwrap();
    assert!(
        short.chars().count() <= 50 && !short.to_lowercase().contains("kubectl") && !short.ends_with('.'),
        "{short}"
    );
    let mut seen = BTreeSet::new();
    for platform in manifest["spec"]["platforms"].as_array().unwrap() {
        let labels = &platform["selector"]["matchLabels"];
        let (os, arch) = (labels["os"].as_str().unwrap(), labels["arch"].as_str().unwrap());
        let archive = format!("kubectl-irsa-{os}-{arch}.tar.gz");
        let uri = platform["uri"].as_str().unwrap();
        assert!(uri.starts_with("https://") && uri.ends_with(&format!("/{version}/{archive}")), "{uri}");
        let bin = if os == "windows" { "kubectl-irsa.exe" } else { "kubectl-irsa" };
        assert_eq!(platform["bin"], bin);
        let listed = run(Command::new("tar").arg("-tzf").arg(packed.join(&archive)));
        assert_eq!(listed.stdout, format!("LICENSE\nTHIRD-PARTY.txt\n{bin}\n"), "{archive}");
        let sum = run(Command::new("sha256sum").arg(packed.join(&archive)));
        assert_eq!(platform["sha256"].as_str(), sum.stdout.split(' ').next(), "{archive}");
        assert!(seen.insert(format!("{os}-{arch}")), "{os}/{arch} twice");
    }
    assert_eq!(seen, PLATFORMS.map(String::from).into());
}

#[test]
fn the_same_binaries_give_the_same_archives() {
    let directory = tempfile::tempdir().unwrap();
    let [first, second] =
        ["first", "second"].map(|name| package(directory.path().join(name), Path::new("/bin/sh")));
    for platform in PLATFORMS {
        let read = |from: &Path| std::fs::read(from.join(format!("kubectl-irsa-{platform}.tar.gz"))).unwrap();
        assert!(read(&first) == read(&second), "{platform}");
    }
}

#[test]
fn the_archive_installs_and_another_one_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let plugin = directory.path().join("plugin");
    let made = |version: &str| {
        std::fs::write(&plugin, format!("#!/bin/sh\necho kubectl-irsa {version}\n")).unwrap();
        package(directory.path().join("dist"), &plugin)
    };
    let install = |root: &str, packed: &Path| {
        let mut install = script("krew/install-local");
        run(install.arg(packed).env("KREW_ROOT", directory.path().join(root)))
    };
    let packed = made(env!("CARGO_PKG_VERSION"));
    let installed = install("krew", &packed);
    assert_eq!(installed.code, Some(0), "{installed:?}");
    let link = std::fs::read_link(directory.path().join("krew/bin/kubectl-irsa")).unwrap();
    let store = concat!("krew/store/irsa/v", env!("CARGO_PKG_VERSION"), "/kubectl-irsa");
    assert_eq!(link.canonicalize().unwrap(), directory.path().canonicalize().unwrap().join(store));

    let lies = install("liar", &made("9.9.9"));
    assert!(lies.code == Some(1) && lies.stderr.contains("9.9.9"), "{lies:?}");
    for platform in PLATFORMS {
        std::fs::write(packed.join(format!("kubectl-irsa-{platform}.tar.gz")), "another").unwrap();
    }
    let altered = install("altered", &packed);
    assert!(altered.code == Some(1) && altered.stderr.contains("is not the one"), "{altered:?}");
    assert!(!directory.path().join("altered/bin").exists());
}

#[test]
fn the_image_is_one_program_for_nobody_in_particular_and_the_same_each_time() {
    let directory = tempfile::tempdir().unwrap();
    let build = |name: &str, platforms: [&str; 2]| {
        let archive = directory.path().join(name);
        let mut image = script("probe/image");
        image.arg(&archive).arg(licences());
        image.args(platforms.map(|platform| format!("linux/{platform}=/bin/sh")));
        let built = run(image.env("SOURCE_DATE_EPOCH", "1700000000"));
        assert_eq!(built.code, Some(0), "{built:?}");
        (archive, built.stdout)
    };
    let (archive, reference) = build("first", ["amd64", "arm64"]);
    let (again, _) = build("second", ["arm64", "amd64"]);
    assert!(std::fs::read(&archive).unwrap() == std::fs::read(again).unwrap());

    let unpacked = directory.path().join("layout");
    std::fs::create_dir(&unpacked).unwrap();
    let tar = run(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(&unpacked));
    assert_eq!(tar.code, Some(0), "{tar:?}");
    let blob = |digest: &Value| {
        unpacked.join("blobs/sha256").join(digest.as_str().unwrap().strip_prefix("sha256:").unwrap())
    };
    let json = |path: PathBuf| serde_json::from_slice::<Value>(&std::fs::read(path).unwrap()).unwrap();
    let top = json(unpacked.join("index.json"));
    let digest = &top["manifests"][0]["digest"];
    assert_eq!(reference, format!("ghcr.io/kubectl-irsa/irsa-probe@{}\n", digest.as_str().unwrap()));
    let index = json(blob(digest));
    assert_eq!(index["manifests"].as_array().unwrap().len(), 2);
    for image in index["manifests"].as_array().unwrap() {
        let manifest = json(blob(&image["digest"]));
        let config = json(blob(&manifest["config"]["digest"]));
        assert_eq!(config["architecture"], image["platform"]["architecture"]);
        assert_eq!(config["config"]["User"], "65532:65532");
        assert_eq!(config["config"]["Entrypoint"], serde_json::json!(["/irsa-probe"]));
        assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);
        let layer = run(Command::new("tar").arg("-tzf").arg(blob(&manifest["layers"][0]["digest"])));
        assert_eq!(layer.stdout, "irsa-probe\nlicenses/LICENSE\nlicenses/THIRD-PARTY.txt\n");
    }
}
