//! # The application requests sessions faster than STS allows
//!
//! A client, and with it a credentials provider, is created for each request, so each request gets its own session from STS. STS
//! then answers `Throttling`, and every call waits for it.
//!
//! **You see**: `Throttling: Rate exceeded` from `AssumeRoleWithWebIdentity`, again and again; slow calls.
//!
//! **Decided by**: how often the error appears in the last lines of the log. One throttled call is no fault: SDKs retry. That it
//! is this application, and not the account's other pods, is inferred.
//!
//! **Not a fault**: a few throttled calls when many pods start at once.
//!
//! **Repair**: create one client and keep it, so that one session is used for its hour.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors;

pub(super) const META: Meta = Meta {
    id: "session-per-request",
    step: Step::Sts,
    title: "the application requests sessions faster than STS allows",
    explains: &["sts-throttled"],
};

/// So many throttled calls within the lines that are read are more than the retries of one session.
const MANY: usize = 10;

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let said = match app_errors::of_irsa(derived, |kind| kind == Kind::Throttled) {
        Ok(said) => said,
        Err(outcome) => return outcome,
    };
    if said.error.count < MANY {
        return Outcome::NotApplicable("STS throttled too few calls to tell");
    }
    let who = app_errors::speaker(derived);
    let summary = format!(
        "STS throttles {who}{}: it seems to get a new session for each request",
        app_errors::times(said)
    );
    app_errors::finding(&META, derived, said, &summary)
        .severity(said.severity().max(Severity::Warning))
        .inferred()
        .evidence(
            "throttled calls in the log's last lines",
            "none",
            said.error.count.to_string(),
            said.source,
        )
        .fix(Fix::advice(
            "create one AWS client and share it, so that one session serves all requests until it expires",
        ))
        .into()
}
