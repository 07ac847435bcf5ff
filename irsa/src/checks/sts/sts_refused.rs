//! # STS refuses the token
//!
//! A fresh token of the service account was tried at STS, from this machine, for the role that the pod assumes; and STS refused
//! it. This is what remains if no other check can name the reason: mostly, because nobody may read IAM.
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity`, or another error of STS.
//!
//! **Decided by**: STS. The message also tells how far the token got. `Not authorized` proves that the OIDC provider exists and
//! that signature, expiry and audience are right: what remains is the role, which may not exist, and its trust policy.
//!
//! **Not a fault**: a refusal that only this machine gets. It calls under the pod's `AWS_ROLE_SESSION_NAME`, else under the session
//! name `kubectl-irsa-debug`; a role with a condition on the network or the session name may refuse it and accept the pod.
//!
//! **Repair**: check the role with credentials of its account, or give them to this command (`--profile`), which then says what
//! differs.

use crate::aws::arn::RoleArn;
use crate::aws_error::Stage;
use crate::checks::prelude::*;
use crate::checks::shared::{probed, trust};
use crate::checks::{role_asked, with_answer};
use crate::derive::sts_answer::Refusal;
use crate::derive::trust::{FIELD, Judgement};
use crate::facts::{Unknown, Why};
use crate::policy::Decision;
use crate::repair::role;

pub(super) const META: Meta = Meta {
    id: "sts-refused",
    step: Step::Sts,
    title: "STS refuses the token",
    explains: &["silent-fallback-to-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let arn = match role_asked(derived) {
        Ok(arn) => arn,
        Err(outcome) => return outcome,
    };
    match &derived.sts_answer {
        StsVerdict::Accepted { .. } => inside(derived),
        StsVerdict::Open(open) => unknown(&open.unknown()),
        StsVerdict::NotApplicable => Outcome::NotApplicable("no token was to be tried"),
        StsVerdict::Refused(refusal) if refusal.stage == Some(Stage::Trust) => {
            at_trust(derived, &arn, refusal)
        }
        StsVerdict::Refused(refusal) => {
            let summary =
                format!("STS refuses the token of {}: {}", derived.plan().subject(), refusal.message);
            finding(derived, summary, refusal).into()
        }
    }
}

/// STS accepts a fresh token, or a peer's: what it answers to the one in the pod.
fn inside(derived: &Derived<'_>) -> Outcome {
    match derived.probed.sts_answer() {
        Some(StsVerdict::Refused(refusal)) => {
            refused_inside(derived, &refusal).map_or(Outcome::Pass, Outcome::from)
        }
        Some(StsVerdict::Open(open)) => unknown(&open.unknown()),
        Some(StsVerdict::Accepted { .. } | StsVerdict::NotApplicable) | None => Outcome::Pass,
    }
}

fn refused_inside(derived: &Derived<'_>, refusal: &Refusal<'_>) -> Option<Finding> {
    let seen = probed::of_irsa(derived)?;
    let (taken, other) = match derived.peer.filter(|_| !derived.from_here.accepted()) {
        Some(peer) => (format!("the one in pod/{}", peer.pod), "that token"),
        None => (String::from("a fresh one from this machine"), "a fresh token"),
    };
    let summary = format!(
        "STS refuses the token in container {}, but accepts {taken}: {}",
        seen.container(),
        refusal.message
    );
    let finding = probed::finding(&META, derived, seen, summary);
    let finding = with_answer(finding, refusal).seen(
        "requested role",
        &refusal.attempt.role_arn,
        &seen.at("sts.roleArn"),
    );
    let StsVerdict::Accepted { attempt, source } = &derived.sts_answer else { return Some(finding) };
    Some(finding.seen(format!("answer of {} to {other}", attempt.host), "accepted", source))
}

fn finding(derived: &Derived<'_>, summary: String, refusal: &Refusal<'_>) -> Finding {
    let finding = with_answer(META.on_account(derived, summary), refusal).seen(
        "requested role",
        &refusal.attempt.role_arn,
        refusal.source,
    );
    match refusal.request_id() {
        Some(id) => finding.seen("request id, for a support case", id, refusal.source),
        None => finding,
    }
}

/// Provider, signature, times and audience are right: it is the role or its trust policy.
fn at_trust(derived: &Derived<'_>, arn: &str, refusal: &Refusal<'_>) -> Outcome {
    let subject = derived.plan().subject();
    match (derived.trust().judged(), &derived.facts.aws.role) {
        (Some(judged), _) if judged.may_refuse_trial_alone() => of_this_machine(derived, judged),
        (Some(judged), _) if matches!(judged.to_trial, Decision::Allow { .. }) => {
            let summary = format!(
                "{subject} is not allowed to assume {arn}, although the role's trust policy allows it"
            );
            finding(derived, summary, refusal)
                .seen("trust policy", "allows the token", &judged.source)
                .fix(Fix::advice("run this again in a minute: a change to a trust policy takes some seconds"))
                .fix(Fix::advice(
                    "if it persists, check for a resource control policy of the organization that denies \
                     sts:AssumeRoleWithWebIdentity",
                ))
                .into()
        }
        (Some(judged), _) if !judged.open.is_empty() => open(derived, arn, judged, refusal).into(),
        (_, Fact::Unknown(_)) => unread(derived, arn, refusal).into(),
        _ => finding(derived, format!("{subject} is not allowed to assume {arn}"), refusal).into(),
    }
}

/// The trust policy depends on something that is the same for the pod, and of which AWS does not say what it is.
fn open(derived: &Derived<'_>, arn: &str, judged: &Judgement<'_>, refusal: &Refusal<'_>) -> Finding {
    let what = judged.open.iter().map(|open| open.what.as_str()).collect::<Vec<_>>().join(" and ");
    let summary = format!(
        "{} is not allowed to assume {arn}; whether the role's trust policy allows it depends on {what}",
        derived.plan().subject()
    );
    let finding = finding(derived, summary, refusal);
    let finding = judged.open.iter().fold(finding, |finding, open| {
        let asked = format!("{} is required; {}", trust::listed(&open.values), open.why);
        finding.seen(&open.what, asked, &judged.at(&open.place))
    });
    finding.fix(Fix::advice(format!(
        "check whether the conditions of role {} on {what} are meant for calls with a token",
        judged.role.name
    )))
}

/// The role requires a network or a session name, in which this machine differs from the pod.
fn of_this_machine(derived: &Derived<'_>, judged: &Judgement<'_>) -> Outcome {
    let why = format!(
        "STS refuses it from this machine under session name {}; the trust policy of role {} requires a network or a session name",
        derived.plan().session_name,
        judged.role.name
    );
    Outcome::Unknown(vec![Unknown {
        what: String::from("STS's answer to the pod"),
        why: Why::NotAsked(why),
        grant: None,
    }])
}

/// Why the role could not be read is reported with what could not be checked.
fn unread(derived: &Derived<'_>, arn: &str, refusal: &Refusal<'_>) -> Finding {
    let subject = derived.plan().subject();
    let summary = format!(
        "role {arn} does not exist, or its trust policy, which could not be read, does not trust {subject}"
    );
    let finding = finding(derived, summary, refusal);
    let Ok(named) = RoleArn::parse(arn) else { return finding };
    let command = role::look_in(derived, named.account, named.name(), FIELD);
    let title = format!("check the role's trust policy{}: it must trust {subject}", command.first());
    finding
        .fix(Fix::inspect(title, command))
        .fix(Fix::advice(format!(
            "or run this again with credentials that allow iam:GetRole in account {}",
            named.account
        )))
        .fixes(role::ask_owner(derived, named.name(), refusal.request_id()))
}
