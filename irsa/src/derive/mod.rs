//! What several checks need, worked out once from the facts. Pure.

pub(crate) mod agent;
pub(crate) mod app_errors;
pub(crate) mod association;
pub(crate) mod attribution;
pub mod ca;
pub(crate) mod caller;
pub mod container;
pub(crate) mod denial;
pub(crate) mod egress;
pub(crate) mod env;
pub(crate) mod injection;
mod intent;
pub(crate) mod issuer;
pub mod least;
pub(crate) mod missing_role;
pub(crate) mod peer;
pub mod plan;
pub(crate) mod pod_state;
pub(crate) mod probed;
pub(crate) mod provider;
pub(crate) mod rollout;
pub(crate) mod session_name;
pub(crate) mod shared_file;
pub(crate) mod siblings;
pub mod situation;
pub(crate) mod sts;
pub(crate) mod sts_answer;
pub(crate) mod trust;
pub(crate) mod trusting;
pub(crate) mod webhook;
pub(crate) mod webhook_config;
pub(crate) mod wire;

use std::sync::{Arc, OnceLock};

use crate::facts::issuer::Claims;
use crate::facts::kubernetes::{Event, Meta, PodSpec};
use crate::facts::{Fact, Facts, Source, Sourced, Unknown};

use container::{ContainerView, Wiring};
pub use injection::BareBecause;
pub use intent::{Intent, RoleClaim, RoleOrigin};
use siblings::{SiblingIndex, Siblings};
use webhook::{Registrations, Selection, Settings};

/// The facts, and all that follows from them: what a check reads.
#[derive(Debug)]
pub struct Derived<'f> {
    /// The facts.
    pub facts: &'f Facts,
    /// Whether this is EKS.
    pub(crate) platform: Platform,
    /// The webhook's registrations.
    pub(crate) registrations: Registrations<'f>,
    /// The webhook's settings.
    pub(crate) settings: Settings,
    /// Whether the webhook would see the subject.
    pub(crate) selection: Selection<'f>,
    /// By which mechanism the subject should get its identity, and which role.
    pub(crate) intent: Intent<'f>,
    /// Init and regular containers, in the order of the spec.
    pub(crate) containers: Vec<ContainerView<'f>>,
    /// Pods of the same workload.
    siblings: OnceLock<Siblings<'f>>,
    /// The pods of the run in order.
    index: Arc<SiblingIndex<'f>>,
    /// The pod as the probe sees it.
    pub(crate) probed: probed::ProbeOutcome<'f>,
    /// What STS answered to a fresh token of the service account, tried from this machine.
    pub(crate) from_here: sts_answer::StsVerdict<'f>,
    /// Another pod of the run for which STS accepted a token, if that also holds for this one.
    pub(crate) peer: Option<peer::Peer<'f>>,
    /// The answer of STS that counts: from this machine, from inside the pod, or from inside a peer.
    pub(crate) sts_answer: sts_answer::StsVerdict<'f>,
    /// The answer at a second endpoint, if the first may come from an inactive region.
    pub(crate) second_sts_answer: sts_answer::StsVerdict<'f>,
    provider: OnceLock<provider::Provider<'f>>,
    /// The AWS errors that the application itself reported.
    pub(crate) app_errors: app_errors::AppErrors<'f>,
    /// What the EKS Pod Identity agent answered the probe.
    agent_answer: Option<agent::AgentAnswer>,
    /// The role that the target should have.
    expected: caller::Expected,
    trust: OnceLock<trust::Trust<'f>>,
}

/// Which Kubernetes it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Amazon EKS.
    Eks,
    /// Something else: kOps, OpenShift, self-managed.
    Other,
    /// Not known.
    Unknown,
}

