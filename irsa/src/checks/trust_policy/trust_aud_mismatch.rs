//! # The trust policy requires another audience
//!
//! The condition on `…:aud` has a value that the token does not have: the service account's audience was changed (annotation
//! `audience`), or the policy was written for `sts.amazonaws.com.cn`.
//!
//! ```text
//! bad   "…:aud": "sts.amazonaws.com.cn"
//! good  "…:aud": "sts.amazonaws.com"
//! ```
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403). `Incorrect token audience` comes
//! from the provider, not from the trust policy.
//!
//! **Decided by**: `aud` of a fresh token with the same audience as the pod's own.
//!
//! **Not a fault**: no condition on `aud` at all; the provider's list of audiences guards it.
//!
//! **Repair**: allow the token's audience alongside the others. Where the statement is for a pattern of subjects, that would
//! let in all of them; then a statement for the service account is offered first.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::FaultKind;

pub(super) const META: Meta = Meta {
    id: "trust-aud-mismatch",
    step: Step::TrustPolicy,
    title: "the trust policy requires another audience",
    explains: trust::EXPLAINS,
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    trust::check(derived, &META, FaultKind::AudMismatch, |judged, _, first| {
        let wanted = trust::listed(&first.found);
        let (role, has) = (&judged.role.name, judged.token.aud.join(", "));
        format!("the trust policy of role {role} requires audience {wanted}; the token's is {has}")
    })
}
