//! # The service account does not exist
//!
//! The pod names a service account that is not in its namespace. New pods are refused at admission (an event
//! `FailedCreate` of the ReplicaSet: `error looking up service account`). A running pod keeps its token until it expires;
//! the kubelet cannot refresh it, and new mounts fail.
//!
//! **Decided by**: the API server answered 404 for the service account.
//!
//! **Repair**: create it again, with its annotation. Running pods recover when the kubelet next refreshes the token.

use super::prelude::*;

/// See the module's page.
pub const META: Meta = Meta {
    id: "sa-missing",
    step: Step::ServiceAccount,
    title: "the service account does not exist",
    explains: &["not-injected"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let facts = derived.facts;
    let source = match &facts.service_account {
        Fact::Known(_) => return Outcome::Pass,
        Fact::Unknown(why) => return unknown(why),
        Fact::Absent { source } => source,
    };
    let (name, namespace) = (&facts.service_account_name, &facts.namespace_name);
    META.on_account(derived, format!("service account {namespace}/{name} does not exist"))
        .missing("service account", name, source)
        .fix("create the service account", derived.kubectl(&["create", "serviceaccount", name, "-n", namespace]))
        .fix("give it its role (set ROLE_ARN first)", role_annotation(derived))
        .into()
}

/// The annotate command for a role that only the user knows; the shell refuses it while `ROLE_ARN` is unset.
pub(super) fn role_annotation(derived: &Derived<'_>) -> String {
    let key = format!("{}/role-arn", derived.settings.annotation_prefix);
    format!("{}\"${{ROLE_ARN:?}}\"", derived.annotate(&format!("{key}=")))
}
