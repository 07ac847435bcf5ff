//! # The service account names no role
//!
//! Nothing tells the webhook which role the pods of this service account should have, so it leaves them alone and the
//! SDKs find no credentials, or the node's.
//!
//! **You see**: `Unable to locate credentials` (boto3), `no EC2 IMDS role found` (Go), `Could not load credentials from any
//! providers` (JavaScript), or an `AccessDenied` that names the node's role.
//!
//! **Decided by**: the annotation is not on the service account that the pod really uses, and nothing else gives it an
//! identity. While EKS Pod Identity associations have not been asked for, this is a conclusion and not an observation.
//!
//! **Not a fault** with EKS Pod Identity, the webhook's ConfigMap (kOps), OpenShift's own token, variables wired by hand, or
//! controllers that mint tokens for other service accounts.
//!
//! **Repair**: annotate the service account and make the pods anew; running pods are not changed.

use super::prelude::*;

/// See the module's page.
pub const META: Meta = Meta {
    id: "sa-not-annotated",
    step: Step::ServiceAccount,
    title: "the service account names no role",
    explains: &["not-injected"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let facts = derived.facts;
    let account = match &facts.service_account {
        Fact::Known(account) => account,
        Fact::Unknown(why) => return unknown(why),
        Fact::Absent { .. } => return Outcome::NotApplicable("there is no service account to read"),
    };
    match derived.intent.mechanism {
        Mechanism::None => {}
        Mechanism::PodIdentity => return Outcome::NotApplicable("the pod gets its identity from EKS Pod Identity"),
        _ => return Outcome::Pass,
    }
    if let Some(view) = derived.containers.iter().find(|view| !view.env.unread.is_empty()) {
        return Outcome::Unknown(view.env.unread.iter().map(|why| (*why).clone()).collect());
    }
    let key = format!("{}/role-arn", derived.settings.annotation_prefix);
    let source = account.source.at(annotation_path(&key));
    let (name, namespace) = (&facts.service_account_name, &facts.namespace_name);
    let certain = facts.cluster.pod_identity_associations.known().is_some_and(|list| list.value.is_empty());
    let summary = if certain {
        format!("service account {namespace}/{name} names no IAM role")
    } else {
        format!("service account {namespace}/{name} names no IAM role, and the pod carries no EKS Pod Identity either")
    };
    let mut finding = META.on_account(derived, summary);
    finding = match account.value.metadata.annotations.get(&key) {
        Some(empty) => finding.evidence(&key, "the ARN of an IAM role", empty, &source),
        None => finding.missing(&key, "the ARN of an IAM role", &source),
    };
    if !certain {
        finding = finding.inferred();
    }
    finding = finding.fix("give it its role (set ROLE_ARN first)", super::sa_missing::role_annotation(derived));
    match derived.restart() {
        Some((title, command)) => finding.fix(title, command).into(),
        None => finding.into(),
    }
}
