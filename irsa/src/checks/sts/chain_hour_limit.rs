//! # A second role is requested for more than an hour
//!
//! The application assumes another role with the credentials of its own role (role chaining), and asks for a session of more
//! than an hour. That is the limit for every such session, whatever the second role's maximum session duration is.
//!
//! **You see**: `ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role
//! chaining`.
//!
//! **Decided by**: STS's error in the application's log. It means that the first step worked.
//!
//! **Not a fault**: the maximum session duration of either role, which changes nothing here: that is `duration-too-long`.
//!
//! **Repair**: request 3600 seconds or less: SDKs renew such a session. Or let the service account assume the second role
//! directly, with a trust policy of its own for web identity; then that role's maximum counts.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors::{self, UNREPORTED};

pub(super) const META: Meta = Meta {
    id: "chain-hour-limit",
    step: Step::Sts,
    title: "a second role is requested for more than an hour",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if !matches!(derived.intent.mechanism, Mechanism::Irsa | Mechanism::PodIdentity) {
        return Outcome::NotApplicable("no role is named");
    }
    let Some(said) = derived.app_errors.find(|kind| kind == Kind::ChainHourLimit) else { return UNREPORTED };
    let who = app_errors::speaker(derived);
    let summary = format!(
        "{who} assumes a second role for more than an hour, the limit for a session that another role's credentials open"
    );
    app_errors::finding(&META, derived, said, &summary)
        .evidence("session of the second role", "at most 3600 s", "more", said.source)
        .fix(Fix::advice(
            "have the application request at most 3600 seconds for the second role: raising a role's maximum changes nothing",
        ))
        .fix(Fix::advice(
            "or let the service account assume the second role directly, by a trust policy for web identity",
        ))
        .into()
}
