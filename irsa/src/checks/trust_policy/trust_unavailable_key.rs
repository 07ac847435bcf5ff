//! # The trust policy asks for what no such call has
//!
//! A condition uses a key that `AssumeRoleWithWebIdentity` does not have for a token of Kubernetes: `…:iss`, `…:kubernetes.io/…`,
//! `aws:PrincipalTag/…`, `aws:PrincipalArn`, `aws:RequestTag/…`, `sts:ExternalId`; or one whose value cannot be the wanted one, such
//! as an end that has passed (`aws:CurrentTime`). Of the token's claims AWS takes `sub` and `aud`.
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403).
//!
//! **Decided by**: the keys of the nearest statement. The time is the API server's.
//!
//! **Not a fault**: operators that hold for an absent key: negated ones, `…IfExists`, `Null`, `ForAllValues:`.
//!
//! **Repair**: take the condition out where the subject is named beside it; the subject is what tells pods apart.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::FaultKind;

/// See the module's page.
pub const META: Meta = Meta {
    id: "trust-unavailable-key",
    step: Step::TrustPolicy,
    title: "the trust policy asks for what no such call has",
    explains: trust::EXPLAINS,
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    trust::check(derived, &META, FaultKind::UnavailableKey, |judged, fault, first| {
        let (role, asked) = (&judged.role.name, trust::listed(&first.found));
        let place = fault.statement();
        match &first.expected {
            None => {
                format!(
                    "{place} of the trust policy of role {role} asks for {asked}, which a token's call does not have"
                )
            }
            Some(has) => {
                let what = &first.what;
                format!(
                    "{place} of the trust policy of role {role} asks for {what} {asked}; the call has {has}"
                )
            }
        }
    })
}
