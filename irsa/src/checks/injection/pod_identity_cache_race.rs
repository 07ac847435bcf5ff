//! # The webhook did not know of the association yet
//!
//! EKS takes some seconds to tell the webhook of a new EKS Pod Identity association. A pod that is made in between gets
//! nothing; or, where the service account is annotated too, the variables of IRSA, for which there may be no provider.
//!
//! **You see**: `Unable to locate credentials`; or `No OpenIDConnect provider found in your account`, although "we use Pod
//! Identity".
//!
//! **Decided by**: the association is older than the pod, which carries nothing of it. With the variables of IRSA in the pod it is
//! this only if the pod was made within a minute after the association, and STS finds no provider.
//!
//! **Not a fault**: variables of IRSA that the manifest itself sets.
//!
//! **Repair**: make the pod anew. If its successor is bare, too, the webhook is not called for it at all.

use jiff::SignedDuration;

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::with_answer;
use crate::derive::association::Associated;
use crate::repair::workload;

/// See the module's page.
pub const META: Meta = Meta {
    id: "pod-identity-cache-race",
    step: Step::Injection,
    title: "the webhook did not know of the association yet",
    explains: &["oidc-provider-missing", "sts-refused"],
};

/// How long EKS takes at most to tell the webhook.
const SETTLED: SignedDuration = SignedDuration::from_secs(60);

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let Some(pod) = derived.facts.subject.pod() else { return Outcome::NotApplicable("no pod to look at") };
    let Associated::Yes(association, source) = Associated::of(derived) else {
        return Outcome::NotApplicable("no EKS Pod Identity association is known");
    };
    let (Some(associated), Some(made)) = (association.created, pod.value.metadata.creation_timestamp) else {
        return Outcome::Pass;
    };
    if associated > made {
        return Outcome::Pass;
    }
    let soon = made.duration_since(associated) <= SETTLED;
    let refusal = derived.sts_answer.refusal().filter(|refusal| refusal.kind == Kind::NoProvider);
    let summary = match (derived.intent.mechanism, refusal) {
        (Mechanism::None, _) => {
            "the service account has an EKS Pod Identity association, and the pod carries nothing of it"
        }
        (Mechanism::Irsa, Some(_)) if soon && derived.intent.expects_injection() => {
            "the pod was made right after its EKS Pod Identity association and got IRSA's variables instead"
        }
        _ => return Outcome::Pass,
    };
    let finding = META
        .on_subject(derived, summary)
        .inferred()
        .seen("association made", associated.to_string(), source)
        .seen("pod made", made.to_string(), &pod.source.at(".metadata.creationTimestamp"));
    let finding = match refusal {
        Some(refusal) => with_answer(finding, refusal),
        None => finding,
    };
    finding.fixes(workload::restart_pod(derived)).into()
}
