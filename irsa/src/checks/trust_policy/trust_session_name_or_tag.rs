//! # The trust policy requires a session name
//!
//! A condition on `sts:RoleSessionName`. SDKs make up their own names (`botocore-session-1795334400`, nineteen digits in Go, …)
//! unless `AWS_ROLE_SESSION_NAME` is set or the application names its session.
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403).
//!
//! **Decided by**: the container's `AWS_ROLE_SESSION_NAME` against the condition; this machine tries the token under that name.
//! If it is not set: the name that the application's SDK makes up, or if the SDK is not known, that of every SDK. If some match
//! and others do not, it depends on the SDK.
//!
//! **Not a fault**: conditions that any name satisfies; `sts:TagSession` in the list of actions: Kubernetes web identities carry
//! no session tags.
//!
//! **Repair**: set `AWS_ROLE_SESSION_NAME` to a name that the policy accepts.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::session_name::{SessionName, VARIABLE, is_valid};
use crate::derive::trust::{About, FaultKind, Judgement, Miss, Trust};
use crate::policy::{Decision, Value, evaluate};
use crate::repair::env;

pub(super) const META: Meta = Meta {
    id: "trust-session-name-or-tag",
    step: Step::TrustPolicy,
    title: "the trust policy requires a session name",
    explains: trust::EXPLAINS,
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if let Trust::Judged(judged) = derived.trust()
        && let Some(open) = judged.open.iter().find(|open| open.about == About::SessionName)
        && let Some(source) = trust::pod_was_refused(derived)
        && judged.open.iter().all(|open| open.about == About::SessionName)
        && !derived.sts_answer.accepted()
    {
        let wanted = trust::listed(&open.values);
        let summary = format!(
            "STS refuses the pod, and the trust policy of role {} requires session name {wanted}; {VARIABLE} {}",
            judged.role.name,
            if matches!(judged.session_name, SessionName::MadeUp(_)) { "is not set" } else { "was not read" }
        );
        let finding = trust::on_role(&META, judged, summary).inferred();
        let finding = finding.seen(&open.what, wanted, &judged.at(&open.place));
        let finding = finding.seen("the pod's own attempt", trust::NOT_AUTHORIZED, source);
        return rename(derived, finding, &open.values).into();
    }
    let judged = match trust::judged(derived) {
        Ok(judged) => judged,
        Err(outcome) => return outcome,
    };
    let fault = judged.fault.as_ref().filter(|fault| fault.kind == FaultKind::SessionName);
    match fault.and_then(|fault| fault.misses.first()) {
        Some(miss) => refused(derived, judged, miss).into(),
        None => Outcome::Pass,
    }
}

/// The pod's session has another name.
fn refused(derived: &Derived<'_>, judged: &Judgement<'_>, miss: &Miss) -> Finding {
    let (wanted, has) = (trust::listed(&miss.found), miss.expected.as_deref().unwrap_or_default());
    let requires = format!("the trust policy of role {} requires session name {wanted}", judged.role.name);
    let forms = match &judged.session_name {
        SessionName::MadeUp(forms) => forms,
        SessionName::Named(_) | SessionName::Unknown(_) => {
            let finding = trust::on_role(&META, judged, format!("{requires}; the pod's is {has}"));
            let finding = finding.seen(&miss.what, &wanted, &judged.at(&miss.place));
            let named = derived.target().and_then(|view| view.env.get(VARIABLE));
            let finding = match named {
                Some(entry) => finding.evidence(VARIABLE, wanted, has, &entry.source),
                None => finding,
            };
            return rename(derived, finding, &miss.found);
        }
    };
    let made_up = match forms.as_slice() {
        [form] => format!("{} makes up another, such as {}", form.sdk.label(), form.sample),
        _ => String::from("no SDK's own name matches"),
    };
    let summary = format!("{requires}; {VARIABLE} is not set, and {made_up}");
    let finding = trust::on_role(&META, judged, summary).inferred();
    let finding = finding.seen(&miss.what, wanted, &judged.at(&miss.place));
    let finding = match derived.spec_at("") {
        Some(source) => finding.missing(VARIABLE, "a name that the policy accepts", &source),
        None => finding,
    };
    let finding = match trust::pod_was_refused(derived) {
        Some(source) => finding.seen("the pod's own attempt", trust::NOT_AUTHORIZED, source),
        None => finding,
    };
    rename(derived, finding, &miss.found)
}

fn takes(judged: &Judgement<'_>, name: &str) -> bool {
    let mut request = judged.request.clone();
    request.context.set("sts:RoleSessionName", Value::Present(vec![name.to_owned()]));
    matches!(evaluate(&judged.document, &request).decision, Decision::Allow { .. })
}

/// Adds the command that sets the variable, if a name that the policy accepts can be told.
fn rename(derived: &Derived<'_>, finding: Finding, values: &[String]) -> Finding {
    let own = derived.facts.service_account_name.as_str();
    let judged = derived.trust().judged();
    let fits = |name: &String| is_valid(name) && judged.is_some_and(|judged| takes(judged, name));
    let name = values.iter().map(|value| value.replace('*', own)).find(fits);
    let set = name.and_then(|name| {
        let title = format!("set the session name to {name}; restarts the pods");
        env::set(derived, derived.target()?, &[Assignment::set(VARIABLE, name)], title)
    });
    finding.fix(set.unwrap_or_else(|| {
        Fix::advice(format!("set {VARIABLE} to a name that the policy accepts, and recreate the pods"))
    }))
}
