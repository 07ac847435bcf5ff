//! Container logs.

use super::*;
use serde_json::json;

const LOGS: &str = "logs:
  shop/checkout-1/app:
    current: |
      2026-11-22T07:00:00.5Z one
      2026-11-22T07:00:01Z two
      2026-11-22T07:00:02Z three
    previous: |
      2026-11-22T06:00:00Z before
";

fn log(kube: &FakeKube, pod: &str, query: &str) -> Got {
    get_as(kube, &format!("/api/v1/namespaces/shop/pods/{pod}/log?{query}"), "*/*")
}

#[test]
fn what_the_world_gives() {
    let kube = shop_with(LOGS);
    let got = log(&kube, "checkout-1", "");
    assert_eq!(
        (got.code, got.header("content-type"), got.body.as_str()),
        (200, "text/plain", "one\ntwo\nthree\n")
    );
    for (query, expected) in [
        ("container=app&tailLines=2", "two\nthree\n"),
        ("previous=true", "before\n"),
        ("timestamps=true&tailLines=1", "2026-11-22T07:00:02Z three\n"),
        ("tailLines=2&limitBytes=5", "two\nt"),
    ] {
        assert_eq!(log(&kube, "checkout-1", query).body, expected, "{query}");
    }
}

#[test]
fn refusals_are_those_of_a_kubelet() {
    let mut world =
        World::parse("shop", &SHOP.replace("#HEADER\n", "deny: [get pods/log -n shop-2]\n")).unwrap();
    let status = |name: &str, state: Value| json!({"name": name, "state": state, "lastState": {}});
    world
        .extend([json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "many", "namespace": "shop"},
            "spec": {"initContainers": [{"name": "init"}], "containers": [{"name": "app"}, {"name": "side"}]},
            "status": {
                "initContainerStatuses": [status("init", json!({"terminated": {"exitCode": 0}}))],
                "containerStatuses": [
                    status("app", json!({"waiting": {"reason": "ImagePullBackOff"}})),
                    status("side", json!({"waiting": {"reason": "PodInitializing"}})),
                ],
            },
        })])
        .unwrap();
    let kube = FakeKube::start(&world);
    for (pod, query, code, message) in [
        ("nobody", "", 404, "pods \"nobody\" not found"),
        ("many", "", 400, "a container name must be specified for pod many, choose one of: [init app side]"),
        ("many", "container=x", 400, "container x is not valid for pod many"),
        (
            "many",
            "container=app",
            400,
            "container \"app\" in pod \"many\" is waiting to start: trying and failing to pull image",
        ),
        (
            "many",
            "container=side",
            400,
            "container \"side\" in pod \"many\" is waiting to start: PodInitializing",
        ),
        (
            "many",
            "container=init&previous=true",
            400,
            "previous terminated container \"init\" in pod \"many\" not found",
        ),
        ("worker", "", 400, "container \"app\" in pod \"worker\" is not available"),
    ] {
        let got = log(&kube, pod, query);
        assert_eq!((got.code, got.message().as_str()), (code, message), "{pod}?{query}");
    }
    let silent = log(&kube, "many", "container=init");
    assert_eq!((silent.code, silent.body.as_str()), (200, ""), "it has run");
    let denied = get(&kube, "/api/v1/namespaces/shop-2/pods/a/log");
    let message = "pods \"a\" is forbidden: User \"oncall\" cannot get resource \"pods/log\" in API group \"\" in the \
                   namespace \"shop-2\"";
    assert_eq!((denied.code, denied.message().as_str()), (403, message));
}
