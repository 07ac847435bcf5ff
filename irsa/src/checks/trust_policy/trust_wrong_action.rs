//! # The trust policy allows another action
//!
//! The provider is trusted for `sts:AssumeRole` or `sts:AssumeRoleWithSAML`. A token is exchanged with
//! `sts:AssumeRoleWithWebIdentity` and nothing else. The CDK's `FederatedPrincipal` writes `sts:AssumeRole` unless told
//! otherwise.
//!
//! ```text
//! bad   "Action": "sts:AssumeRole"
//! good  "Action": "sts:AssumeRoleWithWebIdentity"
//! ```
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403).
//!
//! **Decided by**: the actions of the statement for the cluster's provider; case does not matter, and `sts:*` will do.
//!
//! **Not a fault**: `sts:TagSession` next to it: IRSA does not need it, and it does no harm.
//!
//! **Repair**: allow `sts:AssumeRoleWithWebIdentity`.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::FaultKind;

pub(super) const META: Meta = Meta {
    id: "trust-wrong-action",
    step: Step::TrustPolicy,
    title: "the trust policy allows another action",
    explains: trust::EXPLAINS,
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    trust::check(derived, &META, FaultKind::WrongAction, |judged, _, first| {
        let (role, actions) = (&judged.role.name, trust::listed(&first.found));
        let verb = if first.excludes { "excludes" } else { "allows" };
        format!(
            "the trust policy of role {role} {verb} {actions}; a token needs sts:AssumeRoleWithWebIdentity"
        )
    })
}
