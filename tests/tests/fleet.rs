//! Thousands of pods of one workload: what is alike is worked out once, and nothing else comes out of it than if each pod were
//! judged for itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use irsa::diagnosis::{Choice, Diagnosis, Judged, Verdict, diagnose_all, diagnose_until};
use irsa::documents::Store;
use irsa::facts::{Facts, Why};
use irsa::output::{Format, Style, render};
use irsa::rounds::of_documents;
use irsa::target;
use irsa_tests::aws::FakeAws;
use irsa_tests::kube_api::FakeKube;
use irsa_tests::run::{plugin, run};
use irsa_tests::world::{World, all_worlds, bases_dir, worlds_dir};
use serde_json::{Value, json};

fn base(name: &str) -> World {
    World::load(&bases_dir().join(name)).unwrap()
}

/// What the objects of a world say about a target.
fn facts(world: &World, namespace: &str, target: &str) -> Vec<Facts> {
    let items: Vec<&Value> = world.objects.iter().map(|object| &object.value).collect();
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
    let now =
        json!({ "apiVersion": "irsa/v1", "kind": "Bundle", "observedAt": world.header.now.to_string() });
    let mut store = Store::default();
    for document in [list, now] {
        store.read("world.json", document.to_string().into_bytes()).unwrap();
    }
    let target = target::parse(&[target.to_owned()]).unwrap().remove(0);
    of_documents(&store, namespace, &target, None).unwrap_or_default()
}

fn fleet(count: usize) -> Vec<Facts> {
    let mut world = base("eks-without-aws.yaml");
    world.add_fleet("shop", "checkout-7d9f8b6c5d-x2x4z", count).unwrap();
    facts(&world, "shop", "deploy/checkout")
}

/// The same subjects, of which no two have anything in common by which they would count as alike.
fn apart(subjects: &[Facts]) -> Vec<Facts> {
    let apart = |facts: &Facts| Facts { request: Arc::new((*facts.request).clone()), ..facts.clone() };
    subjects.iter().map(apart).collect()
}

fn until_the_end(subjects: &[Facts]) -> Judged {
    diagnose_until(subjects, &Choice::default(), &|| None)
}

fn shown(diagnoses: &[Diagnosis]) -> String {
    render(diagnoses, Format::Json, &Style::default()).unwrap()
}

#[test]
fn alike_pods_are_judged_once() {
    let subjects = fleet(500);
    assert_eq!(subjects.len(), 501);
    let judged = until_the_end(&subjects);
    assert_eq!(judged.diagnoses.len(), 1);
    assert_eq!(judged.diagnoses[0].target.represents.len(), 500);
    // The pod of the base has no annotations.
    assert_eq!(judged.worked_out, 2);
    let each = until_the_end(&apart(&subjects));
    assert_eq!(each.worked_out, 501);
    assert_eq!(shown(&each.diagnoses), shown(&judged.diagnoses));
}

#[test]
fn what_is_not_judged_is_said() {
    let subjects = fleet(9);
    let asked = Cell::new(0);
    let stop = || {
        asked.set(asked.get() + 1);
        (asked.get() > 3).then_some(Why::TimedOut(60))
    };
    let judged = diagnose_until(&subjects, &Choice::default(), &stop);
    assert_eq!((judged.left, judged.diagnoses.len()), (6, 1));
    let [diagnosis] = judged.diagnoses.as_slice() else { panic!("{judged:?}") };
    assert_eq!(diagnosis.target.represents.len(), 3);
    assert_eq!(diagnosis.verdict, Verdict::Inconclusive);
    let said = diagnosis.unknowns.iter().find(|unknown| unknown.what == "6 other pods").unwrap();
    assert_eq!(said.why, "no answer within 60 s");
    // Even where there is no time, one pod is judged.
    let none = diagnose_until(&subjects, &Choice::default(), &|| Some(Why::TimedOut(60)));
    assert_eq!((none.left, none.diagnoses.len()), (9, 1));
}

