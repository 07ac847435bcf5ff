//! `--from` as people use it: what the AWS CLI printed in each of its forms, in a directory with other files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "from_files/readme.rs"]
mod readme;

use std::fs;
use std::path::Path;

use irsa_tests::run::{Run, plugin, run};
use serde_json::{Value, json};

const PROVIDER: &str = "oidc.eks.eu-west-1.amazonaws.com/id/B61F0D97A2C84E5D93F02AE871C4D5B0";

/// A directory with the objects of the example, its cluster, and a role that trusts the service account of that name.
struct Saved(tempfile::TempDir);

impl Saved {
    fn trusting(service_account: &str) -> (Self, Value) {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/trust.yaml");
        let text = fs::read_to_string(example).unwrap();
        let (objects, role) = text.split_once("---\n# aws iam get-role").unwrap();
        let (_, role) = role.split_once('\n').unwrap();
        let role: Value =
            serde_saphyr::from_str(&role.replace("shop:chekout", &format!("shop:{service_account}")))
                .unwrap();
        let saved = Self(tempfile::tempdir().unwrap());
        saved.add("k8s.yaml", objects);
        (saved, role)
    }

    fn add(&self, name: &str, text: impl ToString) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.to_string()).unwrap();
    }

    fn debug(&self) -> Run {
        run(plugin()
            .args(["debug", "deploy/checkout", "-n", "shop", "-o", "json", "--from"])
            .arg(self.0.path()))
    }
}

/// The verdict and the root cause.
fn found(run: &Run) -> (String, String) {
    let diagnosis = run.diagnosis();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (word(&diagnosis["verdict"]), word(&diagnosis["rootCause"]["id"]))
}

fn is(verdict: &str, cause: &str) -> (String, String) {
    (verdict.to_owned(), cause.to_owned())
}

/// As the IAM API sends a policy document.
fn encoded(document: &Value) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let text = document.to_string();
    text.bytes()
        .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[test]
fn the_trust_policy_counts_in_every_form_in_which_it_is_printed() {
    let (_, whole) = Saved::trusting("chekout");
    let role = &whole["Role"];
    let policy = &role["AssumeRolePolicyDocument"];
    let mut as_api = whole.clone();
    as_api["Role"]["AssumeRolePolicyDocument"] = json!(encoded(policy));
    as_api["Role"]["CreateDate"] = json!(1_793_491_200.0);
    for (form, text) in [
        ("get-role", whole.to_string()),
        ("--query Role", role.to_string()),
        ("--query Role.AssumeRolePolicyDocument", policy.to_string()),
        ("--output yaml", serde_saphyr::to_string(&whole).unwrap()),
        ("the API's own", as_api.to_string()),
        ("the API's own document", encoded(policy)),
    ] {
        let (saved, _) = Saved::trusting("chekout");
        saved.add("role.json", text);
        let run = saved.debug();
        assert_eq!(found(&run), is("broken", "trust-sub-mismatch"), "{form}: {run:?}");
        assert_eq!(run.stderr, "", "{form}");
    }
}

#[test]
fn a_bare_provider_shows_its_audiences() {
    for (audience, expected) in
        [("sts.amazon.com", is("broken", "oidc-client-id")), ("sts.amazonaws.com", is("inconclusive", ""))]
    {
        let (saved, role) = Saved::trusting("checkout");
        saved.add("role.json", role);
        saved
            .add("provider.json", json!({"Url": PROVIDER, "ClientIDList": [audience], "ThumbprintList": []}));
        // That of another cluster, which sorts behind it.
        saved.add("provider2.json", json!({"Url": PROVIDER.replace('B', "C"), "ClientIDList": ["x"]}));
        let run = saved.debug();
        assert_eq!(found(&run), expected, "{run:?}");
    }
}

