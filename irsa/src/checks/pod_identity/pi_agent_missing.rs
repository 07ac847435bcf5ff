//! # The cluster has no EKS Pod Identity agent
//!
//! A pod gets its credentials from the agent on its node, at 169.254.170.23. The webhook wires pods as soon as there is an
//! association, whether or not the add-on `eks-pod-identity-agent` is installed.
//!
//! **You see**: `connection refused` or timeouts for `http://169.254.170.23/v1/credentials`; from boto3 `Error when retrieving
//! credentials from container-role`.
//!
//! **Decided by**: no DaemonSet and no pod of the agent anywhere in the cluster, by the labels of its chart. It is an error where
//! the probe or the application got no answer from it, else a warning.
//!
//! **Not a fault**: EKS Auto Mode, whose nodes have the agent in their image; an agent that was installed under labels of its
//! own, and answers.
//!
//! **Repair**: install the add-on. Running pods get credentials without being made anew.

use super::agent;
use crate::checks::prelude::*;
use crate::derive::agent::Agent;
use crate::repair::pod_identity;

/// See the module's page.
pub const META: Meta = Meta {
    id: "pi-agent-missing",
    step: Step::Network,
    title: "the cluster has no EKS Pod Identity agent",
    explains: &[],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let source = match agent::of(derived) {
        Ok(Agent::Missing(source)) => source,
        Ok(_) => return Outcome::Pass,
        Err(outcome) => return outcome,
    };
    let finding = agent::finding(&META, derived, "the cluster has none").missing(
        "agent",
        "DaemonSet eks-pod-identity-agent",
        source,
    );
    finding.fix(pod_identity::install_agent(derived)).into()
}
