//! The same inside the pod: what the real probe meets. `tests/all` leaves it out by the module's name where there can be no nodes.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use irsa_tests::aws::FakeAws;
use irsa_tests::fault::{Fault, IN_POD};
use irsa_tests::kube_api::FakeKube;
use irsa_tests::kubelet::Kubelet;
use irsa_tests::kubelet::setup::Imds;
use irsa_tests::world::World;

use super::in_process::Environment;
use super::oracle::{Lost, Matrix, Outcome, Pair, Subject};

/// The limit of a run, which is later than the probe's own.
const LIMIT: Duration = Duration::from_secs(90);

/// A pod takes seconds, so that of the statuses only some are tried here.
const SPARED: [Fault; 5] =
    [Fault::Status(401), Fault::Status(409), Fault::Status(410), Fault::Status(422), Fault::Status(500)];

const PAIRS: [Pair; 2] = [
    Pair {
        title: "IRSA",
        healthy: "bases/eks-on-nodes.yaml",
        broken: "worlds/trust-sub-mismatch/broken.in-pod-both-refused.yaml",
    },
    Pair {
        title: "EKS Pod Identity",
        healthy: "worlds/pi-no-association/fine.in-pod-agent-answers.yaml",
        broken: "worlds/pi-trust/broken.still-oidc-in-pod.yaml",
    },
];

const IDENTITY: &[&str] = &["the application's AWS identity"];
const NODE: &str = "the node's role is only a fallback";

/// Everything that the probe asks, and what the report must say where that fails.
const SUBJECTS: &[Subject] = &[
    Subject::new("DNS in the pod", Lost::Named(IDENTITY)).or(&[(&[], "dns-coredns")]),
    Subject::new("sts:AssumeRoleWithWebIdentity in the pod", Lost::Named(IDENTITY))
        .or(&[(&[Fault::Reset, Fault::Silence], "sts-unreachable-no-egress")]),
    Subject::new("sts:GetCallerIdentity in the pod", Lost::Named(IDENTITY)),
    Subject::new("sts GET / in the pod", Lost::Unneeded(&["clock"], "STS's clock is only compared")),
    Subject::new("agent GET /v1/credentials in the pod", Lost::Named(IDENTITY)),
    Subject::new("IMDS PUT /latest/api/token in the pod", Lost::Unneeded(&["metadata"], NODE)),
    Subject::new(
        "IMDS GET /latest/meta-data/iam/security-credentials/ in the pod",
        Lost::Unneeded(&["metadata"], NODE),
    ),
    Subject::new("host AWS in the pod", Lost::Named(IDENTITY)).or(&[
        (&[Fault::Refused], "sts-unreachable-no-egress"),
        (&[Fault::OtherCa, Fault::OtherHost], "tls-roots"),
    ]),
    Subject::new("host http://169.254.170.23 in the pod", Lost::Named(IDENTITY)),
    Subject::new("host http://169.254.169.254 in the pod", Lost::Unneeded(&["metadata"], NODE)),
];

fn run(world: &World, struck: Option<(&str, Fault)>) -> Outcome {
    let mut world = world.clone();
    if let Some(nodes) = &mut world.header.kubelet {
        nodes.imds = Some(Imds { role: Some("shop-nodes".to_owned()) });
    }
    let kube = FakeKube::start(&world);
    let aws = FakeAws::start(&world, Some(&kube));
    if let Some((kind, fault)) = struck {
        aws.faults().strike(kind, fault);
    }
    let kubelet = Kubelet::start(&world, &kube, Some(&aws)).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = kube.kubeconfig(directory.path());
    let variables = aws.env(directory.path());
    let limit = format!("{}s", LIMIT.as_secs());
    // Only the probe is to meet deadlines.
    let options = ["--timeout", &limit, "--request-timeout", "60s"];
    let arguments: Vec<OsString> =
        world.arguments().map(String::as_str).chain(options).map(OsString::from).collect();
    let started = Instant::now();
    let result = catch_unwind(|| Environment::new(&kubeconfig, &variables).run(&arguments).0);
    let took = started.elapsed();
    assert_eq!(kubelet.problems(), Vec::<String>::new());
    let kinds: BTreeSet<String> = aws.faults().kinds();
    Outcome::new(result.ok(), took, kinds)
}

#[test]
fn no_fault_in_the_pod_makes_a_report_lie() {
    Matrix {
        section: "in the pod",
        pairs: &PAIRS,
        subjects: SUBJECTS,
        has: |kind| kind.ends_with(IN_POD),
        meets: |fault| !SPARED.contains(&fault),
        threads: 8,
        limit: LIMIT,
    }
    .judge(run);
}
