//! Objects that are written, and what comes of it.

use super::*;
use crate::world::bases_dir;
use serde_json::json;

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/shop/deployments/checkout";
const ACCOUNTS: &str = "/api/v1/namespaces/shop/serviceaccounts";
const PODS: &str = "/api/v1/namespaces/shop/pods";

fn eks() -> FakeKube {
    FakeKube::start(&World::load(&bases_dir().join("eks.yaml")).unwrap())
}

/// The only pod of the shop.
fn pod(kube: &FakeKube) -> Value {
    let pods = get(kube, PODS).json();
    let [pod] = pods["items"].as_array().unwrap().as_slice() else { panic!("{pods}") };
    pod.clone()
}

fn variable(pod: &Value, name: &str) -> Value {
    let env = pod["spec"]["containers"][0]["env"].as_array().unwrap();
    env.iter()
        .find(|variable| variable["name"] == name)
        .map_or(Value::Null, |variable| variable["value"].clone())
}

#[test]
fn a_changed_template_gives_new_pods() {
    let kube = eks();
    let before = pod(&kube);
    let annotation = json!({"metadata": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/other"}}});
    let account = format!("{ACCOUNTS}/checkout");
    assert_eq!(patch(&kube, &account, &annotation).code, 200);
    assert_eq!(pod(&kube), before, "the webhook sees new pods only");
    let restart = json!({"spec": {"template": {"metadata": {"annotations": {"restarted": "now"}}}}});
    let deployment = patch(&kube, DEPLOYMENT, &restart).json();
    assert_eq!(deployment["metadata"]["generation"], 2);
    let after = pod(&kube);
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_ne!(
        after["metadata"]["ownerReferences"][0]["name"],
        before["metadata"]["ownerReferences"][0]["name"]
    );
    assert_eq!(after["spec"]["nodeName"], before["spec"]["nodeName"]);
    assert_eq!(variable(&after, "AWS_ROLE_ARN"), "arn:aws:iam::111122223333:role/other");
    // The same patch again changes nothing.
    patch(&kube, DEPLOYMENT, &restart);
    assert_eq!(pod(&kube), after);
    let target = format!("{PODS}/{}", after["metadata"]["name"].as_str().unwrap());
    assert_eq!(send(&kube, &Call { method: "DELETE", target: &target, ..Call::default() }).code, 200);
    assert_ne!(pod(&kube)["metadata"]["uid"], after["metadata"]["uid"]);
}

#[test]
fn what_is_not_written() {
    let kube = eks();
    let before = pod(&kube);
    let container = |field: &str, value: Value| json!({"spec": {"template": {"spec": {"containers": [{"name": "app", field: value}]}}}});
    let strict = format!("{DEPLOYMENT}?fieldValidation=Strict");
    for (target, body, code, words) in [
        (DEPLOYMENT, container("imagePullPolice", json!("Always")), 200, ""),
        (strict.as_str(), container("imagePullPolice", json!("Always")), 400, "unknown field"),
        (DEPLOYMENT, container("env", json!([{"name": "A", "value": 1}])), 400, "invalid type"),
        (
            DEPLOYMENT,
            container("volumeMounts", json!([{"name": "x", "mountPath": "/x"}])),
            422,
            "Not found: \"x\"",
        ),
        (DEPLOYMENT, json!({"spec": {"selector": {"matchLabels": {"app": "x"}}}}), 422, "field is immutable"),
        (
            DEPLOYMENT,
            json!({"spec": {"template": {"metadata": {"labels": {"app": "x"}}}}}),
            422,
            "does not match",
        ),
        (DEPLOYMENT, json!({"metadata": {"labels": {"a b": "x"}}}), 422, "name part must consist"),
    ] {
        let got = patch(&kube, target, &body);
        assert_eq!(got.code, code, "{body}: {}", got.body);
        assert!(got.body.contains(&words.replace('"', "\\\"")), "{body}: {}", got.body);
    }
    assert_eq!(pod(&kube), before);
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "checkout"}});
    assert_eq!(post(&kube, ACCOUNTS, &account).code, 409);
    assert_eq!(post(&kube, "/api/v1/namespaces/nowhere/serviceaccounts", &account).code, 404);
    let denied = shop_with("deny: [create serviceaccounts]\n");
    assert_eq!(post(&denied, ACCOUNTS, &account).code, 403);
}
