//! # The service account names no role
//!
//! Nothing tells the webhook which role the pods of this service account should have, so it does not inject them. The SDKs find
//! no credentials, or the node's.
//!
//! **You see**: `Unable to locate credentials` (boto3), `no EC2 IMDS role found` (Go), `Could not load credentials from any
//! providers` (JavaScript), or an `AccessDenied` that names the node's role.
//!
//! **Decided by**: the service account that the pod really uses has no annotation, and nothing else gives the pod an identity.
//! As long as EKS Pod Identity associations have not been listed, this is inferred, not observed. The account's roles are
//! listed to find one that trusts the service account already; if exactly one names it, that is the role in the command.
//!
//! **Not a fault** with EKS Pod Identity, the webhook's ConfigMap (kOps), OpenShift's own token, variables set by hand, or
//! controllers that request tokens for other service accounts.
//!
//! **Repair**: annotate the service account and recreate the pods; running pods do not change.

use crate::checks::prelude::*;
use crate::checks::shared::missing_role;
use crate::derive::trust;
use crate::derive::trusting::{self, Trusting};
use crate::repair::service_account;

pub(super) const META: Meta = Meta {
    id: "sa-not-annotated",
    step: Step::ServiceAccount,
    title: "the service account names no role",
    explains: &["not-injected"],
};

/// So many roles are named.
const MOST: usize = 3;

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let facts = derived.facts;
    let gap = match missing_role::gap(derived) {
        Ok(gap) => gap,
        Err(outcome) => return outcome,
    };
    // The pod itself has its identity; the check that knows the reason reports what the next pods will miss.
    if gap.still_injected {
        return Outcome::Pass;
    }
    let key = format!("{}/role-arn", derived.settings.annotation_prefix);
    let source = gap.account.source.at(annotation_path(&key));
    let (name, namespace) = (&facts.service_account_name, &facts.namespace_name);
    let certain = facts.aws.associations.known().is_some_and(|list| list.value.is_empty());
    let summary = if certain || facts.subject.pod().is_none() {
        format!("service account {namespace}/{name} names no IAM role")
    } else {
        format!(
            "service account {namespace}/{name} names no IAM role, and the pod is not wired for EKS Pod Identity either"
        )
    };
    let mut finding = META.on_account(derived, summary);
    finding = match gap.account.value.metadata.annotations.get(&key) {
        Some(empty) => finding.evidence(&key, "the ARN of an IAM role", empty, &source),
        None => finding.missing(&key, "the ARN of an IAM role", &source),
    };
    if !certain {
        finding = finding.inferred();
    }
    let trusting = trusting::roles(derived);
    for Trusting { role, by_name } in trusting.iter().take(MOST) {
        let how = if *by_name { "by name" } else { "by a pattern, among others" };
        finding = finding.seen(
            format!("a role that trusts it {how}"),
            &role.value.arn,
            &role.source.at(trust::FIELD),
        );
    }
    let meant = trusting::only_by_name(&trusting).map(|role| role.value.arn.as_str());
    finding = finding.fixes(service_account::give_role(derived, meant));
    if let Some((only, role)) = gap.only {
        let only_name = only.value.metadata.name.as_str();
        finding = finding
            .seen(format!("the only service account of the namespace with a role, {only_name}"), role, &only.source.at(annotation_path(&key)))
            .fix(Fix::advice(format!(
                "if service account {only_name} is the one that was meant, name it as serviceAccountName instead"
            )));
    }
    finding.into()
}
