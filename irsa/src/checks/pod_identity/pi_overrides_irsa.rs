//! # An association overrides the annotation
//!
//! If a service account has both an EKS Pod Identity association and an annotation, the webhook wires new pods for the
//! association only. An association that somebody created to try it out changes the role of every pod at its next restart.
//!
//! **You see**: nothing until a restart; then `AccessDenied` for a role that nobody expected.
//!
//! **Decided by**: EKS's association and the annotation name two different roles. A warning, since the association's may be
//! good enough; an error if AWS denies it what the application does.
//!
//! **Not a fault**: both name the same role, as in the middle of a migration.
//!
//! **Repair**: choose one: remove the annotation, or delete the association.

use crate::checks::prelude::*;
use crate::derive::association::Associated;
use crate::repair::service_account;

pub(super) const META: Meta = Meta {
    id: "pi-overrides-irsa",
    step: Step::ServiceAccount,
    title: "an association overrides the annotation",
    explains: &["perm-no-policy"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some(role) = derived.intent.role.as_ref().filter(|role| role.origin == RoleOrigin::Annotation) else {
        return Outcome::NotApplicable("the service account is not annotated");
    };
    let (association, source) = match Associated::of(derived) {
        Associated::Yes(association, source) => (association, source),
        Associated::No(_) => return Outcome::Pass,
        Associated::Unknown(unread) if derived.intent.mechanism == Mechanism::PodIdentity => {
            return Outcome::Unknown(vec![unread]);
        }
        // The pod has its web identity; only its next restart depends on it.
        Associated::Unknown(_) => return Outcome::NotApplicable("the associations are not known"),
    };
    let Some(given) = association.role_arn.as_deref().filter(|given| !role.is(given)) else {
        return Outcome::Pass;
    };
    let when = match derived.intent.mechanism {
        Mechanism::PodIdentity => "the pod has the association's",
        _ => "pods get the association's at their next restart",
    };
    let summary =
        format!("the annotation names one role and the EKS Pod Identity association another; {when}");
    let key = format!("{}/role-arn", derived.settings.annotation_prefix);
    let denied = derived.intent.mechanism == Mechanism::PodIdentity
        && derived
            .denials()
            .all
            .iter()
            .any(|denial| denial.role.expected && denial.severity(derived) == Severity::Error);
    META.on_account(derived, summary)
        .severity(if denied { Severity::Error } else { Severity::Warning })
        .doubt(Doubt::MayFail)
        .evidence("role of the association", role.raw, given, source)
        .seen("annotation", role.raw, &role.source)
        .fix(service_account::annotate(
            derived,
            "remove the annotation, if the association is what you want",
            Assignment::remove(key),
        ))
        .fix(Fix::advice(format!(
            "or delete association {}, if the annotation is what you want",
            association.id
        )))
        .into()
}
