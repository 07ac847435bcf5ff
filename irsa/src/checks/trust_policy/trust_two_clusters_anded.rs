//! # One statement asks for the claims of two clusters
//!
//! A statement lists two providers, or the condition keys of two issuers. All keys of a condition must hold, and a token has the
//! keys of its own issuer alone: nobody is let in, from either cluster.
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403), often in the old cluster too, since
//! the second one was added.
//!
//! **Decided by**: a key of the nearest statement is absent from the token because it has another issuer, while the statement is
//! for this cluster, too.
//!
//! **Not a fault**: two providers in one statement without conditions on their claims; one statement for each cluster.
//!
//! **Repair**: a statement for each cluster.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::FaultKind;

/// See the module's page.
pub const META: Meta = Meta {
    id: "trust-two-clusters-anded",
    step: Step::TrustPolicy,
    title: "one statement asks for the claims of two clusters",
    explains: trust::EXPLAINS,
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    trust::check(derived, &META, FaultKind::TwoClustersAnded, |judged, fault, first| {
        let key = first.found.first().map_or("", String::as_str);
        format!(
            "{} of the trust policy of role {} asks for {key} as well, which only tokens of another cluster have",
            fault.statement(),
            judged.role.name
        )
    })
}