/// Changes that decide something, or that only look as if they did.
fn changed(pod: &mut Value, change: usize) {
    let container = "/spec/containers/0";
    let env = |pod: &mut Value| {
        pod.pointer_mut(&format!("{container}/env"))
            .and_then(Value::as_array_mut)
            .map(std::mem::take)
            .unwrap_or_default()
    };
    let set = |pod: &mut Value, name: &str, value: Value| {
        let mut all = env(pod);
        all.retain(|variable| variable["name"] != name);
        let mut variable = value;
        variable["name"] = json!(name);
        all.push(variable);
        if let Some(container) = pod.pointer_mut(container) {
            container["env"] = json!(all);
        }
    };
    let field = |path: &str| json!({ "valueFrom": { "fieldRef": { "fieldPath": path } } });
    match change {
        0 => {}
        1 => {
            let mut all = env(pod);
            all.retain(|variable| !variable["name"].as_str().unwrap_or_default().starts_with("AWS_"));
            if let Some(container) = pod.pointer_mut(container) {
                container["env"] = json!(all);
            }
        }
        2 => set(pod, "AWS_ROLE_ARN", json!({ "value": "arn:aws:iam::111122223333:role/other" })),
        3 => set(pod, "AWS_ROLE_SESSION_NAME", field("metadata.name")),
        4 => set(pod, "POD_NAME", field("metadata.name")),
        5 => set(pod, "AWS_REGION", field("metadata.labels['region']")),
        6 => pod["metadata"]["labels"]["eks.amazonaws.com/skip-pod-identity-webhook"] = json!("true"),
        7 => pod["metadata"]["annotations"]["eks.amazonaws.com/skip-containers"] = json!("app"),
        8 => pod["metadata"]["annotations"]["sidecar.istio.io/status"] = json!("{}"),
        9 => pod["metadata"]["deletionTimestamp"] = json!("2026-11-22T07:00:00Z"),
        10 => {
            let waiting =
                json!({ "waiting": { "reason": "CrashLoopBackOff", "message": pod["metadata"]["name"] } });
            pod["status"]["containerStatuses"] =
                json!([{ "name": "app", "restartCount": 7, "state": waiting }]);
        }
        11 => {
            let waiting =
                json!({ "waiting": { "reason": "ErrImagePull", "message": pod["metadata"]["name"] } });
            pod["status"]["containerStatuses"] = json!([{ "name": "app", "state": waiting }]);
        }
        12 => pod["spec"]["nodeName"] = json!("fargate-ip-10-0-1-17"),
        13 => pod["spec"]["nodeName"] = Value::Null,
        14 => pod["spec"]["serviceAccountName"] = json!("default"),
        15 => pod["metadata"]["labels"]["region"] = json!("eu-central-1"),
        16 => pod["metadata"]["creationTimestamp"] = json!("2026-11-01T00:00:03Z"),
        17 => pod["metadata"]["creationTimestamp"] = json!("2026-10-31T00:00:00Z"),
        18 => pod["metadata"]["creationTimestamp"] = Value::Null,
        19 => pod["status"]["podIP"] = json!("fd00::1"),
        20 => pod["metadata"]["ownerReferences"] = json!([]),
        21 => pod["metadata"]["labels"]["pod-template-hash"] = json!("other"),
        _ => pod["spec"]["volumes"] = json!([]),
    }
}

/// Gives two pods, which have the same fields, different values of one.
fn told_apart(pod: &mut Value, what: usize, second: bool) {
    let one_of = |values: [&str; 2]| json!(values[usize::from(second)]);
    match what {
        0 => pod["metadata"]["annotations"]["eks.amazonaws.com/skip-containers"] = one_of(["app", "other"]),
        1 => {
            pod["metadata"]["labels"]["eks.amazonaws.com/compute-type"] = one_of(["fargate", "ec2"]);
        }
        2 => pod["metadata"]["creationTimestamp"] = one_of(["2026-11-01T00:00:03Z", "2026-11-01T00:00:30Z"]),
        3 => pod["metadata"]["creationTimestamp"] = one_of(["2026-10-31T00:00:00Z", "2026-11-21T00:00:00Z"]),
        4 => pod["metadata"]["labels"]["eks.amazonaws.com/pod-identity"] = one_of(["enabled", "disabled"]),
        5 => pod["metadata"]["labels"]["region"] = one_of(["eu-central-1", "nowhere-1"]),
        6 => pod["metadata"]["labels"]["topology.kubernetes.io/region"] = one_of(["eu-west-1", "cn-north-1"]),
        7 => pod["spec"]["nodeName"] = one_of(["fargate-a", "ip-10-1-0-0.eu-west-1.compute.internal"]),
        _ => {
            pod["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"] =
                one_of(["app", "other"])
        }
    }
}

