//! # The role ARN names the wrong account
//!
//! STS looks for the cluster's provider in the account that the role ARN names. An account number from another stage, or a
//! template filled in for another account, sends it to one that knows nothing of the cluster.
//!
//! **You see**: `InvalidIdentityToken: No OpenIDConnect provider found in your account for https://…`, although the provider
//! exists: in the account that was meant.
//!
//! **Decided by**: STS finds no provider in the ARN's account, and your own account has a role of the same name that trusts this
//! very cluster.
//!
//! **Not a fault**: a role in another account on purpose. That account then has a provider for the cluster, and STS finds it.
//!
//! **Repair**: put the right account into the ARN; or, if the other account was meant, create the provider there.

use crate::checks::prelude::*;
use crate::checks::{role_asked, with_answer};
use crate::derive::provider::{Because, Provider};
use crate::repair::service_account;

pub(super) const META: Meta = Meta {
    id: "wrong-account-in-arn",
    step: Step::OidcProvider,
    title: "the role ARN names the wrong account",
    explains: &["sts-refused"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let arn = match role_asked(derived) {
        Ok(arn) => arn,
        Err(outcome) => return outcome,
    };
    let missing = match derived.provider() {
        Provider::Found(_) => return Outcome::Pass,
        Provider::Unknown(unknowns) => return Outcome::Unknown(unknowns.clone()),
        Provider::Missing(missing) => missing,
    };
    let Because::WrongAccount(namesake) = missing.because else { return Outcome::Pass };
    let summary = format!(
        "the role ARN names account {}, which has no provider for this cluster; a role of that name in your own account trusts \
         the cluster",
        missing.account
    );
    let finding = META
        .on_account(derived, summary)
        .inferred()
        .evidence("role ARN", &namesake.value.arn, arn, &namesake.source)
        .seen("the tokens' issuer", missing.issuer.url, &missing.issuer.source);
    let finding = match &missing.refusal {
        Some(refusal) => with_answer(finding, refusal),
        None => finding,
    };
    finding
        .fixes(service_account::rename_role(derived, &namesake.value.arn))
        .fix(Fix::advice(format!(
            "or, if account {} is meant, create the OIDC provider there",
            missing.account
        )))
        .into()
}
