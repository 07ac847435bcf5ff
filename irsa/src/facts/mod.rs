//! Everything observed about one subject: plain data, no opinions.
//!
//! Collectors fill it; [`crate::derive`] and [`crate::checks`] read it. It depends on neither.

pub mod alike;
pub mod aws;
mod fact;
pub mod issuer;
pub mod kubernetes;
pub mod probed;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::Aws;
use issuer::Issuer;
use jiff::Timestamp;
use probed::ProbeFacts;
use serde::{Deserialize, Serialize};

pub use fact::{Fact, Grant, Listing, Position, Positions, Source, Sourced, Unknown, Why};
use kubernetes::{
    ConfigMap, DaemonSet, EndpointSlice, Event, Meta, MutatingWebhookConfiguration, Namespace, NetworkPolicy,
    Node, Pod, PodSpec, ReplicaSet, Secret, ServerVersion, ServiceAccount,
};

use crate::aws_error::Sighting;

/// One subject, and everything observed about it. What several subjects have in common is there once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Facts {
    /// What the user asked about.
    pub request: Arc<Request>,
    /// What this report is about: one pod, the template of future pods, or a service account alone.
    pub subject: Subject,
    /// The service account's name and namespace.
    pub service_account_name: String,
    /// The namespace of the subject.
    pub namespace_name: String,
    /// The service account that the subject runs as.
    pub service_account: Arc<Fact<ServiceAccount>>,
    /// The namespace.
    pub namespace: Arc<Fact<Namespace>>,
    /// All service accounts of the namespace.
    pub service_accounts: Arc<Fact<Listing<ServiceAccount>>>,
    /// All NetworkPolicies of the namespace.
    pub network_policies: Arc<Fact<Listing<NetworkPolicy>>>,
    /// Service accounts of the same name in other namespaces; read only if the one here names no role.
    pub namesakes: Arc<Fact<Listing<ServiceAccount>>>,
    /// The workload that owns the pod, if there is one.
    pub owner: Arc<Fact<Owner>>,
    /// The ReplicaSet of a Deployment's pod. Whether the pod is of the current template is all that it tells.
    pub replica_set: Arc<Fact<ReplicaSet>>,
    /// The pod that owns the pod, as the driver of a Spark application owns its executors.
    pub owner_pod: Arc<Fact<Pod>>,
    /// Pods of the same workload, or with the same labels; includes the subject.
    pub siblings: Arc<Fact<Listing<Pod>>>,
    /// Events of the subject and of its owners.
    pub events: Arc<Fact<Listing<Event>>>,
    /// The node that the pod runs on.
    pub node: Arc<Fact<Node>>,
    /// ConfigMaps that the containers take environment from, by name.
    pub config_maps: Arc<BTreeMap<String, Fact<ConfigMap>>>,
    /// Secrets that the containers take environment from, by name: keys only.
    pub secrets: Arc<BTreeMap<String, Fact<Secret>>>,
    /// Pods on the node that are, or may be, the EKS Pod Identity agent; asked only if the pod is wired for it.
    pub agent_pods: Arc<Fact<Listing<Pod>>>,
    /// What is the same for every subject of the run.
    pub cluster: Arc<Cluster>,
    /// What AWS says about the identity that the subject should have.
    pub aws: Arc<Aws>,
    /// The issuer of its tokens.
    pub issuer: Arc<Issuer>,
    /// AWS errors that the application reported: in the target container's log, or in the text that the user gave.
    pub app_errors: Fact<Listing<LoggedError>>,
    /// The pod as the probe sees it.
    pub probed: Fact<ProbeFacts>,
}

/// An error that the application reported.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LoggedError {
    /// What it says.
    pub error: Sighting,
    /// When it was last logged, by the node's clock; `None` for a text that the user gave, which counts as current.
    pub at: Option<Timestamp>,
    /// True if the user gave it (`--error`), rather than the container's log.
    #[serde(default)]
    pub given: bool,
    /// The text that the user gave, if no error was recognised in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_text: Option<UnknownText>,
}

/// A text in which no error was recognised.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnknownText {
    /// Its beginning, without what could be a secret.
    pub excerpt: String,
    /// True if it speaks of AWS.
    pub of_aws: bool,
}

/// What the user asked about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// Lower-case kind: `pod`, `deployment`, …
    pub kind: String,
    /// Name.
    pub name: String,
    /// `-c`.
    pub container: Option<String>,
    /// kubectl flags that a printed command needs in order to reach the same cluster: `--context prod`.
    pub kubectl_flags: Vec<String>,
    /// AWS CLI flags that a printed command needs in order to use the same credentials: `--profile`, `prod`.
    pub aws_flags: Vec<String>,
    /// Flags of this run without which another would not see the same: `--cluster-name`, `--action`.
    #[serde(default)]
    pub own_flags: Vec<String>,
    /// False if files stand for the cluster: then there is nothing to look at again.
    pub live: bool,
}

/// What one report is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A pod.
    Pod(Sourced<Pod>),
    /// A workload that has no pods right now: its template.
    Template(Box<Sourced<Owner>>),
    /// A service account that no pod uses right now.
    ServiceAccount,
}

impl Subject {
    /// The pod.
    pub fn pod(&self) -> Option<&Sourced<Pod>> {
        match self {
            Self::Pod(pod) => Some(pod),
            Self::Template(_) | Self::ServiceAccount => None,
        }
    }

