//! # The service account with the role is in another namespace
//!
//! A pod uses the service account of its own namespace. An annotated one with the same name in another namespace has no effect
//! on it. This happens when a chart is installed into a different namespace than the one where the service account was created.
//!
//! **You see**: the symptoms of a pod without an identity: `Unable to locate credentials`, `no EC2 IMDS role found`, or an
//! `AccessDenied` that names the node's role.
//!
//! **Decided by**: the service account in the pod's namespace names no role, and one with the same name in another namespace
//! does. This is inferred: both may be intended.
//!
//! **Not a fault**: `default`, which every namespace has; service accounts with the same name elsewhere while the pod's own
//! names a role.
//!
//! **Repair**: annotate the service account in the pod's namespace, and add it to the role's trust policy:
//! `system:serviceaccount:NAMESPACE:NAME`.

use crate::checks::prelude::*;
use crate::checks::shared::missing_role;
use crate::derive::missing_role::Because;
use crate::facts::Why;
use crate::repair::service_account;

pub(super) const META: Meta = Meta {
    id: "sa-wrong-namespace",
    step: Step::ServiceAccount,
    title: "the service account with the role is in another namespace",
    explains: &["sa-not-annotated", "fargate-no-sa", "not-injected"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let gap = match missing_role::gap(derived) {
        Ok(gap) => gap,
        Err(outcome) => return outcome,
    };
    let namesakes = match &gap.because {
        Because::Namesakes(namesakes) => namesakes,
        Because::Unexplained if derived.facts.service_account_name != "default" => {
            let listing = &derived.facts.namesakes;
            let cut = listing.known().and_then(|listing| listing.value.cut.as_ref());
            let why = listing
                .unknown()
                .or(cut)
                .filter(|why| !matches!(why.why, Why::NotAsked(_) | Why::NotInFiles));
            return why.map_or(Outcome::Pass, unknown);
        }
        _ => return Outcome::Pass,
    };
    let Some(first) = namesakes.first() else { return Outcome::Pass };
    let (name, namespace) = (&derived.facts.service_account_name, &derived.facts.namespace_name);
    let key = format!("{}/role-arn", derived.settings.annotation_prefix);
    let role_of = |meta: &crate::facts::kubernetes::Meta| {
        meta.annotations.get(&key).map(String::from).unwrap_or_default()
    };
    let other = &first.value.metadata;
    let role = role_of(other);
    let summary = format!(
        "service account {namespace}/{name} names no role; {}/{name} does, but a pod uses the one in its own namespace",
        other.namespace
    );
    let mut finding = META.on_account(derived, summary).inferred().missing(
        &key,
        &role,
        &gap.account.source.at(annotation_path(&key)),
    );
    for account in namesakes.iter().take(3) {
        let meta = &account.value.metadata;
        finding = finding.seen(
            format!("role of {}/{name}", meta.namespace),
            role_of(meta),
            &account.source.at(annotation_path(&key)),
        );
    }
    // Two namespaces with two roles: only the user knows which one is meant.
    let one_role = namesakes.iter().all(|account| role_of(&account.value.metadata) == role);
    let finding = finding.fix(Fix::advice(format!(
        "add this service account to the role's trust policy: system:serviceaccount:{namespace}:{name}"
    )));
    finding.fixes(service_account::give_role(derived, one_role.then_some(role.as_str()))).into()
}
