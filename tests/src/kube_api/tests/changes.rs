//! Ephemeral containers, and pods that come and go; recordings `ec-patch-*`, `rbac-denied-ephemeral` and
//! `watch-ephemeral-container`.

use super::*;
use serde_json::json;
use std::io::BufRead as _;

const POD: &str = "/api/v1/namespaces/shop/pods/checkout-1";
const EPHEMERAL: &str = "/api/v1/namespaces/shop/pods/checkout-1/ephemeralcontainers";

fn add(kube: &FakeKube, container: Value) -> Got {
    patch(kube, EPHEMERAL, &json!({"spec": {"ephemeralContainers": [container]}}))
}

fn plain(name: &str) -> Value {
    json!({"name": name, "image": "busybox:local", "imagePullPolicy": "Never"})
}

fn with(mut container: Value, key: &str, value: Value) -> Value {
    container[key] = value;
    container
}

#[test]
fn an_ephemeral_container() {
    let kube = shop();
    let before = get(&kube, POD).json();
    let dry = patch(
        &kube,
        &format!("{EPHEMERAL}?dryRun=All"),
        &json!({"spec": {"ephemeralContainers": [plain("a")]}}),
    );
    assert_eq!(dry.code, 200);
    assert_eq!(get(&kube, POD).json(), before, "a dry run changes nothing");
    let added = add(&kube, plain("a")).json();
    let expected = json!({
        "name": "a", "image": "busybox:local", "imagePullPolicy": "Never", "resources": {},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
    });
    assert_eq!(added["spec"]["ephemeralContainers"], json!([expected]));
    assert_eq!(added["metadata"]["generation"], 2);
    let second = add(&kube, plain("b")).json();
    let names: Vec<&Value> =
        second["spec"]["ephemeralContainers"].as_array().unwrap().iter().map(|c| &c["name"]).collect();
    assert_eq!(names, ["b", "a"], "the newest comes first");
    assert_eq!(get(&kube, POD).json(), second);
}

#[test]
fn new_volumes_are_dropped() {
    let kube = shop();
    let body =
        json!({"spec": {"volumes": [{"name": "x", "emptyDir": {}}], "ephemeralContainers": [plain("a")]}});
    let got = patch(&kube, EPHEMERAL, &body);
    assert_eq!((got.code, &got.json()["spec"]["volumes"]), (200, &Value::Null));
}

#[test]
fn refusals_are_as_recorded() {
    let kube = shop();
    let mount = json!([{"name": "aws-iam-token", "mountPath": "/x", "subPath": "token"}]);
    let forbidden =
        with(with(plain("x"), "resources", json!({"limits": {"memory": "16Mi"}})), "volumeMounts", mount);
    for (container, problem) in [
        (plain("app"), "spec.ephemeralContainers[0].name: Duplicate value: \"app\""),
        (
            with(plain("x"), "targetContainerName", json!("nope")),
            "spec.ephemeralContainers[0].targetContainerName: Not found: \"nope\"",
        ),
        (
            with(plain("x"), "volumeMounts", json!([{"name": "nope", "mountPath": "/x"}])),
            "spec.ephemeralContainers[0].volumeMounts[0].name: Not found: \"nope\"",
        ),
        (
            forbidden,
            "[spec.ephemeralContainers[0].resources: Forbidden: cannot be set for an Ephemeral Container, \
             spec.ephemeralContainers[0].volumeMounts[0].name: Not found: \"aws-iam-token\", \
             spec.ephemeralContainers[0].volumeMounts[0].subPath: Forbidden: cannot be set for an Ephemeral Container]",
        ),
    ] {
        let got = add(&kube, container);
        assert_eq!((got.code, got.message()), (422, format!("Pod \"checkout-1\" is invalid: {problem}")));
        assert_eq!(got.json()["reason"], "Invalid");
    }
    let details = add(&kube, plain("app")).json()["details"].clone();
    let cause = json!({"reason": "FieldValueDuplicate", "message": "Duplicate value: \"app\"",
                       "field": "spec.ephemeralContainers[0].name"});
    assert_eq!(details, json!({"name": "checkout-1", "kind": "Pod", "causes": [cause]}));
    add(&kube, plain("x"));
    let changed = add(&kube, with(plain("x"), "image", json!("busybox:other")));
    let message = "Pod \"checkout-1\" is invalid: spec.ephemeralContainers: Forbidden: existing ephemeral containers \
                   \"x\" may not be changed\n";
    assert_eq!((changed.code, changed.message().as_str()), (422, message));
    let lost = patch(&kube, "/api/v1/namespaces/shop/pods/nope/ephemeralcontainers", &json!({}));
    assert_eq!((lost.code, lost.message().as_str()), (404, "pods \"nope\" not found"));
}

#[test]
fn who_may_not() {
    let denied = add(&shop_with("deny: [patch pods/ephemeralcontainers]\n"), plain("x"));
    let message = "pods \"checkout-1\" is forbidden: User \"oncall\" cannot patch resource \
                   \"pods/ephemeralcontainers\" in API group \"\" in the namespace \"shop\"";
    assert_eq!((denied.code, denied.message().as_str()), (403, message));
    let missing = add(&shop_with("missing: [pods/ephemeralcontainers]\n"), plain("x"));
    assert_eq!((missing.code, &missing.json()["details"]), (404, &json!({})));
    let policy = "admissionPolicy: {name: no-debug, binding: everywhere, message: no debugging here}\n";
    let refused = add(&shop_with(policy), plain("x"));
    let message = "pods \"checkout-1\" is forbidden: ValidatingAdmissionPolicy 'no-debug' with binding 'everywhere' \
                   denied request: no debugging here";
    assert_eq!((refused.code, refused.message().as_str()), (422, message));
}

