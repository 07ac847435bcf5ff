//! # The annotation key is misspelt
//!
//! The webhook reads exactly `eks.amazonaws.com/role-arn`. It silently ignores `role_arn`, `rolearn`, `iam-role`,
//! `amazonaws.com/role-arn`, kiam's `iam.amazonaws.com/role`, and the right key under `labels`. Helm's `--set` with unescaped
//! dots produces nested keys, which a chart may render as `map[amazonaws:map[…]]`.
//!
//! ```text
//! bad   eks.amazonaws.com/role_arn: arn:aws:iam::111122223333:role/shop-checkout
//! good  eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/shop-checkout
//! ```
//!
//! **Decided by**: the service account has no annotation under the webhook's key, but has one whose key is close to it and
//! whose value names a role.
//!
//! **Not a fault**: a self-hosted webhook with another `--annotation-prefix`; its flags are read first.
//!
//! **Repair**: set the value under the right key and recreate the pods. With Helm: `--set
//! serviceAccount.annotations."eks\.amazonaws\.com/role-arn"=…`.

use crate::checks::prelude::*;
use crate::checks::shared::missing_role;
use crate::derive::missing_role::Because;
use crate::repair::service_account;

pub(super) const META: Meta = Meta {
    id: "annotation-key-typo",
    step: Step::ServiceAccount,
    title: "the annotation key is misspelt",
    explains: &["sa-not-annotated", "fargate-no-sa", "not-injected"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let gap = match missing_role::gap(derived) {
        Ok(gap) => gap,
        Err(outcome) => return outcome,
    };
    let Because::NearKey(near) = &gap.because else { return Outcome::Pass };
    let right = format!("{}/role-arn", derived.settings.annotation_prefix);
    let (name, namespace) = (&derived.facts.service_account_name, &derived.facts.namespace_name);
    let summary = if near.place == "labels" {
        format!("service account {namespace}/{name} has its role under labels; the webhook reads annotations")
    } else {
        format!(
            "service account {namespace}/{name} names its role under `{}`; the webhook reads `{right}`",
            near.key
        )
    };
    let finding = META.on_account(derived, summary).severity(missing_role::severity(&gap));
    let finding = if near.place == "labels" {
        finding.evidence("location of the key", "metadata.annotations", "metadata.labels", &near.source)
    } else {
        finding.evidence("annotation key", &right, near.key, &near.source)
    };
    let finding = if near.certain { finding } else { finding.inferred() };
    let finding = finding.fixes(service_account::give_role(derived, near.role));
    if near.helm_map {
        return finding
            .fix(Fix::advice(r#"with Helm, escape the dots: --set serviceAccount.annotations."eks\.amazonaws\.com/role-arn"=…"#))
            .into();
    }
    finding.into()
}