/// Changes the pods of a fleet two by two, others for each `round`.
fn vary(world: &mut World, namespace: &str, pod: &str, round: usize) {
    world.add_fleet(namespace, pod, 11).unwrap();
    let pods = world
        .objects
        .iter_mut()
        .filter(|object| object.resource.kind == "Pod" && object.namespace == namespace);
    for (index, object) in pods.enumerate() {
        // Bare pods are told apart by most.
        let change = if index % 4 < 2 { 1 } else { (index / 2 + round * 31) % 23 };
        changed(&mut object.value, change);
        changed(&mut object.value, (index / 2 + round) % 23);
        told_apart(&mut object.value, round % 9, index % 2 == 0);
    }
}

/// Judged together and each for itself, subjects give the same reports. How many of them were alike.
fn same_apart(subjects: &[Facts], whose: &str) -> usize {
    let together = until_the_end(subjects);
    assert_eq!(
        shown(&diagnose_all(&apart(subjects), &Choice::default())),
        shown(&together.diagnoses),
        "{whose}"
    );
    subjects.len() - together.worked_out
}

#[test]
fn no_pod_gets_anothers_verdict() {
    let mut shared = 0;
    for (index, file) in all_worlds(&worlds_dir()).unwrap().into_iter().enumerate() {
        let mut world = World::load(&file.path).unwrap();
        let pod = world.objects.iter().find(|object| object.resource.kind == "Pod");
        let Some((namespace, name, account)) = pod.map(|pod| {
            let account = pod.value["spec"]["serviceAccountName"].as_str().unwrap_or("default");
            (pod.namespace.clone(), pod.name.clone(), account.to_owned())
        }) else {
            continue;
        };
        vary(&mut world, &namespace, &name, index);
        let subjects = facts(&world, &namespace, &format!("sa/{account}"));
        shared += same_apart(&subjects, &format!("{} sa/{account}", file.path.display()));
    }
    assert!(shared > 500, "some are alike, or nothing was tried: {shared}");
}

/// What is asked of AWS, by action, where each pod's environment was changed so.
fn asked_of_aws(change: impl Fn(usize, &mut Vec<Value>)) -> BTreeMap<String, usize> {
    let mut world = base("eks.yaml");
    world.add_fleet("shop", "checkout-7d9f8b6c5d-x2x4z", 40).unwrap();
    let pods = world.objects.iter_mut().filter(|object| object.resource.kind == "Pod");
    for (index, pod) in pods.enumerate() {
        change(index, pod.value.pointer_mut("/spec/containers/0/env").unwrap().as_array_mut().unwrap());
    }
    let kube = FakeKube::start(&world);
    let aws = FakeAws::start(&world, Some(&kube));
    let directory = tempfile::tempdir().unwrap();
    let run = run(plugin()
        .env("KUBECONFIG", kube.kubeconfig(directory.path()))
        .envs(aws.env(directory.path()))
        .args(["debug", "deploy/checkout", "-n", "shop", "--no-probe", "-o", "json"]));
    assert_eq!((run.code, run.diagnosis()["verdict"].as_str()), (Some(0), Some("healthy")), "{run:?}");
    let mut asked = BTreeMap::new();
    for request in aws.requests() {
        *asked.entry(request.action.clone()).or_default() += 1;
    }
    asked
}

const TRIED: &str = "sts:AssumeRoleWithWebIdentity";

#[test]
fn aws_is_asked_once_for_a_role() {
    let session = |value: Value| {
        let mut variable = value;
        variable["name"] = json!("AWS_ROLE_SESSION_NAME");
        variable
    };
    let once = asked_of_aws(|_, _| ());
    assert!(once["iam:GetRole"] == 1 && once[TRIED] == 1, "{once:?}");
    // Names of sessions that are as many as the pods.
    let of_pod = json!({ "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } });
    assert_eq!(asked_of_aws(|_, env| env.push(session(of_pod.clone()))), once);
    // Different identities of one role: each is tried, and nothing else is asked twice.
    let mut named =
        asked_of_aws(|index, env| env.push(session(json!({ "value": format!("session-{}", index % 3) }))));
    assert_eq!(named.insert(TRIED.to_owned(), 1), Some(3));
    assert_eq!(named, once);
}
