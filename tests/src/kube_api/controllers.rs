//! What controllers and nodes do about a write: pods are made from their template, go through admission, and run.

use super::logs::ContainerLog;
use super::pods::Pods;
use super::resources::by_path;
use super::status::Answer;
use super::writes::{Written, template};
use crate::world::{Object, uid_of};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What the controllers need.
pub struct Controllers<'s> {
    /// Pods and their admission.
    pub pods: Pods<'s>,
    /// What containers have logged, by `NAMESPACE/POD/CONTAINER`.
    pub logs: &'s Mutex<BTreeMap<String, ContainerLog>>,
}

/// Labels that controllers add to the pods.
const HASH: &str = "pod-template-hash";

impl Controllers<'_> {
    /// Acts upon what was written.
    pub fn act(&self, written: &Written) {
        let Some(after) = &written.after else { return };
        let kind = after.resource.kind;
        let changed = written
            .before
            .as_ref()
            .is_none_or(|before| template(kind, &before.value) != template(kind, &after.value));
        match kind {
            "Deployment" | "StatefulSet" | "DaemonSet" if changed => {
                self.roll_out(after, written.before.as_deref());
            }
            // What kept pods from being created may be gone.
            "ServiceAccount" | "MutatingWebhookConfiguration" | "Namespace" => self.retry(),
            _ => {}
        }
    }

    /// A pod was deleted: its controller makes another one.
    pub fn replace(&self, pod: &Value) {
        let Some(owner) = controller(pod) else { return };
        let resources = ["replicasets", "statefulsets", "daemonsets"].map(|plural| by_path("apps", plural));
        let resource = resources.into_iter().flatten().find(|resource| owner["kind"] == resource.kind);
        let (namespace, name) = (text(&pod["metadata"]["namespace"]), text(&owner["name"]));
        let Some(set) = resource.and_then(|resource| self.pods.store.find(resource, namespace, name)) else {
            return;
        };
        self.create(&set, &set.value["spec"]["template"], Some(pod));
    }

    /// A DaemonSet whose pods use the nodes' network, and its pods; false if there is one of this name.
    pub fn install(&self, namespace: &str, name: &str) -> bool {
        let labels = json!({"app.kubernetes.io/name": name, "app.kubernetes.io/instance": name});
        let image = "602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/eks-pod-identity-agent:v0.1.33";
        let template = json!({"metadata": {"labels": labels},
            "spec": {"hostNetwork": true, "containers": [{"name": name, "image": image}]}});
        let set = Object::new(json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": {"name": name, "namespace": namespace, "labels": labels,
                         "creationTimestamp": self.pods.now.to_string()},
            "spec": {"selector": {"matchLabels": labels}, "template": template},
        }));
        let Some(set) = set.ok().filter(|set| self.pods.store.add(set.clone())) else { return false };
        let nodes = by_path("", "nodes").map(|kind| self.pods.store.all(kind, "")).unwrap_or_default();
        for node in nodes {
            let mut pod = json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": format!("{name}-{}", &uid_of(&node.name)[..5]), "namespace": namespace,
                             "labels": labels, "ownerReferences": [reference(&set)],
                             "creationTimestamp": self.pods.now.to_string()},
                "spec": template["spec"],
            });
            start(&mut pod, Some(&json!({"spec": {"nodeName": node.name}})), &self.pods.now.to_string());
            let _ = Object::new(pod).map(|pod| self.pods.store.add(pod));
        }
        true
    }

    /// New pods in place of those of the former template.
    fn roll_out(&self, workload: &Object, before: Option<&Object>) {
        let (old, set) = match workload.resource.kind {
            "Deployment" => {
                let sets = self.replica_sets(workload);
                let old = self.owned(&workload.namespace, |owner| {
                    sets.iter().any(|set| owner["name"] == set.name)
                        || owner["kind"] == "ReplicaSet"
                            && text(&owner["name"])
                                .rsplit_once('-')
                                .is_some_and(|(name, _)| name == workload.name)
                });
                let replicas = workload.value["spec"]["replicas"].as_i64().unwrap_or(1);
                for set in sets {
                    self.scale(&set, 0);
                }
                let Some(set) = self.replica_set(workload, replicas) else { return };
                (old, set)
            }
            kind => {
                let is_own = |owner: &Value| owner["kind"] == kind && owner["name"] == workload.name;
                (self.owned(&workload.namespace, is_own), Arc::new(workload.clone()))
            }
        };
        let former = before.and_then(|before| template(before.resource.kind, &before.value));
        for pod in &old {
            self.end(pod);
        }
        // A workload without pods gets one: what kept them from being created may be gone.
        let prior =
            if old.is_empty() { vec![None] } else { old.iter().map(|pod| Some(&pod.value)).collect() };
        for prior in prior {
            self.create_from(&set, &set.value["spec"]["template"], prior, former);
        }
    }

    /// Sets of pods that lack all of theirs.
    fn retry(&self) {
        for (group, plural) in [("apps", "replicasets"), ("apps", "statefulsets")] {
            let sets = by_path(group, plural).map(|kind| self.pods.store.all(kind, "")).unwrap_or_default();
            for set in sets {
                let wanted = set.value["spec"]["replicas"].as_i64().unwrap_or(1);
                let is_own = |owner: &Value| owner["kind"] == set.resource.kind && owner["name"] == set.name;
                if wanted > 0 && self.owned(&set.namespace, is_own).is_empty() {
                    self.create(&set, &set.value["spec"]["template"], None);
                }
            }
        }
    }

    fn owned(&self, namespace: &str, is_own: impl Fn(&Value) -> bool) -> Vec<Arc<Object>> {
        let pods = by_path("", "pods").map(|kind| self.pods.store.all(kind, namespace)).unwrap_or_default();
        pods.into_iter().filter(|pod| controller(&pod.value).is_some_and(&is_own)).collect()
    }

    fn end(&self, pod: &Object) {
        let prefix = format!("{}/{}/", pod.namespace, pod.name);
        self.logs
            .lock()
            .expect("no thread panics while it holds the logs")
            .retain(|container, _| !container.starts_with(&prefix));
        self.pods.store.remove(pod.resource, &pod.namespace, &pod.name);
    }

    fn replica_sets(&self, deployment: &Object) -> Vec<Arc<Object>> {
        let sets = by_path("apps", "replicasets");
        let sets = sets.map(|kind| self.pods.store.all(kind, &deployment.namespace)).unwrap_or_default();
        let is_own = |owner: &Value| owner["kind"] == "Deployment" && owner["name"] == deployment.name;
        sets.into_iter().filter(|set| controller(&set.value).is_some_and(is_own)).collect()
    }

    fn scale(&self, set: &Object, replicas: i64) {
        let edit = |value: &mut Value| {
            value["spec"]["replicas"] = json!(replicas);
            value["status"] = json!({"replicas": replicas});
            Ok::<(), Answer>(())
        };
        let _ = self.pods.store.edit(set.resource, &set.namespace, &set.name, edit);
    }

    /// The set of the present template.
    fn replica_set(&self, deployment: &Object, replicas: i64) -> Option<Arc<Object>> {
        let store = self.pods.store;
        let hash = uid_of(&deployment.value["spec"]["template"].to_string())[..8].to_owned();
        let name = format!("{}-{hash}", deployment.name);
        let resource = by_path("apps", "replicasets")?;
        if let Some(set) = store.find(resource, &deployment.namespace, &name) {
            self.scale(&set, replicas);
            return Some(set);
        }
        let mut template = deployment.value["spec"]["template"].clone();
        template["metadata"]["labels"][HASH] = json!(hash);
        let mut selector = deployment.value["spec"]["selector"].clone();
        selector["matchLabels"][HASH] = json!(hash);
        let set = json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {
                "name": name, "namespace": deployment.namespace, "labels": template["metadata"]["labels"],
                "uid": uid_of(&format!("{name} at {}", store.revision())), "generation": 1,
                "creationTimestamp": self.pods.now.to_string(),
                "annotations": deployment.value["metadata"]["annotations"],
                "ownerReferences": [reference(deployment)],
            },
            "spec": {"replicas": replicas, "selector": selector, "template": template},
            "status": {"replicas": replicas, "readyReplicas": replicas, "observedGeneration": 1},
        });
        store.add(Object::new(set).ok()?);
        store.find(resource, &deployment.namespace, &name)
    }

    fn create(&self, set: &Object, template: &Value, prior: Option<&Value>) {
        self.create_from(set, template, prior, Some(template));
    }

    /// A pod of a set, in place of another one. What that had beyond its own template comes from other webhooks, and comes again.
    fn create_from(&self, set: &Object, template: &Value, prior: Option<&Value>, former: Option<&Value>) {
        let name = match (set.resource.kind, prior) {
            ("StatefulSet", Some(prior)) => text(&prior["metadata"]["name"]).to_owned(),
            ("StatefulSet", None) => format!("{}-0", set.name),
            _ => {
                let prior = prior.map(|prior| text(&prior["metadata"]["name"])).unwrap_or_default();
                let unique = uid_of(&format!("{prior} {}", self.pods.store.revision()));
                format!("{}-{}", set.name, &unique[..5])
            }
        };
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": name, "generateName": format!("{}-", set.name), "namespace": set.namespace,
                "labels": template["metadata"]["labels"], "annotations": template["metadata"]["annotations"],
                "ownerReferences": [reference(set)],
            },
            "spec": template["spec"],
        });
        let later = former.zip(prior).map(|(former, prior)| sidecars(prior, former)).unwrap_or_default();
        // Refused pods are not created; the controller tries again later.
        if self.pods.admit_new(&mut pod, &later).is_err() {
            return;
        }
        start(&mut pod, prior, &self.pods.now.to_string());
        if let Ok(object) = Object::new(pod) {
            self.pods.store.add(object);
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn controller(object: &Value) -> Option<&Value> {
    object["metadata"]["ownerReferences"].as_array()?.iter().find(|owner| owner["controller"] == true)
}

fn reference(owner: &Object) -> Value {
    json!({
        "apiVersion": owner.resource.api_version(), "kind": owner.resource.kind, "name": owner.name,
        "uid": owner.value["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    })
}

/// The containers of a pod that its template does not have, without what the EKS webhook added.
fn sidecars(pod: &Value, template: &Value) -> Vec<Value> {
    let own = template["spec"]["containers"].as_array().map_or(&[][..], Vec::as_slice);
    let all = pod["spec"]["containers"].as_array().cloned().unwrap_or_default();
    let mut others: Vec<Value> =
        all.into_iter().filter(|container| own.iter().all(|it| it["name"] != container["name"])).collect();
    let injected = ["aws-iam-token", "eks-pod-identity-token"];
    for container in &mut others {
        let is_injected = container["volumeMounts"].as_array().is_some_and(|mounts| {
            mounts.iter().any(|mount| injected.iter().any(|name| mount["name"] == *name))
        });
        if let Some(mounts) = container["volumeMounts"].as_array_mut() {
            mounts.retain(|mount| {
                !injected.iter().any(|name| mount["name"] == *name)
                    && !text(&mount["name"]).starts_with("kube-api-access-")
            });
        }
        if let Some(env) = container["env"].as_array_mut().filter(|_| is_injected) {
            env.retain(|variable| !text(&variable["name"]).starts_with("AWS_"));
        }
    }
    others
}

/// What the kubelet of the former pod's node makes of it.
fn start(pod: &mut Value, prior: Option<&Value>, now: &str) {
    let none = Value::Null;
    let prior = prior.unwrap_or(&none);
    if !prior["spec"]["nodeName"].is_null() {
        pod["spec"]["nodeName"] = prior["spec"]["nodeName"].clone();
    }
    let running = |container: &Value| {
        let before = prior["status"]["containerStatuses"].as_array();
        let before = before.and_then(|all| all.iter().find(|it| it["name"] == container["name"]));
        let mut status = json!({
            "name": container["name"], "image": container["image"], "ready": true, "started": true,
            "restartCount": 0, "state": {"running": {"startedAt": now}},
        });
        for field in ["imageID", "user"] {
            if let Some(value) = before.map(|before| &before[field]).filter(|value| !value.is_null()) {
                status[field] = value.clone();
            }
        }
        status
    };
    let list = |kind: &str| pod["spec"][kind].as_array().cloned().unwrap_or_default();
    let containers: Vec<Value> = list("containers").iter().map(running).collect();
    let init = list("initContainers").into_iter().map(|container| {
        let mut status = running(&container);
        if container["restartPolicy"] != "Always" {
            status["state"] = json!({"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now,
                                                    "finishedAt": now}});
        }
        status
    });
    let init: Vec<Value> = init.collect();
    let conditions = ["Initialized", "Ready", "ContainersReady", "PodScheduled"]
        .map(|kind| json!({"type": kind, "status": "True", "lastTransitionTime": now}));
    pod["status"] = json!({
        "phase": "Running", "startTime": now, "conditions": conditions, "containerStatuses": containers,
        "initContainerStatuses": init, "qosClass": "BestEffort",
    });
    for field in ["hostIP", "podIP"] {
        if !prior["status"][field].is_null() {
            pod["status"][field] = prior["status"][field].clone();
        }
    }
}
