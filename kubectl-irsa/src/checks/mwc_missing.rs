//! # The webhook is not registered
//!
//! The MutatingWebhookConfiguration is gone (a clean-up script, a restored backup, a GitOps prune): no new pod is injected,
//! and nothing says so. Pods made before keep working, until they are made anew.
//!
//! **Decided by**: the complete list of MutatingWebhookConfigurations has none for pod identity. An EKS cluster has no pod
//! or service of the webhook; that is normal and not what is looked for.
//!
//! **Repair**: register it again. On EKS the webhook runs on the control plane and only the registration is missing.

use super::prelude::*;

/// See the module's page.
pub const META: Meta = Meta {
    id: "mwc-missing",
    step: Step::Injection,
    title: "the pod identity webhook is not registered",
    explains: &["not-injected"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    if !derived.intent.expects_injection() {
        return Outcome::NotApplicable("no injection is expected");
    }
    let source = match &derived.registrations {
        Registrations::Found(_) => return Outcome::Pass,
        Registrations::Unknown(why) => return unknown(why),
        Registrations::Missing(source) => source,
    };
    // A pod that is injected works; what is broken is its successor.
    let severity = if derived.is_bare() || derived.facts.subject.pod().is_none() { Severity::Error } else { Severity::Warning };
    let summary = match severity {
        Severity::Error => "the pod identity webhook is not registered, so no new pod is injected",
        _ => "the pod identity webhook is not registered any more: the next pod will not be injected",
    };
    let finding = META
        .on("MutatingWebhookConfiguration", "", "pod-identity-webhook", summary)
        .severity(severity)
        .missing("mutating webhook", "pod-identity-webhook", source);
    let finding = match derived.platform {
        Platform::Eks => finding.advice(
            "register it again from the AWS knowledge base's manifest: url https://127.0.0.1:23443/mutate, caBundle = the \
             cluster's CA, failurePolicy Ignore, reinvocationPolicy IfNeeded, admissionReviewVersions v1beta1",
        ),
        Platform::Other | Platform::Unknown => {
            finding.advice("install aws/amazon-eks-pod-identity-webhook again, or restore its MutatingWebhookConfiguration")
        }
    };
    match derived.restart().filter(|_| derived.is_bare()) {
        Some((title, command)) => finding.fix(title, command).into(),
        None => finding.into(),
    }
}
