//! Kubernetes objects, cut down to the fields that the checks read.
//!
//! The same types read the API server's answers and the user's files, so both are handled alike. Values that may be
//! secret are dropped while being parsed (see [`EnvValue`]): what is not in memory cannot be printed.

use serde::{Deserialize, Deserializer};

use super::alike::outlined;

/// Kubernetes writes `null` where a list or a map is empty; serde's `default` covers only a missing field.
fn null_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

macro_rules! object {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident : $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            $(
                $(#[$field_doc])*
                #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
                pub $field: $type,
            )*
        }

        outlined!($name { $($field),* });
    };
}

mod cluster;
mod config;
mod container;
mod endpoints;
mod meta;
mod network_policy;
mod pod;
pub mod resource;
mod service_account;
mod status;
mod volume;
mod webhook;
mod workload;

pub use cluster::{Event, EventSeries, Namespace, Node, NodeSpec, ObjectRef, ServerVersion};
pub use config::{ConfigMap, Secret};
pub(crate) use container::AGENT_PROGRAM;
pub use container::{
    Container, ContainerPort, EnvFrom, EnvValue, EnvVar, EnvVarSource, FieldRef, KeyRef, VolumeMount, Words,
};
pub use endpoints::{Endpoint, EndpointConditions, EndpointSlice};
pub use meta::{LabelSelector, Labels, ManagedFields, Meta, NameRef, OwnerReference, SelectorRequirement};
pub use network_policy::{EgressRule, IpBlock, NetworkPolicy, NetworkPolicySpec, Peer, PolicyPort, PortRef};
pub use pod::{ContainerSecurity, NodeName, Pod, PodObject, PodOs, PodSecurity, PodSpec};
pub use service_account::ServiceAccount;
pub use status::{
    ContainerState, ContainerStatus, ContainerUser, LinuxUser, PROBE_PREFIX, PodCondition, PodStatus,
    ProbeEnd, ProbeState, ProbeStatus, Running, Terminated, Waiting,
};
pub use volume::{CsiVolume, Projected, ProjectedSource, SecretVolume, ServiceAccountToken, Volume};
pub use webhook::{
    MatchCondition, MutatingWebhookConfiguration, ServiceRef, Webhook, WebhookClient, WebhookRule,
};
pub use workload::{
    CronJob, CronJobSpec, DaemonSet, Deployment, Job, JobTemplate, PodTemplate, ReplicaSet, RollingUpdate,
    StatefulSet, UpdateStrategy, WorkloadSpec, WorkloadStatus,
};

/// A top-level object that can be fetched or read from a file.
pub trait Object: for<'de> Deserialize<'de> + Clone {
    /// `Pod`.
    const KIND: &'static str;
    /// The object's metadata.
    fn meta(&self) -> &Meta;
}

#[cfg(test)]
mod tests;
