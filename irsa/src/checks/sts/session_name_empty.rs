//! # The application assumes a role without a session name
//!
//! The application assumes a role by itself, and gives the session no name. STS requires one of 2 to 64 characters, so the SDK for
//! Go refuses to send the request. Often the role is the one that the pod has already: settings from before web identity still
//! name it.
//!
//! **You see**: `InvalidParameter: 1 validation error(s) found. - minimum field size of 2, AssumeRoleInput.RoleSessionName.`
//!
//! **Decided by**: this message of the application. AWS was never asked.
//!
//! **Not a fault**: the pod's own role, its trust policy, and `AWS_ROLE_SESSION_NAME` where only the SDK's default chain reads it.
//!
//! **Repair**: take the role out of the application's settings, if it is the pod's own; otherwise give the session a name there.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors::{self, UNREPORTED};

pub(super) const META: Meta = Meta {
    id: "session-name-empty",
    step: Step::Sts,
    title: "the application assumes a role without a session name",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some(said) = derived.app_errors.find(|kind| kind == Kind::SessionNameEmpty) else {
        return UNREPORTED;
    };
    let who = app_errors::speaker(derived);
    app_errors::finding(
        &META,
        derived,
        said,
        &format!("{who} assumes a role by itself, without a name for the session"),
    )
    .evidence("RoleSessionName", "2 to 64 characters", "empty", said.source)
    .fix(Fix::advice(
        "take the role out of the application's own settings, if it is the one that the pod already has; if it is a second \
         role, set the name of the session there (some applications read AWS_ROLE_SESSION_NAME)",
    ))
    .into()
}
