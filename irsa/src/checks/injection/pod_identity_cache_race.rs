//! # The webhook did not know the association yet
//!
//! It takes EKS some seconds to tell the webhook about a new EKS Pod Identity association. A pod that is created in between
//! gets nothing; or, if the service account is annotated too, the variables of IRSA, for which there may be no OIDC provider.
//!
//! **You see**: `Unable to locate credentials`; or `No OpenIDConnect provider found in your account`, although "we use Pod
//! Identity".
//!
//! **Decided by**: the association is older than the pod, but the pod was not wired for it. If the pod has the variables of
//! IRSA, this is reported only if it was created within a minute of the association and STS finds no provider.
//!
//! **Not a fault**: variables of IRSA that the manifest itself sets.
//!
//! **Repair**: recreate the pod. If the new one is not wired either, the webhook is not called for it at all.

use jiff::SignedDuration;

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::with_answer;
use crate::derive::association::Associated;
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "pod-identity-cache-race",
    step: Step::Injection,
    title: "the webhook did not know the association yet",
    explains: &["oidc-provider-missing", "sts-refused"],
};

/// The longest that EKS takes to tell the webhook.
const SETTLED: SignedDuration = SignedDuration::from_secs(60);

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some(pod) = derived.facts.subject.pod() else { return Outcome::NotApplicable("no pod to look at") };
    let Associated::Yes(association, source) = Associated::of(derived) else {
        return Outcome::NotApplicable("no EKS Pod Identity association is known");
    };
    let made = &pod.value.metadata.creation_timestamp;
    let Some(associated) = association.created.filter(|time| made.is_known() && !made.is_before(*time))
    else {
        return Outcome::Pass;
    };
    let soon = associated.checked_add(SETTLED).is_ok_and(|settled| !made.is_after(settled));
    let refusal = derived.sts_answer.refusal().filter(|refusal| refusal.kind == Kind::NoProvider);
    let summary = match (derived.intent.mechanism, refusal) {
        (Mechanism::None, _) => {
            "the service account has an EKS Pod Identity association, but the pod was not wired for it"
        }
        (Mechanism::Irsa, Some(_)) if soon && derived.intent.expects_injection() => {
            "the pod was created right after its EKS Pod Identity association and got IRSA's variables instead"
        }
        _ => return Outcome::Pass,
    };
    let finding = META
        .on_subject(derived, summary)
        .inferred()
        .seen("association created", associated.to_string(), source)
        .seen("pod created", made.said(), &pod.source.at(".metadata.creationTimestamp"));
    let finding = match refusal {
        Some(refusal) => with_answer(finding, refusal),
        None => finding,
    };
    finding.fixes(workload::restart_pod(derived)).into()
}
