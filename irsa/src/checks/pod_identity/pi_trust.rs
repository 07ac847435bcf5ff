//! # The role does not trust EKS Pod Identity
//!
//! A role for EKS Pod Identity must allow the service `pods.eks.amazonaws.com` both `sts:AssumeRole` and `sts:TagSession`. A
//! role that was created for a web identity trusts the cluster's OIDC provider, which does not help here. If the association
//! has a target role, that one must trust the first role in the same way.
//!
//! ```text
//! bad   "Action": "sts:AssumeRole"
//! good  "Action": ["sts:AssumeRole", "sts:TagSession"]
//! ```
//!
//! **You see**: `(AccessDeniedException): Unauthorized Exception! EKS does not have permissions to assume the associated role.`
//! in the agent's answer.
//!
//! **Decided by**: the trust policies of the association's roles, evaluated for the session that EKS opens: its principal, its
//! tags (`aws:RequestTag/kubernetes-namespace`, `eks-cluster-arn`, …), and the cluster as `aws:SourceArn`. If they could not be
//! read, by the denial from EKS Auth, in the agent's answer to the probe or in the application's log; this is inferred. For a
//! pod that still has a web identity, it is a warning: its next restart is what fails.
//!
//! **Not a fault**: a denial that names the node's role is `pi-node-role`; a role that trusts the OIDC provider as well; no
//! `sts:TagSession` where the association has session tags disabled.
//!
//! **Repair**: add a statement for the service, which EKS's session tags limit to this service account; what the policy trusts
//! already stays. The agent asks again with the next request.

use super::agent::{self, Told};
use crate::aws::arn::{Arn, RoleArn};
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::trust::listed;
use crate::derive::association::Associated;
use crate::derive::trust::FIELD;
use crate::derive::trust::pod_identity::{
    Difference, Hop, HopFault, HopFaultKind, HopJudgement, HopTrust, cluster_arn, hops,
};
use crate::facts::Unknown;
use crate::facts::aws::Association;
use crate::repair::{pod_identity, role};

pub(super) const META: Meta = Meta {
    id: "pi-trust",
    step: Step::TrustPolicy,
    title: "the role does not trust EKS Pod Identity",
    explains: &["perm-chained-role"],
};

/// What the trust policy needs, where it could not be read.
const STATEMENT: &str = r#"{"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}"#;

/// Condition keys for the session's tags.
const TAGS: &str = "aws:RequestTag/";

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let associated = Associated::of(derived);
    let severity = match (derived.intent.mechanism, &associated) {
        (Mechanism::PodIdentity, _) | (Mechanism::None, Associated::Yes(..)) => Severity::Error,
        (Mechanism::Irsa, Associated::Yes(..)) => Severity::Warning,
        _ => return Outcome::NotApplicable("the pod does not use EKS Pod Identity"),
    };
    // What EKS and AWS did with the role outweighs our reading of its policy.
    let answered = derived.agent_answer().is_some_and(|answer| answer.gave_credentials());
    if severity == Severity::Error && (answered || derived.app_errors.prove_the_caller()) {
        return Outcome::Pass;
    }
    let (mut findings, mut unread, mut missing) = (Vec::new(), Vec::new(), false);
    match &associated {
        Associated::Yes(association, source) => {
            findings.extend(other_account(derived, association, source));
            for hop in hops(derived) {
                match &hop.trust {
                    HopTrust::Judged(judged) => {
                        unread.extend(judged.open.iter().cloned());
                        findings.extend(judged.fault.as_ref().map(|fault| {
                            let finding = found(derived, &hop, judged, fault).severity(severity);
                            if severity == Severity::Warning {
                                finding.inferred().doubt(Doubt::MayFail)
                            } else {
                                finding
                            }
                        }));
                    }
                    HopTrust::Unknown(unknowns) => unread.extend(unknowns.iter().cloned()),
                    // That is role-deleted-or-never-existed.
                    HopTrust::Missing(_) => missing = true,
                }
            }
        }
        Associated::No(_) => return Outcome::NotApplicable("there is no association, and so no role"),
        Associated::Unknown(unknown) => unread.push(unknown.clone()),
    }
    if severity == Severity::Warning {
        return Outcome::of(findings);
    }
    if !findings.is_empty() {
        return Outcome::Fail(findings);
    }
    match refused(derived, &associated, &unread) {
        _ if missing => Outcome::NotApplicable("the role does not exist"),
        Some(finding) => finding.into(),
        None => Outcome::with_unread(Vec::new(), unread),
    }
}

