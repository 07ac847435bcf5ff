//! # The trust policy misspells the issuer
//!
//! The provider's ARN or a condition key has the cluster's issuer with another region, the parts of the host in another order,
//! an id that was mistyped or left over from the documentation, with `https://`, with a trailing slash, or as a whole ARN. No
//! token has such a key, so the condition never holds.
//!
//! ```text
//! bad   "https://oidc.eks.eu-west-1.amazonaws.com/id/4F1E…:sub": "system:…"
//! bad   "oidc.eks.eu-central-1.amazonaws.com/id/4F1E…:sub": "system:…"
//! good  "oidc.eks.eu-west-1.amazonaws.com/id/4F1E…:sub": "system:…"
//! ```
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403).
//!
//! **Decided by**: `iss` of a fresh token against the principal and the keys of the nearest statement. A statement that is
//! entirely for another cluster is `oidc-other-cluster`.
//!
//! **Not a fault**: the case of condition keys; the dual-stack issuer that `describe-cluster` may show.
//!
//! **Repair**: write the issuer as the token has it, without `https://`.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::FaultKind;

pub(super) const META: Meta = Meta {
    id: "trust-issuer-typo",
    step: Step::TrustPolicy,
    title: "the trust policy misspells the issuer",
    explains: trust::EXPLAINS,
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    trust::check(derived, &META, FaultKind::IssuerTypo, |judged, _, first| {
        let (role, issuer) = (&judged.role.name, &judged.token.issuer);
        let written = first.found.first().map_or("", |found| trust::issuer_in(found));
        format!("the trust policy of role {role} has {written}; the cluster's issuer is {issuer}")
    })
}
