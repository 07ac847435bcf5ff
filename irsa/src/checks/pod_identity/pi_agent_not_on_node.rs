//! # The EKS Pod Identity agent is not on the pod's node
//!
//! The agent serves the pods of its own node. Its DaemonSet skips nodes because of its affinity (Fargate, hybrid nodes unless
//! enabled, anything other than Linux on amd64 and arm64), or because of taints that it does not tolerate if somebody changed
//! its tolerations. A new node has no agent in its first moments.
//!
//! **You see**: `connection refused` or timeouts for `http://169.254.170.23/v1/credentials` on some nodes but not on others.
//!
//! **Decided by**: the agent's pods, none of which is on the pod's node. This is an error if the probe or the application got
//! no answer, otherwise a warning.
//!
//! **Not a fault**: EKS Auto Mode, whose nodes have the agent built in.
//!
//! **Repair**: make the DaemonSet tolerate the node's taints, or move the pod to a node that the agent supports.

use super::agent;
use crate::checks::prelude::*;
use crate::derive::agent::Agent;

pub(super) const META: Meta = Meta {
    id: "pi-agent-not-on-node",
    step: Step::Network,
    title: "the EKS Pod Identity agent is not on the pod's node",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let (node, source) = match agent::of(derived) {
        Ok(Agent::Elsewhere { node, source }) => (node, source),
        Ok(_) => return Outcome::Pass,
        Err(outcome) => return outcome,
    };
    agent::finding(&META, derived, &format!("node {node} has no pod of the agent"))
        .missing(format!("agent pod on node {node}"), "one", source)
        .fix(Fix::inspect(
            "compare the node's labels and taints with the affinity and tolerations of DaemonSet eks-pod-identity-agent, which \
             the add-on takes from its configuration values",
            Command::kubectl(derived, &["describe", "node", node]),
        ))
        .into()
}
