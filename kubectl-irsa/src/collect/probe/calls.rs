//! The probe's requests to the API server.

use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, GetParams, LogParams, Patch, PatchParams, PostParams, WatchParams};
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::pod::RawPod;
use super::watch::PodNow;
use crate::collect::cluster::{Answer, Api, Asked, Events, NoAnswer, Own, Type, body, encode, of_namespace};
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
pub type Pods = Events<Own<PodNow>>;

/// A pod after a change; or the status, which names it as well.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Changed {
    metadata: NameOnly,
    details: NameOnly,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NameOnly {
    name: Option<String>,
}

fn named(found: &str, wanted: &str) -> Result<(), NoAnswer> {
    match found == wanted {
        true => Ok(()),
        false => Err(NoAnswer::Unreadable(String::from("the answer is not the requested object"))),
    }
}

impl Api {
    /// A whole pod.
    pub(super) async fn raw_pod(&self, namespace: &str, name: &str) -> Result<RawPod, NoAnswer> {
        let request = of_namespace::<Pod>(namespace).get(&encode(name), &GetParams::default());
        let pod: RawPod = self.read(Answer::Object, &[Type::of::<Pod>()], request).await?;
        named(pod.text("/metadata/name"), name)?;
        if pod.containers().next().is_none() {
            return Err(NoAnswer::Unreadable(String::from("the answer is a pod without containers")));
        }
        Ok(pod)
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
        let request = pods.patch_subresource("ephemeralcontainers", &encode(name), &wanted, &patch);
        self.changed(name, &[Type::of::<Pod>()], request).await
    }

    /// Makes a pod.
    pub(super) async fn create_pod(
        &self,
        namespace: &str,
        manifest: &Value,
        change: Change,
    ) -> Result<(), NoAnswer> {
        let wanted = PostParams { dry_run: change.is_dry_run(), ..PostParams::default() };
        let name = manifest["metadata"]["name"].as_str().unwrap_or_default();
        let request = of_namespace::<Pod>(namespace).create(&wanted, body(manifest)?);
        self.changed(name, &[Type::of::<Pod>()], request).await
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
        let request = pods.delete(&encode(name), &wanted.grace_period(GRACE));
        // The pod, while it ends; else that it is gone.
        self.changed(name, &[Type::of::<Pod>(), Type::status()], request).await
    }

    /// A change. What answers with something else has not made it.
    async fn changed(&self, name: &str, types: &[Type], request: Asked) -> Result<(), NoAnswer> {
        let now: Changed = self.read(Answer::Object, types, request).await?;
        match now.metadata.name.or(now.details.name) {
            Some(found) => named(&found, name),
            None => Err(NoAnswer::Unreadable(String::from("the answer does not say what was changed"))),
        }
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
