//! # The pod was made before the webhook knew its service account
//!
//! The webhook looks service accounts up in a cache that lags behind by a moment. A chart or an operator that makes the
//! account, or its annotation, and the pod at once can win that race: the first pod is bare, the next one is not.
//!
//! **You see**, only in the webhook's log: `not found in the cache`.
//!
//! **Decided by**: account or annotation and pod within ten seconds, the pod bare. No younger pod of the workload is bare: if
//! one is, something else is wrong.
//!
//! **Repair**: make the pod anew. A self-hosted webhook can be told to wait: `--service-account-lookup-grace-period=500ms`.

use crate::checks::prelude::*;

/// See the module's page.
pub const META: Meta = Meta {
    id: "sa-cache-race",
    step: Step::Injection,
    title: "the pod was made before the webhook knew its service account",
    explains: &["not-injected"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let Some(pod) = derived.facts.subject.pod() else { return Outcome::NotApplicable("no pod to look at") };
    if !derived.intent.expects_injection() {
        return Outcome::NotApplicable("no injection is expected");
    }
    let Some(BareBecause::Race { account, created }) = derived.bare() else { return Outcome::Pass };
    // A webhook that is not there at all explains the same pod better.
    if let Registrations::Unknown(why) = &derived.registrations {
        return unknown(why);
    }
    let Some(object) = derived.facts.service_account.known() else { return Outcome::Pass };
    let meta = &object.value.metadata;
    let annotated = meta.creation_timestamp != Some(account);
    let (what, field) = if annotated {
        ("annotation last written", ".metadata.managedFields")
    } else {
        ("service account made", ".metadata.creationTimestamp")
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
        .on_subject(derived, format!("pod {name} was made {when} {whose}, before the webhook knew of it"))
        .inferred()
        .seen("pod made", created.to_string(), &pod.source.at(".metadata.creationTimestamp"))
        .seen(what, account.to_string(), &object.source.at(field));
    if let Some(sibling) = derived.siblings.younger_injected(created) {
        finding = finding.seen(
            "younger pod with the variables",
            sibling,
            &pod.source.at(".metadata.ownerReferences"),
        );
    }
    finding = finding.fixes(super::restart(derived));
    if derived.platform == Platform::Other {
        finding = finding.fix(Fix::advice("start the webhook with --service-account-lookup-grace-period=500ms, so that it waits for new accounts"));
    }
    finding.into()
}
