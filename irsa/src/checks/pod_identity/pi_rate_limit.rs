//! # EKS Pod Identity throttles
//!
//! The agent, and EKS Auth behind it, answer so many requests a second. An application that asks for credentials for each of its
//! own requests soon gets none.
//!
//! **You see**: `429 Too Many Requests` from the agent, or `ThrottlingException` of EKS Auth.
//!
//! **Decided by**: these words, in the agent's answer to the probe or in what the application says. A warning: the next request
//! may go well.
//!
//! **Not a fault**: of the role or the association.
//!
//! **Repair**: keep one AWS client, or one credentials provider, for the life of the process.

use super::agent::{self, Told};
use crate::aws_error::Kind;
use crate::checks::prelude::*;

/// See the module's page.
pub const META: Meta =
    Meta { id: "pi-rate-limit", step: Step::Sts, title: "EKS Pod Identity throttles", explains: &[] };

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let told = Told {
        what: |who| format!("EKS Pod Identity throttles: it has no answer for {who} just now"),
        answer: "too many requests",
    };
    match agent::refusal_of_eks(&META, derived, |kind| kind == Kind::PodIdentityThrottled, &told) {
        Ok((_, finding)) => {
            let severity = finding.severity.max(Severity::Warning);
            finding
                .severity(severity)
                .fix(Fix::advice("keep one AWS client for the life of the process: its SDK asks once and keeps the credentials"))
                .into()
        }
        Err(outcome) => outcome,
    }
}
