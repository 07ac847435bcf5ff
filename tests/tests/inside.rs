//! The probe through the built binary: what is added, what is said of it, and what is left.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use in_process::Environment;
use irsa_tests::aws::FakeAws;
use irsa_tests::aws::action::ActionPattern;
use irsa_tests::kube_api::FakeKube;
use irsa_tests::kubelet::Kubelet;
use irsa_tests::run::{Run, plugin, run};
use irsa_tests::world::{World, all_worlds, bases_dir, worlds_dir};
use serde_json::Value;
use tempfile::TempDir;

#[path = "worlds/in_process.rs"]
mod in_process;

/// A world at work. The kubelet, if it has one, stops first.
struct Shop {
    _kubelet: Option<Kubelet>,
    kube: FakeKube,
    aws: FakeAws,
    directory: TempDir,
}

impl Shop {
    fn of(world: &World) -> Shop {
        let kube = FakeKube::start(world);
        let aws = FakeAws::start(world, Some(&kube));
        let kubelet = Kubelet::start(world, &kube, Some(&aws));
        Shop { _kubelet: kubelet, kube, aws, directory: tempfile::tempdir().unwrap() }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = plugin();
        command
            .env("KUBECONFIG", self.kube.kubeconfig(self.directory.path()))
            .envs(self.aws.env(self.directory.path()))
            .args(["debug", "-o", "json"])
            .args(args);
        command
    }

    fn debug(&self, args: &[&str]) -> Run {
        self.run(&[&["-n", "shop"], args].concat())
    }

    fn run(&self, args: &[&str]) -> Run {
        let run = run(&mut self.command(args));
        for secret in self.aws.secrets() {
            assert!(!run.stdout.contains(&secret) && !run.stderr.contains(&secret), "a secret is shown");
        }
        run
    }

    /// How often something was done to a resource, dry-runs included.
    fn count(&self, verb: &str, resource: &str) -> usize {
        let asked = self.kube.requests();
        asked.iter().filter(|seen| seen.verb == verb && seen.resource == resource).count()
    }

    /// True if a probe was added to a pod.
    fn is_probed(&self) -> bool {
        self.count("patch", "pods/ephemeralcontainers") > 0
    }
}

/// What needs a node: `tests/all` leaves it out by this name where there can be none.
mod nodes {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use super::Shop;
    use irsa_tests::fault::Fault;
    use irsa_tests::world::World;

    const SHOP: &str = include_str!("../src/kubelet/tests/shop.yaml");

    impl Shop {
        /// The shop with another `kubelet`, and with a part of its text replaced.
        fn open(kubelet: &str, replace: (&str, &str)) -> Shop {
            let text =
                SHOP.replace("kubelet: {}", &format!("kubelet: {kubelet}")).replace(replace.0, replace.1);
            Shop::of(&World::parse("shop", &text).unwrap_or_else(|error| panic!("{error}")))
        }
    }

    #[test]
    fn it_is_announced_and_reports() {
        let shop = Shop::open("{}", ("", ""));
        let run = shop.debug(&["pod/checkout"]);
        let probe = &run.diagnosis()["probe"];
        assert_eq!(probe["ended"], "complete", "{run:?}");
        assert_eq!(probe["token"]["own"]["readable"], true, "{run:?}");
        assert!(run.stderr.contains("adding the ephemeral container irsa-probe-"), "{run:?}");
        assert!(run.stderr.contains("as user 1000, beside container app"), "{run:?}");
    }

    #[test]
    fn a_pod_of_its_own_is_deleted_again() {
        for target in ["pod/checkout", "sa/checkout"] {
            let shop = Shop::open("{}", ("", ""));
            let run = shop.debug(&[target, "--via", "pod"]);
            assert_eq!(run.diagnosis()["probe"]["ended"], "complete", "{run:?}");
            // Each as a dry-run, too.
            assert_eq!((shop.count("create", "pods"), shop.count("delete", "pods")), (2, 2), "{run:?}");
        }
    }

