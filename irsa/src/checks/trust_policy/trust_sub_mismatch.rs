//! # The trust policy lets another service account in
//!
//! The role's trust policy names a subject that is not this pod's: another namespace or name, a prefix that Helm or Terraform put
//! before it, `/` for `:`, or `system:serviceaccount:` is missing.
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403). STS never says which part failed.
//!
//! **Decided by**: `sub` of a fresh token against every statement of the trust policy, evaluated as IAM does it. The nearest
//! statement is shown, its nearest value first.
//!
//! **Not a fault**: a statement for another service account while a further one lets this one in.
//!
//! **Repair**: write the subject into the statement that is meant for it, or add a statement. Another service account that may
//! exist keeps what it has.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::FaultKind;

/// See the module's page.
pub const META: Meta = Meta {
    id: "trust-sub-mismatch",
    step: Step::TrustPolicy,
    title: "the trust policy lets another service account in",
    explains: trust::EXPLAINS,
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    trust::check(derived, &META, FaultKind::SubMismatch, |judged, _, first| {
        let (role, sub) = (&judged.role.name, &judged.token.sub);
        match first.found.first() {
            Some(other) if !first.excludes => {
                format!("the trust policy of role {role} lets in {other}, not {sub}")
            }
            _ => format!("the trust policy of role {role} shuts out {sub}"),
        }
    })
}
