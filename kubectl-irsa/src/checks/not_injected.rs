//! # The container was not injected
//!
//! The service account names a role, yet the container carries neither `AWS_ROLE_ARN` nor `AWS_WEB_IDENTITY_TOKEN_FILE`. This
//! is the symptom; where its cause can be told, the cause is reported instead. Where it cannot, what remains is a webhook
//! that was away, or did not yet know the service account, when the pod was made: it fails open and leaves no trace in the
//! Kubernetes API, only in the API server's log (`failed calling webhook`, `failing open`).
//!
//! **Decided by**: the container's environment against the annotation.
//!
//! **Repair**: make the pod anew. If its successor is bare too, look for `failed calling webhook` in the API server's log.

use super::prelude::*;

/// See the module's page.
pub const META: Meta = Meta {
    id: "not-injected",
    step: Step::Injection,
    title: "the container was not injected",
    explains: &[],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let Some(pod) = derived.facts.subject.pod() else { return Outcome::NotApplicable("no pod to look at") };
    match derived.intent.mechanism {
        Mechanism::Irsa => {}
        Mechanism::PodIdentity => return Outcome::NotApplicable("the pod gets its identity from EKS Pod Identity"),
        Mechanism::Unknown => {
            return match derived.account_unknown() {
                Some(why) => unknown(why),
                None => Outcome::NotApplicable("no injection is expected"),
            };
        }
        _ => return Outcome::NotApplicable("no injection is expected"),
    }
    let Some(view) = derived.target() else { return Outcome::NotApplicable("no container to look at") };
    if view.wiring == Wiring::Unknown {
        return Outcome::Unknown(view.env.unread.iter().map(|why| (*why).clone()).collect());
    }
    if !derived.is_bare() {
        return Outcome::Pass;
    }
    let role = derived.intent.role.as_ref().map_or("", |role| role.raw);
    let name = view.name();
    let finding = META
        .on_subject(derived, format!("container {name} was not injected, although its service account names a role"))
        .container(name)
        .missing(ROLE_ARN, role, &pod.source.at(format!("{}.env", view.path)))
        .missing(TOKEN_FILE, format!("{TOKEN_DIRECTORY}/token"), &pod.source.at(format!("{}.env", view.path)));
    match derived.restart() {
        Some((title, command)) => finding.fix(title, command).into(),
        None => finding.advice(derived.restart_advice()).into(),
    }
}
