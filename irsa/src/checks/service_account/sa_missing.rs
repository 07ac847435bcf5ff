//! # The service account does not exist
//!
//! The pod names a service account that is not in its namespace. New pods are rejected at admission (event `FailedCreate` on
//! the ReplicaSet: `error looking up service account`). A running pod keeps its token until it expires; the kubelet cannot
//! refresh it, and new mounts fail.
//!
//! **Decided by**: the API server answered 404 for the service account.
//!
//! **Repair**: create it again, with its annotation. Running pods recover when the kubelet next refreshes the token.

use crate::checks::prelude::*;
use crate::repair::service_account;

pub(super) const META: Meta = Meta {
    id: "sa-missing",
    step: Step::ServiceAccount,
    title: "the service account does not exist",
    explains: &["not-injected", "token-expired", "pods-not-created"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let facts = derived.facts;
    let source = match &*facts.service_account {
        Fact::Known(_) => return Outcome::Pass,
        Fact::Unknown(why) => return unknown(why),
        Fact::Absent { source } => source,
    };
    let (name, namespace) = (&facts.service_account_name, &facts.namespace_name);
    let mut finding = META
        .on_account(derived, format!("service account {namespace}/{name} does not exist"))
        .missing("service account", name, source);
    // Rejected pods leave no trace but this event.
    let refused = facts.events.known().into_iter().flat_map(|listing| &listing.value.items).find(|event| {
        event.value.reason == "FailedCreate"
            && event.value.message.contains("error looking up service account")
    });
    if let Some(event) = refused {
        finding = finding.seen("event", &event.value.message, &event.source.at(".message"));
    }
    if let Some(near) = similar(derived) {
        finding = finding
            .seen("service account with a similar name", &near.value.metadata.name, &near.source)
            .fix(Fix::advice(format!(
                "if {} was meant, name it in the pod's template",
                near.value.metadata.name
            )));
    }
    finding = finding.fix(service_account::create(derived, name, "create the service account"));
    // A pod that was injected still says which role the service account had.
    let role = derived.intent.role.as_ref().map(|role| role.raw);
    finding.fix(service_account::name_role(derived, name, role)).into()
}

/// One whose name differs by a typo.
fn similar<'f>(derived: &Derived<'f>) -> Option<&'f Sourced<crate::facts::kubernetes::ServiceAccount>> {
    let listing = derived.facts.service_accounts.known()?;
    let missing = derived.facts.service_account_name.as_str();
    listing.value.items.iter().find(|account| {
        let name = account.value.metadata.name.as_str();
        name != missing && missing.len() > 3 && strsim::damerau_levenshtein(name, missing) <= 2
    })
}
