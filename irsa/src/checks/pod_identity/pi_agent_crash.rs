//! # The EKS Pod Identity agent does not run
//!
//! The agent's pod is on the node and is not ready: the node has IPv6 switched off, so that the agent cannot listen at
//! `[fd00:ec2::23]`; another pod in the node's network has its ports 80 or 2703; its image cannot be pulled.
//!
//! **You see**: `connection refused` or timeouts for `http://169.254.170.23/v1/credentials` on one node.
//!
//! **Decided by**: the state of the agent's pod on the pod's node. It is an error where the probe or the application got no
//! answer, else a warning.
//!
//! **Not a fault**: restarts of the past, of an agent that is ready now.
//!
//! **Repair**: the agent's log says why. Without IPv6: `-b 169.254.170.23` among the agent's arguments.

use super::agent;
use crate::checks::prelude::*;
use crate::derive::agent::Agent;
use crate::facts::kubernetes::{ContainerStatus, Pod};

/// See the module's page.
pub const META: Meta = Meta {
    id: "pi-agent-crash",
    step: Step::Network,
    title: "the EKS Pod Identity agent does not run",
    explains: &[],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let pod = match agent::of(derived) {
        Ok(Agent::Here(pod)) => pod,
        Ok(_) => return Outcome::Pass,
        Err(outcome) => return outcome,
    };
    let Some(state) = trouble(&pod.value) else { return Outcome::Pass };
    let (name, namespace) = (&pod.value.metadata.name, &pod.value.metadata.namespace);
    agent::finding(&META, derived, &format!("the agent's pod {namespace}/{name} is not ready"))
            .evidence(format!("pod {namespace}/{name}"), "ready", state, &pod.source.at(".status"))
            .fix(Fix::inspect(
                "read why",
                Command::kubectl(derived, &["logs", name, "-n", namespace, "--all-containers", "--tail=20"]),
            ))
            .fix(Fix::advice(
                "where the node has no IPv6, give the agent -b 169.254.170.23 (additionalArgs of the add-on); where its port is \
                 taken, move the other pod out of the node's network",
            ))
            .into()
}

/// How the pod stands, if it is not ready.
fn trouble(pod: &Pod) -> Option<String> {
    let statuses = &pod.status.container_statuses;
    let waits = |status: &ContainerStatus| {
        let waiting = status.state.waiting.as_ref()?;
        Some(format!("{}, restarted {} times", waiting.reason, status.restart_count))
    };
    let not_ready = statuses.iter().find(|status| !status.ready);
    match not_ready {
        Some(status) => Some(waits(status).unwrap_or_else(|| String::from("not ready"))),
        None if statuses.is_empty() => Some(pod.status.phase.clone()),
        None => None,
    }
}
