//! # The cluster has no EKS Pod Identity agent
//!
//! A pod gets its credentials from the agent on its node, at 169.254.170.23. The webhook wires pods as soon as there is an
//! association, whether or not the add-on `eks-pod-identity-agent` is installed.
//!
//! **You see**: `connection refused` or timeouts for `http://169.254.170.23/v1/credentials`; from boto3 `Error when retrieving
//! credentials from container-role`.
//!
//! **Decided by**: no DaemonSet of the cluster and no pod of the node is the agent, going by labels, image, program and ports.
//! As long as neither the probe nor the application called it in vain, this is inferred.
//!
//! **Not a fault**: EKS Auto Mode, whose nodes have the agent built in; an agent under another name. If a pod that might be it
//! listens at its port, this is not known rather than wrong.
//!
//! **Repair**: install the add-on. Running pods then get credentials without being recreated.

use super::agent;
use crate::checks::prelude::*;
use crate::derive::agent::Agent;
use crate::repair::pod_identity;

pub(super) const META: Meta = Meta {
    id: "pi-agent-missing",
    step: Step::Network,
    title: "the cluster has no EKS Pod Identity agent",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let source = match agent::of(derived) {
        Ok(Agent::Missing(source)) => source,
        Ok(_) => return Outcome::Pass,
        Err(outcome) => return outcome,
    };
    let finding = agent::finding(&META, derived, "the cluster has no agent").missing(
        "agent",
        "DaemonSet eks-pod-identity-agent",
        source,
    );
    finding.fix(pod_identity::install_agent(derived)).into()
}
