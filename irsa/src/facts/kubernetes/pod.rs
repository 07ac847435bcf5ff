//! Pods: what was requested.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Container, EnvValue, Meta, PodStatus, Volume, null_default, outlined};
use crate::facts::alike::{Bare, Outline, Pen, Varying};

/// A pod. Pods are many, and each is in several lists: it is there once.
pub type Pod = Arc<PodObject>;

object!(
    /// What is read of a pod.
    PodObject {
        /// Metadata.
        metadata: Meta,
        /// What was requested, after admission.
        spec: PodSpec,
        /// The current state.
        status: PodStatus,
    }
);

object!(
    /// `spec` of a pod or of a pod template.
    PodSpec {
        /// Service account; empty in a template means `default`.
        service_account_name: String,
        /// The node it runs on; empty while it is not scheduled.
        node_name: NodeName,
        /// Uses the node's network.
        host_network: bool,
        /// Regular containers.
        containers: Vec<Container>,
        /// Init containers; with `restartPolicy: Always` a native sidecar.
        init_containers: Vec<Container>,
        /// Ephemeral containers (`kubectl debug`).
        ephemeral_containers: Vec<Container>,
        /// Volumes.
        volumes: Vec<Volume>,
        /// Labels that a node must have.
        node_selector: BTreeMap<String, String>,
        /// `os.name`.
        os: Option<PodOs>,
        /// `securityContext`, as far as it decides who may read the token.
        security_context: PodSecurity,
        /// How names are resolved: `ClusterFirst`, `Default`, …
        dns_policy: String,
    }
);

object!(
    /// `spec.securityContext`.
    PodSecurity {
        /// The group that owns the files of volumes.
        fs_group: Option<i64>,
        /// The default user of its containers.
        run_as_user: Option<i64>,
        /// The default group of its containers.
        run_as_group: Option<i64>,
    }
);

object!(
    /// `securityContext` of a container, as far as it decides who may read the token.
    ContainerSecurity {
        /// Its user.
        run_as_user: Option<i64>,
        /// Its group.
        run_as_group: Option<i64>,
    }
);

/// The name of the node that a pod runs on. That it is scheduled, and to what kind of node, is the same for many pods.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeName(Varying<String>);

impl NodeName {
    /// True while the pod is not scheduled.
    pub fn is_empty(&self) -> bool {
        self.0.unjudged().is_empty()
    }

    /// The name, for what only says it.
    pub fn unjudged(&self) -> &String {
        self.0.unjudged()
    }

    /// True if the name is one of Fargate's.
    pub fn of_fargate(&self) -> bool {
        self.0.unjudged().starts_with("fargate-")
    }
}

impl Deref for NodeName {
    type Target = String;
    fn deref(&self) -> &String {
        &self.0
    }
}

impl Bare for NodeName {
    fn is_bare(&self) -> bool {
        self.is_empty()
    }
}

impl Outline for NodeName {
    fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
        pen.number(self.is_empty().into());
        pen.number(self.of_fargate().into());
        self.0.outline(pen);
    }
}

impl PodSpec {
    /// The service account's name, `default` where none is given.
    pub fn service_account(&self) -> &str {
        if self.service_account_name.is_empty() { "default" } else { &self.service_account_name }
    }

    /// The volume of that name, with its index.
    pub fn volume(&self, name: &str) -> Option<(usize, &Volume)> {
        self.volumes.iter().enumerate().find(|(_, volume)| volume.name == name)
    }

    /// True if the webhook has wired the pod for the EKS Pod Identity agent.
    pub fn has_pod_identity(&self) -> bool {
        self.volume("eks-pod-identity-token").is_some()
    }

    /// The audience of the token that the webhook mounts (volume `aws-iam-token`).
    pub fn web_identity_audience(&self) -> Option<&str> {
        let (_, volume) = self.volume("aws-iam-token")?;
        volume
            .tokens()
            .next()
            .map(|(_, token)| token.audience.as_str())
            .filter(|audience| !audience.is_empty())
    }

    /// The roles that `AWS_ROLE_ARN` names in the containers, where it is a literal.
    pub fn literal_roles(&self) -> impl Iterator<Item = &str> {
        let variables = self.containers.iter().flat_map(|container| &container.env);
        variables.filter_map(|variable| match &variable.value {
            EnvValue::Literal(value) if variable.name == "AWS_ROLE_ARN" && value.starts_with("arn:") => {
                Some(value.as_str())
            }
            _ => None,
        })
    }
}

object!(
    /// `spec.os`.
    PodOs {
        /// `linux` or `windows`.
        name: String,
    }
);
