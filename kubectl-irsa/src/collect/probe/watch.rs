//! Waits for a container to end by watching its pod: the server reports every change, nothing is polled.

use futures::stream::StreamExt;
use http::StatusCode;
use k8s_openapi::api::core::v1::Pod;
use kube::api::WatchEvent;
use serde::Deserialize;
use tokio::time::{Duration, Instant, sleep};

use super::calls::Pods;
use super::obstacle::Obstacle;
use crate::collect::Late;
use crate::collect::cluster::{Api, NoAnswer, Own, Type};
use irsa::facts::kubernetes::{ProbeEnd, ProbeStatus};

/// How long to wait before reopening a watch that ended.
const PAUSE: Duration = Duration::from_millis(250);

/// The parts of a pod that show the state of its containers.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct PodNow {
    metadata: Metadata,
    status: Status,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    name: String,
    resource_version: String,
    deletion_timestamp: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    phase: String,
    reason: String,
    message: String,
    container_statuses: Vec<ProbeStatus>,
    ephemeral_container_statuses: Vec<ProbeStatus>,
}

/// What an event says.
enum Told {
    /// The pod is now like this.
    Pod(Box<PodNow>),
    /// It was deleted.
    Deleted,
    /// The version to continue from is no longer kept.
    Expired,
    /// Nothing about the pod.
    Nothing,
    /// It cannot be read.
    Unreadable(String),
}

/// A watch of one pod.
pub struct Watch<'a> {
    api: &'a Api,
    namespace: &'a str,
    pod: &'a str,
    until: Instant,
    version: String,
    stream: Option<Pods>,
    /// What was last seen to be waited for.
    last: String,
}

impl<'a> Watch<'a> {
    /// Opens it, to be told of every change after `version`, or from the pod's beginning on.
    pub async fn open(
        api: &'a Api,
        namespace: &'a str,
        pod: &'a str,
        version: &str,
        until: Instant,
    ) -> Result<Self, Obstacle> {
        let mut watch = Self {
            api,
            namespace,
            pod,
            until,
            version: version.to_owned(),
            stream: None,
            last: String::from("the kubelet has not reported it yet"),
        };
        watch.reopen().await.map_err(|error| Obstacle::of_answer("watch", "pods", &error))?;
        Ok(watch)
    }

    /// Waits for the end of a container of the pod.
    pub async fn end_of(&mut self, container: &str) -> Result<ProbeEnd, Obstacle> {
        let began = Instant::now();
        let left = self.until.saturating_duration_since(began);
        let deadline = self.api.deadline().clone();
        match deadline.wait("the probe", left, self.wait(container)).await {
            Ok(outcome) => outcome,
            Err(Late::Interrupted) => Err(Obstacle::Interrupted),
            Err(Late::Answer(_) | Late::Run(_)) => {
                Err(Obstacle::NotInTime { seconds: began.elapsed().as_secs(), last: self.last.clone() })
            }
        }
    }

    async fn wait(&mut self, container: &str) -> Result<ProbeEnd, Obstacle> {
        loop {
            match self.next().await? {
                Told::Pod(pod) => {
                    if let Some(end) = pod.end_of(container)? {
                        return Ok(end);
                    }
                    if let Some(doing) = pod.doing(container) {
                        self.last = doing;
                    }
                    self.version = pod.metadata.resource_version;
                }
                Told::Deleted => return Err(Obstacle::Deleted),
                // Without a version the server begins with the pod as it is.
                Told::Expired => {
                    self.version.clear();
                    self.stream = None;
                }
                Told::Nothing => {}
                Told::Unreadable(why) => {
                    self.last = format!("what the API server told last cannot be read: {why}")
                }
            }
        }
    }

    /// The next event; a watch that the server has ended is opened again.
    async fn next(&mut self) -> Result<Told, Obstacle> {
        loop {
            if let Some(stream) = &mut self.stream
                && let Some(event) = stream.next().await
            {
                return Ok(told(event, self.pod));
            }
            self.stream = None;
            sleep(PAUSE).await;
            match self.reopen().await {
                Err(NoAnswer::Status { code: StatusCode::GONE, .. }) => self.version.clear(),
                Err(error @ NoAnswer::Status { code: StatusCode::FORBIDDEN, .. }) => {
                    return Err(Obstacle::of_answer("watch", "pods", &error));
                }
                // The server may come back before the time is up.
                Err(_) | Ok(()) => {}
            }
        }
    }

    async fn reopen(&mut self) -> Result<(), NoAnswer> {
        let seconds = self.until.saturating_duration_since(Instant::now()).as_secs() + 1;
        self.stream = Some(self.api.watch_pod(self.namespace, self.pod, &self.version, seconds).await?);
        Ok(())
    }
}

