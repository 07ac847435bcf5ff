//! What hands type that know kubectl, and what comes of it: each line a command, its exit code, and the words that lead on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use irsa_tests::aws::FakeAws;
use irsa_tests::kube_api::FakeKube;
use irsa_tests::run::{Run, plugin, run};
use irsa_tests::world::World;

/// Beside the base's: a service account with an association, one whose annotation is misspelt, and a pod elsewhere.
const WORLD: &str = "
base: eks
about: a namespace with three service accounts that should have a role, and another with a pod
expect: {verdict: healthy}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: reports
  namespace: shop
  annotations: {eks.amazonaws.com/role_arn: 'arn:aws:iam::111122223333:role/shop-reports'}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: orders, namespace: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: billing}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: billing}
---
apiVersion: v1
kind: Pod
metadata: {name: invoices-0, namespace: billing}
spec: {containers: [{name: app, image: 'registry.example/invoices:1'}]}
---
kind: AwsAccount
eks:
  - name: shop-prod
    region: eu-west-1
    podIdentityAssociations:
      - namespace: shop
        serviceAccount: orders
        roleArn: arn:aws:iam::111122223333:role/shop-orders
        created: '2026-11-10T00:00:00Z'
";

/// The run of a command line, in which `'…'` is one word.
fn typed(line: &str) -> Run {
    let world = World::parse("habits", WORLD).unwrap();
    let kube = FakeKube::start(&world);
    let aws = FakeAws::start(&world, Some(&kube));
    let directory = tempfile::tempdir().unwrap();
    let mut command = plugin();
    command.env("KUBECONFIG", kube.kubeconfig(directory.path())).envs(aws.env(directory.path()));
    let parts = line.split('\'').enumerate();
    let words = parts.flat_map(|(index, part)| match index % 2 {
        0 => part.split_whitespace().collect(),
        _ => vec![part],
    });
    run(command.args(words))
}

const POD: &str = "pod/checkout-7d9f8b6c5d-x2x4z";

#[test]
fn what_is_typed_by_habit_leads_on() {
    let pod = POD.trim_start_matches("pod/");
    let lines = [
        // Without the command, and with flags before it.
        (format!("{POD} -n shop --no-probe"), 0, "healthy"),
        (format!("pod {pod} -n shop --no-probe"), 0, "healthy"),
        (format!("-n shop {POD} --no-probe"), 0, "healthy"),
        (format!("-n shop debug {POD} --no-probe"), 0, "healthy"),
        (format!("{pod} -n shop --no-probe"), 0, "healthy"),
        (format!("debug {POD} -n shop --no-probe -o md"), 0, "## healthy"),
        // Where things are.
        ("debug pod/invoices-0 -n shop".into(), 2, "pod/invoices-0 is in namespace billing: use -n billing"),
        ("debug pod/nowhere -n shop".into(), 2, "pod/nowhere not found in namespace shop"),
        ("debug pod/x -n shpo".into(), 2, "namespace shpo does not exist; did you mean shop?"),
        ("debug -n shpo".into(), 2, "namespace shpo does not exist; did you mean shop?"),
        ("debug -n billing".into(), 2, "no service account of namespace billing has a role"),
        ("debug pod/invoices-0 -n shpo".into(), 2, "is in namespace billing"),
        // Kinds and flags of others.
        ("svc/checkout".into(), 2, "kubernetes.io/service-name=checkout"),
        ("debug svc checkout".into(), 2, "kubernetes.io/service-name=checkout"),
        ("debug rollout/checkout".into(), 2, "grep '^pod/checkout-'"),
        ("debug ns/shop".into(), 2, "kubectl irsa debug -n shop"),
        ("debug -n shop -l app=checkout".into(), 2, "$(kubectl get pods -n shop -l app=checkout -o name)"),
        ("debug -A".into(), 2, "xargs -n1 kubectl irsa debug -n"),
        (format!("debug {POD} --watch"), 2, "--wait looks until it has taken effect"),
        (format!("debug {POD} -w"), 2, "debug looks once"),
        ("debug -n shop --wait".into(), 2, "<TARGET>"),
        (format!("debug {POD} -f /nonexistent.yaml"), 2, "/nonexistent.yaml"),
        (format!("debug {POD} --filename /nonexistent.yaml"), 2, "/nonexistent.yaml"),
        // Values that cannot mean anything.
        (format!("debug {POD} --action GetObject"), 2, "such as s3:GetObject"),
        (format!("debug {POD} --action s3:GetObject --resource bucket"), 2, "expected an ARN"),
        (format!("debug {POD} --timeout 0"), 2, "expected more than nothing"),
        (format!("debug {POD} --region eu-wset-1"), 2, "did you mean eu-west-1"),
        (format!("debug {POD} --region Ireland"), 2, "expected a region such as eu-west-1"),
        ("thumbprint --region eu-wset-1".into(), 2, "did you mean eu-west-1"),
        (
            format!("debug {POD} --cluster-name arn:aws:eks:eu-west-1:111122223333:cluster/prod"),
            2,
            "expected the cluster's name",
        ),
        (format!("debug {POD} --context wrold"), 2, "there is no context \"wrold\"; did you mean world?"),
        (format!("debug {POD} --user oncal"), 2, "there is no user \"oncal\"; did you mean oncall?"),
        (
            format!("debug {POD} --cluster nope-nope"),
            2,
            "there is no cluster \"nope-nope\"; the clusters there: ",
        ),
        // What nobody knows is said.
        (format!("debug {POD} -n shop --no-probe --error 'the cat sat on the mat'"), 0, "no known AWS error"),
        ("debgu pod/x".into(), 2, "debug"),
    ];
    for (line, code, words) in lines {
        let run = typed(&line);
        assert_eq!(run.code, Some(code), "{line}: {run:?}");
        let said = [run.stdout.as_str(), run.stderr.as_str()].concat();
        assert!(said.contains(words), "{line} does not say \"{words}\": {run:?}");
        assert!(code != 2 || run.stdout.is_empty(), "{line}: {run:?}");
    }
}

#[test]
fn without_a_target_all_that_have_a_role_are_in_a_line_each() {
    let run = typed("debug -n shop --cluster-name shop-prod");
    assert_eq!(run.code, Some(1), "{run:?}");
    let lines: Vec<&str> = run.stdout.lines().collect();
    let begin = ["sa/checkout: healthy pod/", "sa/orders: broken ", "sa/reports: broken "];
    assert_eq!(lines.len(), begin.len(), "{run:?}");
    for (line, begin) in lines.iter().zip(begin) {
        assert!(line.starts_with(begin), "{begin}: {run:?}");
    }
    assert!(run.stderr.contains("namespace shop: 3 service accounts have a role"), "{run:?}");
    assert!(!run.stderr.contains("adding the ephemeral container"), "{run:?}");
    // Without EKS the annotations are left, and that is said.
    let without = typed("debug -n shop");
    assert_eq!(without.stdout.lines().count(), 2, "{without:?}");
    assert!(without.stderr.contains("not listed: EKS Pod Identity associations"), "{without:?}");
}
