//! # STS throttles requests
//!
//! STS rejects requests when there are too many: pods that all start at once, and applications that create a session for every
//! request. Java and C++ then fall back to the node's role, and Java stays with it.
//!
//! **You see**: `Throttling: Rate exceeded`.
//!
//! **Decided by**: STS's answer to a fresh token. The error in the application's log is only an info finding, since SDKs retry.
//! Neither says anything about the role, the provider or the token: those are checked by what IAM shows. If STS answers this
//! machine only at the second or third try, that is an info finding as well.
//!
//! **Repair**: keep one client for the life of the process: SDKs renew its session by themselves; start large numbers of pods
//! gradually. EKS Pod Identity does not call STS for each pod.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors;
use crate::checks::{role_asked, with_answer};

pub(super) const META: Meta =
    Meta { id: "sts-throttled", step: Step::Sts, title: "STS throttles requests", explains: &[] };

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if let Err(outcome) = role_asked(derived) {
        return outcome;
    }
    let advice = "keep one AWS client for the life of the process, and start large numbers of pods gradually";
    if let StsVerdict::Open(Open::TurnedAway(refusal)) = &derived.sts_answer
        && refusal.kind == Kind::Throttled
    {
        let summary = format!("{} throttles requests at the moment", refusal.attempt.host);
        let finding = META.on_account(derived, summary).severity(Severity::Warning);
        return with_answer(finding, refusal).fix(Fix::advice(advice)).into();
    }
    if let Some(finding) = at_last(derived) {
        return finding.into();
    }
    match app_errors::of_irsa(derived, |kind| kind == Kind::Throttled) {
        Ok(said) => {
            let summary =
                format!("STS throttled {}{}", app_errors::speaker(derived), app_errors::times(said));
            app_errors::finding(&META, derived, said, &summary)
                // SDKs retry; if it does not stop, session-per-request says so.
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
            StsVerdict::Open(open) => unknown(&open.unknown()),
            StsVerdict::Accepted { .. } | StsVerdict::Refused(_) | StsVerdict::NotApplicable => Outcome::Pass,
        },
    }
}

/// STS answered this machine, but not at once.
fn at_last(derived: &Derived<'_>) -> Option<Finding> {
    let attempt = derived.facts.aws.sts_answer.known().filter(|attempt| !attempt.value.before.is_empty())?;
    let before = &attempt.value.before;
    let tries = before.len() + 1;
    let summary = format!(
        "{} answered this machine at try {tries}, after {}",
        attempt.value.host,
        before.join(" and ")
    );
    let mut finding = META.on_account(derived, summary).severity(Severity::Info).seen(
        "what came before the answer",
        before.join(", "),
        &attempt.source,
    );
    finding.title = "STS did not answer at once";
    Some(finding)
}
