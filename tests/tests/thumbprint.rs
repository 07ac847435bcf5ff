//! `thumbprint` behind a proxy that inspects TLS: its certificate is not the issuer's, and nothing is to be changed to it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use irsa_tests::aws::FakeAws;
use irsa_tests::fault::{Fault, HOST};
use irsa_tests::run::{Run, plugin, run};
use irsa_tests::world::{World, bases_dir};
use serde_json::{Value, json};

const EKS: &str = "https://oidc.eks.eu-west-1.amazonaws.com/id/4F1E27D9A0B84C6E93D5720AB81C6EF3";
const COMMAND: &str = "update-open-id-connect-provider-thumbprint";

fn thumbprint(aws: &FakeAws, issuer: &str, format: &str) -> Run {
    let directory = tempfile::tempdir().unwrap();
    let mut command = plugin();
    run(command.envs(aws.env(directory.path())).args(["thumbprint", issuer, "-o", format]))
}

#[test]
fn the_certificate_of_a_proxy_is_not_stored_for_an_issuer_of_eks() {
    let world = World::load(&bases_dir().join("eks.yaml")).unwrap();
    let aws = FakeAws::start(&world, None);
    aws.faults().strike(&format!("{HOST}oidc.eks.eu-west-1.amazonaws.com"), Fault::OtherCa);
    let text = thumbprint(&aws, EKS, "text");
    assert_eq!(text.code, Some(0), "{text:?}");
    assert!(text.stdout.contains("A proxy inspects TLS"), "{text:?}");
    assert!(text.stdout.contains("CN=fake interceptor ca"), "{text:?}");
    assert!(text.stdout.contains("There is nothing to change"), "{text:?}");
    assert!(!text.stdout.contains(COMMAND), "{text:?}");
    let json = thumbprint(&aws, EKS, "json").json();
    assert_eq!(json["inspectedBy"], json!("CN=fake interceptor ca"));
    assert_eq!(json["usedByIam"], json!(false));
    assert_eq!((&json["update"], &json["thumbprints"]), (&Value::Null, &json!([])));
}

/// An issuer elsewhere, whose certificate is of the same authority as those of AWS are here, or of its own.
fn elsewhere(certificate: &str) -> FakeAws {
    let text = format!(
        "base: eks\nabout: an issuer of one's own\nissuer: https://oidc.example.com/blue\n\
         issuerServes: {{certificate: {certificate}}}\nexpect: {{verdict: inconclusive}}\n"
    );
    FakeAws::start(&World::parse("elsewhere", &text).unwrap(), None)
}

#[test]
fn the_authority_of_an_issuer_of_ones_own_is_told_from_a_proxys() {
    let issuer = "https://oidc.example.com/blue";
    let own = thumbprint(&elsewhere("private-ca"), issuer, "text");
    assert!(own.code == Some(0) && own.stdout.contains(COMMAND), "{own:?}");
    assert!(own.stdout.contains("IAM uses the configured thumbprint here"), "{own:?}");
    let inspected = thumbprint(&elsewhere("public"), issuer, "text");
    assert_eq!((inspected.code, inspected.stdout.as_str()), (Some(2), ""), "{inspected:?}");
    assert!(inspected.stderr.contains("a proxy inspects TLS here"), "{inspected:?}");
}
