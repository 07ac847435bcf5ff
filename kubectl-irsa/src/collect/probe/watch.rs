//! Waits for a container's end by watching its pod: the server tells of every change, nothing is polled.

use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Duration, Instant, sleep, timeout_at};

use super::obstacle::Obstacle;
use crate::collect::api::{Api, NoAnswer};
use irsa::facts::kubernetes::{ProbeEnd, ProbeStatus};

/// The longest event that is read, in bytes; etcd keeps no object that is larger than a fraction of it.
const LONGEST: usize = 16 << 20;
/// What is waited before a watch that ended is opened again.
const PAUSE: Duration = Duration::from_millis(250);

/// A pod as far as it tells how its containers fare.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct PodNow {
    metadata: Metadata,
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    resource_version: String,
    deletion_timestamp: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    phase: String,
    reason: String,
    message: String,
    container_statuses: Vec<ProbeStatus>,
    ephemeral_container_statuses: Vec<ProbeStatus>,
}

#[derive(Deserialize)]
struct Event {
    r#type: String,
    object: Value,
}

/// What an event says.
enum Told {
    /// The pod is now like this.
    Pod(Box<PodNow>),
    /// It is no more.
    Deleted,
    /// The version to go on from is no longer kept.
    Expired,
    /// Nothing about the pod.
    Nothing,
}

/// A watch of one pod.
pub struct Watch<'a> {
    api: &'a Api,
    namespace: &'a str,
    pod: &'a str,
    until: Instant,
    version: String,
    stream: Option<Stream>,
    /// What was last seen to be waited for.
    last: String,
}

/// The lines of an answer that has no end.
struct Stream {
    body: Incoming,
    read: Vec<u8>,
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
            last: String::from("the kubelet has not spoken of it"),
        };
        watch.reopen().await.map_err(|error| Obstacle::of_answer("watch", "pods", &error))?;
        Ok(watch)
    }

    /// Waits for the end of a container of the pod.
    pub async fn end_of(&mut self, container: &str) -> Result<ProbeEnd, Obstacle> {
        let began = Instant::now();
        let outcome = timeout_at(self.until, self.wait(container)).await;
        outcome.unwrap_or_else(|_| {
            Err(Obstacle::NotInTime { seconds: began.elapsed().as_secs(), last: self.last.clone() })
        })
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
            }
        }
    }

    /// The next event; a watch that the server has ended is opened again.
    async fn next(&mut self) -> Result<Told, Obstacle> {
        loop {
            if let Some(stream) = &mut self.stream
                && let Some(line) = stream.line().await
            {
                return Ok(told(&line));
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
        let body = self.api.watch_pod(self.namespace, self.pod, &self.version, seconds).await?;
        self.stream = Some(Stream { body, read: Vec::new() });
        Ok(())
    }
}

impl Stream {
    /// The next line; `None` at the end, whatever ended it.
    async fn line(&mut self) -> Option<Vec<u8>> {
        let mut searched = 0;
        loop {
            if let Some(end) = self.read[searched..].iter().position(|&byte| byte == b'\n') {
                let rest = self.read.split_off(searched + end + 1);
                return Some(std::mem::replace(&mut self.read, rest));
            }
            searched = self.read.len();
            if searched > LONGEST {
                return None;
            }
            let frame = self.body.frame().await?.ok()?;
            if let Ok(data) = frame.into_data() {
                self.read.extend_from_slice(&data);
            }
        }
    }
}

fn told(line: &[u8]) -> Told {
    let Ok(event) = serde_json::from_slice::<Event>(line) else { return Told::Nothing };
    match event.r#type.as_str() {
        "ADDED" | "MODIFIED" => {
            serde_json::from_value(event.object).map_or(Told::Nothing, |pod| Told::Pod(Box::new(pod)))
        }
        "DELETED" => Told::Deleted,
        // Whatever the error is: beginning anew is right.
        "ERROR" => Told::Expired,
        _ => Told::Nothing,
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
            Some(waiting) => Some(format!("it waits: {}", waiting.reason)),
            None => state.running.is_some().then(|| String::from("it runs, and has not ended")),
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
    use serde_json::json;

    fn pod(object: Value) -> PodNow {
        let line = json!({"type": "MODIFIED", "object": object}).to_string();
        match told(line.as_bytes()) {
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
        assert_eq!(creating.doing("p").unwrap(), "it waits: ContainerCreating");
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
        assert!(matches!(told(br#"{"type":"DELETED","object":{}}"#), Told::Deleted));
        assert!(matches!(told(br#"{"type":"ERROR","object":{"code":410}}"#), Told::Expired));
        assert!(matches!(told(br#"{"type":"BOOKMARK","object":{}}"#), Told::Nothing));
        assert!(matches!(told(b"no JSON"), Told::Nothing));
    }
}
