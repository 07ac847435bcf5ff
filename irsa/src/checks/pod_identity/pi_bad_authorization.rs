//! # What the agent is shown is no token
//!
//! The header `Authorization` of a request to the EKS Pod Identity agent is the content of the token file and nothing else: no
//! `Bearer `, no line break.
//!
//! **You see**: `Service account token cannot be parsed: token is malformed: could not base64 decode header: illegal base64 data
//! at input byte 6`; `Service account token cannot be empty`; from boto3 `Auth token value is not a legal header value`.
//!
//! **Decided by**: these words, in the agent's answer to the probe, which sends the file as it is, or in what the application
//! says.
//!
//! **Not a fault**: an application's own client where the SDK would do.
//!
//! **Repair**: let the application use its SDK's provider, or send the file's content as it is.

use super::agent::{self, Told};
use crate::aws_error::Kind;
use crate::checks::prelude::*;

/// See the module's page.
pub const META: Meta = Meta {
    id: "pi-bad-authorization",
    step: Step::Caller,
    title: "what the agent is shown is no token",
    explains: &[],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let told = Told {
        what: |who| format!("what {who} sends to the EKS Pod Identity agent is no token"),
        answer: "no token in the request",
    };
    match agent::refusal(&META, derived, |kind| kind == Kind::PodIdentityTokenMalformed, &told) {
        Ok((_, finding)) => finding
            .fix(Fix::advice(
                "let the application use its SDK's container credentials provider; by hand, send the content of the file alone, \
                 without `Bearer ` and without a line break",
            ))
            .into(),
        Err(outcome) => outcome,
    }
}
