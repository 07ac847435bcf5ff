//! # One statement requires the claims of two clusters
//!
//! A statement lists two providers, or the condition keys of two issuers. All keys of a condition must hold, and a token has
//! only the keys of its own issuer: no token matches, from either cluster.
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403), often in the old cluster too,
//! since the second one was added.
//!
//! **Decided by**: a key of the nearest statement is absent from the token because it belongs to another issuer, while the
//! statement is for this cluster, too.
//!
//! **Not a fault**: two providers in one statement without conditions on their claims; one statement for each cluster.
//!
//! **Repair**: a statement for each cluster.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::FaultKind;

pub(super) const META: Meta = Meta {
    id: "trust-two-clusters-anded",
    step: Step::TrustPolicy,
    title: "one statement requires the claims of two clusters",
    explains: trust::EXPLAINS,
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    trust::check(derived, &META, FaultKind::TwoClustersAnded, |judged, fault, first| {
        let key = first.found.first().map_or("", String::as_str);
        format!(
            "{} of the trust policy of role {} also requires {key}, which only tokens of another cluster have",
            fault.statement(),
            judged.role.name
        )
    })
}
