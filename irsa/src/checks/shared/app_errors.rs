//! What the checks of the application's own words have in common.

use crate::aws::endpoint;
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::derive::app_errors::AppError;

/// No such words are known. A log that could not be read is among the unknowns of the report, and takes no link's answer
/// away: no link rests on hearsay alone.
pub(in crate::checks) const UNREPORTED: Outcome =
    Outcome::NotApplicable("the application is not known to have said so");

/// The most current words of such a kind from a pod that should have a role by web identity.
pub(in crate::checks) fn of_irsa<'d, 'f>(
    derived: &'d Derived<'f>,
    is: impl Fn(Kind) -> bool,
) -> Result<&'d AppError<'f>, Outcome> {
    match derived.intent.mechanism {
        Mechanism::Irsa => derived.app_errors.find(is).ok_or(UNREPORTED),
        Mechanism::PodIdentity => {
            Err(Outcome::NotApplicable("EKS Pod Identity has its own way to credentials"))
        }
        _ => Err(Outcome::NotApplicable("no role is named")),
    }
}

/// Starts a finding on what the application said: an error if it said so now, less if it was earlier.
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

/// Who speaks: `container app`.
pub(in crate::checks) fn speaker(derived: &Derived<'_>) -> String {
    derived
        .target()
        .map_or_else(|| String::from("the application"), |view| format!("container {}", view.name()))
}

/// True if the target container has both variables and the token: IRSA's part of the chain is there to be taken.
pub(in crate::checks) fn is_wired(derived: &Derived<'_>) -> bool {
    derived.target().is_none_or(|view| matches!(view.wiring, Wiring::Complete | Wiring::Unknown))
}

/// How often it was said, where that was more than once.
pub(in crate::checks) fn times(said: &AppError<'_>) -> String {
    if said.error.count > 1 { format!(", {} times", said.error.count) } else { String::new() }
}

/// The most current words of such a kind on the way to STS, with the host that they name.
pub(in crate::checks) fn to_sts<'d>(
    derived: &'d Derived<'_>,
    is: impl Fn(Kind) -> bool,
) -> Result<(&'d AppError<'d>, &'d str), Outcome> {
    of_irsa(derived, &is)?;
    let named = derived.app_errors.iter().filter(|said| is(said.error.kind));
    named
        .filter_map(|said| said.error.host.as_deref().map(|host| (said, host)))
        .find(|(_, host)| endpoint::serves_sts(host))
        .ok_or(UNREPORTED)
}
