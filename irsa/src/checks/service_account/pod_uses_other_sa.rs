//! # The pod runs as a different service account than the one with the role
//!
//! The annotated service account is unused: the pod runs as `default`, or as another one that names no role. Pods that a
//! program creates (Spark executors, Argo workflows, Jenkins agents) often do not run as that program's service account.
//!
//! **You see**: the symptoms of a pod without an identity: `Unable to locate credentials`, `no EC2 IMDS role found`, or an
//! `AccessDenied` that names the node's role.
//!
//! **Decided by**: the pod's service account names no role, and exactly one other in the namespace does and belongs to the
//! workload: its template names it, another of its pods runs as it, the pod that owns the pod does, or it has the workload's
//! name. This is inferred, unless the workload's own template or pods say so.
//!
//! **Not a fault**: other annotated service accounts whose names have nothing in common with the workload.
//!
//! **Repair**: name the service account in the template that creates the pod.

use crate::checks::prelude::*;
use crate::checks::shared::missing_role;
use crate::derive::missing_role::{Because, Sign};
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "pod-uses-other-sa",
    step: Step::ServiceAccount,
    title: "the pod runs as a different service account than the one with the role",
    explains: &["sa-not-annotated", "fargate-no-sa", "not-injected"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let gap = match missing_role::gap(derived) {
        Ok(gap) => gap,
        Err(outcome) => return outcome,
    };
    let candidate = match &gap.because {
        Because::OtherAccount(candidate) => candidate,
        Because::Unexplained => {
            let listing = &derived.facts.service_accounts;
            let cut = listing.known().and_then(|listing| listing.value.cut.as_ref());
            return listing.unknown().or(cut).map_or(Outcome::Pass, unknown);
        }
        _ => return Outcome::Pass,
    };
    let (name, namespace) = (&derived.facts.service_account_name, &derived.facts.namespace_name);
    let meant = candidate.account.value.metadata.name.as_str();
    let key = format!("{}/role-arn", derived.settings.annotation_prefix);
    let used = derived.spec_at(".serviceAccountName").unwrap_or_else(|| gap.account.source.clone());
    let finding = META
        .on_subject(
            derived,
            format!(
                "the pod runs as service account {namespace}/{name}, but the role is on {namespace}/{meant}"
            ),
        )
        .evidence("service account of the pod", meant, name, &used)
        .seen(
            format!("role of {meant}"),
            candidate.role,
            &candidate.account.source.at(annotation_path(&key)),
        );
    match &candidate.sign {
        Sign::Template(source) => {
            let finding = finding.seen("service account in the template now", meant, source);
            finding.fixes(workload::restart_pod(derived)).into()
        }
        Sign::Sibling(pod) => {
            let finding = finding.seen(
                format!("pod of the same workload that runs as {meant}"),
                &pod.metadata.name,
                &used,
            );
            finding.fix(workload::use_service_account(derived, meant)).into()
        }
        Sign::OwnerPod(owner) => {
            let of = format!("service account of pod/{}, which owns the pod", owner.value.metadata.name);
            let finding = finding.seen(of, meant, &owner.source.at(".spec.serviceAccountName"));
            finding.inferred().fix(workload::use_service_account(derived, meant)).into()
        }
        Sign::Name => finding.inferred().fix(workload::use_service_account(derived, meant)).into(),
    }
}