/// EKS Auth's denial, which no trust policy that could be read explains.
fn refused(derived: &Derived<'_>, associated: &Associated<'_>, unread: &[Unknown]) -> Option<Finding> {
    let told = Told {
        what: |who| format!("EKS Auth denies {who} the credentials of the associated role"),
        answer: "AccessDeniedException",
    };
    let denied = agent::refusal_of_eks(&META, derived, |said| said.kind == Kind::PodIdentityDenied, &told);
    let finding = denied.ok()?.1.inferred();
    if let Associated::Yes(..) = associated
        && unread.is_empty()
    {
        return Some(finding.fix(Fix::advice(
            "the trust policy allows it by now: try again in a minute; if EKS Auth still denies it, have the organization's \
             administrators check whether a service or resource control policy denies sts:AssumeRole",
        )));
    }
    let statement = Fix::advice(format!("the role's trust policy needs the statement {STATEMENT}"));
    let Associated::Yes(association, source) = associated else { return Some(finding.fix(statement)) };
    let Some(arn) = &association.role_arn else { return Some(finding.fix(statement)) };
    let finding = finding.seen("role of the association", arn, source);
    let look = RoleArn::parse(arn).ok().map(|role| {
        let command = role::look_in(derived, role.account, role.name(), FIELD);
        Fix::inspect(format!("check who the role trusts{}", command.first()), command)
    });
    Some(finding.fixes(look).fix(statement))
}

/// EKS assumes only roles of the cluster's own account.
fn other_account(derived: &Derived<'_>, association: &Association, source: &Source) -> Option<Finding> {
    let arn = association.role_arn.as_deref()?;
    let cluster = cluster_arn(derived, association)?;
    let (own, other) = (Arn::account_of(&cluster)?, Arn::account_of(arn)?);
    if own == other {
        return None;
    }
    let summary = format!("the role of the association is in account {other}, the cluster in {own}");
    let finding = META.on_account(derived, summary).evidence("account of the role", own, other, source);
    Some(finding.fix(Fix::advice(format!(
        "associate a role of account {own}, and name {arn} as the association's target role"
    ))))
}

fn found(derived: &Derived<'_>, hop: &Hop<'_>, judged: &HopJudgement<'_>, fault: &HopFault) -> Finding {
    let first = fault.differences.first();
    let summary = summary(derived, hop, judged, fault.kind, first);
    let finding = META.on("IAMRole", "", &judged.role.name, summary);
    let finding = fault.differences.iter().fold(finding, |finding, difference| {
        let Difference { what, has, found, source } = difference;
        match has {
            Some(has) => finding.evidence(what, has, listed(found), source),
            None => finding.seen(what, listed(found), source),
        }
    });
    let Associated::Yes(association, source) = Associated::of(derived) else { return finding };
    let role = if hop.is_target { "target role" } else { "role" };
    let finding = finding.seen(format!("{role} of association {}", association.id), hop.arn, source);
    // The role is meant for sessions with tags: those that opening it up would do without.
    let asks_for_tags = fault.differences.iter().any(|it| it.has.is_none() && it.what.starts_with(TAGS));
    let enable = pod_identity::enable_session_tags(derived, association).filter(|_| asks_for_tags);
    finding.fix(enable.unwrap_or_else(|| pod_identity::trust(derived, hop, judged)))
}

fn summary(
    derived: &Derived<'_>,
    hop: &Hop<'_>,
    judged: &HopJudgement<'_>,
    kind: HopFaultKind,
    first: Option<&Difference>,
) -> String {
    let name = &judged.role.name;
    let role = if hop.is_target { format!("target role {name}") } else { format!("role {name}") };
    let who = if hop.is_target { "the association's first role" } else { "EKS Pod Identity" };
    let (what, has, found) = first.map_or(("", None, String::new()), |first| {
        (first.what.as_str(), first.has.as_deref(), listed(&first.found))
    });
    let what_fails = match kind {
        HopFaultKind::Deny => format!("{role} denies {who} the session: {what}"),
        HopFaultKind::Principal => format!("{role} trusts {found}, not {who}"),
        HopFaultKind::Action => {
            format!("{role} allows {who} {found}, but it takes {}", has.unwrap_or_default())
        }
        HopFaultKind::Condition => {
            let key = what.split(' ').next().unwrap_or_default();
            let untagged =
                matches!(Associated::of(derived), Associated::Yes(found, _) if !found.session_tags);
            match has {
                Some(has) => format!("{role} trusts {who} only with {key} {found}; the pod's is {has}"),
                None if untagged && key.starts_with(TAGS) => {
                    format!(
                        "{role} trusts {who} only with {key} {found}; the association has session tags disabled"
                    )
                }
                None => format!("{role} trusts {who} only with {key} {found}, which EKS does not send"),
            }
        }
    };
    match derived.intent.mechanism {
        Mechanism::Irsa => format!("the pod's next restart gets no credentials: {what_fails}"),
        _ => what_fails,
    }
}
