//! Who may ask, what is denied, fails or hangs, and what the log says about it.

use super::*;
use rcgen::{CertificateParams, KeyPair};
use serde_json::json;
use std::time::Instant;

const PODS: &str = "/api/v1/namespaces/shop/pods";

fn unauthorized(kube: &FakeKube, auth: Auth) {
    let got = send(kube, &Call { target: PODS, auth, ..Call::default() });
    let recorded = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                          "message": "Unauthorized", "reason": "Unauthorized", "code": 401});
    assert_eq!((got.code, got.json()), (401, recorded));
}

#[test]
fn strangers_are_unauthorized() {
    let kube = shop();
    unauthorized(&kube, Auth::Token("wrong"));
    unauthorized(&kube, Auth::Nobody);
    let key = KeyPair::generate().unwrap();
    let chain = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap().pem();
    unauthorized(&kube, Auth::ClientCert { chain, key: key.serialize_pem() });
}

#[test]
fn a_client_certificate_will_do() {
    let ours = Authority::of_process();
    let (chain, key) = (ours.client_pem.clone(), ours.client_key_pem.clone());
    let auth = Auth::ClientCert { chain, key };
    assert_eq!(send(&shop(), &Call { target: PODS, auth, ..Call::default() }).code, 200);
}

#[test]
fn denials() {
    let header = "deny: [get serviceaccounts, create serviceaccounts/token, \"list pods -A\", get /version]
user: system:serviceaccount:shop:oncall\n";
    let kube = shop_with(header);
    let there = get(&kube, "/api/v1/namespaces/shop/serviceaccounts/checkout");
    let recorded = "serviceaccounts \"checkout\" is forbidden: User \"system:serviceaccount:shop:oncall\" cannot get \
                    resource \"serviceaccounts\" in API group \"\" in the namespace \"shop\"";
    assert_eq!((there.code, there.message().as_str()), (403, recorded));
    assert_eq!(
        get(&kube, "/api/v1/namespaces/shop/serviceaccounts/nobody").code,
        403,
        "not 404: it may not know"
    );
    assert_eq!(get(&kube, "/api/v1/namespaces/shop/serviceaccounts").code, 200, "list is another verb");
    let token = post(&kube, "/api/v1/namespaces/shop/serviceaccounts/checkout/token", &json!({}));
    assert!(token.message().contains("cannot create resource \"serviceaccounts/token\""));
    assert!(get(&kube, "/api/v1/pods").message().ends_with("at the cluster scope"));
    assert_eq!(get(&kube, PODS).code, 200);
    assert_eq!(get(&kube, "/version").json()["details"], json!({}));
}

#[test]
fn impersonation() {
    let kube = shop_with("deny: [list pods, impersonate groups]\n");
    let headers = [("Impersonate-User", "eve"), ("Impersonate-Uid", "7")];
    let got = send(&kube, &Call { target: PODS, headers: &headers, ..Call::default() });
    assert!(got.message().contains("User \"eve\" cannot list"), "{}", got.message());
    let headers = [("Impersonate-User", "eve"), ("Impersonate-Group", "a"), ("Impersonate-Group", "b")];
    let got = send(&kube, &Call { target: PODS, headers: &headers, ..Call::default() });
    let message = "groups \"a\" is forbidden: User \"oncall\" cannot impersonate resource \"groups\" in API group \
                   \"\" at the cluster scope";
    assert_eq!((got.code, got.message().as_str()), (403, message));
    let seen = kube.requests();
    assert_eq!(
        (seen[0].impersonate_user.as_deref(), seen[0].impersonate_uid.as_deref()),
        (Some("eve"), Some("7"))
    );
    assert_eq!(seen[1].impersonate_groups, ["a", "b"]);
}

#[test]
fn failures_come_before_denials() {
    let kube = shop_with("fail: {list events: 500, list nodes: 429}\ndeny: [\"* *\"]\n");
    let broken = get(&kube, "/api/v1/namespaces/shop/events");
    assert_eq!((broken.code, &broken.json()["reason"]), (500, &json!("InternalError")));
    let busy = get(&kube, "/api/v1/nodes");
    assert_eq!((busy.code, busy.header("retry-after")), (429, "1"));
    assert_eq!(get(&kube, PODS).code, 403);
    assert_eq!(get(&kube, "/version").code, 403);
}

