//! What is asked of the API server for the probe's sake.

use http::{Request, header};
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::pod::RawPod;
use crate::collect::api::{Api, NoAnswer, encode, get, unexpected};
use irsa::documents::report::LARGEST;

/// Lines of the probe's log that are read from its end: the report is the last.
const LINES: usize = 5;

/// Whether a change is made, or only what the server would say to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// `dryRun=All`: admission decides, nothing is stored.
    DryRun,
    /// In earnest.
    Made,
}

impl Change {
    fn query(self) -> &'static str {
        match self {
            Self::DryRun => "?dryRun=All",
            Self::Made => "",
        }
    }
}

impl Api {
    /// A whole pod.
    pub(super) async fn raw_pod(&self, namespace: &str, name: &str) -> Result<RawPod, NoAnswer> {
        let body = self.ask(get(&pod(namespace, name), "application/json")).await?;
        serde_json::from_slice(&body).map_err(|error| NoAnswer::Unreadable(unexpected(&error)))
    }

    /// Adds an ephemeral container to a pod.
    pub(super) async fn add_container(
        &self,
        namespace: &str,
        name: &str,
        container: &Value,
        change: Change,
    ) -> Result<(), NoAnswer> {
        let path = format!("{}/ephemeralcontainers{}", pod(namespace, name), change.query());
        let patch = json!({"spec": {"ephemeralContainers": [container]}});
        let request = Request::patch(path)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/strategic-merge-patch+json")
            .body(Full::from(patch.to_string()));
        self.ask(request).await.map(drop)
    }

    /// Makes a pod.
    pub(super) async fn create_pod(
        &self,
        namespace: &str,
        manifest: &Value,
        change: Change,
    ) -> Result<(), NoAnswer> {
        let request = Request::post(format!("{}{}", pods(namespace), change.query()))
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(manifest.to_string()));
        self.ask(request).await.map(drop)
    }

    /// Deletes a pod that this run made. The probe needs no time to end.
    pub(super) async fn delete_pod(
        &self,
        namespace: &str,
        name: &str,
        change: Change,
    ) -> Result<(), NoAnswer> {
        let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 1});
        let request = Request::delete(format!("{}{}", pod(namespace, name), change.query()))
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(options.to_string()));
        self.ask(request).await.map(drop)
    }

    /// Opens a watch of one pod for so many seconds. Without a version it begins with the pod as it is.
    pub(super) async fn watch_pod(
        &self,
        namespace: &str,
        name: &str,
        version: &str,
        seconds: u64,
    ) -> Result<Incoming, NoAnswer> {
        let path = format!(
            "{}?watch=true&fieldSelector={}&resourceVersion={}&timeoutSeconds={seconds}",
            pods(namespace),
            encode(&format!("metadata.name={name}")),
            encode(version)
        );
        self.stream(get(&path, "application/json")).await
    }

    /// The end of what the probe wrote.
    pub(super) async fn probe_log(
        &self,
        namespace: &str,
        name: &str,
        container: &str,
    ) -> Result<Vec<u8>, NoAnswer> {
        let path = format!(
            "{}/log?container={}&tailLines={LINES}&limitBytes={LARGEST}",
            pod(namespace, name),
            encode(container)
        );
        self.ask(get(&path, "*/*")).await
    }
}

fn pods(namespace: &str) -> String {
    format!("/api/v1/namespaces/{}/pods", encode(namespace))
}

fn pod(namespace: &str, name: &str) -> String {
    format!("{}/{}", pods(namespace), encode(name))
}
