//! # There is no EKS Pod Identity association
//!
//! The webhook wires a pod for EKS Pod Identity when the pod is created. If the association has been deleted since, or belongs
//! to another service account or namespace, the agent has no credentials for the pod.
//!
//! **You see**: `ResourceNotFoundException` or `AccessDeniedException` in the agent's answer, `Error when retrieving
//! credentials from container-role`.
//!
//! **Decided by**: the pod has the volume of EKS Pod Identity, and EKS lists no association for its service account in this
//! cluster; if the list is not known, the error message from EKS Auth. The agent caches credentials for some hours, so a pod
//! may keep working for a while.
//!
//! **Not a fault**: no association where the service account is annotated and the pod uses IRSA.
//!
//! **Repair**: create the association; running pods then get credentials without being recreated.

use super::agent::{self, Told};
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::derive::association::Associated;
use crate::repair::pod_identity;

pub(super) const META: Meta = Meta {
    id: "pi-no-association",
    step: Step::ServiceAccount,
    title: "there is no EKS Pod Identity association",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if derived.intent.mechanism != Mechanism::PodIdentity {
        return Outcome::NotApplicable("the pod does not use EKS Pod Identity");
    }
    let volume = derived.spec().and_then(|(spec, ..)| spec.volume(PI_VOLUME));
    let source = match (Associated::of(derived), volume) {
        (Associated::Yes(..), _) => return Outcome::Pass,
        (Associated::Unknown, _) => return by_agent(derived),
        (Associated::No(_), None) => {
            return Outcome::NotApplicable("the pod does not have the agent's token");
        }
        (Associated::No(source), Some(_)) => source,
    };
    let (namespace, account) = (&derived.facts.namespace_name, &derived.facts.service_account_name);
    let summary = format!(
        "the pod is wired for EKS Pod Identity, but {namespace}/{account} no longer has an association"
    );
    let finding = META.on_account(derived, summary).missing(
        "association",
        format!("one for {namespace}/{account}"),
        source,
    );
    finding.fix(pod_identity::associate(derived)).into()
}

/// If EKS's list is not known, the agent's own answer.
fn by_agent(derived: &Derived<'_>) -> Outcome {
    let told = Told {
        what: |who| format!("EKS Auth finds no association for {who}"),
        answer: "ResourceNotFoundException",
    };
    match agent::refusal_of_eks(&META, derived, |kind| kind == Kind::PodIdentityNotFound, &told) {
        Ok((_, finding)) => finding.fix(pod_identity::associate(derived)).into(),
        Err(_) => Outcome::NotApplicable("the associations are not known"),
    }
}
