//! # The EKS Pod Identity agent is not ready
//!
//! The agent's pod is on the node but not ready: IPv6 is disabled on the node, so the agent cannot listen on `[fd00:ec2::23]`;
//! another pod on the host network uses its ports 80 or 2703; its image cannot be pulled.
//!
//! **You see**: `connection refused` or timeouts for `http://169.254.170.23/v1/credentials` on one node.
//!
//! **Decided by**: the state of the agent's pod on the pod's node. This is an error if its container does not run, or if the
//! probe or the application got no answer; a warning if it runs and is not ready.
//!
//! **Not a fault**: past restarts of an agent that is ready now.
//!
//! **Repair**: the agent's log says why. Without IPv6, add `-b 169.254.170.23` to the agent's arguments.

use super::agent;
use crate::checks::prelude::*;
use crate::derive::agent::{Agent, Call};
use crate::facts::kubernetes::{ContainerStatus, Pod};

pub(super) const META: Meta = Meta {
    id: "pi-agent-crash",
    step: Step::Network,
    title: "the EKS Pod Identity agent is not ready",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let pod = match agent::of(derived) {
        Ok(Agent::Here(pod)) => pod,
        Ok(_) => return Outcome::Pass,
        Err(outcome) => return outcome,
    };
    let Some((state, runs)) = trouble(&pod.value) else { return Outcome::Pass };
    let (name, namespace) = (&pod.value.metadata.name, &pod.value.metadata.namespace);
    let finding = agent::finding(&META, derived, &format!("the agent's pod {namespace}/{name} is not ready"));
    let finding = match derived.call_to_agent() {
        Call::Unseen if runs => finding.severity(Severity::Warning).doubt(Doubt::MayFail),
        _ => finding,
    };
    finding
            .evidence(format!("pod {namespace}/{name}"), "ready", state, &pod.source.at(".status"))
            .fix(Fix::inspect(
                "read in the agent's log why",
                Command::kubectl(derived, &["logs", name, "-n", namespace, "--all-containers", "--tail=20"]),
            ))
            .fix(Fix::advice(
                "if the node has no IPv6, run the agent with -b 169.254.170.23 (additionalArgs of the add-on); if its port is taken, \
                 move the other pod off the host network",
            ))
            .into()
}

/// The state of the pod, if it is not ready, and whether it runs nevertheless.
fn trouble(pod: &Pod) -> Option<(String, bool)> {
    let statuses = &pod.status.container_statuses;
    let waits = |status: &ContainerStatus| {
        let waiting = status.state.waiting.as_ref()?;
        Some(format!("{}, restarted {} times", waiting.reason, status.restart_count))
    };
    let not_ready = statuses.iter().find(|status| !status.ready);
    match not_ready {
        Some(status) => {
            let state = waits(status).unwrap_or_else(|| String::from("not ready"));
            Some((state, status.state.running.is_some()))
        }
        None if statuses.is_empty() => Some((pod.status.phase.clone(), false)),
        None => None,
    }
}
