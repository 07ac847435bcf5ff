//! What the checks of a missing role have in common: when they apply, and how bad it is.

use crate::checks::prelude::*;
use crate::derive::no_role::{Lack, NoRole};

/// The missing role, or the answer of a check where none is missing.
pub(in crate::checks) fn lack<'f>(derived: &Derived<'f>) -> Result<Lack<'f>, Outcome> {
    match derived.no_role() {
        NoRole::Yes(lack) => Ok(lack),
        NoRole::Unknown(whys) => Err(Outcome::Unknown(whys.into_iter().cloned().collect())),
        NoRole::No(_) if derived.annotation("role-arn").is_some_and(|(value, _)| !value.is_empty()) => {
            Err(Outcome::Pass)
        }
        NoRole::No(reason) => Err(Outcome::NotApplicable(reason)),
    }
}

/// Pods that are there keep working while only those to come are affected.
pub(in crate::checks) fn severity(lack: &Lack<'_>) -> Severity {
    if lack.lapsed { Severity::Warning } else { Severity::Error }
}
