//! # The pod is older than the annotation
//!
//! The webhook acts when a pod is created, never later. A pod made before the service account got its annotation has no
//! variables; one made before the role was changed still has the old ARN.
//!
//! **Decided by**: the pod's variables against the annotation. The time at which the annotation's writer last wrote
//! (`managedFields`) only supports it, since it moves with any later write. A younger pod of the same workload that is injected
//! says as much; a younger one that is bare says that age is not what is wrong.
//!
//! **Not a fault**: another role that the manifest itself sets; a bare name that the webhook completed
//! (`--compose-role-arn`).
//!
//! **Repair**: make the pods anew.

use crate::checks::prelude::*;
use crate::derive::env::Origin;
use crate::repair::workload;

/// See the module's page.
pub const META: Meta = Meta {
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

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let Some(pod) = derived.facts.subject.pod() else { return Outcome::NotApplicable("no pod to look at") };
    if !derived.intent.expects_injection() {
        return Outcome::NotApplicable("no injection is expected");
    }
    if let Some(old) = old_role(derived) {
        return old.into();
    }
    let created_at = pod.source.at(".metadata.creationTimestamp");
    let finding = match derived.bare() {
        Some(BareBecause::PodIsOlder { annotated, created }) => {
            let account = derived.facts.service_account.known().map_or(&pod.source, |account| &account.source);
            META.on_subject(derived, "the pod was made before its service account got the annotation, so it was not injected")
                .missing(ROLE_ARN, derived.intent.role.as_ref().map_or("", |role| role.raw), &pod.source.at(".spec.containers"))
                .seen("pod made", created.to_string(), &created_at)
                .seen("annotation last written", annotated.to_string(), &account.at(".metadata.managedFields"))
        }
        Some(BareBecause::YoungerSiblingInjected(sibling)) => META
            .on_subject(derived, format!("the pod was not injected, but the younger pod {sibling} was: what it lacks is to be made anew"))
            .missing(ROLE_ARN, derived.intent.role.as_ref().map_or("", |role| role.raw), &pod.source.at(".spec.containers"))
            .seen("younger pod with the variables", sibling, sibling_source(derived, sibling).unwrap_or(&created_at)),
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
        .on_subject(derived, "the pod still has the role that the service account named when it was made")
        .evidence(ROLE_ARN, role.raw, text, &carried.source)
        .seen("annotation", role.raw, &role.source);
    // Without the manifest, that the webhook wrote the variable is only likely.
    let finding = if derived.facts.owner.known().is_some() { finding } else { finding.inferred() };
    Some(finding.fix(workload::restart_or_advice(derived)))
}

fn sibling_source<'f>(derived: &Derived<'f>, name: &str) -> Option<&'f Source> {
    let siblings = &derived.facts.siblings.known()?.value.items;
    siblings.iter().find(|pod| pod.value.metadata.name == name).map(|pod| &pod.source)
}
