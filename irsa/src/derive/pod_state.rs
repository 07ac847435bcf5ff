//! What keeps a pod from running as it should, in the words of the scheduler and the kubelet.

use std::fmt;

use crate::facts::kubernetes::{ContainerStatus, Pod, Terminated, Waiting};

/// The longest message that is repeated, in characters.
const LONGEST: usize = 160;

/// Something that keeps the pod, or one of its containers, from running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trouble<'f> {
    /// The container; `None` for the pod itself.
    pub container: Option<&'f str>,
    /// True for an init container: until it has succeeded, no regular container starts.
    pub init: bool,
    /// `CrashLoopBackOff`, `ImagePullBackOff`, `Unschedulable`, `Evicted`, `Error`, …
    pub reason: &'f str,
    message: &'f str,
    exit_code: Option<i64>,
    restarts: u32,
}

impl<'f> Trouble<'f> {
    /// The reason of a pod that somebody or something deletes.
    pub(crate) const BEING_DELETED: &'static str = "being deleted";

    /// All of a pod: first what concerns the pod itself, then its containers in the order in which they start.
    pub(crate) fn all(pod: &'f Pod) -> Vec<Self> {
        let status = &pod.status;
        let of_pod = |reason: &'f str, message: &'f str| Self {
            container: None,
            init: false,
            reason,
            message,
            exit_code: None,
            restarts: 0,
        };
        let mut all = Vec::new();
        if pod.metadata.deletion_timestamp.is_known() {
            all.push(of_pod(Self::BEING_DELETED, ""));
        }
        if !status.reason.is_empty() {
            all.push(of_pod(&status.reason, &status.message));
        }
        let unscheduled = status.conditions.iter().find(|condition| {
            condition.r#type == "PodScheduled" && condition.status == "False" && !condition.reason.is_empty()
        });
        all.extend(unscheduled.map(|condition| of_pod(&condition.reason, &condition.message)));
        let init = status.init_container_statuses.iter().filter_map(|status| Self::of(status, true));
        let regular = status.container_statuses.iter().filter_map(|status| Self::of(status, false));
        all.extend(init.chain(regular));
        all
    }

    fn of(status: &'f ContainerStatus, init: bool) -> Option<Self> {
        /// The usual steps on the way to a running container.
        const USUAL: [&str; 3] = ["", "ContainerCreating", "PodInitializing"];
        let trouble = |reason: &'f str, message: &'f str, ended: Option<&Terminated>| Self {
            container: Some(&status.name),
            init,
            reason,
            message,
            exit_code: ended.map(|end| end.exit_code),
            restarts: *status.restart_count,
        };
        if let Some(Waiting { reason, message }) = &status.state.waiting {
            let before = status.last_state.terminated.as_ref();
            let back_off = reason == "CrashLoopBackOff";
            // That one's message only repeats the reason.
            let message: &str = if back_off { "" } else { message };
            return (!USUAL.contains(&reason.as_str()))
                .then(|| trouble(reason, message, before.filter(|_| back_off)));
        }
        let ended = status.state.terminated.as_ref().filter(|end| end.exit_code != 0)?;
        let reason = if ended.reason.is_empty() { "Error" } else { &ended.reason };
        Some(trouble(reason, "", Some(ended)))
    }
}

impl fmt::Display for Trouble<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.container {
            write!(f, "{} {name}: ", if self.init { "init container" } else { "container" })?;
        }
        f.write_str(self.reason)?;
        match (self.exit_code, self.restarts) {
            (Some(code), 0) => write!(f, " (exit code {code})")?,
            (Some(code), 1) => write!(f, " (exit code {code}, 1 restart)")?,
            (Some(code), restarts) => write!(f, " (exit code {code}, {restarts} restarts)")?,
            (None, _) => {}
        }
        if self.message.is_empty() {
            return Ok(());
        }
        match self.message.char_indices().nth(LONGEST) {
            Some((end, _)) => write!(f, ": {}…", &self.message[..end]),
            None => write!(f, ": {}", self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn troubles(status: serde_json::Value) -> Vec<String> {
        let pod: Pod = serde_json::from_value(serde_json::json!({ "status": status })).unwrap();
        Trouble::all(&pod).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_container_counts() {
        let found = troubles(serde_json::json!({
            "phase": "Pending",
            "initContainerStatuses": [
                {"name": "done", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}},
                {"name": "fetch", "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
                 "lastState": {"terminated": {"exitCode": 254, "reason": "Error", "message": "secret"}}}],
            "containerStatuses": [{"name": "app", "state": {"waiting": {"reason": "PodInitializing"}}}]}));
        assert_eq!(found, ["init container fetch: CrashLoopBackOff (exit code 254, 4 restarts)"]);
        let found = troubles(serde_json::json!({
            "phase": "Running",
            "containerStatuses": [
                {"name": "app", "state": {"waiting": {"reason": "ErrImagePull", "message": "no such host"}}},
                {"name": "agent", "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}},
                {"name": "proxy", "state": {"running": {}}}]}));
        assert_eq!(
            found,
            ["container app: ErrImagePull: no such host", "container agent: OOMKilled (exit code 137)"]
        );
    }

    #[test]
    fn the_pod_itself_comes_first() {
        let found = troubles(serde_json::json!({
            "phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}));
        assert_eq!(found, ["Evicted: The node was low on resource: memory."]);
        let found = troubles(serde_json::json!({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"}]}));
        assert_eq!(found, ["Unschedulable: 0/3 nodes are available"]);
        assert!(troubles(serde_json::json!({"phase": "Running"})).is_empty());
    }
}
