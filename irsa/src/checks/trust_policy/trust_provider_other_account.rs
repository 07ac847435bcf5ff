//! # The trusted provider belongs to another account
//!
//! The `Federated` principal is the cluster's OIDC provider in an account other than the role's. STS looks for the provider only
//! in the role's account: a cluster whose pods assume roles of several accounts needs a provider in each.
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403), or `No OpenIDConnect provider
//! found in your account` if the role's account has none.
//!
//! **Decided by**: the account in the principal's ARN against the account of the role.
//!
//! **Not a fault**: a cluster in another account than the role.
//!
//! **Repair**: name the provider of the role's own account.

use crate::aws::arn::Arn;
use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::FaultKind;

pub(super) const META: Meta = Meta {
    id: "trust-provider-other-account",
    step: Step::TrustPolicy,
    title: "the trusted provider belongs to another account",
    explains: trust::EXPLAINS,
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    trust::check(derived, &META, FaultKind::ProviderOtherAccount, |judged, _, first| {
        let account = |principal: &String| {
            Arn::account_of(principal.strip_prefix("Federated ").unwrap_or(principal)).map(str::to_owned)
        };
        let named = first.found.iter().find_map(account).unwrap_or_default();
        let (role, account) = (&judged.role.name, judged.token.account());
        format!(
            "the trust policy of role {role} names a provider in account {named}; the role is in account {account}, and its \
             provider must be too"
        )
    })
}
