//! # eksctl left the service account without its role
//!
//! `eksctl create iamserviceaccount` logs `1 iamserviceaccount (NAMESPACE/NAME) was excluded (based on the include/exclude
//! rules)` or `no tasks` and exits successfully: the CloudFormation stack with the role exists, but the service account was
//! never annotated, or lost its annotation later.
//!
//! **Decided by**: the service account has eksctl's label `app.kubernetes.io/managed-by: eksctl` but names no role; eksctl
//! creates none without a role. This is inferred: only CloudFormation knows whether the stack exists.
//!
//! **Not a fault**: the label together with an annotation, however either got there.
//!
//! **Repair**: ask eksctl for the role and annotate the service account by hand, or delete the iamserviceaccount and create it
//! again.

use crate::checks::prelude::*;
use crate::checks::shared::missing_role;
use crate::derive::missing_role::Because;
use crate::repair::service_account;

pub(super) const META: Meta = Meta {
    id: "eksctl-excluded",
    step: Step::ServiceAccount,
    title: "eksctl left the service account without its role",
    explains: &["sa-not-annotated", "fargate-no-sa", "not-injected"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let gap = match missing_role::gap(derived) {
        Ok(gap) => gap,
        Err(outcome) => return outcome,
    };
    let Because::Eksctl = &gap.because else { return Outcome::Pass };
    let (name, namespace) = (&derived.facts.service_account_name, &derived.facts.namespace_name);
    let key = format!("{}/role-arn", derived.settings.annotation_prefix);
    let label = "app.kubernetes.io/managed-by";
    let finding = META
        .on_account(
            derived,
            format!("service account {namespace}/{name} is managed by eksctl but names no role"),
        )
        .inferred()
        .missing(&key, "the role of eksctl's stack", &gap.account.source.at(annotation_path(&key)))
        .seen("managed by", "eksctl", &gap.account.source.at(format!(".metadata.labels[\"{label}\"]")))
        .fix(service_account::look_into_eksctl(derived));
    finding.fixes(service_account::give_role(derived, None)).into()
}
