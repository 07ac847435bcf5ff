//! # The pod identity webhook is not registered
//!
//! The MutatingWebhookConfiguration is gone (a clean-up script, a restored backup, a GitOps prune): no new pod is injected, and
//! nothing reports it. Existing pods keep working until they are recreated.
//!
//! **Decided by**: the complete list of MutatingWebhookConfigurations has none for pod identity. An EKS cluster has no pod or
//! Service for the webhook; that is normal, and this check does not look for one.
//!
//! **Not a fault**: a pod that was injected, where you may not list registrations: the webhook ran.
//!
//! **Repair**: register it again. On EKS the webhook runs on the control plane and only the registration is missing.

use crate::checks::prelude::*;
use crate::repair::webhook;

pub(super) const META: Meta = Meta {
    id: "mwc-missing",
    step: Step::Injection,
    title: "the pod identity webhook is not registered",
    explains: &["not-injected", "sa-cache-race"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if !derived.intent.expects_injection() {
        return Outcome::NotApplicable("no injection is expected");
    }
    let source = match &derived.registrations {
        Registrations::Found(_) => return Outcome::Pass,
        Registrations::Unknown(why) => return super::unread(derived, why),
        Registrations::Missing(source) => source,
    };
    let severity = super::severity(derived);
    let summary = match severity {
        Severity::Error => "the pod identity webhook is not registered, so no new pod is injected",
        _ => "the pod identity webhook is no longer registered; the next pod will not be injected",
    };
    let finding = META
        .on("MutatingWebhookConfiguration", "", "pod-identity-webhook", summary)
        .severity(severity)
        .missing("mutating webhook", "pod-identity-webhook", source);
    let finding = match derived.platform {
        Platform::Eks => finding.fix(webhook::register_again(derived)),
        Platform::Other | Platform::Unknown => {
            // It may be registered under a name that we do not know.
            let finding = if severity == Severity::Warning { finding.inferred() } else { finding };
            finding.fix(Fix::advice("install aws/amazon-eks-pod-identity-webhook again, or restore its MutatingWebhookConfiguration"))
        }
    };
    finding.fixes(super::restart(derived)).into()
}
