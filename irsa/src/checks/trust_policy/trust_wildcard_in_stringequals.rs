//! # The trust policy has a wildcard under `StringEquals`
//!
//! `StringEquals` knows no wildcards: `system:serviceaccount:shop:*` matches only a service account whose name is an asterisk.
//!
//! ```text
//! bad   "StringEquals": {"…:sub": "system:serviceaccount:shop:*"}
//! good  "StringEquals": {"…:sub": "system:serviceaccount:shop:checkout"}
//! good  "StringLike": {"…:sub": "system:serviceaccount:shop:*"}
//! ```
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403).
//!
//! **Decided by**: the claim of a fresh token matches the value if `*` and `?` are wildcards, and the operator knows none.
//!
//! **Not a fault**: wildcards under `StringLike`.
//!
//! **Repair**: the service account in place of the pattern, which has let in nobody so far. If the pattern is meant, and stays
//! within the namespace, `StringLike` instead of `StringEquals` is offered as well: the role then trusts every service account
//! that it covers. A pattern for several namespaces is not offered: `*` also matches `:`.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::FaultKind;

pub(super) const META: Meta = Meta {
    id: "trust-wildcard-in-stringequals",
    step: Step::TrustPolicy,
    title: "the trust policy has a wildcard under StringEquals",
    explains: trust::EXPLAINS,
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    trust::check(derived, &META, FaultKind::WildcardInStringEquals, |judged, _, first| {
        let value = first.found.first().map_or("", String::as_str);
        format!(
            "in the trust policy of role {}, the {} is {value:?}, but its operator takes the wildcard literally",
            judged.role.name, first.what
        )
    })
}