#[test]
fn what_hangs_is_not_answered_and_does_not_stop_the_others() {
    let kube = shop_with("hang: [list events]\n");
    let hanging = open(&kube, &Call { target: "/api/v1/namespaces/shop/events", ..Call::default() });
    while kube.requests().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(get(&kube, PODS).code, 200);
    let seen = kube.requests();
    assert_eq!((seen[0].finished, seen[0].status), (None, None));
    assert_eq!(seen[1].status, Some(200));
    let started = Instant::now();
    drop(kube);
    assert!(started.elapsed() < Duration::from_secs(5), "dropping does not wait for it");
    drop(hanging);
}

#[test]
fn reviews_know_the_rules() {
    let kube = shop_with("deny: [patch pods/ephemeralcontainers]\n");
    let target = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let spec = json!({"resourceAttributes": {"namespace": "shop", "verb": "patch", "resource": "pods",
                                             "subresource": "ephemeralcontainers"}});
    let got = post(&kube, target, &json!({"spec": spec}));
    assert_eq!((got.code, &got.json()["status"]), (201, &json!({"allowed": false})));
    assert_eq!(got.json()["spec"], spec);
}

#[test]
fn the_log_tells_what_was_asked() {
    let kube = shop();
    get_as(&kube, "/api/v1/namespaces/shop/pods/worker", "application/json");
    post(&kube, "/api/v1/namespaces/shop/serviceaccounts/checkout/token", &json!({}));
    get(&kube, "/version?timeout=32s");
    let seen = kube.requests();
    let short: Vec<_> = seen
        .iter()
        .map(|s| (s.method.as_str(), s.verb.as_str(), s.resource.as_str(), s.name.as_str()))
        .collect();
    assert_eq!(
        short,
        [
            ("GET", "get", "pods", "worker"),
            ("POST", "create", "serviceaccounts/token", "checkout"),
            ("GET", "get", "/version", "")
        ]
    );
    assert_eq!((seen[0].accept.as_str(), seen[0].namespace.as_str()), ("application/json", "shop"));
    assert_eq!(seen[2].path_and_query, "/version?timeout=32s");
    assert_eq!(seen.iter().map(|s| s.status).collect::<Vec<_>>(), [Some(200), Some(201), Some(200)]);
}

#[test]
fn round_trips_are_counted_by_what_overlaps() {
    let kube = shop();
    kube.set_latency(Duration::from_millis(300));
    get(&kube, PODS);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| get(&kube, PODS));
        }
    });
    get(&kube, PODS);
    assert_eq!(kube.requests().len(), 6);
    assert_eq!(kube.sequential_depth(), 3);
    let seen = &kube.requests()[0];
    assert!(seen.finished.unwrap() - seen.started >= Duration::from_millis(300));
}

#[test]
fn kubeconfigs_carry_what_they_promise() {
    let kube = shop();
    let dir = tempfile::tempdir().unwrap();
    let read = |path| -> Value { serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap() };
    let config = read(kube.kubeconfig(dir.path()));
    assert_eq!(
        (&config["current-context"], &config["users"][0]["user"]["token"]),
        (&json!("world"), &json!(TOKEN))
    );
    assert_eq!(config["clusters"][0]["cluster"]["server"], kube.url());
    assert_eq!(config["contexts"][0]["context"]["namespace"], "default");
    assert!(read(kube.kubeconfig_client_cert(dir.path()))["users"][0]["user"]["client-key-data"].is_string());

    let exec = read(kube.kubeconfig_exec(dir.path()))["users"][0]["user"]["exec"].clone();
    let script = exec["args"][0].as_str().unwrap();
    let printed = std::process::Command::new(exec["command"].as_str().unwrap()).arg(script).output().unwrap();
    let credential: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(
        (&credential["kind"], &credential["status"]["token"]),
        (&json!("ExecCredential"), &json!(TOKEN))
    );
    assert!(kube.ca_pem().starts_with("-----BEGIN CERTIFICATE-----"));
}