    #[test]
    fn what_keeps_it_from_reporting_is_no_fault_of_the_pod() {
        let deny =
            |rule: &str| format!("issuer: https://oidc.eks.eu-west-1.amazonaws.com/id/A\ndeny: [\"{rule}\"]");
        let issuer = "issuer: https://oidc.eks.eu-west-1.amazonaws.com/id/A";
        let unscheduled =
            SHOP.replace("  nodeName: node-1\n", "").replace("phase: Running", "phase: Pending");
        let (no_patch, no_watch) = (deny("patch pods/ephemeralcontainers"), deny("watch pods"));
        for (kubelet, replace, words) in [
            ("{containers: {image-pull: no such host}}", ("", ""), "cannot be pulled: no such host"),
            ("{containers: {config-error: no such secret}}", ("", ""), "cannot be made: no such secret"),
            ("{containers: killed}", ("", ""), "killed before it could report"),
            ("{containers: never}", ("", ""), "did not report within"),
            ("{containers: {report: {message: nonsense}}}", ("", ""), "left no valid report"),
            ("{}", (SHOP, unscheduled.as_str()), "not on a node yet"),
            ("{}", (issuer, no_patch.as_str()), "patch pods/ephemeralcontainers -n shop"),
            ("{}", (issuer, no_watch.as_str()), "watch pods -n shop"),
        ] {
            let run = Shop::open(kubelet, replace).debug(&["pod/checkout", "--timeout", "9s"]);
            let diagnosis = run.diagnosis();
            let unknowns = diagnosis["unknowns"].to_string();
            assert!(unknowns.contains(words), "{words}: {unknowns}");
            assert!(diagnosis["probe"].is_null(), "{words}");
            assert!(
                !diagnosis["findings"].to_string().contains("\"severity\":\"error\""),
                "{words}: {run:?}"
            );
        }
    }

    #[test]
    fn where_the_target_has_ended_it_looks_without_its_processes() {
        let ended = ("{running: {startedAt: \"2026-11-22T07:00:01Z\"}}", "{terminated: {exitCode: 1}}");
        let run = Shop::open("{}", ended).debug(&["pod/checkout"]);
        assert_eq!(run.diagnosis()["probe"]["ended"], "complete", "{run:?}");
        assert!(run.stderr.contains("without the processes of container app"), "{run:?}");
    }

