//! # The application makes sessions faster than STS gives them
//!
//! A client, and with it a credentials provider, is made for each request, so each request asks STS for a session of its own.
//! STS then answers `Throttling`, and every call waits for it.
//!
//! **You see**: `Throttling: Rate exceeded` from `AssumeRoleWithWebIdentity`, again and again; slow calls.
//!
//! **Decided by**: how often the words stand among the last lines of the log. One throttled call is no fault: SDKs try again.
//! That it is this application, and not the account's other pods, is a conclusion.
//!
//! **Not a fault**: a few throttled calls when many pods start at once.
//!
//! **Repair**: make one client and keep it, so that one session is used for its hour.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors;

/// See the module's page.
pub const META: Meta = Meta {
    id: "session-per-request",
    step: Step::Sts,
    title: "the application makes sessions faster than STS gives them",
    explains: &["sts-throttled"],
};

/// So many throttled calls within the lines that are read are more than the retries of one session.
const MANY: usize = 10;

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let said = match app_errors::of_irsa(derived, |kind| kind == Kind::Throttled) {
        Ok(said) => said,
        Err(outcome) => return outcome,
    };
    if said.error.count < MANY {
        return Outcome::NotApplicable("STS throttled too few calls to tell");
    }
    let who = app_errors::speaker(derived);
    let summary =
        format!("STS throttles {who}{}: it seems to make a session per request", app_errors::times(said));
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
            "make one AWS client and share it, so that one session serves all requests until it expires",
        ))
        .into()
}
