//! # The webhook's CA bundle is out of date
//!
//! The API server can call the webhook only if its serving certificate chains to the `caBundle` of the registration. On EKS
//! that certificate is signed by the cluster's CA. When a new cluster CA is activated, the certificate is reissued, but this
//! `caBundle` is not updated. The call fails open: pods are Running and Ready without the variables, and no event says why.
//!
//! **You see**, only in the API server's log: `failing open …: failed calling webhook …: x509: certificate signed by unknown
//! authority`. The SDKs fall back to the node's role.
//!
//! **Decided by**: the certificates in `caBundle`, compared with those in ConfigMap `kube-root-ca.crt`, which the cluster
//! itself maintains (a kubeconfig may be old). Expired ones do not count; a CA renewed with the same key is the same CA.
//!
//! **Not a fault**: more certificates than needed; a self-hosted webhook, whose CA is up to whoever installed it. If, during a
//! CA rotation, only the newer CA is missing from `caBundle`, the webhook works until that one starts signing.
//!
//! **Repair**: write the cluster's bundle into the registration, then recreate the pods that were created in the meantime.

use crate::checks::prelude::*;
use crate::derive::ca::{self, ClusterCa, Trust};
use crate::derive::webhook::Registration;
use crate::repair::webhook;

pub(super) const META: Meta = Meta {
    id: "mwc-cabundle-stale",
    step: Step::Injection,
    title: "the webhook's CA bundle is out of date",
    explains: &["not-injected", "sa-cache-race", "webhook-down-ignore"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let found = match super::registered(derived) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    let Some(registration) = found.iter().find(|registration| registration.eks_managed()) else {
        return Outcome::NotApplicable(
            "the webhook is self-hosted, and its CA is up to whoever installed it",
        );
    };
    let name = registration.name();
    let bundle_at = registration.at(".clientConfig.caBundle");
    let severity = super::severity(derived);
    let consequence = match severity {
        Severity::Error => ", so no new pod is injected",
        _ => "; the next pod will not be injected",
    };
    let start =
        |summary: String| META.on("MutatingWebhookConfiguration", "", name, summary).severity(severity);
    let bundle = match ca::from_base64(&registration.webhook.client_config.ca_bundle) {
        Ok(bundle) => bundle,
        Err(problem) => {
            let finding = start(format!("the caBundle of webhook {name} {}{consequence}", problem.words()));
            let finding = finding.evidence(
                "caBundle",
                "the certificate of the cluster's CA",
                problem.words(),
                &bundle_at,
            );
            return repaired(derived, registration, finding).into();
        }
    };
    let ca = match ClusterCa::of(derived.facts) {
        Ok(ca) => ca,
        Err(why) => return super::unread(derived, &why),
    };
    let finding = match Trust::of(derived.facts, &bundle, &ca) {
        Trust::Complete => return Outcome::Pass,
        Trust::Stale => {
            start(format!("the caBundle of webhook {name} does not contain the cluster's CA{consequence}"))
        }
        Trust::Partial { lacks, newest } => {
            let unexplained =
                matches!(derived.bare(), Some(BareBecause::Unexplained | BareBecause::Race { .. }));
            let which = if newest { "newer" } else { "older" };
            let (severity, summary) = match (unexplained, newest) {
                (true, _) => (
                    Severity::Error,
                    format!(
                        "the caBundle of webhook {name} does not contain the {which} of the cluster's CAs, and the pod was not injected"
                    ),
                ),
                (false, true) => (
                    Severity::Warning,
                    format!(
                        "the caBundle of webhook {name} does not contain the cluster's newer CA; once that one signs, no pod is injected"
                    ),
                ),
                // The CA being retired: the certificates it signed have been replaced.
                (false, false) => return Outcome::Pass,
            };
            start(summary).severity(severity).inferred().missing(
                "certificate in caBundle",
                lacks.shown(),
                &bundle_at,
            )
        }
    };
    let finding = finding.evidence("caBundle", ca::shown(&ca.certificates), ca::shown(&bundle), &bundle_at);
    let finding = finding.seen("cluster's CA", ca::shown(&ca.certificates), &ca.source);
    repaired(derived, registration, finding).into()
}

fn repaired(derived: &Derived<'_>, registration: &Registration<'_>, finding: Finding) -> Finding {
    finding.fix(webhook::write_bundle(derived, registration)).fixes(super::restart(derived))
}
