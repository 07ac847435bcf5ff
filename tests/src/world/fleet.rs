//! Many pods of one workload.

use serde_json::{Value, json};

use super::{Object, World, uid_of};

/// Pods on one node.
const ON_ONE_NODE: usize = 30;

/// The field manager that sets a pod's status.
const KUBELET: &str = "kubelet";

impl World {
    /// Gives the workload of a pod `count` pods more, each as different from it as the pods of one ReplicaSet are from each other: by
    /// name, uid, address, node, times, the suffix of the token's volume, and what a network plugin notes in an annotation.
    ///
    /// # Errors
    /// There is no such pod.
    pub fn add_fleet(&mut self, namespace: &str, pod: &str, count: usize) -> Result<(), String> {
        let pod =
            self.object("Pod", namespace, pod).cloned().ok_or_else(|| format!("no pod {namespace}/{pod}"))?;
        let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
        let node = self.object("Node", "", node).cloned();
        let nodes =
            node.iter().flat_map(|node| (0..count.div_ceil(ON_ONE_NODE)).map(|index| node_like(node, index)));
        let pods = (0..count).map(|index| pod_like(&pod, index));
        self.extend(nodes.chain(pods).collect::<Vec<_>>())
    }

    /// The pods of a namespace, as `kubectl get pods -o json` prints them.
    pub fn pods(&self, namespace: &str) -> impl Iterator<Item = &Value> {
        let is = move |object: &&Object| object.resource.kind == "Pod" && object.namespace == namespace;
        self.objects.iter().filter(is).map(|object| &object.value)
    }
}

fn node_name(index: usize) -> String {
    format!("ip-10-{}-{}-{}.eu-west-1.compute.internal", 1 + index / 65536, index / 256 % 256, index % 256)
}

fn node_like(node: &Value, index: usize) -> Value {
    let mut node = node.clone();
    let (name, uid) = (node_name(index), uid_of(&format!("node {index}")));
    let meta = &mut node["metadata"];
    (meta["name"], meta["uid"], meta["resourceVersion"]) = (json!(name), json!(uid), Value::Null);
    meta["labels"]["kubernetes.io/hostname"] = json!(name);
    meta["labels"]["topology.kubernetes.io/zone"] = json!(format!("eu-west-1{}", ["a", "b", "c"][index % 3]));
    node["spec"]["providerID"] = json!(format!("aws:///eu-west-1a/i-{index:017x}"));
    node
}

