//! # The workload's new pods are rejected
//!
//! The API server, or something that it asks at admission, rejects the pods that the workload's controller wants to create:
//! a quota, PodSecurity, a policy engine, a webhook that fails. What runs keeps running; nothing new starts.
//!
//! **You see**: `kubectl describe` of the ReplicaSet (StatefulSet, DaemonSet, Job) ends with `FailedCreate`, with the reason.
//!
//! **Decided by**: such an event about this workload that is later than the pod that is looked at, or that is there while the
//! workload has no pods. A rejection whose cause is known is reported by its own check, and this one is a consequence.
//!
//! **Not a fault**: a rejection before the newest pod was created: somebody has repaired it.
//!
//! **Repair**: whatever the message names; the controller retries by itself, after up to a quarter of an hour.

use crate::checks::prelude::*;

pub(super) const META: Meta = Meta {
    id: "pods-not-created",
    step: Step::Pod,
    title: "the workload's new pods are rejected",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if derived.owner_key().is_none() {
        return Outcome::NotApplicable("no workload creates such pods");
    }
    let there_is_a_pod = derived.facts.subject.pod().is_some();
    if let Some(why) = derived.facts.events.unknown().filter(|_| !there_is_a_pod) {
        return unknown(why);
    }
    let latest = derived.live_failed_creates().max_by_key(|event| event.value.last_seen());
    let Some(event) = latest else { return Outcome::Pass };
    let (object, namespace) = (&event.value.involved_object, &derived.facts.namespace_name);
    // The pod that is looked at was created; the next ones are not.
    let severity = if there_is_a_pod { Severity::Warning } else { Severity::Error };
    let target = format!("{}/{}", object.kind.to_lowercase(), object.name);
    META.on(&object.kind, namespace, &object.name, format!("the API server rejects new pods of {target}"))
        .severity(severity)
        .doubt(Doubt::SomeFail)
        .seen("event FailedCreate", &event.value.message, &event.source.at(".message"))
        .fix(Fix::inspect(
            "remove what the message names; whether it still rejects them is shown by",
            Command::kubectl(derived, &["describe", &target, "-n", namespace]),
        ))
        .into()
}
