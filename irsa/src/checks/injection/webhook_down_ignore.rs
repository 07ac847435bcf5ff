//! # The webhook does not answer, or did not for a while
//!
//! A webhook that runs in the cluster is called through a Service. If that has no ready endpoint, or the certificate has
//! expired, or a network policy is in the way, the call fails. With `failurePolicy: Ignore` the pod is then admitted without
//! injection, and without an event. With `Fail` no pod is created at all: `Internal error occurred: failed calling webhook …
//! connection refused`.
//!
//! **Decided by**: the Service's endpoints as they are now, or an event that quotes the failed call. Ready endpoints today say
//! nothing about the moment when the pod was created, so they are never taken as proof. Pods of the same workload and service
//! account tell more: if an older one was injected, the webhook knew the role and was away when this one was created. The
//! creation times of the injected pods around it are the window to look for in the API server's log (`failed calling webhook`,
//! `failing open`); this goes for EKS's own webhook, too.
//!
//! **Not a fault**: no such Service on EKS, where the webhook runs on the control plane; an older injected pod of another
//! service account, or of one that was deleted and created again since.
//!
//! **Repair**: get the webhook's pods ready, then recreate the pods that were admitted without injection.

use crate::checks::prelude::*;
use crate::derive::webhook::Registration;
use crate::facts::kubernetes::Pod;

pub(super) const META: Meta = Meta {
    id: "webhook-down-ignore",
    step: Step::Injection,
    title: "the webhook does not answer",
    explains: &["not-injected", "sa-cache-race", "pods-not-created"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let found = match super::registered(derived) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    let away = || away(derived).map(Outcome::from);
    if found.iter().any(Registration::eks_managed) {
        return away().unwrap_or(Outcome::NotApplicable("the webhook runs on EKS's control plane"));
    }
    let Some((registration, service)) =
        found.iter().find_map(|registration| Some((registration, registration.service()?)))
    else {
        let elsewhere = Outcome::NotApplicable("the webhook is not called through a Service in the cluster");
        return away().unwrap_or(elsewhere);
    };
    let refused = refused(derived, registration);
    let endpoints = match &derived.facts.cluster.webhook_endpoints {
        Fact::Known(listing) => {
            let mut endpoints = listing.value.items.iter().flat_map(|slice| &slice.value.endpoints);
            let ready = endpoints.any(|endpoint| endpoint.conditions.ready != Some(false));
            if let (false, Some(cut), None) = (ready, &listing.value.cut, &refused) {
                return away().unwrap_or_else(|| super::unread(derived, cut));
            }
            (!ready && listing.value.complete()).then_some(&listing.source)
        }
        Fact::Absent { source } => Some(source),
        Fact::Unknown(_) if refused.is_some() => None,
        Fact::Unknown(why) => return away().unwrap_or_else(|| super::unread(derived, why)),
    };
    if endpoints.is_none() && refused.is_none() {
        return away().unwrap_or(Outcome::Pass);
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
                "the webhook's Service {target} has no ready endpoints now, so pods are admitted without injection"
            )
        }
        (true, true) => format!(
            "the webhook's Service {target} has no ready endpoints now; the next pod will not be injected"
        ),
        (true, false) => {
            format!("the webhook's Service {target} has no ready endpoints now, so no pod can be created")
        }
        (false, _) => format!("the call to webhook {name} failed, so no pod was created"),
    };
    let mut finding =
        META.on("Service", &service.namespace, &service.name, summary).severity(severity).inferred();
    if let Some(source) = endpoints {
        finding = finding.evidence("ready endpoints", "at least one", "none", source);
    }
    if let Some((message, source)) = refused {
        finding = finding.seen("event FailedCreate", message, source);
    }
    let policy = &registration.webhook.failure_policy;
    finding = finding.seen("failurePolicy", policy, &registration.at(".failurePolicy"));
    finding = with_window(derived, finding);
    finding = match derived.facts.cluster.webhook_workload.known() {
        Some(owner) => {
            let workload = format!("{}/{}", owner.value.kind.to_lowercase(), owner.value.meta.name);
            let words = ["describe", &workload, "-n", &service.namespace];
            finding.fix(Fix::inspect(
                "find out why the webhook's pods are not ready, and fix it",
                Command::kubectl(derived, &words),
            ))
        }
        None => finding
            .fix(Fix::advice(format!("start pods for Service {target}, or correct the Service's selector"))),
    };
    finding.fixes(super::restart(derived)).into()
}

/// The webhook was away when the pod was created, as the pods around it show.
fn away(derived: &Derived<'_>) -> Option<Finding> {
    let Some(BareBecause::WebhookAway { before, after }) = derived.bare() else { return None };
    let at = |pod: &Sourced<Pod>| pod.value.metadata.creation_timestamp.said();
    let summary = match after {
        Some(after) => format!(
            "the webhook did not answer for a while between {} and {}, and the pod was created then",
            at(before),
            at(after)
        ),
        None => format!("the webhook injected older pods, the last one at {}, but not this one", at(before)),
    };
    let finding = with_window(derived, META.on_subject(derived, summary).inferred());
    let log = "look for `failed calling webhook` in the API server's log of that time";
    Some(finding.fixes(super::restart(derived)).fix(Fix::advice(match after {
        Some(_) => String::from(log),
        None => format!("if the new pod is not injected either, {log}: the webhook is still away"),
    })))
}

/// Adds between which pods the webhook was away.
fn with_window(derived: &Derived<'_>, finding: Finding) -> Finding {
    let Some(BareBecause::WebhookAway { before, after }) = derived.bare() else { return finding };
    let created = |finding: Finding, what: String, pod: &Sourced<Pod>| {
        let source = pod.source.at(".metadata.creationTimestamp");
        finding.seen(what, pod.value.metadata.creation_timestamp.said(), &source)
    };
    let with = |finding, what: &str, pod: &Sourced<Pod>| {
        created(finding, format!("{what}, {} created", pod.value.metadata.name), pod)
    };
    let mut finding = with(finding, "last injected pod before", before);
    if let Some(pod) = derived.facts.subject.pod() {
        finding = created(finding, String::from("pod created, not injected"), pod);
    }
    match after {
        Some(after) => with(finding, "first injected pod after", after),
        None => finding,
    }
}

/// An event of the workload that quotes the failed call; only for a workload without a pod, since a pod that exists got
/// past it.
fn refused<'f>(derived: &Derived<'f>, registration: &Registration<'_>) -> Option<(&'f str, &'f Source)> {
    if derived.facts.subject.pod().is_some() {
        return None;
    }
    let quoted = format!("failed calling webhook \"{}\"", registration.webhook.name);
    let event = derived.failed_creates().find(|event| event.value.message.contains(&quoted))?;
    Some((&event.value.message, &event.source))
}
