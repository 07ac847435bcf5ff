//! Tests of the fake kubelet: what is added to a pod by hand, over the wire, and what becomes of it.

mod failures;
mod probe;

use super::Kubelet;
use crate::aws::FakeAws;
use crate::kube_api::FakeKube;
use crate::kube_api::tests::{Call, get, open, patch, post, send};
use crate::world::World;
use serde_json::{Value, json};
use std::io::BufRead as _;

const SHOP: &str = include_str!("shop.yaml");
const PODS: &str = "/api/v1/namespaces/shop/pods";

/// A world at work. The kubelet stops first.
struct Shop {
    kubelet: Kubelet,
    kube: FakeKube,
    aws: FakeAws,
}

/// The shop with another `kubelet`, and with a part of its text replaced.
fn shop(kubelet: &str, replace: (&str, &str)) -> Shop {
    let text = SHOP.replace("kubelet: {}", &format!("kubelet: {kubelet}")).replace(replace.0, replace.1);
    let world = World::parse("shop", &text).unwrap_or_else(|error| panic!("{error}"));
    let kube = FakeKube::start(&world);
    let aws = FakeAws::start(&world, Some(&kube));
    let kubelet = Kubelet::start(&world, &kube, Some(&aws)).unwrap();
    Shop { kubelet, kube, aws }
}

/// A probe as the plugin adds it: the target's user, environment and mounts.
fn probe(name: &str) -> Value {
    json!({
        "name": name, "image": "irsa-probe:1", "targetContainerName": "app", "args": ["--budget", "4096", "--deadline", "9000"],
        "env": [
            {"name": "AWS_REGION", "value": "eu-west-1"},
            {"name": "AWS_ROLE_ARN", "value": "arn:aws:iam::111122223333:role/shop-checkout"},
            {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"},
        ],
        "volumeMounts": [{"name": "aws-iam-token", "readOnly": true,
                          "mountPath": "/var/run/secrets/eks.amazonaws.com/serviceaccount"}],
        "securityContext": {"runAsUser": 1000, "runAsGroup": 1000, "allowPrivilegeEscalation": false,
                            "capabilities": {"drop": ["ALL"]}},
    })
}

impl Shop {
    /// Adds a container, and follows it until its state is of this kind.
    fn add(&self, container: &Value, until: &str) -> Value {
        let body = json!({"spec": {"ephemeralContainers": [container]}});
        let pod = get(&self.kube, &format!("{PODS}/checkout")).json();
        let patched = patch(&self.kube, &format!("{PODS}/checkout/ephemeralcontainers"), &body);
        assert_eq!(patched.code, 200, "{}", patched.body);
        let since = pod["metadata"]["resourceVersion"].as_str().unwrap();
        self.follow("checkout", "ephemeralContainerStatuses", &container["name"], until, since)
    }

    /// Watches a pod until the state of a container is of this kind, and more than that it is being created.
    fn follow(&self, pod: &str, kind: &str, name: &Value, until: &str, since: &str) -> Value {
        let target = format!("{PODS}?watch=true&fieldSelector=metadata.name={pod}&resourceVersion={since}");
        let mut watch = open(&self.kube, &Call { target: &target, ..Call::default() });
        let mut line = String::new();
        loop {
            line.clear();
            let read = watch.read_line(&mut line);
            assert!(read.is_ok_and(|length| length > 0), "no such event: {:?}", self.kubelet.problems());
            // Chunks have lines with their sizes in between.
            let Ok(event) = serde_json::from_str::<Value>(line.trim()) else { continue };
            let statuses = event["object"]["status"][kind].as_array();
            let status = statuses.into_iter().flatten().find(|status| status["name"] == *name);
            let creating = |status: &&Value| status["state"]["waiting"]["reason"] == "ContainerCreating";
            let status = status.filter(|status| !status["state"][until].is_null());
            if let Some(status) = status.filter(|status| !creating(status)) {
                return status.clone();
            }
        }
    }

    /// Runs a probe and reads its report.
    fn report(&self, container: &Value) -> Value {
        let status = self.add(container, "terminated");
        let ended = &status["state"]["terminated"];
        let message =
            ended["message"].as_str().unwrap_or_else(|| panic!("{status} {:?}", self.kubelet.problems()));
        serde_json::from_str(message).unwrap_or_else(|error| panic!("{error}: {message}"))
    }
}

impl Shop {
    /// The report that a probe wrote to its log.
    fn full_report(&self, name: &str) -> Value {
        let log = get(&self.kube, &format!("{PODS}/checkout/log?container={name}"));
        serde_json::from_str(&log.body).unwrap_or_else(|error| panic!("{error}: {}", log.body))
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.kubelet.problems(), Vec::<String>::new());
            assert_eq!(self.aws.problems(), Vec::<String>::new());
        }
    }
}
