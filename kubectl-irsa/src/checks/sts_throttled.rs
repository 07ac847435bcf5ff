//! # STS throttles
//!
//! STS turns requests away when there are too many: pods that start all at once, and applications that make a session for every
//! request. Java and C++ then go on with the node's role, and Java stays with it.
//!
//! **You see**: `Throttling: Rate exceeded`.
//!
//! **Decided by**: STS's answer to a fresh token. It says nothing about the role, the provider or the token, so those are judged
//! by what IAM shows.
//!
//! **Repair**: keep one client for the life of the process: SDKs renew its session by themselves; start many pods one after
//! the other. EKS Pod Identity does not ask STS for each pod.

use super::prelude::*;
use super::{role_asked, with_answer};
use crate::aws_error::Kind;

/// See the module's page.
pub const META: Meta =
    Meta { id: "sts-throttled", step: Step::Sts, title: "STS throttles", explains: &[] };

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    if let Err(outcome) = role_asked(derived) {
        return outcome;
    }
    let refusal = match &derived.trial {
        Verdict::Refused(refusal) if refusal.kind == Kind::Throttled => refusal,
        Verdict::Unknown(why) => return unknown(why),
        _ => return Outcome::Pass,
    };
    let summary = format!("{} throttles: it answers no more requests just now", refusal.trial.host);
    with_answer(META.on_account(derived, summary).severity(Severity::Warning), refusal)
        .advice("keep one AWS client for the life of the process, and start many pods one after the other")
        .into()
}
