//! The fault matrix: every kind of request of a run × every fault × a healthy and a broken world. What is allowed is said here, apart
//! from the product.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use in_process::Environment;
use irsa_tests::aws::FakeAws;
use irsa_tests::fault::Fault;
use irsa_tests::kube_api::FakeKube;
use irsa_tests::world::World;
use serde_json::Value;

#[path = "worlds/in_process.rs"]
mod in_process;

/// The limit of a run, and what a machine under load may add to it.
const DEADLINE: Duration = Duration::from_secs(12);
const SLACK: Duration = Duration::from_secs(10);

/// The worlds: one in order, one whose trust policy names another service account.
const BASES: [(&str, &str, i32); 2] = [
    ("healthy", "bases/eks.yaml", 0),
    ("broken", "worlds/trust-sub-mismatch/broken.other-namespace.yaml", 1),
];

/// What the run is about: without it there is nothing to diagnose, so a run may end with 2.
const TARGET: &[&str] = &["get pods"];

/// Faults that are true findings, not accidents: what the server says of this object decides.
const FINDINGS: &[(&str, Fault, &str)] = &[
    ("get serviceaccounts", Fault::Status(404), "a pod without its service account has no identity"),
    ("iam:GetRole", Fault::Status(404), "the role does not exist"),
    ("iam:GetOpenIDConnectProvider", Fault::Status(404), "the account does not know the issuer"),
    ("issuer GET /.well-known/openid-configuration", Fault::Status(404), "AWS cannot read the issuer either"),
    ("issuer GET keys", Fault::Status(404), "AWS cannot read the issuer's keys either"),
];

/// Requests of which nothing need be said where they fail in a healthy world, each with the reason.
const UNNEEDED: &[(&str, &str)] = &[
    ("issuer GET /.well-known/openid-configuration", "STS accepts the token, so AWS can read the issuer"),
    ("issuer GET keys", "STS accepts the token, so AWS can read the keys"),
    ("get pods/log", "a log may hold any text"),
];

/// What one run showed.
struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
    took: Duration,
    kinds: BTreeSet<String>,
}

impl Outcome {
    fn diagnosis(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_default()
    }

    /// What a reader of the table sees.
    fn cell(&self) -> String {
        let unknowns = self.diagnosis()["unknowns"].as_array().map_or(0, Vec::len);
        let verdict = match self.code {
            None => "panic",
            Some(0) => "healthy",
            Some(1) => "broken",
            Some(3) => "inconclusive",
            Some(_) => "exit 2",
        };
        if unknowns == 0 { verdict.to_owned() } else { format!("{verdict} ({unknowns})") }
    }
}

fn run(path: &Path, struck: Option<(&str, Fault)>) -> Outcome {
    let world = World::load(path).unwrap();
    let kube = FakeKube::start(&world);
    let aws = FakeAws::start(&world, Some(&kube));
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = kube.kubeconfig(directory.path());
    let variables = aws.env(directory.path());
    if let Some((kind, fault)) = struck {
        kube.faults().strike(kind, fault);
        aws.faults().strike(kind, fault);
    }
    let deadline = format!("{}s", DEADLINE.as_secs());
    let options = ["--no-probe", "--request-timeout", "2s", "--timeout", &deadline];
    let arguments: Vec<OsString> =
        world.arguments().map(String::as_str).chain(options).map(OsString::from).collect();
    let started = Instant::now();
    let result = catch_unwind(|| Environment::new(&kubeconfig, &variables).run(&arguments).0);
    let took = started.elapsed();
    let kinds = kube.faults().kinds().into_iter().chain(aws.faults().kinds()).collect();
    match result {
        Ok(run) => Outcome { code: run.code, stdout: run.stdout, stderr: run.stderr, took, kinds },
        Err(_) => Outcome { code: None, stdout: String::new(), stderr: String::new(), took, kinds },
    }
}

/// What is wrong with an outcome, by what is allowed.
fn wrong(expected: i32, kind: &str, fault: Fault, outcome: &Outcome) -> Vec<String> {
    let mut problems = Vec::new();
    let is_finding = FINDINGS.iter().any(|(of, what, _)| *of == kind && *what == fault);
    let allowed = match outcome.code {
        Some(2) => TARGET.contains(&kind),
        Some(3) => expected == 0 || TARGET.contains(&kind),
        Some(1) => expected == 1 || is_finding,
        Some(0) => expected == 0,
        _ => false,
    };
    if !allowed {
        problems.push(format!("exit {:?}", outcome.code));
    }
    if outcome.took > DEADLINE + SLACK {
        problems.push("hangs".to_owned());
    }
    if outcome.code == Some(2) && outcome.stderr.trim().is_empty() {
        problems.push("exit 2 without a word".to_owned());
    }
    let diagnosis = outcome.diagnosis();
    let unknowns = diagnosis["unknowns"].as_array().cloned().unwrap_or_default();
    let reasonless = |unknown: &&Value| unknown["why"].as_str().is_none_or(|why| why.trim().is_empty());
    for unknown in unknowns.iter().filter(reasonless) {
        problems.push(format!("an unknown without a reason: {unknown}"));
    }
    if outcome.code == Some(3) && unknowns.is_empty() {
        problems.push("inconclusive without an unknown".to_owned());
    }
    let needed = !UNNEEDED.iter().any(|(of, _)| *of == kind);
    if expected == 0 && outcome.code == Some(0) && unknowns.is_empty() && needed && fault != Fault::Slow {
        problems.push("lost without a word".to_owned());
    }
    problems
}

#[test]
fn no_fault_of_any_request_makes_a_report_lie() {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut cells = Vec::new();
    let only = std::env::var("REQUEST").unwrap_or_default();
    for (base, path, expected) in BASES {
        let path = tests.join(path);
        let whole = run(&path, None);
        assert_eq!(whole.code, Some(expected), "{base}: {}{}", whole.stdout, whole.stderr);
        for kind in whole.kinds.into_iter().filter(|kind| kind.contains(&only)) {
            for fault in Fault::ALL.into_iter().filter(|fault| fault.suits(&kind)) {
                cells.push((base, path.clone(), expected, kind.clone(), fault));
            }
        }
    }
    let next = AtomicUsize::new(0);
    let results = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                while let Some((base, path, expected, kind, fault)) =
                    cells.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let outcome = run(path, Some((kind, *fault)));
                    let problems = wrong(*expected, kind, *fault, &outcome);
                    let key = (kind.clone(), *base, *fault);
                    results.lock().unwrap().insert(key, (outcome.cell(), problems));
                }
            });
        }
    });
    let results = results.into_inner().unwrap();
    let mut differ = String::new();
    for ((kind, base, fault), (_, problems)) in &results {
        let name = format!("{base}: {kind} × {fault}");
        if !problems.is_empty() {
            writeln!(differ, "{name}: {}", problems.join("; ")).unwrap();
        }
    }
    assert!(differ.is_empty(), "{} cells:\n{differ}", differ.lines().count());
}
