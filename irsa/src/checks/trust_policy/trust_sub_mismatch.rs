//! # The role trusts another service account
//!
//! The trust policy names a subject that is not this pod's: another namespace or name, a prefix that Helm or Terraform added,
//! `/` for `:`, or `system:serviceaccount:` is missing.
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403). STS never says which part failed.
//!
//! **Decided by**: `sub` of a fresh token against every statement of the trust policy, evaluated as IAM does it. The nearest
//! statement is shown, its nearest value first.
//!
//! **Not a fault**: a statement for another service account next to one that trusts this one.
//!
//! **Repair**: put the subject into the statement that is meant for it, or add a statement. Another service account that may
//! exist keeps its access.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::FaultKind;

pub(super) const META: Meta = Meta {
    id: "trust-sub-mismatch",
    step: Step::TrustPolicy,
    title: "the role trusts another service account",
    explains: trust::EXPLAINS,
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    trust::check(derived, &META, FaultKind::SubMismatch, |judged, _, first| {
        let (role, sub) = (&judged.role.name, &judged.token.sub);
        match first.found.first() {
            Some(other) if !first.excludes => {
                format!("role {role} trusts {other}, not {sub}")
            }
            _ => format!("the trust policy of role {role} excludes {sub}"),
        }
    })
}