    /// Runs it against a probe that never starts, and interrupts it so often once something was added for it, and `then` was done.
    fn interrupted(
        shop: &Shop,
        args: &[&str],
        times: usize,
        then: impl FnOnce(),
    ) -> (Option<i32>, String, String) {
        let child = shop
            .command(args)
            .args(["-n", "shop"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        // The dry-run and the change itself.
        let made = || shop.count("patch", "pods/ephemeralcontainers") + shop.count("create", "pods") == 2;
        while !made() {
            assert!(Instant::now() < deadline, "nothing was added");
            std::thread::sleep(Duration::from_millis(20));
        }
        then();
        for _ in 0..times {
            std::thread::sleep(Duration::from_millis(500));
            assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        }
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    #[test]
    fn ctrl_c_says_what_stays_and_takes_away_what_can_be() {
        for (args, left) in [
            (&["pod/checkout"][..], "stays in pod/checkout"),
            (&["pod/checkout", "--via", "pod"], "was deleted again"),
        ] {
            let shop = Shop::open("{containers: never}", ("", ""));
            let (code, stdout, stderr) = interrupted(&shop, args, 1, || ());
            // What is known without the probe is reported all the same.
            assert_eq!(code, Some(3), "{stdout}{stderr}");
            assert!(stdout.contains("no answer before the run was interrupted"), "{stdout}");
            assert!(stderr.contains("interrupted; ") && stderr.contains(left), "{stderr}");
        }
    }

    #[test]
    fn waiting_for_a_repair_adds_one_probe_to_a_pod() {
        for kubelet in ["{containers: killed}", "{containers: {image-pull: no such host}}"] {
            let shop = Shop::open(kubelet, ("", ""));
            let run = shop.debug(&["pod/checkout", "--wait", "--timeout", "14s"]);
            assert_eq!(run.code, Some(3), "{run:?}");
            let tokens = shop.count("create", "serviceaccounts/token");
            // With the dry-run.
            assert_eq!((tokens > 2, shop.count("patch", "pods/ephemeralcontainers")), (true, 2), "{run:?}");
        }
        // Where not all can be seen from outside, it is what shows that all is well.
        let (issuer, deny) =
            ("issuer: https://oidc", "deny: [create serviceaccounts/token]\nissuer: https://oidc");
        let shop = Shop::open("{}", (issuer, deny));
        let run = shop.debug(&["pod/checkout", "--wait"]);
        assert_eq!((run.code, shop.count("patch", "pods/ephemeralcontainers")), (Some(0), 2), "{run:?}");
        assert!(run.stderr.contains("inconclusive → healthy"), "{run:?}");
        // It goes in last of all.
        let shop = Shop::open("{}", (":shop:checkout\n", ":shop:chekout\n"));
        let waiting = shop
            .command(&["pod/checkout", "-n", "shop", "--wait"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let deadline = Instant::now() + Duration::from_secs(20);
        while shop.count("create", "serviceaccounts/token") < 2 {
            assert!(Instant::now() < deadline, "it is not tried again");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(!shop.is_probed());
        shop.aws.become_as(&World::parse("shop", SHOP).unwrap());
        let output = waiting.unwrap().wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        assert!(shop.is_probed() && stderr.contains("trust-sub-mismatch → healthy"), "{stderr}");
    }

    #[test]
    fn the_time_limit_takes_away_what_can_be() {
        let shop = Shop::open("{containers: never}", ("", ""));
        let run = shop.debug(&["pod/checkout", "--via", "pod", "--timeout", "9s"]);
        assert_eq!(run.code, Some(3), "{run:?}");
        assert!(run.diagnosis()["unknowns"].to_string().contains("did not report within"), "{run:?}");
        assert_eq!(shop.count("delete", "pods"), 2, "{run:?}");
    }

    #[test]
    fn a_pod_that_cannot_be_deleted_is_named() {
        // The second time only the deletion is waited for, as the first time: either may give it up before the other.
        for (times, codes) in [(1, &[3][..]), (2, &[3, 130])] {
            let shop = Shop::open("{containers: never}", ("", ""));
            // That it may delete the pod was asked before it was made.
            let silent = || shop.kube.faults().strike("delete pods", Fault::Silence);
            let (code, stdout, stderr) = interrupted(&shop, &["pod/checkout", "--via", "pod"], times, silent);
            assert!(code.is_some_and(|code| codes.contains(&code)), "{code:?} {stdout}{stderr}");
            assert!(stderr.contains("interrupted; ") && stderr.contains("kubectl delete"), "{stderr}");
        }
    }
}

// Nothing runs what is added to the pods of these: it would be waited for in vain.

fn world(path: &str) -> World {
    let path = match path.split_once('/') {
        Some(("bases", name)) => bases_dir().join(name),
        _ => worlds_dir().join(path),
    };
    World::load(&path).unwrap()
}

fn debug(shop: &Shop, world: &World, args: &[&str]) -> Run {
    let arguments: Vec<&str> = world.arguments().map(String::as_str).chain(args.iter().copied()).collect();
    shop.run(&arguments)
}

/// The reasons of the links that were left out.
fn left_out(diagnosis: &Value) -> Vec<&str> {
    let links = diagnosis["chain"].as_array().unwrap().iter();
    let links = links.filter(|link| link["status"] == "skipped" && link["summary"] == "not looked at");
    links.map(|link| link["reason"].as_str().unwrap()).collect()
}

const PROVEN: &str = "the cause is proven from outside (--probe to look)";

#[test]
fn what_is_proven_from_outside_is_not_looked_into() {
    for (path, args, root) in [
        ("trust-sub-mismatch/broken.typo.yaml", &[][..], "trust-sub-mismatch"),
        ("trust-deny-statement/broken.other-namespace.yaml", &[], "trust-deny-statement"),
        ("role-deleted-or-never-existed/broken.deleted.yaml", &[], "role-deleted-or-never-existed"),
        // Nobody may ask STS, in the pod either.
        ("role-deleted-or-never-existed/broken.no-assume.yaml", &[], "role-deleted-or-never-existed"),
        ("oidc-provider-missing/broken.never-created.yaml", &[], "oidc-provider-missing"),
        ("sts-region-disabled/broken.eu-west-1.yaml", &[], "sts-region-disabled"),
        ("session-name-invalid/broken.slash.yaml", &["--no-assume"], "session-name-invalid"),
        ("static-env-keys/broken.env.yaml", &["--no-assume"], "static-env-keys"),
    ] {
        let world = world(path);
        let shop = Shop::of(&world);
        let run = debug(&shop, &world, args);
        let diagnosis = run.json();
        assert_eq!(
            (run.code, diagnosis["rootCause"]["id"].as_str()),
            (Some(1), Some(root)),
            "{path}: {run:?}"
        );
        let left_out = left_out(&diagnosis);
        assert!(left_out.len() >= 3 && left_out.iter().all(|why| *why == PROVEN), "{path}: {run:?}");
        assert!(!diagnosis["unknowns"].to_string().contains("inside the pod"), "{path}: {run:?}");
        assert!(!shop.is_probed(), "{path}: {run:?}");
        // Whoever asks for it gets it.
        let run = debug(&shop, &world, &[args, &["--probe", "--timeout", "9s"]].concat());
        assert_eq!(run.json()["rootCause"]["id"], root, "{path}: {run:?}");
        assert!(shop.is_probed(), "{path}: {run:?}");
    }
}

#[test]
fn where_something_is_left_to_decide_it_is_looked_into() {
    let denied = |mut world: World, action: &str| {
        world
            .accounts
            .iter_mut()
            .for_each(|account| account.deny.push(action.to_owned().try_into().unwrap()));
        world
    };
    let refused = || world("trust-sub-mismatch/broken.typo.yaml");
    let healthy = || world("bases/eks.yaml");
    for (case, world, args) in [
        ("nothing is wrong", healthy(), &[][..]),
        ("STS refuses, and nobody may read why", denied(refused(), "iam:GetRole"), &[]),
        ("the check that proves it does not run", refused(), &["--skip", "trust-sub-mismatch"]),
        ("a trust policy that STS has not judged", world("pi-trust/broken.no-tag-session.yaml"), &[]),
        ("what the application says may have another cause", world("dns-coredns/broken.timeout.yaml"), &[]),
        ("and so may this", world("session-name-invalid/broken.of-the-application.yaml"), &[]),
    ] {
        let shop = Shop::of(&world);
        let run = debug(&shop, &world, &[args, &["--timeout", "9s"]].concat());
        assert!(shop.is_probed(), "{case}: {run:?}");
        assert!(left_out(&run.json()).is_empty(), "{case}: {run:?}");
    }
}

#[test]
fn what_aws_is_late_to_say_does_not_cost_the_look_inside() {
    let mut world = world("bases/eks.yaml");
    let silent: ActionPattern = "cloudtrail:LookupEvents".to_owned().try_into().unwrap();
    world.accounts.iter_mut().for_each(|account| account.hang.push(silent.clone()));
    let shop = Shop::of(&world);
    let run = debug(&shop, &world, &["--timeout", "12s", "--request-timeout", "120s"]);
    assert!(shop.is_probed(), "{run:?}");
}

/// Every world with a probe's report is diagnosed without it: what counts as proven then, the report bears out.
#[test]
fn no_report_overturns_what_is_proven_without() {
    let judge = |world: &World, args: &[&str]| {
        let shop = Shop::of(world);
        let kubeconfig = shop.kube.kubeconfig(shop.directory.path());
        let arguments = world.arguments().map(String::as_str).chain(args.iter().copied());
        let arguments: Vec<OsString> = arguments.map(OsString::from).collect();
        let environment = Environment::new(&kubeconfig, &shop.aws.env(shop.directory.path()));
        let json = environment.run(&arguments).0.json();
        if json["kind"] == "DiagnosisList" { json["items"][0].clone() } else { json }
    };
    let (reports, proven) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let look = |path: &Path| {
        let with = World::load(path).unwrap();
        let mut without = with.clone();
        let mut dropped = 0;
        for object in &mut without.objects {
            for (part, key) in [("spec", "ephemeralContainers"), ("status", "ephemeralContainerStatuses")] {
                let fields = object.value[part].as_object_mut();
                dropped += usize::from(fields.is_some_and(|fields| fields.remove(key).is_some()));
            }
        }
        if dropped == 0 || with.header.expect.verdict.is_none() {
            return;
        }
        reports.fetch_add(1, Ordering::Relaxed);
        // What would be looked into is refused, which takes no time.
        without.header.deny.push("patch pods/ephemeralcontainers".to_owned().try_into().unwrap());
        let from_outside = judge(&without, &[]);
        if left_out(&from_outside).is_empty() {
            return;
        }
        proven.fetch_add(1, Ordering::Relaxed);
        let root = &from_outside["rootCause"]["id"];
        let findings = judge(&with, &["--no-probe"])["findings"].clone();
        let mut errors = findings.as_array().unwrap().iter().filter(|finding| finding["severity"] == "error");
        assert!(errors.any(|finding| finding["id"] == *root), "{}: {root}: {findings}", path.display());
    };
    let (files, next) = (all_worlds(&worlds_dir()).unwrap(), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    look(&file.path);
                }
            });
        }
    });
    let (reports, proven) = (reports.into_inner(), proven.into_inner());
    assert!(reports > 50 && proven > 0, "{proven} of {reports}");
}
