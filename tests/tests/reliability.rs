//! The fault matrix: every kind of request of a run × every fault × a healthy and a broken world. What is allowed is said here, apart
//! from the product, and what comes of it is `docs/reliability.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use in_process::Environment;
use irsa_tests::aws::FakeAws;
use irsa_tests::fault::Fault;
use irsa_tests::kube_api::FakeKube;
use irsa_tests::world::World;
use oracle::{Lost, Matrix, Outcome, Pair, Subject};

#[path = "worlds/in_process.rs"]
mod in_process;
#[path = "reliability/oracle.rs"]
mod oracle;
#[path = "reliability/page.rs"]
mod page;

/// The limit of a run.
const DEADLINE: Duration = Duration::from_secs(15);

const PAIRS: [Pair; 3] = [
    Pair {
        title: "IRSA",
        healthy: "bases/eks.yaml",
        broken: "worlds/trust-sub-mismatch/broken.other-namespace.yaml",
    },
    Pair {
        title: "EKS Pod Identity",
        healthy: "bases/eks-pod-identity.yaml",
        broken: "worlds/pi-trust/broken.no-tag-session.yaml",
    },
    Pair {
        title: "`--action`",
        healthy: "worlds/perm-no-policy/fine.simulated.yaml",
        broken: "worlds/perm-no-policy/broken.simulated.yaml",
    },
];

/// Every kind of request and every host, and what the report must say it could not check where that fails.
const SUBJECTS: &[Subject] = &[
    Subject { kind: "get pods", lost: Lost::Target },
    Subject { kind: "get pods/log", lost: Lost::Unneeded(&["log"], "a log may hold any text") },
    Subject { kind: "get serviceaccounts", lost: Lost::Named(&["serviceaccount shop/checkout"]) },
    Subject { kind: "get replicasets", lost: Lost::Named(&["replicaset shop/"]) },
    Subject { kind: "get deployments", lost: Lost::Named(&["deployment shop/checkout"]) },
    Subject { kind: "get namespaces", lost: Lost::Named(&["namespace shop"]) },
    Subject { kind: "get nodes", lost: Lost::Named(&["node ip-10-0-1-17"]) },
    Subject { kind: "get configmaps", lost: Lost::Named(&["configmap shop/kube-root-ca.crt"]) },
    Subject { kind: "get /version", lost: Lost::Named(&["version of the API server"]) },
    Subject { kind: "get /.well-known/openid-configuration", lost: Lost::Named(&["the cluster's issuer"]) },
    Subject { kind: "get /openid/v1/jwks", lost: Lost::Named(&["the cluster's signing keys"]) },
    Subject { kind: "list serviceaccounts", lost: Lost::Named(&["serviceaccounts of namespace shop"]) },
    Subject { kind: "list pods", lost: Lost::Named(&["pods of namespace shop"]) },
    Subject { kind: "list events", lost: Lost::Named(&["events of namespace shop"]) },
    Subject { kind: "list networkpolicies", lost: Lost::Named(&["networkpolicies of namespace shop"]) },
    Subject {
        kind: "list mutatingwebhookconfigurations",
        lost: Lost::Named(&["mutatingwebhookconfigurations"]),
    },
    Subject {
        kind: "create serviceaccounts/token",
        lost: Lost::Named(&["a token of service account shop/checkout"]),
    },
    Subject { kind: "sts:AssumeRoleWithWebIdentity", lost: Lost::Named(&["STS's answer to a fresh token"]) },
    Subject { kind: "sts:GetCallerIdentity", lost: Lost::Named(&["your AWS identity"]) },
    Subject { kind: "iam:GetRole", lost: Lost::Named(&["IAM role shop-checkout"]) },
    Subject { kind: "iam:ListAttachedRolePolicies", lost: Lost::Named(&["policies of role shop-checkout"]) },
    Subject { kind: "iam:ListRolePolicies", lost: Lost::Named(&["policies of role shop-checkout"]) },
    Subject {
        kind: "iam:ListOpenIDConnectProviders",
        lost: Lost::Named(&["OIDC providers of your account"]),
    },
    Subject {
        kind: "iam:GetOpenIDConnectProvider",
        lost: Lost::Named(&["the OIDC provider of the cluster's issuer"]),
    },
    Subject { kind: "cloudtrail:LookupEvents", lost: Lost::Named(&["denied calls in CloudTrail"]) },
    Subject {
        kind: "issuer GET /.well-known/openid-configuration",
        lost: Lost::Unneeded(&["the published discovery document"], ISSUER),
    },
    Subject { kind: "issuer GET keys", lost: Lost::Unneeded(&["the published signing keys"], ISSUER) },
    Subject {
        kind: "iam:SimulatePrincipalPolicy",
        lost: Lost::Evidence(&["what role shop-checkout is allowed to do"]),
    },
    Subject { kind: "list daemonsets", lost: Lost::Named(&["daemonsets"]) },
    Subject { kind: "eks:DescribeCluster", lost: Lost::Named(&["cluster"]) },
    Subject { kind: "eks:ListPodIdentityAssociations", lost: Lost::Evidence(&["associations"]) },
    Subject { kind: "eks:DescribePodIdentityAssociation", lost: Lost::Evidence(&["association"]) },
    Subject {
        kind: "host sts.eu-west-1.amazonaws.com",
        lost: Lost::Named(&["STS's answer to a fresh token", "your AWS identity"]),
    },
    Subject {
        kind: "host iam.amazonaws.com",
        lost: Lost::Named(&[
            "IAM role shop-checkout",
            "OIDC providers of your account",
            "the OIDC provider of the cluster's issuer",
            "policies of role shop-checkout",
        ]),
    },
    Subject {
        kind: "host cloudtrail.eu-west-1.amazonaws.com",
        lost: Lost::Named(&["denied calls in CloudTrail"]),
    },
    Subject { kind: "host eks.eu-west-1.amazonaws.com", lost: Lost::Evidence(&["cluster", "associations"]) },
    Subject {
        kind: "host oidc.eks.eu-west-1.amazonaws.com",
        lost: Lost::Unneeded(&["the published discovery document"], ISSUER),
    },
    Subject { kind: "host API server", lost: Lost::Target },
];

const ISSUER: &str = "STS accepts or refuses the token, so AWS can read the issuer";

fn run(world: &World, struck: Option<(&str, Fault)>) -> Outcome {
    let kube = FakeKube::start(world);
    let aws = FakeAws::start(world, Some(&kube));
    if let Some((kind, fault)) = struck {
        kube.faults().strike(kind, fault);
        aws.faults().strike(kind, fault);
    }
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = kube.kubeconfig(directory.path());
    let variables = aws.env(directory.path());
    let deadline = format!("{}s", DEADLINE.as_secs());
    let options = ["--no-probe", "--request-timeout", "3s", "--timeout", &deadline];
    let arguments: Vec<OsString> =
        world.arguments().map(String::as_str).chain(options).map(OsString::from).collect();
    let started = Instant::now();
    let result = catch_unwind(|| Environment::new(&kubeconfig, &variables).run(&arguments).0);
    let took = started.elapsed();
    let kinds: BTreeSet<String> = kube.faults().kinds().into_iter().chain(aws.faults().kinds()).collect();
    Outcome::new(result.ok(), took, kinds)
}

#[test]
fn no_fault_of_requests_makes_a_report_lie() {
    Matrix {
        section: "requests",
        pairs: &PAIRS,
        subjects: SUBJECTS,
        has: |_| true,
        threads: 16,
        limit: DEADLINE,
    }
    .judge(run);
}
