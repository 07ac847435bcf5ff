//! # The trust policy swaps the values of `sub` and `aud`
//!
//! A pattern for the subject is under the key `…:aud`, or the audience under `…:sub`.
//!
//! ```text
//! bad   "…:aud": "system:serviceaccount:shop:checkout"
//! good  "…:sub": "system:serviceaccount:shop:checkout"
//! ```
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403).
//!
//! **Decided by**: `sub` and `aud` of a fresh token against the values under the other's key.
//!
//! **Not a fault**: several values under one key, of which one matches.
//!
//! **Repair**: put each value under its own key.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::FaultKind;

pub(super) const META: Meta = Meta {
    id: "trust-key-value-swapped",
    step: Step::TrustPolicy,
    title: "the trust policy swaps the values of sub and aud",
    explains: trust::EXPLAINS,
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    trust::check(derived, &META, FaultKind::KeyValueSwapped, |judged, _, first| {
        let value = first.found.first().map_or("", String::as_str);
        let (has, belongs) =
            if value.starts_with("system:serviceaccount:") { ("aud", "sub") } else { ("sub", "aud") };
        format!(
            "the trust policy of role {} has {value:?} under {has}; it belongs under {belongs}",
            judged.role.name
        )
    })
}
