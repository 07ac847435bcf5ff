//! # STS throttles
//!
//! STS turns requests away when there are too many: pods that start all at once, and applications that make a session for every
//! request. Java and C++ then go on with the node's role, and Java stays with it.
//!
//! **You see**: `Throttling: Rate exceeded`.
//!
//! **Decided by**: STS's answer to a fresh token. Its words to the application are a remark, for SDKs try again by themselves.
//! Neither says anything about the role, the provider or the token: those are judged by what IAM shows.
//!
//! **Repair**: keep one client for the life of the process: SDKs renew its session by themselves; start many pods one after
//! the other. EKS Pod Identity does not ask STS for each pod.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors;
use crate::checks::{role_asked, with_answer};

/// See the module's page.
pub const META: Meta = Meta { id: "sts-throttled", step: Step::Sts, title: "STS throttles", explains: &[] };

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    if let Err(outcome) = role_asked(derived) {
        return outcome;
    }
    let advice = "keep one AWS client for the life of the process, and start many pods one after the other";
    if let Some(refusal) = derived.sts_answer.refusal().filter(|refusal| refusal.kind == Kind::Throttled) {
        let summary = format!("{} throttles: it answers no more requests just now", refusal.attempt.host);
        let finding = META.on_account(derived, summary).severity(Severity::Warning);
        return with_answer(finding, refusal).fix(Fix::advice(advice)).into();
    }
    match app_errors::of_irsa(derived, |kind| kind == Kind::Throttled) {
        Ok(said) => {
            let summary =
                format!("STS throttled {}{}", app_errors::speaker(derived), app_errors::times(said));
            app_errors::finding(&META, derived, said, &summary)
                // SDKs try again by themselves; where it does not stop, session-per-request says so.
                .severity(Severity::Info)
                .evidence(
                    "throttled calls in the log's last lines",
                    "none",
                    said.error.count.to_string(),
                    said.source,
                )
                .fix(Fix::advice(advice))
                .into()
        }
        Err(_) => match &derived.sts_answer {
            StsVerdict::Unknown(why) => unknown(why),
            _ => Outcome::Pass,
        },
    }
}
