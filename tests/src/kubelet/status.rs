//! The statuses of containers, as a kubelet writes them: recordings `pod-get-after-probe`, `pod-get-ec-*` and
//! `watch-ephemeral-container`.

use super::pod::{containers, list, message_budget};
use irsa_test_container::User;
use jiff::Timestamp;
use ring::digest;
use serde_json::{Value, json};

/// What has become of a container.
#[derive(Debug, Clone)]
pub enum State {
    /// It does not run yet, or never will.
    Waiting {
        /// `ContainerCreating`, `ErrImagePull`, …
        reason: &'static str,
        /// More words.
        message: Option<String>,
    },
    /// It runs.
    Running {
        /// As whom.
        user: User,
    },
    /// It has ended.
    Terminated {
        /// As whom it ran.
        user: User,
        /// How it ended.
        exit: i32,
        /// What it left in its termination log.
        message: Vec<u8>,
    },
}

/// The id of a container: the same in every run.
pub fn container_id(pod: &Value, name: &str) -> String {
    let text = format!("{}/{name}", pod["metadata"]["uid"].as_str().unwrap_or_default());
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes the state of a container into its pod.
pub fn write(pod: &mut Value, name: &str, state: &State, now: Timestamp) {
    let Some(container) = containers(pod).find(|container| container["name"] == name).cloned() else {
        return;
    };
    let status = status(pod, &container, name, state, now);
    let ephemeral = list(&pod["spec"]["ephemeralContainers"]).contains(&container);
    let kind = if ephemeral { "ephemeralContainerStatuses" } else { "containerStatuses" };
    let mut all = list(&pod["status"][kind]).to_vec();
    match all.iter_mut().find(|status| status["name"] == name) {
        Some(old) => *old = status,
        None => all.push(status),
    }
    pod["status"][kind] = json!(all);
    pod["status"]["observedGeneration"] = pod["metadata"]["generation"].clone();
    if !ephemeral {
        pod["status"]["phase"] = json!(phase(&all));
    }
}

/// The phase of a pod whose containers are not restarted.
fn phase(statuses: &[Value]) -> &'static str {
    let codes: Vec<Option<i64>> =
        statuses.iter().map(|status| status["state"]["terminated"]["exitCode"].as_i64()).collect();
    match codes.iter().copied().collect::<Option<Vec<i64>>>() {
        Some(codes) if codes.iter().all(|code| *code == 0) => "Succeeded",
        Some(_) => "Failed",
        None if statuses.iter().all(|status| !status["state"]["waiting"].is_null()) => "Pending",
        None => "Running",
    }
}

fn status(pod: &Value, container: &Value, name: &str, state: &State, now: Timestamp) -> Value {
    let image = container["image"].as_str().unwrap_or_default();
    let mut status = json!({
        "name": name, "lastState": {}, "ready": false, "restartCount": 0, "image": image, "imageID": "",
    });
    let id = format!("containerd://{}", container_id(pod, name));
    let user = match state {
        State::Waiting { reason, message } => {
            let mut waiting = json!({ "reason": reason });
            if let Some(message) = message {
                waiting["message"] = json!(message);
            }
            status["state"] = json!({ "waiting": waiting });
            return status;
        }
        State::Running { user } => {
            status["state"] = json!({"running": {"startedAt": now.to_string()}});
            status["started"] = json!(true);
            // Ephemeral containers are never ready: nothing waits for them.
            user
        }
        State::Terminated { user, exit, message } => {
            let reason = if *exit == 0 { "Completed" } else { "Error" };
            let mut ended = json!({
                "exitCode": exit, "reason": reason, "startedAt": now.to_string(), "finishedAt": now.to_string(),
                "containerID": id,
            });
            if !message.is_empty() {
                ended["message"] = json!(kept(message, message_budget(pod)));
            }
            status["state"] = json!({ "terminated": ended });
            user
        }
    };
    status["imageID"] = json!(format!("sha256:{}", container_id(&json!({}), image)));
    status["containerID"] = json!(id);
    status["resources"] = json!({});
    let mounts: Vec<Value> = list(&container["volumeMounts"])
        .iter()
        .map(|mount| {
            let read_only = mount["readOnly"] == true;
            let mut seen = json!({"name": mount["name"], "mountPath": mount["mountPath"]});
            if read_only {
                seen["readOnly"] = json!(true);
                seen["recursiveReadOnly"] = json!("Disabled");
            }
            seen
        })
        .collect();
    if !mounts.is_empty() {
        status["volumeMounts"] = json!(mounts);
    }
    status["user"] = json!({"linux": {"uid": user.uid, "gid": user.gid, "supplementalGroups": user.groups}});
    status
}

/// The kubelet reads the beginning of the file; JSON replaces what is not UTF-8.
fn kept(message: &[u8], budget: usize) -> String {
    String::from_utf8_lossy(&message[..message.len().min(budget)]).into_owned()
}
