//! # The EKS Pod Identity agent is not on the pod's node
//!
//! The agent serves the pods of its own node. Its DaemonSet skips nodes because of its affinity (Fargate, hybrid nodes unless
//! enabled, anything other than Linux on amd64 and arm64), or because of taints that it does not tolerate if somebody changed
//! its tolerations. A new node has no agent in its first moments.
//!
//! **You see**: `connection refused` or timeouts for `http://169.254.170.23/v1/credentials` on some nodes but not on others.
//!
//! **Decided by**: the pods of the pod's node, none of which is the agent, going by labels, image, program and ports. As long as
//! neither the probe nor the application called it in vain, this is inferred; on a node of the last minutes it is a warning.
//!
//! **Not a fault**: EKS Auto Mode, whose nodes have the agent built in.
//!
//! **Repair**: make the DaemonSet tolerate the node's taints, or move the pod to a node that the agent supports.

use super::agent;
use crate::checks::prelude::*;
use crate::derive::agent::{Agent, Call};
use crate::facts::kubernetes::AGENT_PROGRAM;
use jiff::SignedDuration;

pub(super) const META: Meta = Meta {
    id: "pi-agent-not-on-node",
    step: Step::Network,
    title: "the EKS Pod Identity agent is not on the pod's node",
    explains: &[],
};

/// How long a new node may take to start its DaemonSets.
const STARTING: SignedDuration = SignedDuration::from_mins(3);

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let (node, source, set) = match agent::of(derived) {
        Ok(Agent::Elsewhere { node, source, set }) => (node, source, set),
        Ok(_) => return Outcome::Pass,
        Err(outcome) => return outcome,
    };
    let finding = agent::finding(&META, derived, &format!("node {node} has no pod of the agent"));
    let finding = match derived.call_to_agent() {
        Call::Unseen if is_new(derived) => finding.severity(Severity::Warning).doubt(Doubt::MayFail),
        _ => finding,
    };
    let set = set.map_or(AGENT_PROGRAM, |set| &set.name);
    finding
        .missing(format!("agent pod on node {node}"), "one", source)
        .fix(Fix::inspect(
            format!(
                "compare the node's labels and taints with the affinity and tolerations of DaemonSet {set}, which the add-on \
                 takes from its configuration values"
            ),
            Command::kubectl(derived, &["describe", "node", node]),
        ))
        .into()
}

/// True for a node of the last minutes, whose DaemonSets are still being started.
fn is_new(derived: &Derived<'_>) -> bool {
    let Some(node) = derived.facts.node.known() else { return false };
    let now = derived.facts.cluster.server_clock.known().map(|clock| clock.value);
    let early = now.and_then(|now| now.checked_sub(STARTING).ok());
    early.is_some_and(|early| node.value.metadata.creation_timestamp.is_after(early))
}
