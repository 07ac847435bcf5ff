//! The probe's requests to the API server.

use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, GetParams, LogParams, Patch, PatchParams, PostParams, WatchParams};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::pod::RawPod;
use super::watch::PodNow;
use crate::collect::cluster::{Answer, Api, Events, NoAnswer, body, encode, of_namespace};
use irsa::documents::report::LARGEST;

/// Lines of the probe's log that are read from its end: the report is the last.
const LINES: i64 = 5;
/// How long a deleted pod may take to end, in seconds: the probe needs no time.
const GRACE: u32 = 1;

/// Whether to make a change, or only ask what the server would say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// `dryRun=All`: admission decides, nothing is stored.
    DryRun,
    /// For real.
    Made,
}

impl Change {
    fn is_dry_run(self) -> bool {
        self == Self::DryRun
    }
}

/// The pods that are watched, as they are now.
pub type Pods = Events<PodNow>;

impl Api {
    /// A whole pod.
    pub(super) async fn raw_pod(&self, namespace: &str, name: &str) -> Result<RawPod, NoAnswer> {
        self.read(Answer::Object, of_namespace::<Pod>(namespace).get(&encode(name), &GetParams::default()))
            .await
    }

    /// Adds an ephemeral container to a pod.
    pub(super) async fn add_container(
        &self,
        namespace: &str,
        name: &str,
        container: &Value,
        change: Change,
    ) -> Result<(), NoAnswer> {
        let patch = Patch::Strategic(json!({"spec": {"ephemeralContainers": [container]}}));
        let wanted = PatchParams { dry_run: change.is_dry_run(), ..PatchParams::default() };
        let pods = of_namespace::<Pod>(namespace);
        self.ask(
            Answer::Object,
            pods.patch_subresource("ephemeralcontainers", &encode(name), &wanted, &patch),
        )
        .await
        .map(drop)
    }

    /// Makes a pod.
    pub(super) async fn create_pod(
        &self,
        namespace: &str,
        manifest: &Value,
        change: Change,
    ) -> Result<(), NoAnswer> {
        let wanted = PostParams { dry_run: change.is_dry_run(), ..PostParams::default() };
        self.ask(Answer::Object, of_namespace::<Pod>(namespace).create(&wanted, body(manifest)?))
            .await
            .map(drop)
    }

    /// Deletes a pod that this run made.
    pub(super) async fn delete_pod(
        &self,
        namespace: &str,
        name: &str,
        change: Change,
    ) -> Result<(), NoAnswer> {
        let wanted = DeleteParams { dry_run: change.is_dry_run(), ..DeleteParams::default() };
        let pods = of_namespace::<Pod>(namespace);
        self.ask(Answer::Object, pods.delete(&encode(name), &wanted.grace_period(GRACE))).await.map(drop)
    }

    /// Opens a watch of one pod for so many seconds. Without a version it begins with the pod as it is.
    pub(super) async fn watch_pod(
        &self,
        namespace: &str,
        name: &str,
        version: &str,
        seconds: u64,
    ) -> Result<Pods, NoAnswer> {
        let wanted = WatchParams {
            field_selector: Some(format!("metadata.name={name}")),
            timeout: Some(u32::try_from(seconds).unwrap_or(u32::MAX)),
            bookmarks: false,
            ..WatchParams::default()
        };
        self.watch(of_namespace::<Pod>(namespace).watch(&wanted, version)).await
    }

    /// The end of what the probe wrote.
    pub(super) async fn probe_log(
        &self,
        namespace: &str,
        name: &str,
        container: &str,
    ) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        let wanted = LogParams {
            container: Some(container.to_owned()),
            tail_lines: Some(LINES),
            limit_bytes: i64::try_from(LARGEST).ok(),
            ..LogParams::default()
        };
        let log = of_namespace::<Pod>(namespace).logs(&encode(name), &wanted);
        self.ask(Answer::Report, log).await
    }
}
