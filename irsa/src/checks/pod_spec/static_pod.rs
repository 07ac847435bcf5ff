//! # A static pod has no service account
//!
//! The kubelet runs it from a file on the node; the API shows only its mirror pod. A static pod has no service account, and no
//! admission webhook sees it, so it can have neither IRSA nor EKS Pod Identity.
//!
//! **You see**: the node's role in every `AccessDenied`, or `Unable to locate credentials`.
//!
//! **Decided by**: the annotation `kubernetes.io/config.mirror`.
//!
//! **Not a fault** if it has its own access keys, or is meant to use the node's role.
//!
//! **Repair**: run it as a DaemonSet or a Deployment with a service account.

use crate::checks::prelude::*;

pub(super) const META: Meta = Meta {
    id: "static-pod",
    step: Step::Pod,
    title: "a static pod has no service account",
    explains: &["sa-not-annotated", "sa-missing", "not-injected", "fargate-no-sa"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some(pod) = derived.facts.subject.pod() else { return Outcome::NotApplicable("no pod to look at") };
    let meta = &pod.value.metadata;
    let key = "kubernetes.io/config.mirror";
    let Some(hash) = meta.annotations.get(key) else { return Outcome::Pass };
    let own_keys = derived.target().is_some_and(|view| {
        view.env.first_set(&["AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE"]).is_some()
    });
    META.on_subject(derived, "this is a static pod: it has no service account, and no webhook sees it")
        .severity(if own_keys { Severity::Info } else { Severity::Error })
        .evidence(key, "absent", hash, &pod.source.at(crate::derive::annotation_path(key)))
        .fix(Fix::advice("run it as a DaemonSet or a Deployment with a service account that names the role"))
        .into()
}
