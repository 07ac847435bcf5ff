//! # The trust policy requires a session name
//!
//! A condition on `sts:RoleSessionName`. SDKs make up their own names (`botocore-session-1795334400`, nineteen digits in Go, …)
//! unless `AWS_ROLE_SESSION_NAME` is set or the application names its session.
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403).
//!
//! **Decided by**: the container's `AWS_ROLE_SESSION_NAME` against the condition. If it is not set and no SDK's own name fits,
//! this is a warning: the application may name its session in its code. What STS answers this machine decides nothing, because
//! that call has a session name of its own.
//!
//! **Not a fault**: conditions that any name satisfies; `sts:TagSession` in the list of actions: Kubernetes web identities carry
//! no session tags.
//!
//! **Repair**: set `AWS_ROLE_SESSION_NAME` to a name that the policy accepts.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::{About, FaultKind, Judgement, SESSION_VARIABLE, Trust};
use crate::policy::{Decision, Value, evaluate};
use crate::repair::env;

pub(super) const META: Meta = Meta {
    id: "trust-session-name-or-tag",
    step: Step::TrustPolicy,
    title: "the trust policy requires a session name",
    explains: trust::EXPLAINS,
};

/// What SDKs call their sessions (failures.md, 0.7).
const OWN_NAMES: [&str; 5] = [
    "botocore-session-1795334400",
    "1795334400123456789",
    "aws-sdk-java-1795334400123",
    "aws-sdk-js-session-1795334400123",
    "web-identity-token-1795334400123",
];

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if let Trust::Judged(judged) = derived.trust()
        && !derived.sts_answer.accepted()
        && judged.open.iter().all(|open| open.about == About::SessionName)
        && !judged.open.is_empty()
    {
        return unset(derived, judged);
    }
    let judged = match trust::judged(derived) {
        Ok(judged) => judged,
        Err(outcome) => return outcome,
    };
    let Some(fault) = judged.fault.as_ref().filter(|fault| fault.kind == FaultKind::SessionName) else {
        return Outcome::Pass;
    };
    let Some(miss) = fault.misses.first() else { return Outcome::Pass };
    let (wanted, has) = (trust::listed(&miss.found), miss.expected.as_deref().unwrap_or_default());
    let summary = format!(
        "the trust policy of role {} requires session name {wanted}; the pod's is {has}",
        judged.role.name
    );
    let finding = trust::on_role(&META, judged, summary).seen(&miss.what, &wanted, &judged.at(&miss.place));
    let named = derived.target().and_then(|view| view.env.get(SESSION_VARIABLE));
    let finding = match named {
        Some(entry) => finding.evidence(SESSION_VARIABLE, wanted, has, &entry.source),
        None => finding,
    };
    rename(derived, finding, &miss.found).into()
}

/// The container names no session: it works only if the application does, or if the SDK's own name fits.
fn unset(derived: &Derived<'_>, judged: &Judgement<'_>) -> Outcome {
    let is_set = derived.target().is_none_or(|view| view.env.get(SESSION_VARIABLE).is_some());
    if is_set || OWN_NAMES.iter().any(|name| takes(judged, name)) {
        return trust::undecided(judged);
    }
    let Some(open) = judged.open.first() else { return Outcome::Pass };
    let (role, wanted) = (&judged.role.name, trust::listed(&open.values));
    let summary = format!(
        "the trust policy of role {role} requires session name {wanted}; {SESSION_VARIABLE} is not set, and no SDK's own \
         name matches"
    );
    let finding = trust::on_role(&META, judged, summary).inferred();
    let finding = finding.seen(&open.what, wanted, &judged.at(&open.place));
    let finding = match derived.spec_at("") {
        Some(source) => finding.missing(SESSION_VARIABLE, "a name that the policy accepts", &source),
        None => finding,
    };
    let finding = match trust::pod_was_refused(derived) {
        Some(source) => finding.seen("the pod's own attempt", trust::NOT_AUTHORIZED, source),
        None => finding.severity(Severity::Warning),
    };
    rename(derived, finding, &open.values).into()
}

fn takes(judged: &Judgement<'_>, name: &str) -> bool {
    let mut request = judged.request.clone();
    request.context.set("sts:RoleSessionName", Value::Present(vec![name.to_owned()]));
    matches!(evaluate(&judged.document, &request).decision, Decision::Allow { .. })
}

/// Adds the command that sets the variable, if a name that the policy accepts can be told.
fn rename(derived: &Derived<'_>, finding: Finding, values: &[String]) -> Finding {
    let own = derived.facts.service_account_name.as_str();
    let is_name = |name: &String| {
        (2..=64).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))
    };
    let judged = derived.trust().judged();
    let fits = |name: &String| is_name(name) && judged.is_some_and(|judged| takes(judged, name));
    let name = values.iter().map(|value| value.replace('*', own)).find(fits);
    let set = name.and_then(|name| {
        let title = format!("set the session name to {name}; restarts the pods");
        env::set(derived, derived.target()?, &[format!("{SESSION_VARIABLE}={name}")], title)
    });
    finding.fix(set.unwrap_or_else(|| {
        Fix::advice(format!(
            "set {SESSION_VARIABLE} to a name that the policy accepts, and recreate the pods"
        ))
    }))
}
