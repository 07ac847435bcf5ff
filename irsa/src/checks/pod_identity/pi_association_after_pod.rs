//! # The pod is older than its association
//!
//! The webhook looks for an EKS Pod Identity association when a pod is created, never later. A pod that was created before its
//! association is not wired for it.
//!
//! **You see**: `Unable to locate credentials`, or the node's role.
//!
//! **Decided by**: the time at which EKS created the association, compared with the time at which the pod was created.
//!
//! **Not a fault**: a service account without annotation: EKS Pod Identity needs none.
//!
//! **Repair**: recreate the pods.

use crate::checks::prelude::*;
use crate::derive::association::Associated;
use crate::facts::Why;
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "pi-association-after-pod",
    step: Step::Injection,
    title: "the pod is older than its association",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some(pod) = derived.facts.subject.pod() else { return Outcome::NotApplicable("no pod to look at") };
    if derived.intent.mechanism != Mechanism::None {
        return Outcome::NotApplicable("the pod has an identity of its own");
    }
    let (association, source) = match Associated::of(derived) {
        Associated::Yes(association, source) => (association, source),
        Associated::No(_) => return Outcome::NotApplicable("there is no EKS Pod Identity association"),
        Associated::Unknown(unread) if matches!(unread.why, Why::NotAsked(_) | Why::NotInFiles) => {
            return Outcome::NotApplicable("no EKS Pod Identity association is known");
        }
        Associated::Unknown(unread) => return Outcome::Unknown(vec![unread]),
    };
    let made = &pod.value.metadata.creation_timestamp;
    let Some(associated) = association.created.filter(|time| made.is_before(*time)) else {
        return Outcome::Pass;
    };
    let summary = format!(
        "the pod was created before its service account's EKS Pod Identity association {}, so it is not wired for it",
        association.id
    );
    let finding = META
        .on_subject(derived, summary)
        .seen("pod created", made.said(), &pod.source.at(".metadata.creationTimestamp"))
        .seen("association created", associated.to_string(), source);
    finding.fixes(workload::restart_pod(derived)).into()
}
