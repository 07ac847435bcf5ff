//! # The self-hosted webhook does not answer
//!
//! A webhook that runs in the cluster is called through a service. With no ready endpoint behind it, an expired certificate or
//! a network policy in between, the call fails; under `failurePolicy: Ignore` the pod is let in bare, without an event. Under
//! `Fail` no pod is made at all: `Internal error occurred: failed calling webhook … connection refused`.
//!
//! **Decided by**: the endpoints of the service as they are now, or an event that quotes the failed call. Ready endpoints today
//! say nothing about the moment at which the pod was made, so they are never taken as proof.
//!
//! **Not a fault**: no such service on EKS, where the webhook runs on the control plane.
//!
//! **Repair**: make the webhook's pods ready, then make the pods anew that were let in bare.

use crate::checks::prelude::*;
use crate::derive::webhook::Registration;

/// See the module's page.
pub const META: Meta = Meta {
    id: "webhook-down-ignore",
    step: Step::Injection,
    title: "the self-hosted webhook does not answer",
    explains: &["not-injected", "sa-cache-race"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    if !derived.intent.expects_injection() {
        return Outcome::NotApplicable("no injection is expected");
    }
    let found = match &derived.registrations {
        Registrations::Found(found) => found,
        Registrations::Missing(_) => return Outcome::NotApplicable("no webhook is registered"),
        Registrations::Unknown(why) => return super::unread(derived, why),
    };
    if found.iter().any(Registration::eks_managed) {
        return Outcome::NotApplicable("the webhook runs on EKS's control plane");
    }
    let Some((registration, service)) =
        found.iter().find_map(|registration| Some((registration, registration.service()?)))
    else {
        return Outcome::NotApplicable("the webhook is not called through a service of the cluster");
    };
    let refused = refused(derived, registration);
    let endpoints = match &derived.facts.cluster.webhook_endpoints {
        Fact::Known(listing) => {
            let mut endpoints = listing.value.items.iter().flat_map(|slice| &slice.value.endpoints);
            let ready = endpoints.any(|endpoint| endpoint.conditions.ready != Some(false));
            if let (false, Some(cut), None) = (ready, &listing.value.cut, &refused) {
                return super::unread(derived, cut);
            }
            (!ready && listing.value.complete()).then_some(&listing.source)
        }
        Fact::Absent { source } => Some(source),
        Fact::Unknown(_) if refused.is_some() => None,
        Fact::Unknown(why) => return super::unread(derived, why),
    };
    if endpoints.is_none() && refused.is_none() {
        return Outcome::Pass;
    }
    let (name, open) = (registration.name(), registration.fails_open());
    let target = format!("{}/{}", service.namespace, service.name);
    // A webhook that fails closed did answer when this pod was made.
    let severity = match derived.facts.subject {
        Subject::Pod(_) if !open => Severity::Warning,
        _ => super::severity(derived),
    };
    let summary = match (endpoints.is_some(), open) {
        (true, true) if severity == Severity::Error => {
            format!(
                "service {target} of the webhook has no ready endpoint now, so pods are let in without injection"
            )
        }
        (true, true) => format!(
            "service {target} of the webhook has no ready endpoint now: the next pod will not be injected"
        ),
        (true, false) => {
            format!("service {target} of the webhook has no ready endpoint now, so no pod can be made")
        }
        (false, _) => format!("the call of webhook {name} failed, so no pod was made"),
    };
    let mut finding =
        META.on("Service", &service.namespace, &service.name, summary).severity(severity).inferred();
    if let Some(source) = endpoints {
        finding = finding.evidence("endpoints that are ready", "at least one", "none", source);
    }
    if let Some((message, source)) = refused {
        finding = finding.seen("event FailedCreate", message, source);
    }
    let policy = &registration.webhook.failure_policy;
    finding = finding.seen("failurePolicy", policy, &registration.at(".failurePolicy"));
    finding = match derived.facts.cluster.webhook_workload.known() {
        Some(owner) => {
            let workload = format!("{}/{}", owner.value.kind.to_lowercase(), owner.value.meta.name);
            let words = ["describe", &workload, "-n", &service.namespace];
            finding.fix(Fix::inspect(
                "see why the webhook's pods are not ready, and make them so",
                Command::kubectl(derived, &words),
            ))
        }
        None => finding.fix(Fix::advice(format!(
            "bring pods behind service {target}, or repair the selector of the service"
        ))),
    };
    finding.fixes(super::restart(derived)).into()
}

/// An event of the workload that quotes the failed call; only told of a workload that has no pod, since a pod that exists
/// got past it.
fn refused<'f>(derived: &Derived<'f>, registration: &Registration<'_>) -> Option<(&'f str, &'f Source)> {
    if derived.facts.subject.pod().is_some() {
        return None;
    }
    let quoted = format!("failed calling webhook \"{}\"", registration.webhook.name);
    let event = derived.failed_creates().find(|event| event.value.message.contains(&quoted))?;
    Some((&event.value.message, &event.source))
}
