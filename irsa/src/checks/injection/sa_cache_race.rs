//! # The pod was created before the webhook knew its service account
//!
//! The webhook looks up service accounts in a cache that lags slightly behind. If a chart or an operator creates the service
//! account, or its annotation, at the same time as the pod, the pod may win that race: the first pod is not injected, the next
//! one is.
//!
//! **You see**, only in the webhook's log: `not found in the cache`.
//!
//! **Decided by**: the pod was created within ten seconds of the service account or its annotation and was not injected, and
//! every younger pod of the workload was: if one was not, something else is wrong.
//!
//! **Repair**: recreate the pod. A self-hosted webhook can be made to wait: `--service-account-lookup-grace-period=500ms`.

use crate::checks::prelude::*;

pub(super) const META: Meta = Meta {
    id: "sa-cache-race",
    step: Step::Injection,
    title: "the pod was created before the webhook knew its service account",
    explains: &["not-injected"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some(pod) = derived.facts.subject.pod() else { return Outcome::NotApplicable("no pod to look at") };
    if !derived.intent.expects_injection() {
        return Outcome::NotApplicable("no injection is expected");
    }
    let Some(BareBecause::Race { account, created }) = derived.bare() else { return Outcome::Pass };
    // A missing webhook would explain the same pod better.
    if let Registrations::Unknown(why) = &derived.registrations {
        return unknown(why);
    }
    let Some(object) = derived.facts.service_account.known() else { return Outcome::Pass };
    let meta = &object.value.metadata;
    let annotated = meta.creation_timestamp.time() != Some(account);
    let (what, field) = if annotated {
        ("annotation last written", ".metadata.managedFields")
    } else {
        ("service account created", ".metadata.creationTimestamp")
    };
    let seconds = created.duration_since(account).as_secs();
    let when = match seconds {
        0 => String::from("in the same second as"),
        1 => String::from("one second after"),
        _ => format!("{seconds} seconds after"),
    };
    let whose = if annotated { "the annotation of its service account" } else { "its service account" };
    let name = &pod.value.metadata.name;
    let mut finding = META
        .on_subject(
            derived,
            format!("pod {name} was created {when} {whose}, before the webhook knew about it"),
        )
        .inferred()
        .seen("pod created", created.to_string(), &pod.source.at(".metadata.creationTimestamp"))
        .seen(what, account.to_string(), &object.source.at(field));
    if let Some(sibling) = derived.siblings().younger_injected(&pod.value.metadata.creation_timestamp) {
        finding = finding.seen(
            "younger pod with the variables",
            &sibling.value.metadata.name,
            &pod.source.at(".metadata.ownerReferences"),
        );
    }
    finding = finding.fixes(super::restart(derived));
    if derived.platform == Platform::Other {
        finding = finding.fix(Fix::advice("start the webhook with --service-account-lookup-grace-period=500ms, so that it waits for new service accounts"));
    }
    finding.into()
}
