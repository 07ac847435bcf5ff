//! # The webhook is not registered
//!
//! The MutatingWebhookConfiguration is gone (a clean-up script, a restored backup, a GitOps prune): no new pod is injected,
//! and nothing says so. Pods made before keep working, until they are made anew.
//!
//! **Decided by**: the complete list of MutatingWebhookConfigurations has none for pod identity. An EKS cluster has no pod
//! or service of the webhook; that is normal and not what is looked for.
//!
//! **Not a fault**: a pod without the permission to list registrations was injected, so the webhook ran.
//!
//! **Repair**: register it again. On EKS the webhook runs on the control plane and only the registration is missing.

use super::prelude::*;
use crate::derive::webhook::SKIP_LABEL;
use crate::facts::Unknown;

/// See the module's page.
pub const META: Meta = Meta {
    id: "mwc-missing",
    step: Step::Injection,
    title: "the pod identity webhook is not registered",
    explains: &["not-injected", "sa-cache-race"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    if !derived.intent.expects_injection() {
        return Outcome::NotApplicable("no injection is expected");
    }
    let source = match &derived.registrations {
        Registrations::Found(_) => return Outcome::Pass,
        Registrations::Unknown(why) => return unread(derived, why),
        Registrations::Missing(source) => source,
    };
    let severity = severity(derived);
    let summary = match severity {
        Severity::Error => "the pod identity webhook is not registered, so no new pod is injected",
        _ => "the pod identity webhook is not registered any more: the next pod will not be injected",
    };
    let finding = META
        .on("MutatingWebhookConfiguration", "", "pod-identity-webhook", summary)
        .severity(severity)
        .missing("mutating webhook", "pod-identity-webhook", source);
    let finding = match derived.platform {
        Platform::Eks => finding.fix(
            "register it again as EKS does; the webhook itself runs on the control plane",
            format!(
                "{} | {}",
                super::mwc_cabundle_stale::with_bundle(derived, &manifest()),
                derived.kubectl(&["create", "-f", "-"])
            ),
        ),
        Platform::Other | Platform::Unknown => {
            // It may go by a name that is not known here.
            let finding = if severity == Severity::Warning { finding.inferred() } else { finding };
            finding.advice("install aws/amazon-eks-pod-identity-webhook again, or restore its MutatingWebhookConfiguration")
        }
    };
    with_restart(derived, finding).into()
}

/// The registration as EKS makes it, `&` standing for the bundle.
fn manifest() -> String {
    let manifest = serde_json::json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "pod-identity-webhook"},
        "webhooks": [{
            "name": "iam-for-pods.amazonaws.com",
            "clientConfig": {"url": "https://127.0.0.1:23443/mutate", "caBundle": "&"},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
            "objectSelector": {"matchExpressions": [{"key": SKIP_LABEL, "operator": "DoesNotExist"}]},
            "failurePolicy": "Ignore",
            "reinvocationPolicy": "IfNeeded",
            "sideEffects": "None",
            "timeoutSeconds": 10,
            "admissionReviewVersions": ["v1beta1"],
        }],
    });
    manifest.to_string()
}

/// How bad a webhook that cannot answer is: a pod that is injected works, and what is broken is its successor.
pub(super) fn severity(derived: &Derived<'_>) -> Severity {
    if injected(derived) { Severity::Warning } else { Severity::Error }
}

/// What could not be read about the webhook leaves the question open only where the pod itself does not answer it; it
/// stays among what was not checked in either case.
pub(super) fn unread(derived: &Derived<'_>, why: &Unknown) -> Outcome {
    if injected(derived) {
        Outcome::NotApplicable("the pod is injected, and whether the next one will be could not be read")
    } else {
        unknown(why)
    }
}

fn injected(derived: &Derived<'_>) -> bool {
    // The webhook writes `env` and nothing else: what a container takes from elsewhere is not its work.
    let declared = |view: &ContainerView<'_>| view.declares(ROLE_ARN) && view.declares(TOKEN_FILE);
    derived.facts.subject.pod().is_some() && !derived.is_bare() && derived.target().is_none_or(declared)
}

/// Adds the restart that a bare pod needs once its webhook answers again.
pub(super) fn with_restart(derived: &Derived<'_>, finding: Finding) -> Finding {
    match derived.restart().filter(|_| derived.is_bare()) {
        Some((title, command)) => finding.fix(title, command),
        None if derived.is_bare() => finding.advice(derived.restart_advice()),
        None => finding,
    }
}
