//! # The EKS Pod Identity agent is not on the pod's node
//!
//! The agent serves the pods of its own node. Its DaemonSet leaves nodes out by its affinity (Fargate, hybrid nodes unless they
//! are asked for, other systems than Linux on amd64 and arm64), and by taints that it does not tolerate where somebody set its
//! tolerations; and a new node has none in its first moments.
//!
//! **You see**: `connection refused` or timeouts for `http://169.254.170.23/v1/credentials` on some nodes and not on others.
//!
//! **Decided by**: the agent's pods, none of which is on the pod's node. It is an error where the probe or the application got no
//! answer, else a warning.
//!
//! **Not a fault**: EKS Auto Mode, whose nodes have the agent in their image.
//!
//! **Repair**: let the DaemonSet tolerate the node's taints, or move the pod to a node that the agent supports.

use super::agent;
use crate::checks::prelude::*;
use crate::derive::agent::Agent;

/// See the module's page.
pub const META: Meta = Meta {
    id: "pi-agent-not-on-node",
    step: Step::Network,
    title: "the EKS Pod Identity agent is not on the pod's node",
    explains: &[],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let (node, source) = match agent::of(derived) {
        Ok(Agent::Elsewhere { node, source }) => (node, source),
        Ok(_) => return Outcome::Pass,
        Err(outcome) => return outcome,
    };
    agent::finding(&META, derived, &format!("none of the agent's pods is on node {node}"))
        .missing(format!("pod of the agent on node {node}"), "one", source)
        .fix(Fix::inspect(
            "compare the node's labels and taints with the affinity and the tolerations of DaemonSet eks-pod-identity-agent, which \
             the add-on takes from its configuration values",
            Command::kubectl(derived, &["describe", "node", node]),
        ))
        .into()
}
