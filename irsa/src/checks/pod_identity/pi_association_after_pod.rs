//! # The pod is older than its association
//!
//! The webhook looks for an EKS Pod Identity association when a pod is made, never later. One that was made before carries
//! nothing of it.
//!
//! **You see**: `Unable to locate credentials`, or the role of the node.
//!
//! **Decided by**: the time at which EKS says that the association was created, against the pod's.
//!
//! **Not a fault**: a service account without annotation: EKS Pod Identity leaves it as it is.
//!
//! **Repair**: make the pods anew.

use crate::checks::prelude::*;
use crate::derive::association::Associated;
use crate::repair::workload;

/// See the module's page.
pub const META: Meta = Meta {
    id: "pi-association-after-pod",
    step: Step::Injection,
    title: "the pod is older than its association",
    explains: &[],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let Some(pod) = derived.facts.subject.pod() else { return Outcome::NotApplicable("no pod to look at") };
    let Associated::Yes(association, source) = Associated::of(derived) else {
        return Outcome::NotApplicable("no EKS Pod Identity association is known");
    };
    if derived.intent.mechanism != Mechanism::None {
        return Outcome::NotApplicable("the pod has an identity of its own");
    }
    let made = pod.value.metadata.creation_timestamp;
    let (Some(associated), Some(made)) = (association.created, made) else { return Outcome::Pass };
    if associated <= made {
        return Outcome::Pass;
    }
    let summary = format!(
        "the pod was made before its service account got the EKS Pod Identity association {}, so it carries nothing of it",
        association.id
    );
    let finding = META
        .on_subject(derived, summary)
        .seen("pod made", made.to_string(), &pod.source.at(".metadata.creationTimestamp"))
        .seen("association made", associated.to_string(), source);
    finding.fixes(workload::restart_pod(derived)).into()
}