fn pod_like(pod: &Value, index: usize) -> Value {
    let mut pod = pod.clone();
    // The alphabet of `k8s.io/apimachinery/pkg/util/rand`.
    let letters = b"bcdfghjklmnpqrstvwxz2456789";
    let suffix = |mut number: usize| -> String {
        let letter = |_| {
            let letter = char::from(letters[number % letters.len()]);
            number /= letters.len();
            letter
        };
        (0..5).map(letter).collect()
    };
    let own = suffix(index.wrapping_mul(7919) % 14_348_907);
    let old = pod["metadata"]["name"].as_str().unwrap_or_default();
    let name = format!("{}-{own}", old.rsplit_once('-').map_or(old, |(workload, _)| workload));
    let address = format!("10.{}.{}.{}", 64 + index / 65536, index / 256 % 256, index % 256);
    let start: jiff::Timestamp =
        pod["metadata"]["creationTimestamp"].as_str().and_then(|time| time.parse().ok()).unwrap_or_default();
    // A large Deployment grows by a few pods a second.
    let at = |seconds: usize| {
        let seconds = i64::try_from(index / 4 + seconds).unwrap_or_default();
        json!((start + jiff::SignedDuration::from_secs(seconds)).to_string())
    };
    let times = [
        ("creationTimestamp", at(0)),
        ("startTime", at(1)),
        ("lastTransitionTime", at(3 + index % 5)),
        ("startedAt", at(2 + index % 5)),
    ];
    let old_volumes: Vec<String> = pod["spec"]["volumes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|volume| volume["name"].as_str())
        .filter(|name| name.starts_with("kube-api-access-"))
        .map(str::to_owned)
        .collect();
    let volume = format!("kube-api-access-{}", suffix(index.wrapping_mul(104_729) % 14_348_907));
    change(&mut pod, "", &mut |key, value| {
        if let Some((_, time)) = times.iter().find(|(field, _)| *field == key) {
            *value = time.clone();
        } else if value.as_str().is_some_and(|text| old_volumes.iter().any(|old| old == text)) {
            *value = json!(volume);
        }
    });
    let meta = &mut pod["metadata"];
    (meta["name"], meta["uid"], meta["resourceVersion"]) = (json!(name), json!(uid_of(&name)), Value::Null);
    meta["annotations"]["cni.projectcalico.org/podIP"] = json!(format!("{address}/32"));
    meta["annotations"]["cni.projectcalico.org/containerID"] = json!(uid_of(&address).replace('-', ""));
    meta["managedFields"] = managed_fields(&address, &times[0].1, &times[3].1);
    pod["spec"]["nodeName"] = json!(node_name(index / ON_ONE_NODE));
    pod["status"]["podIP"] = json!(address);
    pod["status"]["podIPs"] = json!([{ "ip": address }]);
    if let Some(statuses) = pod["status"]["containerStatuses"].as_array_mut() {
        for status in statuses {
            status["containerID"] =
                json!(format!("containerd://{}", uid_of(&name).replace('-', "").repeat(2)));
        }
    }
    pod
}

/// What the controller and the kubelet wrote: a third of what an API server sends of a pod.
fn managed_fields(address: &str, created: &Value, started: &Value) -> Value {
    let condition = json!({ ".": {}, "f:lastProbeTime": {}, "f:lastTransitionTime": {}, "f:observedGeneration": {}, "f:status": {}, "f:type": {} });
    let env = json!({ ".": {}, "f:name": {}, "f:value": {} });
    json!([
        { "apiVersion": "v1", "fieldsType": "FieldsV1", "manager": "kube-controller-manager", "operation": "Update", "time": created,
          "fieldsV1": {
              "f:metadata": {
                  "f:generateName": {},
                  "f:labels": { ".": {}, "f:app": {}, "f:pod-template-hash": {} },
                  "f:ownerReferences": { ".": {}, "k:{\"uid\":\"0f6f9f5a-3c1e-4d7b-9a55-6f2d3b1c0a08\"}": {} } },
              "f:spec": {
                  "f:containers": { "k:{\"name\":\"app\"}": {
                      ".": {}, "f:image": {}, "f:imagePullPolicy": {}, "f:name": {}, "f:resources": {}, "f:terminationMessagePath": {},
                      "f:terminationMessagePolicy": {}, "f:env": { ".": {}, "k:{\"name\":\"LOG_LEVEL\"}": env, "k:{\"name\":\"PORT\"}": env } } },
                  "f:dnsPolicy": {}, "f:enableServiceLinks": {}, "f:restartPolicy": {}, "f:schedulerName": {}, "f:securityContext": {},
                  "f:serviceAccount": {}, "f:serviceAccountName": {}, "f:terminationGracePeriodSeconds": {} } } },
        { "apiVersion": "v1", "fieldsType": "FieldsV1", "manager": KUBELET, "operation": "Update", "time": started, "subresource": "status",
          "fieldsV1": { "f:status": {
              "f:conditions": {
                  "k:{\"type\":\"ContainersReady\"}": condition, "k:{\"type\":\"Initialized\"}": condition,
                  "k:{\"type\":\"PodReadyToStartContainers\"}": condition, "k:{\"type\":\"Ready\"}": condition },
              "f:containerStatuses": {}, "f:hostIP": {}, "f:hostIPs": {}, "f:phase": {}, "f:podIP": {},
              "f:podIPs": { ".": {}, format!("k:{{\"ip\":\"{address}\"}}"): { ".": {}, "f:ip": {} } }, "f:startTime": {} } } }
    ])
}

/// Visits every field.
fn change(value: &mut Value, key: &str, each: &mut impl FnMut(&str, &mut Value)) {
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(key, value)| change(value, key, each)),
        Value::Array(items) => items.iter_mut().for_each(|item| change(item, key, each)),
        scalar => each(key, scalar),
    }
}
