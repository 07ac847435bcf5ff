//! # The application keeps using expired credentials
//!
//! An STS session lasts an hour unless more was requested, and the SDK's provider renews it in time. An application that takes
//! the credentials from the provider once and keeps them works for that hour, and then fails at every call.
//!
//! **You see**: `ExpiredToken: The provided token has expired`, `ExpiredTokenException: The security token included in the
//! request is expired`, about an hour after the start (EKS Pod Identity: six hours).
//!
//! **Decided by**: the error of a service that was called with the session. After up to a day, and from STS with `Token expired:
//! current date/time …`, it is the token that was kept and not the session: see `token-expired`.
//!
//! **Not a fault**: anything in IRSA. Keys with a session token in the environment (`static-env-keys`) expire with the same
//! message, and are then the cause.
//!
//! **Repair**: pass the SDK's credentials *provider* to the client, not the credentials it returned once. A restart helps until
//! the session expires again.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors::{self, UNREPORTED};
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "app-caches-token",
    step: Step::Caller,
    title: "the application keeps using expired credentials",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if !matches!(derived.intent.mechanism, Mechanism::Irsa | Mechanism::PodIdentity) {
        return Outcome::NotApplicable("no role is named");
    }
    let Some(said) = derived.app_errors.find(|kind| kind == Kind::CredentialsExpired) else {
        return UNREPORTED;
    };
    let who = app_errors::speaker(derived);
    let finding = app_errors::finding(
        &META,
        derived,
        said,
        &format!("{who} calls AWS with expired session credentials, and has not renewed them"),
    )
    .inferred()
    .evidence("session credentials", "renewed before they expire", "expired", said.source)
    .fix(Fix::advice("give the AWS client the SDK's credentials provider, which renews them, not credentials taken from it once"));
    finding
        .fixes(workload::restart_as(derived, "until then, restart: it helps until the session expires again"))
        .into()
}
