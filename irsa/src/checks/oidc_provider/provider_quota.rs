//! # The account has reached its quota of OIDC providers
//!
//! An account may have 100 OIDC providers unless AWS has raised its quota. Beyond that none can be created, and newer clusters
//! have none.
//!
//! **You see**: `LimitExceeded` when the provider is created; afterwards `No OpenIDConnect provider found in your account`.
//!
//! **Decided by**: IAM's list for the role's account, where the cluster's provider is missing. The quota itself is not read, so
//! this is a warning: yours may be higher.
//!
//! **Repair**: delete providers of clusters that are gone, or have the quota raised; then create the missing one.

use crate::checks::prelude::*;
use crate::checks::role_asked;
use crate::derive::provider::Provider;

pub(super) const META: Meta = Meta {
    id: "provider-quota",
    step: Step::OidcProvider,
    title: "the account has reached its quota of OIDC providers",
    explains: &[],
};

/// Providers of one account, unless AWS has raised the quota.
const DEFAULT: usize = 100;

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if let Err(outcome) = role_asked(derived) {
        return outcome;
    }
    let missing = match derived.provider() {
        Provider::Found(_) => return Outcome::Pass,
        Provider::Unknown(unknowns) => return Outcome::Unknown(unknowns.clone()),
        Provider::Missing(missing) => missing,
    };
    let facts = &derived.facts.aws;
    if facts.caller.known().is_none_or(|caller| caller.value.account != missing.account) {
        return Outcome::NotApplicable("the providers of the role's account were not listed");
    }
    let providers = match &facts.providers {
        Fact::Known(providers) => providers,
        Fact::Unknown(why) => return unknown(why),
        Fact::Absent { .. } => return Outcome::Pass,
    };
    let count = providers.value.arns.len();
    if count < DEFAULT {
        return Outcome::Pass;
    }
    let summary =
        format!("account {} has {count} OIDC providers; the default quota is {DEFAULT}", missing.account);
    META.on("OIDCProvider", "", &missing.arn, summary)
        .severity(Severity::Warning)
        .inferred()
        .evidence("OIDC providers", format!("fewer than {DEFAULT}"), count.to_string(), &providers.source)
        .fix(Fix::advice(
            "delete providers of clusters that are gone, or have the quota raised, before you create another",
        ))
        .into()
}
