//! # EKS Pod Identity throttles
//!
//! The agent, and EKS Auth behind it, limit the number of requests per second. An application that requests credentials for
//! every one of its own requests soon gets none.
//!
//! **You see**: `429 Too Many Requests` from the agent, or `ThrottlingException` from EKS Auth.
//!
//! **Decided by**: this message, in the agent's answer to the probe or in the application's log. A warning: the next request
//! may succeed.
//!
//! **Not a fault** of the role or the association.
//!
//! **Repair**: keep one AWS client, or one credentials provider, for the lifetime of the process.

use super::agent::{self, Told};
use crate::aws_error::Kind;
use crate::checks::prelude::*;

pub(super) const META: Meta =
    Meta { id: "pi-rate-limit", step: Step::Sts, title: "EKS Pod Identity throttles", explains: &[] };

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let told = Told {
        what: |who| format!("EKS Pod Identity throttles requests for the credentials of {who}"),
        answer: "too many requests",
    };
    match agent::refusal_of_eks(&META, derived, |said| said.kind == Kind::PodIdentityThrottled, &told) {
        Ok((_, finding)) => {
            let severity = finding.severity.max(Severity::Warning);
            finding
                .severity(severity)
                .fix(Fix::advice("keep one AWS client for the lifetime of the process: its SDK asks once and caches the credentials"))
                .into()
        }
        Err(outcome) => outcome,
    }
}
