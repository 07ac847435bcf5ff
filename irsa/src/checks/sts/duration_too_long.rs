//! # The session is longer than the role allows
//!
//! Applications may request sessions of up to twelve hours; a role allows one hour unless it says otherwise. The lifetime of the
//! **token** (`eks.amazonaws.com/token-expiration`) is another matter.
//!
//! **You see**: `ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.`
//!
//! **Decided by**: STS's error in the application's log, and the role's maximum session duration if IAM can be read. The attempt
//! from this machine requests 15 minutes, which every role allows.
//!
//! **Repair**: request less; or raise the role's maximum, which also lets a stolen session live longer.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors;

pub(super) const META: Meta = Meta {
    id: "duration-too-long",
    step: Step::Sts,
    title: "the session is longer than the role allows",
    explains: &["silent-fallback-to-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let said = match app_errors::of_irsa(derived, |kind| kind == Kind::DurationTooLong) {
        Ok(said) => said,
        Err(outcome) => return outcome,
    };
    let who = app_errors::speaker(derived);
    let summary = format!("{who} requests a longer session than its role allows");
    let finding = app_errors::finding(&META, derived, said, &summary);
    let role = derived.facts.aws.role.known();
    let finding = match role.and_then(|role| Some((role, role.value.max_session?))) {
        Some((role, seconds)) => {
            finding.evidence("session", format!("at most {seconds} s"), "more", said.source).seen(
                "the role's maximum session duration",
                format!("{seconds} s"),
                &role.source.at("Role.MaxSessionDuration"),
            )
        }
        None => finding.evidence("session", "no longer than the role allows", "longer", said.source),
    };
    finding
        .fix(Fix::advice("have the application request a shorter session: SDKs renew it automatically"))
        .into()
}
