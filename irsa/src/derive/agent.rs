//! The EKS Pod Identity agent on the pod's node, and whether the pod reaches it.

use super::Derived;
use super::app_errors::{AppError, Weight};
use super::probed::{ProbeOutcome, ProbedPod};
use crate::aws_error::{self, Kind, Sighting};
use crate::facts::kubernetes::{AGENT_PROGRAM, Container, Meta, Node, Pod, PodSpec};
use crate::facts::{Fact, Source, Sourced, Unknown, Why};
use crate::mechanism::Mechanism;

/// The label `app.kubernetes.io/name` of the agent's pods, by its chart, which the EKS add-on is made from.
pub(crate) const NAMES: [&str; 3] =
    ["eks-pod-identity-agent", "eks-pod-identity-agent-hybrid", "eks-pod-identity-agent-hybrid-bottlerocket"];

/// The ports that the agent listens on at the node: for credentials, and for the kubelet's probes.
const PORTS: [u32; 2] = [80, 2703];

/// How much a pod looks like the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// It is: by its labels, its image, its program.
    Agent,
    /// It listens where the agent would, and may be a copy of it under other names.
    Maybe,
    /// It is something else.
    None,
}

impl Likeness {
    /// Looks at a pod, or at the template of pods.
    pub(crate) fn of(meta: &Meta, spec: &PodSpec) -> Self {
        let by_label = meta.labels.values().any(|value| NAMES.contains(&value.as_str()));
        let is_program = |container: &Container| {
            let mut words = container.command.iter().chain(container.args.iter());
            words.any(|word| word.ends_with(AGENT_PROGRAM)) || container.image.contains(AGENT_PROGRAM)
        };
        let listens = |container: &Container, port: u32| {
            spec.host_network && container.ports.iter().any(|found| found.container_port == port)
        };
        if by_label || spec.containers.iter().any(is_program) {
            return Self::Agent;
        }
        if PORTS.iter().all(|port| spec.containers.iter().any(|container| listens(container, *port))) {
            return Self::Agent;
        }
        let undeclared =
            spec.host_network && spec.containers.iter().all(|container| container.ports.is_empty());
        let named = spec.containers.iter().any(|container| container.name.contains("pod-identity"))
            || meta.judged_name().contains("pod-identity");
        let at_port =
            spec.containers.iter().any(|container| PORTS.iter().any(|port| listens(container, *port)));
        if at_port || named && undeclared { Self::Maybe } else { Self::None }
    }
}

