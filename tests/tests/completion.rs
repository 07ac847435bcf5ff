//! kubectl's completion of `kubectl irsa`: installed, asked by a real kubectl, answered from the fake API server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use irsa_tests::kube_api::FakeKube;
use irsa_tests::run::{Run, binary, run};
use irsa_tests::world::{World, bases_dir};

/// A directory of the PATH with the plugin in it as krew links it, and its completion installed.
struct Installed {
    directory: tempfile::TempDir,
}

impl Installed {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(binary(), directory.path().join("kubectl-irsa")).unwrap();
        let this = Self { directory };
        let installed = run(this.kubectl().args(["irsa", "completion", "install"]));
        assert_eq!(installed.code, Some(0), "{installed:?}");
        assert!(!installed.stdout.contains("once"), "it is on the PATH: {installed:?}");
        this
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn shim(&self) -> PathBuf {
        self.path().join("kubectl_complete-irsa")
    }

    fn kubectl(&self) -> Command {
        let path = std::env::var_os("PATH").unwrap();
        let directories = std::iter::once(self.path().to_owned()).chain(std::env::split_paths(&path));
        let mut kubectl = Command::new("kubectl");
        kubectl.env_clear().env("PATH", std::env::join_paths(directories).unwrap());
        kubectl.env("HOME", self.path()).stdin(Stdio::null());
        kubectl
    }

    /// What kubectl is told, called as it calls; the last word is the one under the cursor.
    fn answer(&self, kubeconfig: &Path, line: &str) -> Run {
        let mut shim = Command::new(self.shim());
        shim.env_clear().env("KUBECONFIG", kubeconfig).stdin(Stdio::null());
        run(shim.args(line.split(' ')))
    }
}

fn base() -> String {
    std::fs::read_to_string(bases_dir().join("eks-without-aws.yaml")).unwrap()
}

#[test]
fn what_lives_in_the_cluster_and_the_kubeconfig() {
    let installed = Installed::new();
    let kube = FakeKube::start(&World::parse("base", &base()).unwrap());
    let kubeconfig = kube.kubeconfig(installed.path());
    for (line, expected) in [
        ("debug pod/ch", ":4\n"), // none in namespace default
        ("debug -n shop pod/ch", "pod/checkout-7d9f8b6c5d-x2x4z\n:4\n"),
        ("debug -n shop pods ", "checkout-7d9f8b6c5d-x2x4z\n:4\n"),
        ("debug --namespace=shop check", "checkout-7d9f8b6c5d-x2x4z\n:4\n"),
        ("debug -n shop deployments.apps/", "deployments.apps/checkout\n:4\n"),
        ("debug -n shop rs/", "rs/checkout-7d9f8b6c5d\n:4\n"),
        ("debug -n shop sa/", "sa/checkout\nsa/default\n:4\n"),
        ("debug -n shop sts/", ":4\n"),
        ("debug -n sh", "shop\n:4\n"),
        ("debug --context ", "world\n:4\n"),
        ("debug --context=", "world\n:4\n"),
        ("thumbprint --user ", "oncall\n:4\n"),
        ("debug sa", "sa/\n:6\n"),
        ("lint --fail-on ", "warning\tErrors and warnings\nerror\tErrors only\n:4\n"),
        ("lint --only trust-ca", "trust-case\tthe trust policy differs from the token in case\n:4\n"),
        ("explain sa-not", "sa-not-annotated\tthe service account names no role\n:4\n"),
    ] {
        assert_eq!(installed.answer(&kubeconfig, line).stdout, expected, "{line}");
    }
    // Names are all that is read.
    let seen = kube.requests();
    assert!(seen.iter().all(|seen| seen.accept.contains("PartialObjectMetadataList")), "{seen:?}");
}

