//! Getting, listing, paging, watching, and the forms of an answer.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use std::time::Instant;

const PARTIAL: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const PARTIAL_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

#[test]
fn every_answer_has_the_worlds_date_and_an_audit_id() {
    let kube = shop_with("now: 2026-11-22T08:00:00Z\n");
    let (one, two) = (get(&kube, "/version"), get(&kube, "/nowhere"));
    for got in [&one, &two] {
        assert_eq!(got.header("date"), "Sun, 22 Nov 2026 08:00:00 GMT");
        assert_eq!(got.header("audit-id").len(), 36);
    }
    assert_ne!(one.header("audit-id"), two.header("audit-id"));
}

#[test]
fn objects_of_core_and_of_groups() {
    let kube = shop();
    let pod = get(&kube, "/api/v1/namespaces/shop/pods/checkout-1").json();
    assert_eq!((&pod["kind"], &pod["spec"]["nodeName"]), (&json!("Pod"), &json!("node-1")));
    let deployment = get(&kube, "/apis/apps/v1/namespaces/shop/deployments/checkout").json();
    assert_eq!(deployment["apiVersion"], "apps/v1");
    assert_eq!(get(&kube, "/api/v1/namespaces/shop").json()["kind"], "Namespace");
    assert_eq!(get(&kube, "/api/v1/nodes/node-1").json()["kind"], "Node");
}

#[test]
fn four_kinds_of_not_found() {
    let kube = shop_with("missing: [daemonsets]\n");
    let object = get(&kube, "/api/v1/namespaces/shop/pods/nope");
    assert_eq!((object.code, object.message()), (404, "pods \"nope\" not found".to_owned()));
    assert_eq!(object.json()["details"], json!({"name": "nope", "kind": "pods"}));
    for target in [
        "/apis/apps/v1/namespaces/shop/daemonsets",
        "/apis/apps/v1/namespaces/shop/daemonsets/x",
        "/api/v1/namespaces/shop/podds",
        "/api/v1/namespaces/shop/pods/checkout-1/nonsense",
        "/api/v1/pods/checkout-1",
    ] {
        let got = get(&kube, target);
        assert_eq!(got.message(), "the server could not find the requested resource", "{target}");
        assert_eq!((got.code, &got.json()["details"]), (404, &json!({})));
    }
    for target in ["/apis/karpenter.sh/v1/nodepools", "/apis/apps/v1beta1/deployments", "/nowhere"] {
        let got = get(&kube, target);
        assert_eq!((got.code, got.body.as_str()), (404, "404 page not found\n"), "{target}");
        assert_eq!(got.header("content-type"), "text/plain; charset=utf-8");
    }
}

#[test]
fn lists_look_like_lists() {
    let kube = shop();
    let got = get(&kube, "/api/v1/namespaces/shop/pods");
    let list = got.json();
    assert_eq!((&list["kind"], &list["apiVersion"]), (&json!("PodList"), &json!("v1")));
    assert!(list["metadata"]["resourceVersion"].as_str().unwrap().parse::<u64>().unwrap() > 0);
    assert!(list["metadata"]["continue"].is_null());
    assert_eq!(got.names(), ["checkout-1", "checkout-2", "worker"]);
    assert!(list["items"][0]["kind"].is_null(), "items of a list carry no kind");
    assert_eq!(get(&kube, "/api/v1/pods").names(), ["a", "checkout-1", "checkout-2", "worker"]);
    assert_eq!(get(&kube, "/api/v1/namespaces/empty/pods").names(), [""; 0]);
    let webhooks = get(&kube, "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations");
    assert_eq!(webhooks.json()["kind"], "MutatingWebhookConfigurationList");
    assert_eq!(webhooks.names(), ["pod-identity-webhook"]);
}

#[test]
fn selectors() {
    let kube = shop();
    let names = |query: &str| get(&kube, &format!("/api/v1/namespaces/shop/pods?{query}")).names();
    assert_eq!(names("labelSelector=app%3Dworker"), ["worker"]);
    assert_eq!(names("labelSelector=app+notin+(worker)"), ["checkout-1", "checkout-2"]);
    assert_eq!(names("fieldSelector=metadata.name%3Dworker"), ["worker"]);
    assert_eq!(names("fieldSelector=spec.serviceAccountName=checkout,spec.nodeName=node-1"), ["checkout-1"]);
    let events = "/api/v1/namespaces/shop/events?fieldSelector=involvedObject.name%3Dworker,type=Warning";
    assert_eq!(get(&kube, events).names(), ["worker.1"]);
    let bad = get(&kube, "/api/v1/namespaces/shop/pods?fieldSelector=spec.foo%3Dx");
    assert_eq!((bad.code, bad.message()), (400, "field label not supported: spec.foo".to_owned()));
    assert_eq!(bad.json()["reason"], "BadRequest");
}

#[test]
fn pages() {
    let kube = shop();
    let first = get(&kube, "/api/v1/namespaces/shop/pods?limit=2");
    assert_eq!(first.names(), ["checkout-1", "checkout-2"]);
    assert_eq!(first.json()["metadata"]["remainingItemCount"], 1);
    let token = first.json()["metadata"]["continue"].as_str().unwrap().to_owned();
    let inside: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&token).unwrap()).unwrap();
    assert_eq!((&inside["v"], &inside["start"]), (&json!("meta.k8s.io/v1"), &json!("checkout-2\0")));
    let second = get(&kube, &format!("/api/v1/namespaces/shop/pods?limit=2&continue={token}"));
    assert_eq!(second.names(), ["worker"]);
    assert!(second.json()["metadata"]["continue"].is_null());

    let selected = get(&kube, "/api/v1/pods?limit=1&labelSelector=app").json();
    assert!(selected["metadata"]["continue"].is_string());
    assert!(selected["metadata"]["remainingItemCount"].is_null(), "unknown with a selector");
}

