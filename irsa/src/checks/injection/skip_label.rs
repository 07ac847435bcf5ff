//! # A label keeps the webhook from injecting the pod
//!
//! `eks.amazonaws.com/skip-pod-identity-webhook` is set on the pod. Its value does not matter (`"false"` skips too): the
//! registration's `objectSelector` requires that the label does not exist.
//!
//! **You see**: `Unable to locate credentials`, or an `AccessDenied` that names the node's role.
//!
//! **Decided by**: the registered selector, evaluated against the pod's labels. If the registration has no such selector, the
//! label has no effect and is not reported.
//!
//! **Not a fault**: the label on a pod whose variables and mount are set by hand, or that was labelled after it was injected.
//!
//! **Repair**: remove the label from the pod template.

use crate::checks::prelude::*;
use crate::derive::webhook::SKIP_LABEL;
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "skip-label",
    step: Step::Injection,
    title: "a label keeps the webhook from injecting the pod",
    explains: &["not-injected"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some((_, meta, source, path)) = derived.spec() else {
        return Outcome::NotApplicable("no pod to look at");
    };
    let Some(value) = meta.labels.get(SKIP_LABEL) else { return Outcome::Pass };
    if !derived.intent.expects_injection() {
        return Outcome::NotApplicable("no injection is expected");
    }
    let registration = match &derived.selection {
        Selection::Excluded { registration, requirement, .. } if requirement.starts_with(SKIP_LABEL) => {
            registration
        }
        Selection::Unknown(_) | Selection::NoWebhook => {
            return match &derived.registrations {
                Registrations::Unknown(why) => unknown(why),
                _ => Outcome::NotApplicable("no webhook is registered"),
            };
        }
        Selection::Selected | Selection::Excluded { .. } => return Outcome::Pass,
    };
    // Labels can change on a running pod, and a pod may be wired by hand: what counts is that it was not injected.
    let target = derived.target();
    if target.is_some_and(|view| matches!(view.wiring, Wiring::Complete | Wiring::NoMount)) {
        return Outcome::Pass;
    }
    if let Some(view) = target.filter(|view| view.wiring == Wiring::Unknown) {
        return Outcome::Unknown(view.env.unread.iter().map(|why| (*why).clone()).collect());
    }
    let at = source
        .at(format!("{}.metadata.labels[\"{SKIP_LABEL}\"]", path.strip_suffix(".spec").unwrap_or_default()));
    let finding = META
        .on_subject(
            derived,
            format!("label {SKIP_LABEL} keeps the webhook from injecting the pod, whatever its value"),
        )
        .evidence("label", "absent", format!("{SKIP_LABEL}={value}"), &at)
        .seen(
            "selector of the webhook",
            format!("{SKIP_LABEL} DoesNotExist"),
            &registration.at(".objectSelector"),
        );
    let in_template = match (&derived.facts.subject, derived.facts.owner.known()) {
        (Subject::Pod(_), Some(owner)) => owner.value.template_meta.labels.contains_key(SKIP_LABEL),
        _ => true,
    };
    let patch = serde_json::json!({"metadata": {"labels": {SKIP_LABEL: null}}});
    let title = "remove the label from the pod template; its new pods are injected";
    let fix = workload::patch(derived, title, &patch).filter(|_| in_template);
    finding
        .fix(fix.unwrap_or_else(|| Fix::advice("remove the label where it is set and recreate the pod")))
        .into()
}