fn told(event: Result<WatchEvent<Own<PodNow>>, NoAnswer>, name: &str) -> Told {
    let own = |pod: Own<PodNow>, tell: fn(PodNow) -> Told| match pod.among(&[Type::of::<Pod>()]) {
        Ok(pod) if pod.metadata.name == name => tell(pod),
        Ok(_) => Told::Unreadable(String::from("it is about another pod")),
        Err(NoAnswer::Unreadable(why)) => Told::Unreadable(why),
        Err(_) => Told::Nothing,
    };
    match event {
        Ok(WatchEvent::Added(pod) | WatchEvent::Modified(pod)) => own(pod, |pod| Told::Pod(Box::new(pod))),
        Ok(WatchEvent::Deleted(pod)) => own(pod, |_| Told::Deleted),
        // Whatever the error is: starting over is right.
        Ok(WatchEvent::Error(_)) => Told::Expired,
        Err(NoAnswer::Unreadable(why)) => Told::Unreadable(why),
        // The connection's end is that of the stream, which comes next.
        Ok(WatchEvent::Bookmark(_)) | Err(_) => Told::Nothing,
    }
}

impl PodNow {
    /// How a container of it ended, if it has; or what keeps it from ever ending.
    fn end_of(&self, container: &str) -> Result<Option<ProbeEnd>, Obstacle> {
        let state = self.state(container);
        if let Some(end) = state.and_then(|status| status.state.terminated.as_ref()) {
            return Ok(Some(end.clone()));
        }
        if self.metadata.deletion_timestamp.is_some() {
            return Err(Obstacle::Deleted);
        }
        if matches!(self.status.phase.as_str(), "Succeeded" | "Failed") {
            let Status { phase, reason, message, .. } = &self.status;
            return Err(Obstacle::Finished(
                [phase, reason, message].into_iter().filter(|word| !word.is_empty()).cloned().collect(),
            ));
        }
        let waiting = state.and_then(|status| status.state.waiting.as_ref());
        waiting.and_then(Obstacle::of_waiting).map_or(Ok(None), Err)
    }

    /// What a container of it is doing now.
    fn doing(&self, container: &str) -> Option<String> {
        let state = &self.state(container)?.state;
        match &state.waiting {
            Some(waiting) => Some(format!("it is waiting: {}", waiting.reason)),
            None => state.running.is_some().then(|| String::from("it is running and has not ended")),
        }
    }

    fn state(&self, container: &str) -> Option<&ProbeStatus> {
        let all = self.status.ephemeral_container_statuses.iter().chain(&self.status.container_statuses);
        all.into_iter().find(|status| status.name == container)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn event(kind: &str, object: Value) -> Told {
        let event = serde_json::from_value(json!({"type": kind, "object": object}));
        told(event.map_err(|error| kube::Error::SerdeError(error).into()), "checkout")
    }

    fn pod(mut object: Value) -> PodNow {
        object["kind"] = json!("Pod");
        object["apiVersion"] = json!("v1");
        object["metadata"]["name"] = json!("checkout");
        match event("MODIFIED", object) {
            Told::Pod(pod) => *pod,
            _ => panic!("it is about a pod"),
        }
    }

    fn with_state(state: Value) -> PodNow {
        pod(
            json!({"status": {"phase": "Running", "ephemeralContainerStatuses": [{"name": "p", "state": state}]}}),
        )
    }

    #[test]
    fn a_container_ends_or_is_waited_for() {
        let end = with_state(json!({"terminated": {"exitCode": 0, "message": "{}"}})).end_of("p").unwrap();
        assert_eq!(end.unwrap().message, "{}");
        let creating = with_state(json!({"waiting": {"reason": "ContainerCreating"}}));
        assert!(creating.end_of("p").unwrap().is_none());
        assert_eq!(creating.doing("p").unwrap(), "it is waiting: ContainerCreating");
        assert!(with_state(json!({"running": {}})).end_of("p").unwrap().is_none());
        assert!(pod(json!({"status": {"phase": "Running"}})).end_of("p").unwrap().is_none());
    }

    #[test]
    fn what_never_ends_is_not_waited_for() {
        let pulling = with_state(json!({"waiting": {"reason": "ErrImagePull", "message": "no such host"}}));
        assert!(matches!(pulling.end_of("p"), Err(Obstacle::ImagePull(words)) if words == "no such host"));
        let failed =
            pod(json!({"status": {"phase": "Failed", "reason": "OutOfcpu", "message": "Node is full"}}));
        let words = failed.end_of("p").unwrap_err().to_string();
        assert!(words.contains("Failed: OutOfcpu: Node is full"), "{words}");
        let deleted = pod(json!({"metadata": {"deletionTimestamp": "2026-11-22T07:00:00Z"}}));
        assert!(matches!(deleted.end_of("p"), Err(Obstacle::Deleted)));
    }

    #[test]
    fn events_of_other_kinds_are_told_apart() {
        let own = |name: &str| json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": name}});
        assert!(matches!(event("DELETED", own("checkout")), Told::Deleted));
        assert!(matches!(event("ADDED", own("checkout")), Told::Pod(_)));
        for foreign in [json!({}), json!([]), json!({"metadata": {"name": "checkout"}}), own("payments")] {
            for kind in ["ADDED", "MODIFIED", "DELETED"] {
                assert!(matches!(event(kind, foreign.clone()), Told::Unreadable(_)), "{kind} {foreign}");
            }
        }
        let expired = json!({"kind": "Status", "status": "Failure", "code": 410, "reason": "Expired"});
        assert!(matches!(event("ERROR", expired), Told::Expired));
        let bookmark = json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}});
        assert!(matches!(event("BOOKMARK", bookmark), Told::Nothing));
        assert!(matches!(event("MODIFIED", json!("no object")), Told::Unreadable(_)));
    }
}