#[test]
fn containers_profiles_and_targets_without_the_command() {
    let installed = Installed::new();
    let kube = FakeKube::start(&World::parse("base", &base()).unwrap());
    let kubeconfig = kube.kubeconfig(installed.path());
    for (line, expected) in [
        ("debug -n shop pod/checkout-7d9f8b6c5d-x2x4z -c ", "app\n:4\n"),
        ("debug -n shop deploy checkout -c ", "app\n:4\n"),
        ("debug -n shop -c ", ":4\n"),
        ("-n shop pod/ch", "pod/checkout-7d9f8b6c5d-x2x4z\n:4\n"),
        ("pod/x -n sh", "shop\n:4\n"),
    ] {
        assert_eq!(installed.answer(&kubeconfig, line).stdout, expected, "{line}");
    }
    let config = installed.path().join("aws-config");
    std::fs::write(&config, "[profile prod]\nregion = eu-west-1\n[profile staging]\nregion = eu-west-1\n")
        .unwrap();
    let mut shim = Command::new(installed.shim());
    shim.env_clear().env("AWS_CONFIG_FILE", &config).stdin(Stdio::null());
    assert_eq!(run(shim.args(["debug", "pod/x", "--profile", "p"])).stdout, "prod\n:4\n");
}

#[test]
fn a_real_kubectl_asks_and_passes_on() {
    let installed = Installed::new();
    let version = run(installed.kubectl().args(["version", "--client", "-o", "json"])).json();
    let minor = version["clientVersion"]["minor"].as_str().unwrap().trim_end_matches('+').to_owned();
    if minor.parse::<u32>().unwrap() < 26 {
        // Debian 12 has 1.20, which asks no plugin.
        return;
    }
    let kube = FakeKube::start(&World::parse("base", &base()).unwrap());
    let mut kubectl = installed.kubectl();
    kubectl.env("KUBECONFIG", kube.kubeconfig(installed.path()));
    let passed = run(kubectl.args(["__complete", "irsa", "debug", "-n", "shop", "pod/c"]));
    assert_eq!(passed.stdout, "pod/checkout-7d9f8b6c5d-x2x4z\n:4\n", "{passed:?}");
}

#[test]
fn what_fails_or_is_late_is_silent() {
    let installed = Installed::new();
    let silent = |run: &Run| {
        assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (Some(0), ":4\n", ""), "{run:?}");
    };
    let ask = |kubeconfig: &Path| installed.answer(kubeconfig, "debug -n shop pod/");
    silent(&ask(Path::new("/nonexistent")));
    let denied = base().replacen("\nexpect:", "\ndeny: [\"list pods\"]\nexpect:", 1);
    let kube = FakeKube::start(&World::parse("denied", &denied).unwrap());
    silent(&ask(&kube.kubeconfig(installed.path())));
    let hangs = base().replacen("\nexpect:", "\nhang: [\"list pods\"]\nexpect:", 1);
    let kube = FakeKube::start(&World::parse("hangs", &hangs).unwrap());
    let since = Instant::now();
    silent(&ask(&kube.kubeconfig(installed.path())));
    assert!(since.elapsed() < Duration::from_secs(3), "{:?}", since.elapsed());
}

#[test]
fn installing_replaces_only_its_own() {
    let installed = Installed::new();
    assert_eq!(installed.shim().read_link().unwrap(), Path::new("kubectl-irsa"), "krew may renew it");
    let install =
        |directory: &Path| run(installed.kubectl().args(["irsa", "completion", "install"]).arg(directory));
    assert_eq!(install(installed.path()).code, Some(0), "once more");

    let other = tempfile::tempdir().unwrap();
    let elsewhere = install(other.path());
    assert!(
        elsewhere.code == Some(0) && elsewhere.stdout.contains("not on the PATH"),
        "not on the PATH: {elsewhere:?}"
    );
    let link = other.path().join("kubectl_complete-irsa");
    assert_eq!(link.read_link().unwrap(), installed.path().join("kubectl-irsa"));

    std::fs::remove_file(&link).unwrap();
    std::fs::write(&link, "mine").unwrap();
    let refused = install(other.path());
    assert!(refused.code == Some(2) && refused.stderr.contains("left as it is"), "{refused:?}");
    assert_eq!(std::fs::read_to_string(&link).unwrap(), "mine");
    let missing = install(&other.path().join("missing"));
    assert!(missing.code == Some(2) && missing.stderr.contains("cannot write"), "{missing:?}");
}
