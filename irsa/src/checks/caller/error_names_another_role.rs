//! # The error is about another identity
//!
//! The error names a role, an issuer, a service account, a cluster or an account that is not the pod's. Either the application
//! does not use the pod's identity (its own settings, a profile or code make it assume another role), or the error is another
//! workload's: pasted from the wrong window, or passed on in a log.
//!
//! **You see**: `User: arn:aws:sts::111122223333:assumed-role/reports/… is not authorized to perform …` on a pod whose role is
//! `checkout`; `No OpenIDConnect provider found in your account for https://oidc.eks…` with the id of another cluster.
//!
//! **Decided by**: what the text itself names, compared with the pod's own role, service account, issuer, cluster and account. What
//! it names is said before anything is said about the pod's own role.
//!
//! **Not a fault**: a record of CloudTrail, a quotation, or a test's expectation in the log: they are not the process's own
//! calls. A second role that the container's own settings name: then the denial is about that role, and nothing else is.
//!
//! **Repair**: none for the pod's own role. Find out who makes this call.

use crate::aws_error::PrincipalKind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors::{self, UNREPORTED};
use crate::derive::app_errors::{AppError, Weight};
use crate::derive::attribution::{Difference, Whose};
use crate::derive::caller::Who;
use crate::finding::Doubt;

pub(super) const META: Meta = Meta {
    id: "error-names-another-role",
    step: Step::Caller,
    title: "the error is about another identity",
    explains: &[
        "perm-no-policy",
        "perm-boundary",
        "perm-scp",
        "perm-rcp",
        "perm-session-policy",
        "perm-vpce-policy",
        "perm-resource-policy",
        "perm-kms",
        "perm-chained-role",
    ],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if !matches!(derived.intent.mechanism, Mechanism::Irsa | Mechanism::PodIdentity) {
        return Outcome::NotApplicable("no role is named");
    }
    let called = derived.app_errors.iter().find_map(|said| as_another_role(derived, said));
    let named = || {
        derived.app_errors.all().find_map(|said| match &said.whose {
            Whose::Other(difference) if said.weight != Weight::History => {
                Some(of_another(derived, said, difference))
            }
            _ => None,
        })
    };
    called.or_else(named).map_or(UNREPORTED, Outcome::from)
}

/// AWS saw the application as a role that neither the pod nor its settings name.
fn as_another_role(derived: &Derived<'_>, said: &AppError<'_>) -> Option<Finding> {
    let caller = said.caller.filter(|caller| caller.who == Who::OtherRole)?;
    let PrincipalKind::AssumedRole { role, .. } = &caller.principal.kind else { return None };
    let own = derived.expected_role()?;
    let account = &caller.principal.account;
    if derived.target().is_some_and(|view| view.names_role(account, role)) {
        return None;
    }
    let who = app_errors::speaker(derived);
    let summary = format!("{who} calls AWS as role {role} of account {account}, which is not the pod's role");
    Some(
        app_errors::finding(&META, derived, said, &summary)
            .inferred()
            .evidence(
                "caller",
                format!("a session of {own}"),
                &caller.principal.arn,
                said.source,
            )
            .fix(Fix::advice(
                "find what makes the application assume this role: its own settings, a profile, or its code; if the error is \
                 another workload's, diagnose that one",
            )),
    )
}

/// The error names something else that is not the pod's.
fn of_another(derived: &Derived<'_>, said: &AppError<'_>, difference: &Difference) -> Finding {
    let Difference { what, named, own } = difference;
    let summary = match (said.given, derived.target()) {
        (false, Some(view)) => {
            format!("container {} reports an error about {what} {named}, which is not the pod's", view.name())
        }
        _ => format!("the error is about {what} {named}, which is not the pod's"),
    };
    app_errors::finding(&META, derived, said, &summary)
        .severity(Severity::Warning)
        .doubt(Doubt::MayFail)
        .evidence(*what, own, named, said.source)
        .fix(Fix::advice("diagnose the workload that it belongs to; it says nothing about this one"))
}
