//! # The trust policy has a condition that cannot be met
//!
//! A condition uses a key that `AssumeRoleWithWebIdentity` does not have for a Kubernetes token: `…:iss`, `…:kubernetes.io/…`,
//! `aws:PrincipalTag/…`, `aws:PrincipalArn`, `aws:RequestTag/…`, `sts:ExternalId`; or one whose value cannot be the required
//! one: an end date that has passed (`aws:CurrentTime`), another Region than that of the STS endpoint in use
//! (`aws:RequestedRegion`; the global endpoint is in us-east-1), a call through another service (`aws:ViaAWSService`). Of the
//! token's claims AWS uses `sub` and `aud`.
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403).
//!
//! **Decided by**: the keys of the nearest statement. The time is the API server's.
//!
//! **Not a fault**: operators that hold for an absent key: negated ones, `…IfExists`, `Null`, `ForAllValues:`. Keys of which AWS
//! does not document what such a call has (`aws:PrincipalType`, `aws:PrincipalIsAWSService`, a new one): if STS accepts the
//! token, they hold; if it was not tried, that is not known.
//!
//! **Repair**: remove the condition if its key is certainly absent and the subject is named next to it; the subject is what
//! distinguishes pods. A condition on a key that the call has is never removed.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::FaultKind;

pub(super) const META: Meta = Meta {
    id: "trust-unavailable-key",
    step: Step::TrustPolicy,
    title: "the trust policy has a condition that cannot be met",
    explains: trust::EXPLAINS,
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    trust::check(derived, &META, FaultKind::UnavailableKey, |judged, fault, first| {
        let (role, asked) = (&judged.role.name, trust::listed(&first.found));
        let place = fault.statement();
        match &first.expected {
            None => {
                format!(
                    "{place} of the trust policy of role {role} requires {asked}, which a call with a token does not have"
                )
            }
            Some(has) => {
                let what = &first.what;
                format!(
                    "{place} of the trust policy of role {role} requires {what} {asked}; the call has {has}"
                )
            }
        }
    })
}
