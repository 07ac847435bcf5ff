//! The kubelet's status of a pod.

use serde::{Deserialize, Deserializer, Serialize};

use super::{null_default, outlined};
use crate::facts::alike::{Moment, Varying};
use crate::text::foreign::Quoted;

/// `status` of a pod.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodStatus {
    /// `Pending`, `Running`, …
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub phase: String,
    /// Why, in one word, if the kubelet says so.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub reason: String,
    /// Why, in the words of whoever set the phase: the kubelet or an eviction.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub message: Quoted,
    /// `PodScheduled`, `Ready`, …
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub conditions: Vec<PodCondition>,
    /// Its address; if it has two, the one of the cluster's primary family.
    #[serde(
        rename = "podIP",
        deserialize_with = "null_default",
        skip_serializing_if = "crate::facts::alike::Bare::is_bare"
    )]
    pub pod_ip: Varying<String>,
    /// When the kubelet first saw the pod.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub start_time: Moment,
    /// Regular containers.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub container_statuses: Vec<ContainerStatus>,
    /// Init containers.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub init_container_statuses: Vec<ContainerStatus>,
    /// This project's own ephemeral containers; those of others may have written anything into their messages.
    #[serde(
        rename = "ephemeralContainerStatuses",
        deserialize_with = "probes",
        skip_serializing_if = "crate::facts::alike::Bare::is_bare"
    )]
    pub probes: Vec<ProbeStatus>,
}

object!(
    /// `status.conditions[]`.
    PodCondition {
        /// `PodScheduled`, `Ready`, …
        r#type: String,
        /// `True`, `False`, `Unknown`.
        status: String,
        /// `Unschedulable`, …
        reason: String,
        /// The scheduler's or the kubelet's words.
        message: Quoted,
    }
);

/// The prefix of the names of the probe's containers.
pub const PROBE_PREFIX: &str = "irsa-probe-";

outlined!(PodStatus {
    phase,
    reason,
    message,
    conditions,
    pod_ip,
    start_time,
    container_statuses,
    init_container_statuses,
    probes,
});

fn probes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ProbeStatus>, D::Error> {
    let all: Vec<ProbeStatus> = null_default(deserializer)?;
    Ok(all.into_iter().filter(|status| status.name.starts_with(PROBE_PREFIX)).collect())
}

object!(
    /// The status of a container in which the probe runs.
    ProbeStatus {
        /// The container's name.
        name: String,
        /// What it does now.
        state: ProbeState,
    }
);

object!(
    /// `state` of such a container.
    ProbeState {
        /// Present while it does not run yet.
        waiting: Option<Waiting>,
        /// Present while it runs.
        running: Option<Running>,
        /// Present once it has ended.
        terminated: Option<ProbeEnd>,
    }
);

object!(
    /// `state.waiting`.
    Waiting {
        /// `ContainerCreating`, `ErrImagePull`, …
        reason: String,
        /// The kubelet's words.
        message: Varying<Quoted>,
    }
);

object!(
    /// `state.terminated` of such a container.
    ProbeEnd {
        /// Exit code.
        exit_code: i64,
        /// `Completed`, `Error`, …
        reason: String,
        /// The termination message: the report, by whoever wrote it. What is read of it is a fact of its own.
        #[serde(skip_serializing)]
        message: String,
        /// When it ended.
        finished_at: Moment,
    }
);

/// `status.containerStatuses[]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerStatus {
    /// The container's name.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub name: String,
    /// What it does now.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub state: ContainerState,
    /// What it did before its last restart.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub last_state: ContainerState,
    /// If it passes its readiness probe.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub ready: bool,
    /// How often it was restarted.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub restart_count: Varying<u32>,
    /// The user that its first process was started as, if the kubelet says so.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub user: Option<ContainerUser>,
}

outlined!(ContainerStatus { name, state, last_state, ready, restart_count, user });

object!(
    /// `status.containerStatuses[].user`.
    ContainerUser {
        /// On Linux.
        linux: Option<LinuxUser>,
    }
);

object!(
    /// `user.linux`.
    LinuxUser {
        /// User id.
        uid: i64,
        /// Group id.
        gid: i64,
        /// Supplementary groups.
        supplemental_groups: Vec<i64>,
    }
);

impl PodStatus {
    /// The init container that has failed, so that no regular container starts.
    pub fn failed_init_container(&self) -> Option<&str> {
        let failed = |status: &&ContainerStatus| {
            let waits = status.state.waiting.as_ref();
            waits.is_some_and(|waiting| waiting.reason == "CrashLoopBackOff")
                || status.state.terminated.as_ref().is_some_and(|end| end.exit_code != 0)
        };
        self.init_container_statuses.iter().find(failed).map(|status| status.name.as_str())
    }

    /// Regular and init containers.
    pub fn all_container_statuses(&self) -> impl Iterator<Item = &ContainerStatus> {
        self.container_statuses.iter().chain(&self.init_container_statuses)
    }
}

object!(
    /// `state`.
    ContainerState {
        /// Present while it does not run yet, or not again.
        waiting: Option<Waiting>,
        /// Present while it runs.
        running: Option<Running>,
        /// Present once it has ended.
        terminated: Option<Terminated>,
    }
);

object!(
    /// `state.running`.
    Running {
        /// When it was last started.
        started_at: Moment,
    }
);

object!(
    /// `state.terminated`, without the message: the application may have written anything into it.
    Terminated {
        /// Exit code.
        exit_code: i64,
        /// `Completed`, `Error`, `OOMKilled`, …
        reason: String,
        /// When it ended.
        finished_at: Moment,
    }
);
