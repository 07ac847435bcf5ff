//! # The pod carries the label that the webhook skips
//!
//! `eks.amazonaws.com/skip-pod-identity-webhook` on the pod, whatever its value (`"false"` skips too): the registration's
//! `objectSelector` asks that the label does not exist.
//!
//! **Decided by**: the registered selector, evaluated on the pod's labels. Where the registration has no such selector the
//! label has no effect and is not blamed.
//!
//! **Repair**: take the label out of the pod template.

use super::prelude::*;
use crate::derive::webhook::SKIP_LABEL;

/// See the module's page.
pub const META: Meta = Meta {
    id: "skip-label",
    step: Step::Injection,
    title: "a label keeps the webhook away from the pod",
    explains: &["not-injected"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let Some((_, meta, source, _)) = derived.spec() else { return Outcome::NotApplicable("no pod to look at") };
    let Some(value) = meta.labels.get(SKIP_LABEL) else { return Outcome::Pass };
    if !derived.intent.expects_injection() {
        return Outcome::NotApplicable("no injection is expected");
    }
    let registration = match &derived.selection {
        Selection::Excluded { registration, requirement, .. } if requirement.starts_with(SKIP_LABEL) => registration,
        Selection::Unknown(_) | Selection::NoWebhook => {
            return match &derived.registrations {
                Registrations::Unknown(why) => unknown(why),
                _ => Outcome::NotApplicable("no webhook is registered"),
            };
        }
        Selection::Selected | Selection::Excluded { .. } => return Outcome::Pass,
    };
    let finding = META
        .on_subject(derived, format!("label {SKIP_LABEL} keeps the webhook away from the pod, whatever its value"))
        .evidence("label", "absent", format!("{SKIP_LABEL}={value}"), &source.at(format!(".metadata.labels[\"{SKIP_LABEL}\"]")))
        .seen("selector of the webhook", format!("{SKIP_LABEL} DoesNotExist"), &registration.at(".objectSelector"));
    match derived.owner_key().filter(|(kind, _)| matches!(kind.as_str(), "Deployment" | "StatefulSet" | "DaemonSet")) {
        Some((kind, name)) => {
            let patch = format!(r#"{{"spec":{{"template":{{"metadata":{{"labels":{{"{SKIP_LABEL}":null}}}}}}}}}}"#);
            let target = format!("{}/{name}", kind.to_lowercase());
            let words = ["patch", &target, "-n", &derived.facts.namespace_name, "--type=merge", "-p", &patch];
            finding.fix("take the label out of the template; its new pods are injected", derived.kubectl(&words)).into()
        }
        None => finding.advice("take the label out of the manifest and create the pod again").into(),
    }
}
