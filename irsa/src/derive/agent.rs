//! The EKS Pod Identity agent on the pod's node, and whether the pod reaches it.

use super::Derived;
use super::app_errors::{AppError, Weight};
use super::probed::ProbedPod;
use crate::aws_error::Kind;
use crate::facts::kubernetes::{Node, Pod};
use crate::facts::{Source, Sourced, Unknown, of_listing};
use crate::mechanism::Mechanism;

/// The agent that the pod has to ask.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Agent<'f> {
    /// The pod does not use one, or the node has one built in (EKS Auto Mode).
    NotApplicable(&'static str),
    /// Not known.
    Unknown(&'f Unknown),
    /// The cluster has none.
    Missing(&'f Source),
    /// The cluster has one, and none of its pods is on the node.
    Elsewhere {
        /// The node.
        node: &'f str,
        /// The list of the agent's pods.
        source: &'f Source,
    },
    /// Its pod on the node.
    Here(&'f Sourced<Pod>),
}

/// What became of the pod's calls to the agent.
#[derive(Debug, Clone, Copy)]
pub enum Call<'d> {
    /// Something answers, whatever it says.
    Answered,
    /// The probe did not get through; the error of its system.
    Probe(&'d ProbedPod<'d>, &'d str),
    /// The application does not get through.
    AppErrors(&'d AppError<'d>),
    /// No call is known.
    Unseen,
}

const COMPUTE_TYPE: &str = "eks.amazonaws.com/compute-type";

impl<'f> Agent<'f> {
    /// Looks for it.
    pub(crate) fn of(derived: &Derived<'f>) -> Self {
        let facts = derived.facts;
        let Some(pod) = facts.subject.pod().filter(|_| derived.intent.mechanism == Mechanism::PodIdentity)
        else {
            return Self::NotApplicable("no pod that uses EKS Pod Identity");
        };
        let (sets, pods) = (&facts.cluster.agents, &facts.cluster.agent_pods);
        let unknown = facts.node.unknown().or_else(|| of_listing(sets)).or_else(|| of_listing(pods));
        if let Some(unknown) = unknown {
            return Self::Unknown(unknown);
        }
        let (Some(node), Some(sets), Some(pods)) = (facts.node.known(), sets.known(), pods.known()) else {
            return Self::NotApplicable("the pod is not scheduled to a node");
        };
        if has_its_own(&node.value) || derived.on_fargate() || derived.on_windows().is_some() {
            return Self::NotApplicable("nodes of this kind do not run the agent as a pod");
        }
        let name = pod.value.spec.node_name.as_str();
        match pods.value.items.iter().find(|agent| agent.value.spec.node_name == name) {
            Some(agent) => Self::Here(agent),
            None if sets.value.items.is_empty() && pods.value.items.is_empty() => Self::Missing(&sets.source),
            None => Self::Elsewhere { node: name, source: &pods.source },
        }
    }
}

/// EKS Auto Mode has the agent in the node's image.
fn has_its_own(node: &Node) -> bool {
    node.metadata.labels.get(COMPUTE_TYPE).is_some_and(|kind| kind == "auto")
}

impl Derived<'_> {
    /// What became of the pod's calls to the agent.
    pub fn call_to_agent(&self) -> Call<'_> {
        if let Some(seen) = self.probed.pod()
            && let Some(asked) = &seen.report().container_credentials
            && let Some(way) = &asked.connection
        {
            return way.fault.as_ref().map_or(Call::Answered, |fault| Call::Probe(seen, &fault.text));
        }
        let unreachable = self.app_errors.find(|kind| kind == Kind::AgentUnreachable);
        match unreachable.filter(|said| said.weight == Weight::Current) {
            Some(said) => Call::AppErrors(said),
            None if self.app_errors.prove_the_caller() => Call::Answered,
            None => Call::Unseen,
        }
    }
}
