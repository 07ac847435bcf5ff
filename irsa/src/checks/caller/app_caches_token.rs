//! # The application keeps credentials that have expired
//!
//! A session of STS lives an hour unless more was asked for, and the SDK's provider makes a new one in time. An application that
//! takes the credentials out of the provider and keeps them works for that hour and then fails at every call.
//!
//! **You see**: `ExpiredToken: The provided token has expired`, `ExpiredTokenException: The security token included in the
//! request is expired`, about an hour after the start (EKS Pod Identity: six hours).
//!
//! **Decided by**: the words of a service that was called with the session. After up to a day, and from STS with `Token expired:
//! current date/time …`, it is the token that was kept and not the session: see `token-expired`.
//!
//! **Not a fault**: of IRSA at all. Keys with a session token in the environment (`static-env-keys`) expire in the same words,
//! and are then the cause.
//!
//! **Repair**: hand the SDK's credentials *provider* to the client and not the credentials it gave once. A restart helps until
//! the session expires again.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors::{self, UNREPORTED};
use crate::repair::workload;

/// See the module's page.
pub const META: Meta = Meta {
    id: "app-caches-token",
    step: Step::Caller,
    title: "the application keeps credentials that have expired",
    explains: &[],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
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
        &format!("{who} calls AWS with session credentials that have expired, and has not renewed them"),
    )
    .inferred()
    .evidence("session credentials", "renewed before they expire", "expired", said.source)
    .fix(Fix::advice("give the AWS client the SDK's credentials provider, which renews them, and not credentials taken from it once"));
    finding
        .fixes(workload::restart_as(derived, "until then: restart; it helps until the session expires again"))
        .into()
}