#[test]
fn manifests_of_helm_and_kustomize_are_passed_over_with_a_word() {
    let (saved, role) = Saved::trusting("chekout");
    saved.add("role.json", role);
    saved.add("kustomization.yaml", "resources:\n- k8s.yaml\n");
    saved.add("patch.yaml", "- op: remove\n  path: /spec\n");
    saved.add("chart/Chart.yaml", "apiVersion: v2\nname: checkout\n");
    saved.add("chart/values.yaml", "replicas: 2\n");
    saved.add("chart/templates/sa.yaml", "kind: ServiceAccount\nmetadata:\n  name: {{ .Release.Name }}\n");
    saved.add("policy.json", json!({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}));
    fs::write(saved.0.path().join("logo.json"), b"\x89PNG\xff").unwrap();
    let run = saved.debug();
    assert_eq!(found(&run), is("broken", "trust-sub-mismatch"), "{run:?}");
    let directory = format!("skipped {}/", saved.0.path().display());
    let words: Vec<&str> =
        run.stderr.lines().map(|line| line.strip_prefix(&directory).unwrap_or(line)).collect();
    assert_eq!(
        words,
        [
            "chart/Chart.yaml:1:1: no kind",
            "chart/templates/sa.yaml:3:10: a template",
            "chart/values.yaml:1:1: no kind",
            "kustomization.yaml:1:1: no kind",
            "logo.json:1:1: not UTF-8",
            "patch.yaml:1:1: a list, not an object",
            "policy.json:1:1: an identity-based policy, which no check reads",
        ]
    );
    // A file that is named is meant.
    let named = run_named(&saved, "kustomization.yaml");
    assert_eq!((named.code, named.stderr.contains("has no `kind`")), (Some(2), true), "{named:?}");
    // And a directory without anything else is of no use.
    let useless = run_named(&saved, "chart");
    assert_eq!(
        (useless.code, useless.stderr.contains("Chart.yaml:1:1: this mapping")),
        (Some(2), true),
        "{useless:?}"
    );
}

fn run_named(saved: &Saved, name: &str) -> Run {
    run(plugin().args(["debug", "deploy/checkout", "--from"]).arg(saved.0.path().join(name)))
}

#[test]
fn what_is_printed_for_people_is_to_be_saved_as_json() {
    for (text, words) in [
        (
            "ROLE\tarn:aws:iam::111122223333:role/shop-checkout\n",
            "role.json:1:1: this is what the AWS CLI prints with `--output text`",
        ),
        (
            "-------------\n|  GetRole  |\n+-----------+\n",
            "role.json:1:1: this is what the AWS CLI prints with `--output table`",
        ),
        (
            "\"https://oidc.eks.eu-west-1.amazonaws.com/id/A\"",
            "`aws eks describe-cluster --name CLUSTER --output json`, without `--query`",
        ),
    ] {
        let (saved, _) = Saved::trusting("chekout");
        saved.add("role.json", text);
        let run = saved.debug();
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{run:?}");
        assert!(run.stderr.contains(words), "{run:?}");
    }
}

#[test]
fn a_repair_is_told_in_the_language_that_declares_what_it_changes() {
    let told = |language: &str| {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/trust.yaml");
        let mut command = plugin();
        command.args(["debug", "deploy/checkout", "-n", "shop", "--fix-as", language, "--from"]).arg(example);
        let told = run(&mut command);
        assert_eq!(told.code, Some(1), "{told:?}");
        assert!(!told.stdout.contains("aws iam update-assume-role-policy"), "{told:?}");
        told.stdout
    };
    let terraform = told("terraform");
    assert!(terraform.contains(r#"resource "aws_iam_role" "shop_checkout" {"#), "{terraform}");
    assert!(terraform.contains("assume_role_policy = jsonencode({"), "{terraform}");
    assert!(told("cloudformation").contains("Type: AWS::IAM::Role"));
    assert!(told("eksctl").contains("eksctl has no form for this: change role shop-checkout"));
}
