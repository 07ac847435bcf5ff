//! The fault matrix: every kind of request of a run × every fault × a healthy and a broken world. What is allowed is said here, apart
//! from the product, and what comes of it is `docs/reliability.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "one cell is shown to who asks for it")]

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
#[path = "reliability/in_pod.rs"]
mod nodes;
#[path = "reliability/oracle.rs"]
mod oracle;
#[path = "reliability/page.rs"]
mod page;

/// The limit of a run.
const DEADLINE: Duration = Duration::from_secs(40);

const PAIRS: [Pair; 4] = [
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
    Pair {
        title: "no annotation",
        healthy: "bases/eks.yaml",
        broken: "worlds/sa-not-annotated/broken.role-waits.yaml",
    },
];

/// Every kind of request and every host, and what the report must say it could not check where that fails.
const SUBJECTS: &[Subject] = &[
    Subject::new("get pods", Lost::Target),
    Subject::new("get pods/log", Lost::Unneeded(&["log"], "a log may hold any text")),
    Subject::new("get serviceaccounts", Lost::Named(&["serviceaccount shop/checkout"])),
    Subject::new("get replicasets", Lost::Named(&["replicaset shop/"])),
    Subject::new("get deployments", Lost::Named(&["deployment shop/checkout"])),
    Subject::new("get namespaces", Lost::Named(&["namespace shop"])),
    Subject::new("get nodes", Lost::Named(&["node ip-10-0-1-17"])),
    Subject::new("get configmaps", Lost::Named(&["configmap shop/kube-root-ca.crt"])),
    Subject::new("get /version", Lost::Named(&["version of the API server"])),
    Subject::new("get /.well-known/openid-configuration", Lost::Named(&["the cluster's issuer"])),
    Subject::new("get /openid/v1/jwks", Lost::Named(&["the cluster's signing keys"])),
    Subject::new("list serviceaccounts", Lost::Named(&["serviceaccounts of namespace shop"])),
    Subject::new("list pods", Lost::Named(&["pods of namespace shop"])),
    Subject::new("list events", Lost::Named(&["events of namespace shop"])),
    Subject::new("list networkpolicies", Lost::Named(&["networkpolicies of namespace shop"])),
    Subject::new("list mutatingwebhookconfigurations", Lost::Named(&["mutatingwebhookconfigurations"])),
    Subject::new("create serviceaccounts/token", Lost::Named(&["a token of service account shop/checkout"])),
    Subject::new("sts:AssumeRoleWithWebIdentity", Lost::Named(&["STS's answer to a fresh token"])),
    Subject::new("sts:GetCallerIdentity", Lost::Named(&["your AWS identity"])),
    Subject::new("iam:GetRole", Lost::Named(&["IAM role shop-checkout"])).or(UNSEEN),
    Subject::new("iam:ListAttachedRolePolicies", Lost::Named(&["policies of role shop-checkout"])),
    Subject::new("iam:ListRolePolicies", Lost::Named(&["policies of role shop-checkout"])),
    Subject::new("iam:ListOpenIDConnectProviders", Lost::Named(&["OIDC providers of your account"])),
    Subject::new("iam:GetOpenIDConnectProvider", Lost::Named(&["the OIDC provider of the cluster's issuer"])),
    Subject::new("iam:ListRoles", Lost::Named(&["roles of your account that trust this service account"])),
    Subject::new("cloudtrail:LookupEvents", Lost::Named(&["denied calls in CloudTrail"])),
    Subject::new(
        "issuer GET /.well-known/openid-configuration",
        Lost::Unneeded(&["the published discovery document"], ISSUER),
    ),
    Subject::new("issuer GET keys", Lost::Unneeded(&["the published signing keys"], ISSUER)),
    Subject::new(
        "iam:SimulatePrincipalPolicy",
        Lost::Evidence(&["what role shop-checkout is allowed to do"]),
    ),
    Subject::new("list daemonsets", Lost::Named(&["daemonsets"])),
    Subject::new("eks:DescribeCluster", Lost::Named(&["EKS cluster shop-prod"])),
    Subject::new(
        "eks:ListPodIdentityAssociations",
        Lost::Evidence(&["EKS Pod Identity associations of shop/checkout"]),
    ),
    Subject::new(
        "eks:DescribePodIdentityAssociation",
        Lost::Evidence(&["EKS Pod Identity associations of shop/checkout"]),
    ),
    Subject::new(
        "host sts.eu-west-1.amazonaws.com",
        Lost::Named(&["STS's answer to a fresh token", "your AWS identity"]),
    ),
    Subject::new(
        "host iam.amazonaws.com",
        Lost::Named(&[
            "IAM role shop-checkout",
            "OIDC providers of your account",
            "the OIDC provider of the cluster's issuer",
            "policies of role shop-checkout",
        ]),
    )
    .or(UNSEEN),
    Subject::new("host cloudtrail.eu-west-1.amazonaws.com", Lost::Named(&["denied calls in CloudTrail"])),
    Subject::new(
        "host eks.eu-west-1.amazonaws.com",
        Lost::Evidence(&["EKS cluster shop-prod", "EKS Pod Identity associations of shop/checkout"]),
    ),
    Subject::new(
        "host oidc.eks.eu-west-1.amazonaws.com",
        Lost::Unneeded(&["the published discovery document"], ISSUER),
    ),
    Subject::new("host API server", Lost::Target),
];

/// Without the role's trust policy, or all of IAM, only STS's refusal is left to tell.
const UNSEEN: &[(&[Fault], &str)] = &[(&[], "sts-refused")];

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
    let options = ["--no-probe", "--request-timeout", "8s", "--timeout", &deadline];
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
        meets: |_| true,
        threads: 16,
        limit: DEADLINE,
    }
    .judge(run);
}
