//! # The role trusts others, too
//!
//! The trust policy admits more than one workload: it has no condition on `sub`, a pattern that covers the whole cluster or
//! namespaces whose names merely begin the same (`*` also matches `:`), a condition that holds because its key does not exist
//! (`ForAllValues:`, `…IfExists`, a mistyped issuer under a negated operator), or `"Principal": "*"`.
//!
//! ```text
//! bad   "StringLike": {"…:sub": "system:serviceaccount:*"}
//! good  "StringEquals": {"…:sub": "system:serviceaccount:shop:checkout"}
//! ```
//!
//! **You see**: nothing. It works, for others as well.
//!
//! **Decided by**: the policy is evaluated for strangers: another AWS caller, a token of another provider, a service account of
//! another namespace. What it certainly allows them is a warning. A role shared by a whole namespace is only an info finding.
//!
//! **Not a fault**: no condition on `aud`: the provider accepts only the audiences that it lists. It is never why a pod is
//! refused.
//!
//! **Repair**: name the service accounts under `StringEquals`. Others may use the role by now, so no command is given.

use crate::aws::arn::Arn;
use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::{Judgement, Trust};
use crate::policy::{Context, Decision, Principal, Request, Statement, Value, WebIdentity, evaluate};

pub(super) const META: Meta = Meta {
    id: "trust-permissive",
    step: Step::TrustPolicy,
    title: "the role trusts others, too",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let judged = match derived.trust() {
        Trust::Judged(judged) => judged,
        Trust::NotApplicable(reason) => return Outcome::NotApplicable(reason),
        // Whom else the role trusts is not a link between pod and AWS.
        Trust::Unknown(_) => return Outcome::NotApplicable("the trust policy is not known"),
    };
    let (namespace, name) = (&derived.facts.namespace_name, &derived.facts.service_account_name);
    let strangers = [
        (Severity::Warning, String::from("anyone with AWS credentials"), caller(judged)),
        (
            Severity::Warning,
            String::from("tokens of any OIDC provider of the account"),
            other_provider(judged),
        ),
        (
            Severity::Warning,
            String::from("every service account of the cluster"),
            with_sub(judged, "another", "other"),
        ),
        (
            Severity::Warning,
            format!("service accounts of every namespace whose name begins with {namespace}"),
            with_sub(judged, &format!("{namespace}-other"), "other"),
        ),
        (
            Severity::Warning,
            format!("service account {name} of every namespace"),
            with_sub(judged, "another", name),
        ),
        (
            Severity::Info,
            format!("every service account of namespace {namespace}"),
            with_sub(judged, namespace, "another-service-account"),
        ),
    ];
    // The widest comes first.
    let let_in = strangers.into_iter().find_map(|(severity, who, request)| {
        match evaluate(&judged.document, &request).decision {
            Decision::Allow { statement } => {
                Some((severity, who, judged.document.statements.get(statement)?))
            }
            _ => None,
        }
    });
    match let_in {
        Some((severity, who, statement)) => finding(judged, severity, &who, statement).into(),
        None => Outcome::Pass,
    }
}

fn finding(judged: &Judgement<'_>, severity: Severity, who: &str, statement: &Statement) -> Finding {
    let (role, token) = (&judged.role.name, &judged.token);
    let summary = format!("role {role} trusts {who}");
    let mut finding = trust::on_role(&META, judged, summary).severity(severity);
    if let Some(clause) = statement.principal.as_ref().filter(|clause| !clause.is_federated_only()) {
        let trusted: Vec<String> = clause.entries.iter().map(|entry| entry.value.clone()).collect();
        let expected = format!("Federated {}", token.provider_arn);
        finding =
            finding.evidence("who is trusted", expected, trust::listed(&trusted), &judged.at(&clause.place));
    }
    let key = format!("{}:sub", token.issuer);
    let mut subjects =
        statement.conditions.iter().filter(|condition| condition.key.eq_ignore_ascii_case(&key)).peekable();
    if subjects.peek().is_none() {
        finding = finding.missing("condition on sub", &token.sub, &judged.at(&statement.place));
    }
    for condition in subjects {
        let what = format!("subject under {}", condition.operator_name);
        finding = finding.seen(what, trust::listed(&condition.values), &judged.at(&condition.place));
    }
    finding.fix(Fix::advice(format!(
        "name the service accounts that need role {role} under StringEquals, in {}; others may use it by now",
        statement.place
    )))
}

/// A user of some other account.
fn caller(judged: &Judgement<'_>) -> Request {
    let partition = Arn::split(&judged.token.provider_arn).map_or("aws", |arn| arn.partition);
    let mut context = Context::default();
    // What else such a caller has is not known, so a policy that requires it is not called open.
    context.set_unknown("*", "it depends on the caller");
    Request {
        principal: Principal::Aws {
            arn: format!("arn:{partition}:iam::000000000000:user/stranger"),
            role_arn: None,
        },
        action: String::from("sts:AssumeRole"),
        resource: None,
        context,
    }
}

/// A token of another provider of the account.
fn other_provider(judged: &Judgement<'_>) -> Request {
    let issuer = "another-issuer.invalid";
    let (head, _) = judged.token.provider_arn.split_once(":oidc-provider/").unwrap_or_default();
    Request::web_identity(WebIdentity {
        provider_arn: &format!("{head}:oidc-provider/{issuer}"),
        issuer,
        sub: "another-subject",
        aud: &["sts.amazonaws.com"],
    })
}

/// A token of the cluster for another service account.
fn with_sub(judged: &Judgement<'_>, namespace: &str, name: &str) -> Request {
    let mut request = judged.request.clone();
    let sub = format!("system:serviceaccount:{namespace}:{name}");
    request.context.set(format!("{}:sub", judged.token.issuer), Value::Present(vec![sub]));
    request
}
