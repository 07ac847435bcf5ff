//! # The trust policy asks for another audience
//!
//! The condition on `…:aud` has a value that the token does not have: the audience of the service account was changed
//! (annotation `audience`), or the policy was written for `sts.amazonaws.com.cn`.
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403). `Incorrect token audience` is the
//! provider's word, not the trust policy's.
//!
//! **Decided by**: `aud` of a fresh token for the audience that the pod's own token has.
//!
//! **Not a fault**: no condition on `aud` at all; the provider's list of audiences guards it.
//!
//! **Repair**: allow the token's audience beside the others.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::FaultKind;

/// See the module's page.
pub const META: Meta = Meta {
    id: "trust-aud-mismatch",
    step: Step::TrustPolicy,
    title: "the trust policy asks for another audience",
    explains: trust::EXPLAINS,
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    trust::check(derived, &META, FaultKind::AudMismatch, |judged, _, first| {
        let wanted = trust::listed(&first.found);
        let (role, has) = (&judged.role.name, judged.token.aud.join(", "));
        format!("the trust policy of role {role} asks for audience {wanted}; the token's is {has}")
    })
}