/// The agent that the pod has to ask.
#[derive(Debug, Clone)]
pub(crate) enum Agent<'f> {
    /// The pod does not use one, or the node has one built in (EKS Auto Mode).
    NotApplicable(&'static str),
    /// Not known.
    Unknown(Unknown),
    /// The cluster has none.
    Missing(&'f Source),
    /// The cluster has one, as far as is known, and none of its pods is on the node.
    Elsewhere {
        /// The node.
        node: &'f str,
        /// The list of the node's pods.
        source: &'f Source,
        /// Its DaemonSet, if one was found.
        set: Option<&'f Meta>,
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

/// What the agent answered the probe.
#[derive(Debug)]
pub(crate) struct AgentAnswer {
    /// Whether it gave credentials.
    gave_credentials: bool,
    /// Its words, where it gave none.
    pub message: Option<String>,
    /// What they say.
    pub sighting: Option<Sighting>,
    /// Where it was read.
    pub source: Source,
}

impl AgentAnswer {
    pub(super) fn of(probed: &ProbeOutcome<'_>) -> Option<Self> {
        let seen = probed.pod()?;
        let answer = seen.report().container_credentials.as_ref()?.answer.as_ref()?;
        let message = answer.message.clone();
        Some(Self {
            // What holds none is no such answer, whatever its status.
            gave_credentials: answer.status == Some(200) && answer.fault.is_none(),
            sighting: message.as_deref().and_then(aws_error::agent),
            message,
            source: seen.at("containerCredentials.answer"),
        })
    }

    /// True if it gave credentials.
    pub(crate) fn gave_credentials(&self) -> bool {
        self.gave_credentials
    }
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
        let name = pod.value.spec.node_name.as_str();
        if name.is_empty() {
            return Self::NotApplicable("the pod is not scheduled to a node");
        }
        let (sets, pods) = (&facts.cluster.agents, &facts.agent_pods);
        let found = || pods.known().into_iter().flat_map(|listing| &listing.value.items);
        let likeness = |pod: &Pod| Likeness::of(&pod.metadata, &pod.spec);
        // Of several, the one that runs: a rollout replaces one by another, and evicted ones stay.
        let agents = found().filter(|pod| likeness(&pod.value) == Likeness::Agent);
        let agent = agents.min_by_key(|pod| {
            (pod.value.metadata.deletion_timestamp.is_known(), pod.value.status.phase != "Running")
        });
        if let Some(agent) = agent {
            return Self::Here(agent);
        }
        let (node, pods) = match (&*facts.node, &**pods) {
            (Fact::Unknown(unknown), _) | (_, Fact::Unknown(unknown)) => {
                return Self::Unknown(unknown.clone());
            }
            (Fact::Known(node), Fact::Known(pods)) => (node, pods),
            _ => return Self::NotApplicable("the pod's node no longer exists"),
        };
        if has_its_own(&node.value) || derived.on_fargate() || derived.on_windows().is_some() {
            return Self::NotApplicable("nodes of this kind do not run the agent as a pod");
        }
        if let Some(cut) = &pods.value.cut {
            return Self::Unknown(cut.clone());
        }
        let own = &pod.value.metadata.uid;
        if let Some(candidate) = found().find(|other| other.value.metadata.uid != **own) {
            let meta = &candidate.value.metadata;
            return Self::Unknown(Unknown {
                what: format!("the EKS Pod Identity agent on node {name}"),
                why: Why::Failed(format!(
                    "no pod there has its labels or image; {}/{} may be it, by the ports it uses",
                    meta.namespace, meta.name
                )),
                grant: None,
            });
        }
        match sets.known() {
            Some(sets) if sets.value.complete() && sets.value.items.is_empty() => Self::Missing(&sets.source),
            sets => {
                let set = sets.and_then(|sets| Some(&sets.value.items.first()?.value.metadata));
                Self::Elsewhere { node: name, source: &pods.source, set }
            }
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
            // What the application repeats of its answer, it answered.
            None if self
                .app_errors
                .iter()
                .any(|said| said.weight == Weight::Current && is_of_the_agent(said.error.kind)) =>
            {
                Call::Answered
            }
            None => Call::Unseen,
        }
    }
}

/// True for what only the agent says, or EKS Auth through it.
fn is_of_the_agent(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::PodIdentityDenied
            | Kind::NodeNotAuthorized
            | Kind::PodIdentityNotFound
            | Kind::PodIdentityTokenExpired
            | Kind::PodIdentityTokenInvalid
            | Kind::PodIdentityTokenMalformed
            | Kind::PodIdentityThrottled
            | Kind::EksAuthUnreachable
            | Kind::AgentTls
            | Kind::AgentWrongAddress
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likeness(pod: &str) -> Likeness {
        let pod: Pod = serde_json::from_str(pod).unwrap();
        Likeness::of(&pod.metadata, &pod.spec)
    }

    #[test]
    fn the_agent_is_known_by_label_image_program_and_ports() {
        for (pod, expected) in [
            (
                r#"{"metadata":{"labels":{"app.kubernetes.io/name":"eks-pod-identity-agent-hybrid"}}}"#,
                Likeness::Agent,
            ),
            (
                r#"{"spec":{"containers":[{"image":"mirror.example.com/eks/eks-pod-identity-agent@sha256:0"}]}}"#,
                Likeness::Agent,
            ),
            (
                r#"{"spec":{"containers":[{"image":"creds:1","command":["/go-runner","/eks-pod-identity-agent","server"]}]}}"#,
                Likeness::Agent,
            ),
            (
                r#"{"spec":{"hostNetwork":true,"containers":[{"image":"creds:1","ports":[{"containerPort":80},{"containerPort":2703}]}]}}"#,
                Likeness::Agent,
            ),
            (
                r#"{"spec":{"hostNetwork":true,"containers":[{"image":"creds:1","ports":[{"containerPort":80}]}]}}"#,
                Likeness::Maybe,
            ),
            (
                r#"{"metadata":{"name":"pod-identity-x"},"spec":{"hostNetwork":true,"containers":[{"image":"creds:1"}]}}"#,
                Likeness::Maybe,
            ),
            (r#"{"spec":{"containers":[{"image":"nginx","ports":[{"containerPort":80}]}]}}"#, Likeness::None),
            (r#"{"spec":{"hostNetwork":true,"containers":[{"image":"node-exporter"}]}}"#, Likeness::None),
        ] {
            assert_eq!(likeness(pod), expected, "{pod}");
        }
    }
}
