//! # The webhook is called in a version that it may not speak
//!
//! `admissionReviewVersions` names what the API server may send. Builds of the webhook before August 2026 speak only
//! `v1beta1`; a registration edited to `v1` alone makes every call fail, and it fails open.
//!
//! **You see**, only in the API server's log: `failed calling webhook`.
//!
//! **Decided by**: EKS's own registration without `v1beta1`, and a pod that nothing else explains. Which build EKS runs cannot
//! be seen from the cluster, so this is a conclusion.
//!
//! **Not a fault**: both versions; `v1` alone where pods are injected, since a newer build speaks it.
//!
//! **Repair**: ask for `v1beta1`, which every build speaks, and make the pod anew.

use crate::checks::prelude::*;

/// See the module's page.
pub const META: Meta = Meta {
    id: "mwc-v1-admissionreview",
    step: Step::Injection,
    title: "the webhook is called in a version that it may not speak",
    explains: &["not-injected"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    if !derived.intent.expects_injection() {
        return Outcome::NotApplicable("no injection is expected");
    }
    let found = match &derived.registrations {
        Registrations::Found(found) => found,
        Registrations::Missing(_) => return Outcome::NotApplicable("no webhook is registered"),
        Registrations::Unknown(why) => return super::unread(derived, why),
    };
    let Some(registration) = found.iter().find(|registration| registration.eks_managed()) else {
        return Outcome::NotApplicable(
            "the webhook is not EKS's own, and its build is its installer's choice",
        );
    };
    let versions = &registration.webhook.admission_review_versions;
    // The field is required; without it the registration was not read in full.
    if versions.is_empty() || versions.iter().any(|version| version == "v1beta1") {
        return Outcome::Pass;
    }
    // An injected sibling shows that the webhook understands what it is sent.
    let unexplained = derived.bare() == Some(BareBecause::Unexplained);
    // Another pod that is injected would tell that the webhook works; without all of them that is not known.
    if let Some(why) =
        derived.siblings.unknown.filter(|_| unexplained && derived.siblings.injected.is_empty())
    {
        return unknown(why);
    }
    if !unexplained || !derived.siblings.injected.is_empty() {
        return Outcome::Pass;
    }
    let name = registration.name();
    let patch = format!(
        r#"[{{"op":"replace","path":"/webhooks/{}/admissionReviewVersions","value":["v1beta1"]}}]"#,
        registration.index
    );
    let words = ["patch", "mutatingwebhookconfiguration", name, "--type=json", "-p", &patch];
    let finding = META
        .on(
            "MutatingWebhookConfiguration",
            "",
            name,
            format!("webhook {name} is called in AdmissionReview {} only, and builds before August 2026 do not speak that", versions.join(", ")),
        )
        .inferred()
        .evidence("admissionReviewVersions", "v1beta1", versions.join(", "), &registration.at(".admissionReviewVersions"))
        .fix(Fix::shared("ask for the version that every build speaks", Command::kubectl(derived, &words)));
    finding.fixes(super::restart(derived)).into()
}