/// The shop in a namespace with a level.
fn level(level: &str, context: &Value) -> FakeKube {
    let text = SHOP.replace("#HEADER\n", "").replace(
        "[{name: app, image: app}]}\n  status: {phase: Running}",
        &format!("[{{name: app, image: app, securityContext: {context}}}]}}\n  status: {{phase: Running}}"),
    );
    let mut world = World::parse("shop", &text).unwrap();
    world.objects.retain(|object| object.resource.kind != "Namespace");
    let labels = json!({"pod-security.kubernetes.io/enforce": level});
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": labels}});
    world.extend([namespace]).unwrap();
    FakeKube::start(&world)
}

#[test]
fn pod_security() {
    let tight = json!({"allowPrivilegeEscalation": false, "runAsNonRoot": true, "capabilities": {"drop": ["ALL"]},
                       "seccompProfile": {"type": "RuntimeDefault"}});
    let restricted = level("restricted", &tight);
    let refused = add(&restricted, plain("irsa-probe-c1"));
    let message = "pods \"checkout-1\" is forbidden: violates PodSecurity \"restricted:latest\": \
                   allowPrivilegeEscalation != false (container \"irsa-probe-c1\" must set \
                   securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \
                   \"irsa-probe-c1\" must set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or \
                   container \"irsa-probe-c1\" must set securityContext.runAsNonRoot=true), seccompProfile (pod or \
                   container \"irsa-probe-c1\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \
                   \"Localhost\")";
    assert_eq!((refused.code, refused.message().as_str()), (403, message));
    assert_eq!(add(&restricted, with(plain("x"), "securityContext", tight.clone())).code, 200);
    let old = add(&level("restricted", &json!({})), with(plain("x"), "securityContext", tight)).message();
    assert!(old.contains("container \"app\" must set"), "the whole pod is judged: {old}");
    let baseline = level("baseline", &json!({}));
    assert_eq!(add(&baseline, plain("x")).code, 200);
    let ptrace = json!({"capabilities": {"add": ["SYS_PTRACE"]}});
    assert_eq!(add(&baseline, with(plain("y"), "securityContext", ptrace)).code, 403);
}

#[test]
fn pods_come_and_go_before_the_eyes_of_a_watch() {
    let kube = shop();
    let list = get(&kube, "/api/v1/namespaces/shop/pods").json();
    let revision = list["metadata"]["resourceVersion"].as_str().unwrap();
    let target =
        format!("/api/v1/namespaces/shop/pods?watch=true&timeoutSeconds=1&resourceVersion={revision}");
    let mut watch = open(&kube, &Call { target: &target, ..Call::default() });
    let pods = "/api/v1/namespaces/shop/pods";
    let pod = json!({"metadata": {"name": "new"}, "kind": "Pod", "apiVersion": "v1",
                     "spec": {"serviceAccountName": "checkout", "containers": [plain("a")]}});
    let created = post(&kube, pods, &pod);
    assert_eq!((created.code, &created.json()["status"]["phase"]), (201, &json!("Pending")));
    assert_eq!(post(&kube, pods, &pod).json()["reason"], "AlreadyExists");
    add(&kube, plain("x"));
    let gone = Call { method: "DELETE", target: &format!("{pods}/new"), ..Call::default() };
    assert_eq!(send(&kube, &gone).json()["metadata"]["name"], "new");
    assert_eq!(send(&kube, &gone).code, 404);
    let mut events = Vec::new();
    let mut line = String::new();
    while watch.read_line(&mut line).is_ok_and(|length| length > 0) {
        // Chunks have lines with their sizes in between.
        let event: Value = serde_json::from_str(line.trim()).unwrap_or_default();
        if let Some(kind) = event["type"].as_str() {
            events.push(format!("{kind} {}", event["object"]["metadata"]["name"].as_str().unwrap()));
        }
        line.clear();
    }
    assert_eq!(events, ["ADDED new", "MODIFIED checkout-1", "MODIFIED new", "DELETED new"]);
}

#[test]
fn pods_that_are_refused() {
    let kube = shop();
    let pods = "/api/v1/namespaces/shop/pods";
    let stranger = json!({"metadata": {"name": "x"}, "kind": "Pod", "apiVersion": "v1",
                          "spec": {"serviceAccountName": "gone", "containers": [plain("a")]}});
    let got = post(&kube, pods, &stranger);
    let message = "pods \"x\" is forbidden: error looking up service account shop/gone: serviceaccount \"gone\" not found";
    assert_eq!((got.code, got.message().as_str()), (403, message));
    let body = json!({"preconditions": {"uid": "another"}}).to_string();
    let call = Call { method: "DELETE", target: POD, body: &body, ..Call::default() };
    assert_eq!(send(&kube, &call).code, 409);
    assert_eq!(get(&kube, POD).code, 200, "it is still there");
}
