//! # The pod is older than the annotation
//!
//! The webhook acts when a pod is created, never later. A pod created before the service account was annotated has no
//! variables; one created before the role was changed still has the old ARN.
//!
//! **Decided by**: the pod's variables, compared with the annotation. The time of the annotation's last write (`managedFields`)
//! is only supporting evidence, since any later write moves it. A younger pod of the same workload that was injected proves as
//! much; a younger one that was not shows that age is not the cause. A service account that was created without any field
//! (`kubectl create serviceaccount`) has no `managedFields` at all, even once it is annotated: a pod from the same seconds is
//! then older than the annotation.
//!
//! **Not a fault**: a different role that the manifest itself sets; a bare role name that the webhook completed
//! (`--compose-role-arn`); a pod with an older one of the same service account next to it that was injected
//! (`webhook-down-ignore`).
//!
//! **Repair**: recreate the pods.

use crate::checks::prelude::*;
use crate::derive::env::Origin;
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "pod-created-before-annotation",
    step: Step::Injection,
    title: "the pod is older than the annotation",
    explains: &[
        "not-injected",
        "role-deleted-or-never-existed",
        "role-path-missing",
        "wrong-account-in-arn",
        "oidc-provider-missing",
        "sts-refused",
    ],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some(pod) = derived.facts.subject.pod() else { return Outcome::NotApplicable("no pod to look at") };
    if !derived.intent.expects_injection() {
        return Outcome::NotApplicable("no injection is expected");
    }
    if let Some(old) = old_role(derived) {
        return old.into();
    }
    let created_at = pod.source.at(".metadata.creationTimestamp");
    let bare = |summary: &str| {
        let role = derived.intent.role.as_ref().map_or("", |role| role.raw);
        META.on_subject(derived, summary).missing(ROLE_ARN, role, &pod.source.at(".spec.containers"))
    };
    let finding = match derived.bare() {
        Some(BareBecause::PodIsOlder { annotated, created }) => {
            let account =
                derived.facts.service_account.known().map_or(&pod.source, |account| &account.source);
            bare("the pod was created before its service account was annotated, so it was not injected")
                .seen("pod created", created.to_string(), &created_at)
                .seen(
                    "annotation last written",
                    annotated.to_string(),
                    &account.at(".metadata.managedFields"),
                )
        }
        Some(BareBecause::AnnotatedLater { account, created }) => {
            let object = derived.facts.service_account.known().map_or(&pod.source, |known| &known.source);
            bare("the pod was created together with its service account, which was annotated later, so it was not injected")
            .seen("pod created", created.to_string(), &created_at)
            .seen("service account created", account.to_string(), &object.at(".metadata.creationTimestamp"))
            .missing(
                "record of who wrote the annotation",
                "one from the creation on, if the annotation had been there",
                &object.at(".metadata.managedFields"),
            )
        }
        Some(BareBecause::YoungerSiblingInjected(sibling)) => bare(&format!(
            "the pod was not injected, but the younger pod {} was: it needs to be recreated",
            sibling.value.metadata.name
        ))
        .seen("younger pod with the variables", &sibling.value.metadata.name, &sibling.source),
        _ => return Outcome::Pass,
    };
    finding.inferred().fix(workload::restart_or_advice(derived)).into()
}

/// The pod was injected with a role that the annotation no longer names.
fn old_role(derived: &Derived<'_>) -> Option<Finding> {
    let role = derived.intent.role.as_ref().filter(|role| role.origin == RoleOrigin::Annotation)?;
    let view = derived.target()?;
    let carried = view.env.get(ROLE_ARN)?;
    let text = carried.text()?;
    let from_webhook = matches!(carried.origin, Origin::Env(_)) && !derived.is_preset(view, ROLE_ARN);
    if role.is(text) || !from_webhook || view.wiring != Wiring::Complete {
        return None;
    }
    let finding = META
        .on_subject(
            derived,
            "the pod still has the role that the service account named when the pod was created",
        )
        .evidence(ROLE_ARN, role.raw, text, &carried.source)
        .seen("annotation", role.raw, &role.source);
    // Without the manifest it is only likely that the webhook wrote the variable.
    let finding = if derived.facts.owner.known().is_some() { finding } else { finding.inferred() };
    Some(finding.fix(workload::restart_or_advice(derived)))
}
