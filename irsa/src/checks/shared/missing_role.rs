//! What the checks of a missing role have in common: when they apply, and how bad it is.

use crate::checks::prelude::*;
use crate::derive::missing_role::{MissingRole, RoleGap};

/// The missing role, or the answer of a check where none is missing.
pub(in crate::checks) fn gap<'f>(derived: &Derived<'f>) -> Result<RoleGap<'f>, Outcome> {
    match derived.missing_role() {
        MissingRole::Yes(gap) => Ok(gap),
        MissingRole::Unknown(whys) => Err(Outcome::Unknown(whys.into_iter().cloned().collect())),
        MissingRole::No(_) if derived.annotation("role-arn").is_some_and(|(value, _)| !value.is_empty()) => {
            Err(Outcome::Pass)
        }
        MissingRole::No(reason) => Err(Outcome::NotApplicable(reason)),
    }
}

/// Existing pods keep working; only new ones are affected.
pub(in crate::checks) fn severity(gap: &RoleGap<'_>) -> Severity {
    if gap.still_injected { Severity::Warning } else { Severity::Error }
}
