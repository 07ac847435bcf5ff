//! The trust policy of the role.

use super::{Act, AwsCall, AwsChange, Fix, PolicyChange};
use crate::aws::arn::Arn;
use crate::derive::Derived;
use crate::derive::trust::{Fault, Judgement, QUOTA, REQUESTED_REGION, words};
use crate::facts::Source;
use crate::facts::aws::Role;
use crate::policy::{Change, Document, Reach, Repair};

/// Puts the corrected policy in place: the one that lets in the subject alone; then, for a person to choose, the one that lets
/// in those of its namespace whom a pattern covers. What would drop a condition that counts is advice.
pub(crate) fn let_in(derived: &Derived<'_>, judged: &Judgement<'_>, fault: &Fault) -> Vec<Fix> {
    let (name, sub, statement) = (&judged.role.name, &judged.token.sub, fault.statement());
    if fault.misses.iter().any(|miss| miss.excludes) {
        let advice = format!("if {sub} is not meant to be excluded, exempt it in {statement}");
        return vec![Fix::advice(advice)];
    }
    // The request has the key, and another value: a statement without the condition would give it up.
    if let Some(miss) = fault.misses.iter().find(|miss| miss.is_of_the_call())
        && fault.kind == miss.kind
    {
        let has = miss.expected.as_deref().unwrap_or_default();
        let or = if miss.what.starts_with(REQUESTED_REGION) {
            ", or have the pod call STS in a Region that it allows"
        } else {
            ""
        };
        let advice = format!(
            "if {sub} is meant to assume role {name}, allow {has} in the condition on {} of {statement}{or}",
            miss.what
        );
        return vec![Fix::advice(advice)];
    }
    let Some(change) = &judged.change else {
        return vec![Fix::advice(format!("add a statement that trusts {sub}"))];
    };
    if matches!(change.repair, Repair::Append(_)) && fault.other_conditions {
        return vec![Fix::advice(format!(
            "in the trust policy of role {name}: {}, with the other conditions of {statement}",
            words(change, &judged.token)
        ))];
    }
    let title = format!("in the trust policy of role {name}: {}", words(change, &judged.token));
    let title = match &change.repair {
        Repair::Edit(edits) if edits.iter().any(|edit| judged.vacant.contains(&edit.from)) => {
            format!("{title}; the cluster has no such service account")
        }
        _ => title,
    };
    let put = put(derived, judged, change, title);
    let namespace = &derived.facts.namespace_name;
    let wider = judged.wider.as_ref().map(|change| {
        let title = format!(
            "or, if other service accounts of namespace {namespace} are meant as well: {}; the role then trusts every one that \
             the pattern covers",
            words(change, &judged.token)
        );
        self::put(derived, judged, change, title).alternative()
    });
    [put].into_iter().chain(wider).collect()
}

/// What puts it in place.
fn put(derived: &Derived<'_>, judged: &Judgement<'_>, change: &Change, title: String) -> Fix {
    let title = match judged.over_quota(change) {
        Some(length) => {
            format!("{title} ({length} characters; IAM's quota is {QUOTA} unless it was raised)")
        }
        None => title,
    };
    let (act, change_of_it) = replace(derived, judged.role, &judged.document, change.correction.document());
    let fix = if is_own(judged, change) { Fix::own(title, act) } else { Fix::shared(title, act) };
    fix.changing(change_of_it)
}

/// What replaces the trust policy of a role, and what changes by it.
pub(super) fn replace(
    derived: &Derived<'_>,
    role: &Role,
    from: &Document,
    to: &Document,
) -> (Act, PolicyChange) {
    let account = Arn::account_of(&role.arn).unwrap_or_default();
    let call = AwsCall::UpdateAssumeRolePolicy { role: role.name.clone(), document: to.json().clone() };
    let act = Act::of(derived, AwsChange { account: Some(account.to_owned()), call });
    (act, PolicyChange::of_trust_policy(derived, account, &role.name, from, to))
}

/// True if the change affects nobody else. `update-assume-role-policy` replaces the whole document, so it is the target's own
/// only if three things hold:
///
/// * it corrects the one statement that is meant for this service account and trusts nobody else. An added statement, or a
///   subject added to another, gives the role to one more: if that were safe, anyone who may annotate a service account could
///   have a program grant it any role;
/// * the document was read in this run. A file may be weeks old, and the command would restore that state for everyone;
/// * nothing in it was odd. What was dropped while reading would be dropped for the others too.
fn is_own(judged: &Judgement<'_>, change: &Change) -> bool {
    change.correction.reach() == Reach::Own
        && matches!(judged.source, Source::Aws { .. })
        && judged.document.oddities.is_empty()
}
