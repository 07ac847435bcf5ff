//! # The agent gets something that is not a token
//!
//! The `Authorization` header of a request to the EKS Pod Identity agent must be the content of the token file and nothing
//! else: no `Bearer `, no line break.
//!
//! **You see**: `Service account token cannot be parsed: token is malformed: could not base64 decode header: illegal base64
//! data at input byte 6`; `Service account token cannot be empty`; from boto3 `Auth token value is not a legal header value`.
//!
//! **Decided by**: this message, either in the agent's answer to the probe, which sends the file as it is, or in the
//! application's log.
//!
//! **Not a fault** in itself: an application's own client where the SDK would do.
//!
//! **Repair**: use the SDK's provider, or send the file's content as it is.

use super::agent::{self, Told};
use crate::aws_error::Kind;
use crate::checks::prelude::*;

pub(super) const META: Meta = Meta {
    id: "pi-bad-authorization",
    step: Step::Caller,
    title: "the agent gets something that is not a token",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let told = Told {
        what: |who| format!("{who} sends the EKS Pod Identity agent something that is not a token"),
        answer: "no token in the request",
    };
    match agent::refusal(&META, derived, |said| said.kind == Kind::PodIdentityTokenMalformed, &told) {
        Ok((_, finding)) => finding
            .fix(Fix::advice(
                "have the application use its SDK's container credentials provider; or, by hand, send only the content of the file, \
                 without `Bearer ` and without a line break",
            ))
            .into(),
        Err(outcome) => outcome,
    }
}
