//! # The session is to last longer than the role allows
//!
//! Applications may ask for sessions of up to twelve hours; a role allows one hour unless it says otherwise. The lifetime of
//! the **token** (`eks.amazonaws.com/token-expiration`) is another matter.
//!
//! **You see**: `ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.`
//!
//! **Decided by**: STS's words to the application, and the role's longest session where IAM may be read. The experiment from
//! here asks for 15 minutes, which every role allows.
//!
//! **Repair**: ask for less; or let the role allow more, which also lets a stolen session live longer.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors;

/// See the module's page.
pub const META: Meta = Meta {
    id: "duration-too-long",
    step: Step::Sts,
    title: "the session is to last longer than the role allows",
    explains: &["silent-fallback-to-node-role"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let said = match app_errors::of_irsa(derived, |kind| kind == Kind::DurationTooLong) {
        Ok(said) => said,
        Err(outcome) => return outcome,
    };
    let who = app_errors::speaker(derived);
    let summary = format!("{who} asks for a longer session than its role allows");
    let finding = app_errors::finding(&META, derived, said, &summary);
    let role = derived.facts.aws.role.known();
    let finding = match role.and_then(|role| Some((role, role.value.max_session?))) {
        Some((role, seconds)) => {
            finding.evidence("session", format!("at most {seconds} s"), "more", said.source).seen(
                "longest session of the role",
                format!("{seconds} s"),
                &role.source.at("Role.MaxSessionDuration"),
            )
        }
        None => finding.evidence("session", "no longer than the role allows", "longer", said.source),
    };
    finding
        .fix(Fix::advice("let the application ask for a shorter session: SDKs renew it by themselves"))
        .into()
}
