//! # The annotation is not on the service account
//!
//! `eks.amazonaws.com/role-arn` has no effect on a pod, on a workload or its template, or on a namespace: the webhook reads it
//! from the service account only (webhook `pkg/cache`).
//!
//! **You see**: the symptoms of a pod without an identity: `Unable to locate credentials`, `no EC2 IMDS role found`, or an
//! `AccessDenied` that names the node's role.
//!
//! **Decided by**: the service account names no role, and one of those objects has the annotation.
//!
//! **Not a fault**: `token-expiration` and `skip-containers`, which the webhook does read from the pod; a leftover on the pod
//! while its service account names a role, or while the pod gets its credentials in another way.
//!
//! **Repair**: annotate the service account and recreate the pods.

use crate::checks::prelude::*;
use crate::checks::shared::missing_role;
use crate::derive::missing_role::Because;
use crate::repair::service_account;

pub(super) const META: Meta = Meta {
    id: "annotation-on-wrong-object",
    step: Step::ServiceAccount,
    title: "the annotation is not on the service account",
    explains: &["sa-not-annotated", "fargate-no-sa", "not-injected"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let gap = match missing_role::gap(derived) {
        Ok(gap) => gap,
        Err(outcome) => return outcome,
    };
    let Because::WrongObject(misplaced) = &gap.because else { return Outcome::Pass };
    // The template is where a person wrote it; the pod only carries a copy.
    let Some(first) = misplaced.iter().find(|one| one.on.starts_with("the template")).or(misplaced.first())
    else {
        return Outcome::Pass;
    };
    let (name, namespace) = (&derived.facts.service_account_name, &derived.facts.namespace_name);
    let key = format!("{}/role-arn", derived.settings.annotation_prefix);
    let summary = format!(
        "the role annotation is on {}; the webhook reads only service account {namespace}/{name}",
        first.on
    );
    let mut finding = META.on_account(derived, summary).severity(missing_role::severity(&gap)).missing(
        format!("{key} on the service account"),
        first.role,
        &gap.account.source.at(annotation_path(&key)),
    );
    for one in misplaced {
        finding = finding.seen(format!("{key} on {}", one.on), one.role, &one.source);
    }
    finding.fixes(service_account::give_role(derived, Some(first.role))).into()
}