impl<'f> Derived<'f> {
    /// Works everything out but what STS proved in a peer.
    pub fn of(facts: &'f Facts) -> Self {
        let registrations = Registrations::of(facts);
        let settings = Settings::of(facts, &registrations);
        let selection = Selection::of(facts, &registrations);
        let platform = platform(facts, &registrations);
        let mut containers = injection::containers(facts, &settings);
        let intent = Intent::of(facts, &settings, &containers);
        injection::complete_template(facts, &registrations, &selection, &intent, &mut containers);
        let target = containers.iter().find(|view| view.is_target);
        let expected = caller::Expected::of(facts, &intent, target);
        let probed = probed::ProbeOutcome::of(facts, &expected);
        let from_here = sts_answer::StsVerdict::of(facts);
        let sts_answer = from_here.strongest(probed.sts_answer());
        let app_errors = app_errors::AppErrors::of(facts, &expected, target, &sts_answer, &probed);
        Self {
            facts,
            platform,
            registrations,
            settings,
            selection,
            intent,
            containers,
            siblings: OnceLock::new(),
            index: Arc::default(),
            from_here,
            peer: None,
            sts_answer,
            app_errors,
            agent_answer: agent::AgentAnswer::of(&probed),
            probed,
            expected,
            second_sts_answer: sts_answer::StsVerdict::second(facts),
            provider: OnceLock::new(),
            trust: OnceLock::new(),
        }
    }

    /// Adds what the run as a whole tells: its pods, and what STS proved in another of them, if that holds for this one, too.
    #[must_use]
    pub fn beside(mut self, peers: &[peer::Peer<'f>], pods: &Arc<SiblingIndex<'f>>) -> Self {
        self.index = Arc::clone(pods);
        let Some(peer) = peers.iter().find(|peer| peer.speaks_for(&self)).copied() else { return self };
        self.peer = Some(peer);
        self.sts_answer = self.sts_answer.strongest(Some(peer.verdict()));
        // These follow from STS's answer.
        self.app_errors = app_errors::AppErrors::of(
            self.facts,
            &self.expected,
            self.target(),
            &self.sts_answer,
            &self.probed,
        );
        (self.provider, self.trust) = (OnceLock::new(), OnceLock::new());
        self
    }

    /// Pods of the same workload.
    pub(crate) fn siblings(&self) -> &Siblings<'f> {
        let target = self.target().map(|view| view.container);
        self.siblings.get_or_init(|| Siblings::of(self.facts, target, &self.index))
    }

