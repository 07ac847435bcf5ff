//! `kubectl irsa trust`: what it prints, and whom that lets in, judged by the fake's own evaluator, which shares no code with the
//! plugin's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use irsa::policy::Document;
use irsa::trust::{By, Trusted};
use irsa_tests::aws::FakeAws;
use irsa_tests::aws::trust_change::{Asker, Meant, problems};
use irsa_tests::kube_api::FakeKube;
use irsa_tests::run::{Run, plugin, run};
use irsa_tests::world::{World, worlds_dir};
use proptest::prelude::*;
use serde_json::{Value, json};

const ISSUER: &str = "oidc.eks.eu-west-1.amazonaws.com/id/4F1E27D9A0B84C6E93D5720AB81C6EF3";
const ROLE: &str = "arn:aws:iam::111122223333:role/shop-checkout";

/// In a world, with its cluster and its AWS.
fn in_world(name: &str, arguments: &[&str]) -> Run {
    let world = World::load(&worlds_dir().join(format!("{name}.yaml"))).unwrap();
    let kube = FakeKube::start(&world);
    let aws = FakeAws::start(&world, Some(&kube));
    let directory = tempfile::tempdir().unwrap();
    let mut command = plugin();
    command.envs(aws.env(directory.path())).env("KUBECONFIG", kube.kubeconfig(directory.path()));
    run(command.arg("trust").args(arguments))
}

/// Without anything to ask.
fn offline(arguments: &[&str]) -> Run {
    run(plugin().arg("trust").args(arguments))
}

#[test]
fn beside_the_roles_own() {
    let alone = in_world("trust-sub-mismatch/broken.other-namespace", &["sa/checkout", "-n", "shop"]);
    assert_eq!(alone.code, Some(0), "{alone:?}");
    insta::assert_snapshot!("alone", alone.stdout);
    let added =
        in_world("trust-sub-mismatch/broken.other-namespace", &["deploy/checkout", "-n", "shop", "--add"]);
    assert_eq!(added.code, Some(0), "{added:?}");
    insta::assert_snapshot!("added", added.stdout);
    let trusted = in_world(
        "sa-not-annotated/broken.role-waits",
        &["sa/checkout", "-n", "shop", "--role", ROLE, "--add"],
    );
    assert_eq!(trusted.code, Some(2), "no annotation has the role read: {trusted:?}");
    assert!(trusted.stderr.contains("could not be read"), "{trusted:?}");
}

#[test]
fn for_pod_identity() {
    let printed = in_world(
        "pi-trust/broken.no-tag-session",
        &["sa/checkout", "-n", "shop", "--cluster-name", "shop-prod", "-o", "json"],
    );
    let document = printed.json();
    let statement = &document["Statement"][0];
    assert_eq!(statement["Principal"], json!({"Service": "pods.eks.amazonaws.com"}));
    assert_eq!(statement["Action"], json!(["sts:AssumeRole", "sts:TagSession"]));
    let pins = &statement["Condition"]["StringEquals"];
    assert_eq!(pins["aws:RequestTag/kubernetes-service-account"], "checkout");
    assert!(
        pins["aws:RequestTag/eks-cluster-arn"].as_str().unwrap().ends_with(":cluster/shop-prod"),
        "{document}"
    );
}

#[test]
fn without_a_cluster_in_every_form() {
    let issuer = format!("https://{ISSUER}");
    let flags = ["sa/checkout", "-n", "shop", "--role", ROLE, "--issuer", &issuer, "-o"];
    for form in ["text", "json", "terraform", "cloudformation"] {
        let printed = offline(&[&flags[..], &[form]].concat());
        assert_eq!((printed.code, printed.stderr.as_str()), (Some(0), ""), "{form}");
        insta::assert_snapshot!(format!("offline_{form}"), printed.stdout);
    }
    let refused = offline(&[&flags[..], &["eksctl"]].concat());
    assert!(
        refused.code == Some(2) && refused.stderr.contains("eksctl writes trust policies of its own"),
        "{refused:?}"
    );
}

#[test]
fn what_cannot_be_answered_says_what_to_name() {
    for (arguments, words) in [
        (vec!["pod/x", "--role", ROLE, "--issuer", "https://i.example"], "sa/NAME"),
        (
            vec!["sa/x", "--role", "shop-checkout", "--issuer", "https://i.example"],
            "expected the ARN of a role",
        ),
        (vec!["sa/x", "--role", ROLE, "--issuer", "http://i.example"], "expected an https:// URL"),
    ] {
        let printed = offline(&arguments);
        assert!(printed.code == Some(2) && printed.stderr.contains(words), "{printed:?}");
        assert_eq!(printed.stdout, "");
    }
    let unnamed = in_world("sa-not-annotated/broken.role-waits", &["sa/checkout", "-n", "shop"]);
    assert!(unnamed.code == Some(2) && unnamed.stderr.contains("names no role"), "{unnamed:?}");
}

/// A policy of somebody else's, or of several, as IAM keeps it.
fn present(others: &[(String, String)], by_pattern: bool) -> String {
    let (operator, end) = if by_pattern { ("StringLike", "*") } else { ("StringEquals", "") };
    let statement = |(namespace, name): &(String, String)| {
        json!({
            "Effect": "Allow",
            "Principal": {"Federated": format!("arn:aws:iam::111122223333:oidc-provider/{ISSUER}")},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {format!("{ISSUER}:aud"): "sts.amazonaws.com"},
                operator: {format!("{ISSUER}:sub"): format!("system:serviceaccount:{namespace}:{name}{end}")},
            },
        })
    };
    let statements: Vec<Value> = others.iter().map(statement).collect();
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

proptest! {
    /// A new policy and one that is added to let in the service account, and nobody else; nobody loses the role by `--add`.
    #[test]
    fn every_policy_admits_its_subject_alone(
        namespace in "[a-z][a-z0-9-]{0,12}[a-z0-9]", name in "[a-z][a-z0-9.-]{0,12}[a-z0-9]",
        others in prop::collection::vec(("[a-z][a-z0-9-]{0,8}[a-z0-9]", "[a-z][a-z0-9-]{0,8}[a-z0-9]"), 0..4),
        by_pattern in any::<bool>(),
    ) {
        let trusted = Trusted {
            partition: String::from("aws"),
            account: String::from("111122223333"),
            namespace: namespace.clone(),
            service_account: name.clone(),
            by: By::Irsa { issuer: format!("https://{ISSUER}"), audience: String::from("sts.amazonaws.com") },
        };
        let provider = format!("arn:aws:iam::111122223333:oidc-provider/{ISSUER}");
        let asker = Asker { issuer: ISSUER, provider: &provider, namespace: &namespace, name: &name, vacant: &[] };
        let nothing = r#"{"Version": "2012-10-17", "Statement": []}"#;
        let alone = trusted.document().unwrap().line();
        prop_assert_eq!(problems(nothing, &alone, asker, Meant::Alone), Vec::<String>::new());
        let before = present(&others, by_pattern);
        let added = trusted.added_to(&Document::parse(&before).unwrap()).unwrap().line();
        prop_assert_eq!(problems(&before, &added, asker, Meant::Alone), Vec::<String>::new());
    }
}