    /// The spec, its metadata, where it was read, and the path of the spec within the object.
    pub fn spec(&self) -> Option<(&PodSpec, &Meta, &Source, &str)> {
        match self {
            Self::Pod(pod) => Some((&pod.value.spec, &pod.value.metadata, &pod.source, ".spec")),
            Self::Template(owner) => {
                let owner_value = &owner.value;
                Some((
                    &owner_value.template_spec,
                    &owner_value.template_meta,
                    &owner.source,
                    owner_value.template_path(),
                ))
            }
            Self::ServiceAccount => None,
        }
    }
}

/// A workload, whatever its kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Owner {
    /// `Deployment`, `StatefulSet`, …
    pub kind: String,
    /// Metadata.
    pub meta: Meta,
    /// Metadata of its pods.
    pub template_meta: Meta,
    /// Spec of its pods.
    pub template_spec: PodSpec,
    /// The revision of its template, where its pods are replaced when that changes.
    pub revision: Option<String>,
}

impl Owner {
    /// The path of the pod spec within the object.
    pub fn template_path(&self) -> &'static str {
        match self.kind.as_str() {
            // A pod that is not created yet is its own template.
            "Pod" => ".spec",
            "CronJob" => ".spec.jobTemplate.spec.template.spec",
            _ => ".spec.template.spec",
        }
    }
}

/// What is the same for every subject of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cluster {
    /// The API server's clock (`Date` header of its first answer), or the time the files were taken.
    pub server_clock: Fact<Timestamp>,
    /// Version of the API server.
    pub version: Fact<ServerVersion>,
    /// Mutating webhooks.
    pub webhooks: Fact<Listing<MutatingWebhookConfiguration>>,
    /// ConfigMap `kube-root-ca.crt` of the subject's namespace: the CA that signed the API server's certificate.
    pub root_ca: Fact<ConfigMap>,
    /// ConfigMap `pod-identity-webhook`: role ARNs by service account, as kOps has them.
    pub webhook_config_map: Fact<ConfigMap>,
    /// The workload that serves a self-hosted webhook.
    pub webhook_workload: Fact<Owner>,
    /// Endpoints of a self-hosted webhook's service.
    pub webhook_endpoints: Fact<Listing<EndpointSlice>>,
    /// DaemonSets that are, or may be, the EKS Pod Identity agent; asked only if a pod is wired for it.
    pub agents: Fact<Listing<DaemonSet>>,
}

// There are as many of them as pods in a run: what only few subjects have is boxed.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Facts>() <= 1024);

impl Facts {
    /// The workload that is looked at, or that the pod comes from; `None` if it is not known, or there is none.
    pub fn workload(&self) -> Option<&Sourced<Owner>> {
        match &self.subject {
            Subject::Template(owner) => Some(owner),
            Subject::Pod(_) | Subject::ServiceAccount => self.owner.known(),
        }
    }

    /// Everything that was asked for and could not be read, in a stable order, each once.
    pub fn unknowns(&self) -> Vec<&Unknown> {
        let cluster = &self.cluster;
        let mut all: Vec<&Unknown> = Vec::new();
        for unknown in [
            self.service_account.unknown(),
            self.namespace.unknown(),
            of_listing(&self.service_accounts),
            of_listing(&self.network_policies),
            of_listing(&self.namesakes),
            self.owner.unknown(),
            self.owner_pod.unknown(),
            // Nobody saves it, and little depends on it.
            self.replica_set.unknown().filter(|unknown| unknown.why != Why::NotInFiles),
            of_listing(&self.siblings),
            of_listing(&self.events),
            self.node.unknown(),
            cluster.server_clock.unknown(),
            cluster.version.unknown(),
            of_listing(&cluster.webhooks),
            cluster.root_ca.unknown(),
            cluster.webhook_config_map.unknown(),
            cluster.webhook_workload.unknown(),
            of_listing(&cluster.webhook_endpoints),
            of_listing(&cluster.agents),
            of_listing(&self.agent_pods),
            self.issuer.api.unknown(),
            self.issuer.api_keys.unknown(),
            self.issuer.minted.unknown(),
            self.issuer.published.unknown(),
            self.issuer.published_keys.unknown(),
            self.aws.caller.unknown(),
            self.aws.role.unknown(),
            self.aws.policies.unknown(),
            self.aws.providers.unknown(),
            self.aws.provider.unknown(),
            self.aws.cluster.unknown(),
            self.aws.associations.unknown(),
            of_listing(&self.aws.other_associations),
            self.aws.associated_role.unknown(),
            self.aws.target_role.unknown(),
            of_listing(&self.aws.federated_roles),
            of_listing(&self.aws.trail),
            self.aws.simulation.unknown(),
            self.aws.sts_answer.unknown(),
            self.aws.second_sts_answer.unknown(),
            of_listing(&self.app_errors),
            self.probed.unknown(),
        ]
        .into_iter()
        .flatten()
        .chain(self.config_maps.values().filter_map(Fact::unknown))
        .chain(self.secrets.values().filter_map(Fact::unknown))
        {
            let asked = !matches!(unknown.why, Why::NotAsked(_)) && !unknown.why.is_chosen();
            if asked && !all.contains(&unknown) {
                all.push(unknown);
            }
        }
        all
    }
}

/// Why a list is not known, or not all of it.
pub fn of_listing<T>(fact: &Fact<Listing<T>>) -> Option<&Unknown> {
    fact.unknown().or_else(|| fact.known().and_then(|listing| listing.value.cut.as_ref()))
}
