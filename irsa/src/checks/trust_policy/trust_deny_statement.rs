//! # The trust policy denies the token
//!
//! A statement with `"Effect": "Deny"` matches the token. It wins over every statement that allows. Negated operators match more
//! than they seem to: `StringNotLike` on a key that the token does not have is true, so a Deny that was written for one cluster
//! also denies the tokens of all others.
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403).
//!
//! **Decided by**: principal, action and conditions of the Deny statement against a fresh token. A Deny that depends on the
//! network is `trust-network-conditions`.
//!
//! **Not a fault**: a Deny whose conditions do not match the token.
//!
//! **Repair**: exempt the service account from the Deny, if it is not meant. That is for the role's owner to decide, so no
//! command is given.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::{FaultKind, words};
use crate::policy::Decision;

pub(super) const META: Meta = Meta {
    id: "trust-deny-statement",
    step: Step::TrustPolicy,
    title: "the trust policy denies the token",
    explains: trust::EXPLAINS,
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let judged = match trust::judged(derived) {
        Ok(judged) => judged,
        Err(outcome) => return outcome,
    };
    let Some(fault) = judged.fault.as_ref().filter(|fault| fault.kind == FaultKind::Deny) else {
        return Outcome::Pass;
    };
    let (role, sub, statement) = (&judged.role.name, &judged.token.sub, fault.statement());
    let summary = format!("{statement} of the trust policy of role {role} denies {sub}");
    let finding = trust::found(derived, &META, judged, fault, summary).fix(Fix::advice(format!(
        "if {statement} is not meant for {sub}, exempt it there: a Deny wins over every Allow"
    )));
    // Nothing else in the policy allows the token: that comes next.
    let missing = judged
        .change
        .as_ref()
        .filter(|change| matches!(change.correction.after(), Decision::ExplicitDeny { .. }));
    match missing {
        Some(change) => finding
            .fix(Fix::advice(format!("no statement allows it either: {}", words(change, &judged.token)))),
        None => finding,
    }
    .into()
}
