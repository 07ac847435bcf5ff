//! # The webhook may not support the AdmissionReview version it is called with
//!
//! `admissionReviewVersions` lists the versions that the API server may send. Builds of the webhook from before August 2026
//! support only `v1beta1`. If the registration is edited to `v1` alone, every call fails, and it fails open.
//!
//! **You see**, only in the API server's log: `failed calling webhook`.
//!
//! **Decided by**: EKS's own registration without `v1beta1`, and a pod that was not injected for no other reason that could be
//! found. The cluster does not show which build EKS runs, so this is inferred.
//!
//! **Not a fault**: both versions; `v1` alone where pods are injected, since a newer build supports it.
//!
//! **Repair**: register `v1beta1`, which every build supports, and recreate the pod.

use crate::checks::prelude::*;
use crate::repair::webhook;

pub(super) const META: Meta = Meta {
    id: "mwc-v1-admissionreview",
    step: Step::Injection,
    title: "the webhook may not support the AdmissionReview version it is called with",
    explains: &["not-injected", "webhook-down-ignore"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let found = match super::registered(derived) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    let Some(registration) = found.iter().find(|registration| registration.eks_managed()) else {
        return Outcome::NotApplicable(
            "the webhook is self-hosted, and its build is up to whoever installed it",
        );
    };
    let versions = &registration.webhook.admission_review_versions;
    // The field is required; without it the registration was not read in full.
    if versions.is_empty() || versions.iter().any(|version| version == "v1beta1") {
        return Outcome::Pass;
    }
    // An injected sibling shows that the webhook understands the requests.
    let unexplained =
        matches!(derived.bare(), Some(BareBecause::Unexplained | BareBecause::WebhookAway { .. }));
    // An injected sibling would show that the webhook works; unless all were listed, we do not know.
    if let Some(why) =
        derived.siblings().unknown.filter(|_| unexplained && !derived.siblings().any_injected())
    {
        return unknown(why);
    }
    if !unexplained || derived.siblings().any_injected() {
        return Outcome::Pass;
    }
    let name = registration.name();
    let path = format!("/webhooks/{}/admissionReviewVersions", registration.index);
    let patch = serde_json::json!([{"op": "replace", "path": path, "value": ["v1beta1"]}]);
    let finding = META
        .on(
            "MutatingWebhookConfiguration",
            "",
            name,
            format!("webhook {name} is called with AdmissionReview {} only, which builds from before August 2026 do not support", versions.join(", ")),
        )
        .inferred()
        .evidence("admissionReviewVersions", "v1beta1", versions.join(", "), &registration.at(".admissionReviewVersions"))
        .fix(Fix::shared("register the version that every build supports", webhook::patch(derived, registration, patch)));
    finding.fixes(super::restart(derived)).into()
}
