//! # The role trusts another service account
//!
//! The trust policy names a subject that is not this pod's: another namespace or name, a prefix that Helm or Terraform added,
//! `/` for `:`, or `system:serviceaccount:` is missing.
//!
//! ```text
//! bad   "…:sub": "system:serviceaccount:shop:chekout"
//! bad   "…:sub": "system:serviceaccount:shop/checkout"
//! good  "…:sub": "system:serviceaccount:shop:checkout"
//! ```
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403). STS never says which part failed.
//!
//! **Decided by**: `sub` of a fresh token against every statement of the trust policy, evaluated as IAM does it. The nearest
//! statement is shown, its nearest value first.
//!
//! **Not a fault**: a statement for another service account next to one that trusts this one.
//!
//! If the service account that is trusted exists next to this one and names another role, the two may have been swapped.
//!
//! **Repair**: put the subject into the statement that is meant for it, or add a statement. Another service account that may
//! exist keeps its access; a typing error that is nobody's name is replaced.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::FaultKind;

pub(super) const META: Meta = Meta {
    id: "trust-sub-mismatch",
    step: Step::TrustPolicy,
    title: "the role trusts another service account",
    explains: trust::EXPLAINS,
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let mut swapped = None;
    let outcome = trust::check(derived, &META, FaultKind::SubMismatch, |judged, _, first| {
        let (role, sub) = (&judged.role.name, &judged.token.sub);
        match first.found.first() {
            Some(other) if !first.excludes => {
                swapped = other_role(derived, other);
                format!("role {role} trusts {other}, not {sub}")
            }
            _ => format!("the trust policy of role {role} excludes {sub}"),
        }
    });
    match (outcome, swapped) {
        (Outcome::Fail(findings), Some((other, role, source))) => Outcome::Fail(
            findings
                .into_iter()
                .map(|finding| with_swapped(derived, finding, other, role, &source))
                .collect(),
        ),
        (outcome, _) => outcome,
    }
}

/// The service account of the namespace that the role trusts, if it names another role than this one: name, role, annotation.
fn other_role<'f>(derived: &Derived<'f>, subject: &str) -> Option<(&'f str, &'f str, Source)> {
    let own = derived.intent.role.as_ref()?.raw;
    let prefix = format!("system:serviceaccount:{}:", derived.facts.namespace_name);
    let trusted = subject.strip_prefix(&prefix)?;
    let listing = derived.facts.service_accounts.known()?;
    let other = listing.value.items.iter().find(|account| account.value.metadata.name == trusted)?;
    let key = format!("{}/role-arn", derived.settings.annotation_prefix);
    let role = other.value.metadata.annotations.get(&key).filter(|role| !role.is_empty() && *role != own)?;
    Some((&other.value.metadata.name, role, other.source.at(annotation_path(&key))))
}

/// Two service accounts with each other's role: a statement more for each would leave both with the wrong permissions.
fn with_swapped(
    derived: &Derived<'_>,
    mut finding: Finding,
    other: &str,
    role: &str,
    source: &Source,
) -> Finding {
    let name = &derived.facts.service_account_name;
    finding.summary =
        format!("{}; {other} names another role, so the roles of the two may be swapped", finding.summary);
    finding.seen(format!("role of service account {other}"), role, source).fix(Fix::advice(format!(
        "if the roles of {name} and {other} are swapped, leave both trust policies alone, annotate each service account with the \
         other's role, and recreate their pods"
    )))
}