    /// The container that the report is about.
    pub fn target(&self) -> Option<&ContainerView<'f>> {
        self.containers.iter().find(|view| view.is_target)
    }

    /// Spec and metadata of the pod or template, with where they were read.
    pub fn spec(&self) -> Option<(&'f PodSpec, &'f Meta, &'f Source, &'f str)> {
        self.facts.subject.spec()
    }

    /// Where the pod or template was read, at a field of its spec: `.volumes[0]`.
    pub fn spec_at(&self, field: &str) -> Option<Source> {
        self.spec().map(|(_, _, source, path)| source.at(format!("{path}{field}")))
    }

    /// The value of an annotation of the service account under the webhook's prefix, with where it was read.
    pub fn annotation(&self, name: &str) -> Option<(&'f str, Source)> {
        let account = self.facts.service_account.known()?;
        let key = format!("{}/{name}", self.settings.annotation_prefix);
        let value = account.value.metadata.annotations.get(&key)?;
        Some((value, account.source.at(annotation_path(&key))))
    }

    /// Why the target container is bare although the service account names a role; `None` if it is not bare.
    pub fn bare(&self) -> Option<BareBecause<'f>> {
        injection::bare(self)
    }

    /// Whether the service account lacks a role, and the likeliest reason.
    pub fn missing_role(&self) -> missing_role::MissingRole<'f> {
        missing_role::missing_role(self)
    }

    /// The subject's name, if it is a controller that requests tokens for other service accounts.
    pub fn token_minter(&self) -> Option<&'static str> {
        missing_role::token_minter(self)
    }

    /// True if the subject is a pod whose target container should have the IRSA variables and got neither. What `envFrom`
    /// brings does not count: the webhook does not see it and would have added both.
    pub fn is_bare(&self) -> bool {
        self.facts.subject.pod().is_some()
            && self.intent.expects_injection()
            && self.target().is_some_and(|view| {
                matches!(view.wiring, Wiring::Nothing | Wiring::RoleOnly | Wiring::TokenFileOnly)
                    && !view.pod_identity
                    && !view.declares(container::ROLE_ARN)
                    && !view.declares(container::TOKEN_FILE)
            })
    }

    /// True if the manifest, and not the webhook, sets the variable in the container's `env`.
    pub fn is_preset(&self, view: &ContainerView<'_>, variable: &str) -> bool {
        injection::is_preset(self.facts, view.container, variable)
    }

    /// The operating system that the pod runs on is Windows, with where that was read.
    pub fn on_windows(&self) -> Option<Source> {
        let key = "kubernetes.io/os";
        if let Some(node) = self.facts.node.known()
            && let Some(os) = node.value.metadata.labels.get(key)
        {
            return (os == "windows").then(|| node.source.at(format!(".metadata.labels[\"{key}\"]")));
        }
        let (spec, ..) = self.spec()?;
        spec.os.as_ref().filter(|os| os.name == "windows").and_then(|_| self.spec_at(".os.name"))
    }

    /// The OIDC provider for the tokens' issuer.
    pub fn provider(&self) -> &provider::Provider<'f> {
        self.provider.get_or_init(|| provider::Provider::of(self))
    }

    /// How the role's trust policy decides on a token of the service account.
    pub fn trust(&self) -> &trust::Trust<'f> {
        self.trust.get_or_init(|| trust::Trust::of(self))
    }

    /// Goes on to what else is wrong in the trust policy, as if what is wrong first were repaired. False if there is nothing else.
    pub(crate) fn next_trust_fault(&mut self) -> bool {
        self.trust.get_mut().is_some_and(trust::Trust::next_fault)
    }

    /// The claims of a token of the service account: one made for this run, or the one in the pod, unless that predates a change
    /// of the API server's issuer.
    pub fn claims(&self) -> Option<(&'f Claims, Source)> {
        let mounted = || {
            let seen = self.probed.pod()?;
            let claims = seen.claims()?;
            let served = self.facts.issuer.api.known();
            let is_new = served.is_none_or(|served| claims.iss.as_ref() == Some(&served.value.issuer));
            is_new.then(|| (claims, seen.at("token.jwt.claims")))
        };
        let minted = self.facts.issuer.minted.known();
        minted.map(|claims| (&claims.value, claims.source.clone())).or_else(mounted)
    }

    /// Which identity AWS was asked about.
    pub fn plan(&self) -> plan::Plan {
        plan::Plan::of(self, None)
    }

    /// The role whose credentials the target container should get: that of its environment or annotation, or its association's.
    pub fn expected_role(&self) -> Option<&str> {
        self.expected.arn.as_deref()
    }

    /// What the EKS Pod Identity agent answered the probe, if it did.
    pub(crate) fn agent_answer(&self) -> Option<&agent::AgentAnswer> {
        self.agent_answer.as_ref()
    }

    /// What AWS denied the pod's role, according to the application's errors or IAM's simulator.
    pub fn denials(&self) -> denial::Denials<'_> {
        denial::Denials::of(self)
    }

    /// The containers whose AWS settings are judged: the target, and those that set AWS variables themselves.
    pub fn judged(&self) -> impl Iterator<Item = &ContainerView<'f>> {
        self.containers.iter().filter(|view| view.is_target || view.speaks_aws())
    }

    /// The workload that people work with: the Deployment rather than its ReplicaSet.
    pub fn owner_key(&self) -> Option<(String, String)> {
        match &self.facts.subject {
            crate::facts::Subject::Pod(pod) => siblings::owner_key(&pod.value.metadata),
            crate::facts::Subject::Template(owner) => {
                Some((owner.value.kind.clone(), owner.value.meta.name.clone()))
            }
            crate::facts::Subject::ServiceAccount => None,
        }
    }

    /// Failures to create pods of the subject's workload: events about it, or about the ReplicaSet or Job that it owns. Other
    /// workloads of the namespace may have failures of their own.
    pub fn failed_creates(&self) -> impl Iterator<Item = &'f Sourced<Event>> {
        let events = self.facts.events.known().into_iter().flat_map(|listing| &listing.value.items);
        let owner = self.owner_key();
        events.filter(move |event| {
            let about = &event.value.involved_object;
            event.value.reason == "FailedCreate"
                && owner.as_ref().is_some_and(|(kind, owner)| {
                    let made_by = match kind.as_str() {
                        "Deployment" => "ReplicaSet",
                        "CronJob" => "Job",
                        kind => kind,
                    };
                    about.name == *owner
                        || about.kind == made_by
                            && made_by != kind
                            && about.name.strip_prefix(owner.as_str()).is_some_and(|rest| {
                                rest.strip_prefix('-').is_some_and(|rest| !rest.contains('-'))
                            })
                })
        })
    }

    /// Those that still count: for a pod, the ones that came after it. What refused an older pod did not refuse this one.
    pub fn live_failed_creates(&self) -> impl Iterator<Item = &'f Sourced<Event>> {
        let created = self.facts.subject.pod().map(|pod| &pod.value.metadata.creation_timestamp);
        self.failed_creates().filter(move |event| {
            created.is_none_or(|created| event.value.last_seen().is_some_and(|last| created.is_before(last)))
        })
    }

    /// The region that the node's label gives, or the pod's own: Kubernetes 1.35 and later copy it to the pod (KEP-4742).
    pub fn node_region(&self) -> Option<(&'f str, Source)> {
        let key = "topology.kubernetes.io/region";
        let at = format!(".metadata.labels[\"{key}\"]");
        let node = self.facts.node.known().map(|node| (&node.value.metadata, &node.source));
        let pod = self.facts.subject.pod().map(|pod| (&pod.value.metadata, &pod.source));
        node.into_iter()
            .chain(pod)
            .find_map(|(meta, source)| Some((meta.labels.get(key)?.as_str(), source.at(&at))))
    }

    /// True if the node is a Fargate micro-VM.
    pub fn on_fargate(&self) -> bool {
        let label = |meta: &Meta| {
            meta.labels.contains_key("eks.amazonaws.com/fargate-profile")
                || meta.labels.get("eks.amazonaws.com/compute-type").is_some_and(|value| value == "fargate")
        };
        self.spec().is_some_and(|(spec, meta, ..)| label(meta) || spec.node_name.of_fargate())
            || self.facts.node.known().is_some_and(|node| label(&node.value.metadata))
    }

    /// Why the service account is not known, if it is not.
    pub fn account_unknown(&self) -> Option<&'f Unknown> {
        self.facts.service_account.unknown()
    }
}

/// The jsonpath of an annotation.
pub fn annotation_path(key: &str) -> String {
    format!(".metadata.annotations[\"{key}\"]")
}

fn platform(facts: &Facts, registrations: &Registrations<'_>) -> Platform {
    if registrations.found().iter().any(webhook::Registration::eks_managed) {
        return Platform::Eks;
    }
    let node_is_eks = facts.node.known().is_some_and(|node| {
        node.value.metadata.labels.keys().any(|key| key.starts_with("eks.amazonaws.com/"))
    });
    match &facts.cluster.version {
        Fact::Known(version) if version.value.git_version.contains("-eks-") => Platform::Eks,
        _ if node_is_eks => Platform::Eks,
        Fact::Known(_) => Platform::Other,
        Fact::Absent { .. } | Fact::Unknown(_) => Platform::Unknown,
    }
}
