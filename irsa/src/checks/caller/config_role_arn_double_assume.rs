//! # The role tries to assume itself
//!
//! The application already has its role by web identity, and its own configuration (`role_arn` in `~/.aws/config`, a setting
//! named assume-role or role ARN) names the same role again. For the second hop the role must be allowed to assume itself.
//!
//! **You see**: `User: arn:aws:sts::111122223333:assumed-role/shop-checkout/… is not authorized to perform: sts:AssumeRole on
//! resource: arn:aws:iam::111122223333:role/shop-checkout`: the same role on both sides.
//!
//! **Decided by**: caller and resource in AWS's error message. With two different roles it is `perm-chained-role`.
//!
//! **Not a fault**: a role that is allowed to assume itself: no error appears then.
//!
//! **Repair**: remove the role from the application's own configuration; the SDK gets it from the pod.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors::{self, UNREPORTED};

pub(super) const META: Meta = Meta {
    id: "config-role-arn-double-assume",
    step: Step::Caller,
    title: "the role tries to assume itself",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let itself = |said: &&crate::derive::app_errors::AppError<'_>| {
        said.error.kind == Kind::NotAuthorizedToChain && said.error.assumes_itself()
    };
    let Some(said) = derived.app_errors.iter().find(itself) else { return UNREPORTED };
    let (Some(caller), Some(role)) = (&said.error.principal, &said.error.resource) else { return UNREPORTED };
    let who = app_errors::speaker(derived);
    let summary =
        format!("{who} already is {role}, and its own configuration makes it assume that role again");
    let finding = app_errors::finding(&META, derived, said, &summary)
        .seen("caller", &caller.arn, said.source)
        .seen("role to assume", role, said.source);
    let profile =
        derived.target().and_then(|view| view.env.get("AWS_PROFILE")).filter(|entry| entry.is_set());
    match profile {
        Some(entry) => finding.seen("AWS_PROFILE", entry.shown(), &entry.source),
        None => finding,
    }
    .fix(Fix::advice("remove role_arn (or assume-role) from the application's configuration or its AWS profile; the SDK gets the role from the pod"))
    .into()
}
