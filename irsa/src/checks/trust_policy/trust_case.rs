//! # The trust policy differs from the token in case
//!
//! Values are compared case-sensitively: `System:ServiceAccount:shop:Checkout` is not `system:serviceaccount:shop:checkout`.
//! Names of namespaces and service accounts are always lower case.
//!
//! ```text
//! bad   "…:sub": "system:serviceaccount:Shop:Checkout"
//! good  "…:sub": "system:serviceaccount:shop:checkout"
//! ```
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403).
//!
//! **Decided by**: the claim of a fresh token matches the value except for its case.
//!
//! **Not a fault**: the case of condition keys and operators.
//!
//! **Repair**: write the value as the token has it; for a pattern of the namespace, its lower case is offered as well.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::FaultKind;

pub(super) const META: Meta = Meta {
    id: "trust-case",
    step: Step::TrustPolicy,
    title: "the trust policy differs from the token in case",
    explains: trust::EXPLAINS,
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    trust::check(derived, &META, FaultKind::Case, |judged, _, first| {
        let role = &judged.role.name;
        let written = first.found.first().map_or("", String::as_str);
        let has = first.expected.as_deref().unwrap_or_default();
        format!("the trust policy of role {role} has {written:?}; the token has {has:?}, and case counts")
    })
}