#[test]
fn all_pages_across_namespaces() {
    let kube = shop();
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let page = get(&kube, &format!("/api/v1/pods?limit=1&continue={token}"));
        names.extend(page.names());
        match page.json()["metadata"]["continue"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(names, ["a", "checkout-1", "checkout-2", "worker"], "shop-2/ sorts before shop/");
}

#[test]
fn bad_and_expired_continue_tokens() {
    let kube = shop();
    let pods = "/api/v1/namespaces/shop/pods?limit=2&continue=";
    let bad = get(&kube, &format!("{pods}abc"));
    let recorded = "invalid continue token: continue key is not valid: invalid character 'i' looking for beginning of value";
    assert_eq!((bad.code, bad.message().as_str()), (400, recorded));
    let no_base64 = get(&kube, &format!("{pods}ab$d")).message();
    assert!(no_base64.ends_with("illegal base64 data at input byte 2"), "{no_base64}");

    let token = get(&kube, "/api/v1/namespaces/shop/pods?limit=2").json()["metadata"]["continue"].clone();
    kube.expire_continue_tokens();
    let expired = get(&kube, &format!("{pods}{}", token.as_str().unwrap()));
    assert_eq!((expired.code, &expired.json()["reason"]), (410, &json!("Expired")));
    let go_on = expired.json()["metadata"]["continue"].as_str().unwrap().to_owned();
    assert_eq!(get(&kube, &format!("{pods}{go_on}")).names(), ["worker"], "the inconsistent rest");
}

#[test]
fn metadata_only() {
    let kube = shop();
    let one = get_as(&kube, "/api/v1/namespaces/shop/secrets/aws", PARTIAL).json();
    assert_eq!(
        (&one["kind"], &one["apiVersion"]),
        (&json!("PartialObjectMetadata"), &json!("meta.k8s.io/v1"))
    );
    assert_eq!((&one["metadata"]["name"], &one["data"]), (&json!("aws"), &Value::Null));
    let got = get_as(&kube, "/api/v1/namespaces/shop/secrets?limit=5", PARTIAL_LIST);
    let list = got.json();
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    assert_eq!(list["items"][0]["kind"], "PartialObjectMetadata");
    assert!(!got.body.contains("c2VjcmV0"));
    assert_eq!(kube.secret_values_read(), 0);

    let wrong = get_as(&kube, "/api/v1/namespaces/shop/pods", PARTIAL);
    assert_eq!((wrong.code, &wrong.json()["reason"]), (406, &json!("NotAcceptable")));
    assert_eq!(get_as(&kube, "/api/v1/namespaces/shop/pods/worker", PARTIAL_LIST).code, 406);
    assert_eq!(get_as(&kube, "/api/v1/pods", "application/vnd.kubernetes.protobuf").code, 406);
}

#[test]
fn reading_secret_values_is_noticed() {
    let kube = shop_with("deny: [list secrets]\n");
    get(&kube, "/api/v1/namespaces/shop/secrets/aws");
    assert_eq!(kube.secret_values_read(), 1);
    get(&kube, "/api/v1/secrets");
    get_as(&kube, "/api/v1/namespaces/shop/secrets?watch=1&timeoutSeconds=1", "application/json");
    get_as(&kube, "/api/v1/namespaces/shop/secrets/aws", "application/vnd.kubernetes.protobuf");
    assert_eq!(kube.secret_values_read(), 4, "whatever the answer was");
    get_as(&kube, "/api/v1/namespaces/shop/secrets?watch=1&timeoutSeconds=1", PARTIAL);
    assert_eq!(kube.secret_values_read(), 4);
}

fn events(got: &Got) -> Vec<Value> {
    got.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn watches_start_with_what_is_there() {
    let kube = shop();
    let started = Instant::now();
    let query = "watch=true&fieldSelector=metadata.name%3Dworker&timeoutSeconds=1";
    let got = get(&kube, &format!("/api/v1/namespaces/shop/pods?{query}"));
    assert!(started.elapsed() >= Duration::from_secs(1), "open until the timeout");
    assert_eq!(got.header("content-type"), "application/json");
    let events = events(&got);
    assert_eq!(events.len(), 1);
    assert_eq!((&events[0]["type"], &events[0]["object"]["kind"]), (&json!("ADDED"), &json!("Pod")));
    assert_eq!(kube.requests()[0].verb, "watch");
}

#[test]
fn watches_from_a_version_and_streaming_lists() {
    let kube = shop();
    let list = get(&kube, "/api/v1/pods").json();
    let version = list["metadata"]["resourceVersion"].as_str().unwrap();
    let since = get(&kube, &format!("/api/v1/pods?watch=1&timeoutSeconds=1&resourceVersion={version}"));
    assert_eq!(since.body, "");
    let query = "watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
    let streamed = events(&get(&kube, &format!("/api/v1/namespaces/shop/pods?{query}")));
    let types: Vec<&str> = streamed.iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["ADDED", "ADDED", "ADDED", "BOOKMARK"]);
    assert_eq!(streamed[3]["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
}

#[test]
fn methods_without_a_route() {
    let kube = shop();
    let target = "/api/v1/namespaces/shop/serviceaccounts/checkout";
    let got = send(&kube, &Call { method: "PUT", target, ..Call::default() });
    assert_eq!((got.code, &got.json()["reason"]), (405, &json!("MethodNotAllowed")));
}
