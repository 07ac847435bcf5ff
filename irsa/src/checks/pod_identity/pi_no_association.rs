//! # There is no EKS Pod Identity association
//!
//! An association belongs to one service account of one namespace, and EKS does not check whether it exists. If the pod's has
//! none, the agent has no credentials for the pod, or the webhook does not wire it at all.
//!
//! **You see**: `ResourceNotFoundException` or `AccessDeniedException` in the agent's answer, `Error when retrieving
//! credentials from container-role`; of a pod that was never wired, `Unable to locate credentials`.
//!
//! **Decided by**: the pod has the volume of EKS Pod Identity, and EKS lists no association for its service account in this
//! cluster; if the list is not known, the error message from EKS Auth. For a pod without any identity: an association that
//! differs in a letter, or is for the same name in another namespace; this is inferred. The agent caches credentials for some
//! hours, so a pod may keep working for a while.
//!
//! **Not a fault**: no association where the service account is annotated and the pod uses IRSA.
//!
//! **Repair**: create the association; running pods that are wired get credentials without being recreated.

use super::agent::{self, Told};
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::derive::association::{Associated, near_misses};
use crate::derive::missing_role::{Because, MissingRole};
use crate::facts::Unknown;
use crate::facts::aws::OtherAssociation;
use crate::repair::{pod_identity, workload};

pub(super) const META: Meta = Meta {
    id: "pi-no-association",
    step: Step::ServiceAccount,
    title: "there is no EKS Pod Identity association",
    explains: &["sa-not-annotated", "not-injected", "fargate-no-sa"],
};

/// So many other associations are named.
const MISSES: usize = 3;

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let wired = derived.spec().is_some_and(|(spec, ..)| spec.volume(PI_VOLUME).is_some());
    match (derived.intent.mechanism, Associated::of(derived)) {
        (Mechanism::PodIdentity | Mechanism::None, Associated::Yes(..)) => Outcome::Pass,
        (Mechanism::PodIdentity, Associated::Unknown(unknown)) => by_agent(derived, unknown),
        (Mechanism::PodIdentity, Associated::No(source)) if wired => missing(derived, source, true).into(),
        (Mechanism::PodIdentity, Associated::No(_)) => {
            Outcome::NotApplicable("the pod does not have the agent's token")
        }
        (Mechanism::None, Associated::No(source))
            if is_unexplained(derived) && !near_misses(derived).is_empty() =>
        {
            missing(derived, source, false).into()
        }
        _ => Outcome::NotApplicable("the pod does not use EKS Pod Identity"),
    }
}

/// True if nothing in the cluster explains why the service account names no role.
fn is_unexplained(derived: &Derived<'_>) -> bool {
    let MissingRole::Yes(gap) = derived.missing_role() else { return false };
    matches!(gap.because, Because::Unexplained | Because::Namesakes(_))
}

fn missing(derived: &Derived<'_>, source: &Source, wired: bool) -> Finding {
    let (namespace, account) = (&derived.facts.namespace_name, &derived.facts.service_account_name);
    let misses = near_misses(derived);
    let named = |other: &OtherAssociation| format!("{}/{}", other.namespace, other.service_account);
    let elsewhere = misses.first().map(|other| named(&other.value));
    let summary = match (wired, &elsewhere) {
        (true, None) => format!(
            "the pod is wired for EKS Pod Identity, but {namespace}/{account} no longer has an association"
        ),
        (true, Some(other)) => format!(
            "the pod is wired for EKS Pod Identity, but {namespace}/{account} has no association; {other} has one"
        ),
        (false, other) => format!(
            "{namespace}/{account} has no EKS Pod Identity association and names no role; {} has an association",
            other.as_deref().unwrap_or("another")
        ),
    };
    let finding = META.on_account(derived, summary);
    let finding = if wired { finding } else { finding.inferred() };
    let what = format!("one for {namespace}/{account}");
    let finding = match misses.split_first() {
        Some((first, others)) => {
            let finding = finding.evidence(
                "association",
                format!("{namespace}/{account}"),
                named(&first.value),
                &first.source,
            );
            others.iter().take(MISSES - 1).fold(finding, |finding, other| {
                finding.seen("another association", named(&other.value), &other.source)
            })
        }
        None => finding.missing("association", what, source),
    };
    let finding = finding.fix(pod_identity::associate(derived, misses.first().map(|other| &other.value)));
    if wired { finding } else { finding.fixes(workload::restart_pod(derived)) }
}

/// If EKS's list is not known, the agent's own answer.
fn by_agent(derived: &Derived<'_>, unread: Unknown) -> Outcome {
    let told = Told {
        what: |who| format!("EKS Auth finds no association for {who}"),
        answer: "ResourceNotFoundException",
    };
    match agent::refusal_of_eks(&META, derived, |said| said.kind == Kind::PodIdentityNotFound, &told) {
        Ok((_, finding)) => finding.fix(pod_identity::associate(derived, None)).into(),
        Err(Outcome::Pass) => Outcome::Pass,
        Err(_) => Outcome::Unknown(vec![unread]),
    }
}
