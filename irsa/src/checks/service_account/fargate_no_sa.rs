//! # A Fargate pod whose service account names no role
//!
//! On Fargate there is no instance metadata service and no node role to fall back to. Unless its service account names a role,
//! a pod has no credentials at all, and no region either.
//!
//! **You see**: `NoCredentialProviders`, a timeout to `169.254.169.254`, or `failed to get region from metadata server`.
//!
//! **Decided by**: the pod or its node has Fargate's label, and nothing gives the pod an identity.
//!
//! **Not a fault**: IRSA itself works on Fargate; only EKS Pod Identity does not (`unsupported-platform`).
//!
//! **Repair**: annotate the service account and recreate the pods. If the application still asks for a region, set
//! `AWS_REGION`: the webhook sets it in the containers that it injects.

use crate::checks::prelude::*;
use crate::repair::service_account;
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "fargate-no-sa",
    step: Step::ServiceAccount,
    title: "a Fargate pod whose service account names no role",
    explains: &["sa-not-annotated", "not-injected"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if !derived.on_fargate() {
        return Outcome::NotApplicable("the pod does not run on Fargate");
    }
    let facts = derived.facts;
    let account = match &*facts.service_account {
        Fact::Known(account) => account,
        Fact::Unknown(why) => return unknown(why),
        Fact::Absent { .. } => return Outcome::NotApplicable("the service account does not exist"),
    };
    if derived.intent.mechanism != Mechanism::None {
        return Outcome::Pass;
    }
    let unread: Vec<_> =
        derived.containers.iter().flat_map(|view| &view.env.unread).map(|why| (*why).clone()).collect();
    if !unread.is_empty() {
        return Outcome::Unknown(unread);
    }
    // Access keys and profiles are credentials too.
    let own = ["AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE"];
    if derived.target().is_some_and(|view| view.env.first_set(&own).is_some()) {
        return Outcome::Pass;
    }
    let key = format!("{}/role-arn", derived.settings.annotation_prefix);
    let (name, namespace) = (&facts.service_account_name, &facts.namespace_name);
    let summary = format!(
        "the pod runs on Fargate, which has no node role, and service account {namespace}/{name} names no role"
    );
    let source = account.source.at(annotation_path(&key));
    let mut finding = META.on_account(derived, summary).missing(&key, "the ARN of an IAM role", &source);
    if let Some(at) = derived.spec_at(".nodeName") {
        let node = derived.spec().map_or("", |(spec, ..)| spec.node_name.as_str());
        finding = finding.seen("node", if node.is_empty() { "Fargate" } else { node }, &at);
    }
    finding = finding
        .fix(service_account::annotate_unknown_role(derived, "annotate the service account with its role"));
    finding.fixes(workload::restart(derived)).into()
}
