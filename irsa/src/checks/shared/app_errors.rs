//! What the checks of application errors have in common.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::derive::app_errors::AppError;

/// No such error is known. A log that could not be read is listed among the report's unknowns, and leaves no link open: no
/// link depends on application errors alone.
pub(in crate::checks) const UNREPORTED: Outcome =
    Outcome::NotApplicable("no such error is known from the application");

/// The most recent error of such a kind from a pod that should have a role by web identity.
pub(in crate::checks) fn of_irsa<'d, 'f>(
    derived: &'d Derived<'f>,
    is: impl Fn(Kind) -> bool,
) -> Result<&'d AppError<'f>, Outcome> {
    match derived.intent.mechanism {
        Mechanism::Irsa => derived.app_errors.find(is).ok_or(UNREPORTED),
        Mechanism::PodIdentity => {
            Err(Outcome::NotApplicable("EKS Pod Identity gets credentials in its own way"))
        }
        _ => Err(Outcome::NotApplicable("no role is named")),
    }
}

/// Starts a finding on an application error: an error if it is current, less if it is older.
pub(in crate::checks) fn finding(
    meta: &Meta,
    derived: &Derived<'_>,
    said: &AppError<'_>,
    summary: &str,
) -> Finding {
    let finding = meta.on_subject(derived, format!("{summary}{}", said.when())).severity(said.severity());
    match derived.target() {
        Some(view) => finding.container(view.name()),
        None => finding,
    }
}

/// Who reports it: `container app`.
pub(in crate::checks) fn speaker(derived: &Derived<'_>) -> String {
    derived
        .target()
        .map_or_else(|| String::from("the application"), |view| format!("container {}", view.name()))
}

/// True if the target container has both variables and the token, all that an SDK needs for IRSA.
pub(in crate::checks) fn is_wired(derived: &Derived<'_>) -> bool {
    derived.target().is_none_or(|view| matches!(view.wiring, Wiring::Complete | Wiring::Unknown))
}

/// How often it was reported, if more than once.
pub(in crate::checks) fn times(said: &AppError<'_>) -> String {
    if said.error.count > 1 { format!(", {} times", said.error.count) } else { String::new() }
}
