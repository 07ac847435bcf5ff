//! # The role does not exist
//!
//! The ARN names a role that IAM does not have: deleted, never created, or misspelt. STS does not say so: it refuses a missing
//! role and one that does not trust the token with the same message.
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity`.
//!
//! **Decided by**: IAM's `NoSuchEntity`, asked with credentials of the account that the ARN names: that of the annotation, or
//! those of the EKS Pod Identity association.
//!
//! **Not a fault**: a role that was deleted and recreated under the same name: IRSA works as before. But bucket and key
//! policies, and trust policies of other roles, that named the old one now hold a dead `AROA…` id, and refuse the new one.
//!
//! **Repair**: create the role, or correct the ARN. A new role may do nothing until policies are attached.

use crate::aws::arn::RoleArn;
use crate::checks::prelude::*;
use crate::checks::role_asked;
use crate::derive::association::Associated;
use crate::derive::trust::pod_identity::{HopTrust, hops};
use crate::repair::role;

pub(super) const META: Meta = Meta {
    id: "role-deleted-or-never-existed",
    step: Step::Role,
    title: "the role does not exist",
    explains: &["sts-refused"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if derived.intent.mechanism == Mechanism::PodIdentity {
        return of_association(derived);
    }
    let arn = match role_asked(derived) {
        Ok(arn) => arn,
        Err(outcome) => return outcome,
    };
    if derived.sts_answer.accepted() {
        return Outcome::Pass;
    }
    let source = match &derived.facts.aws.role {
        Fact::Known(_) => return Outcome::Pass,
        Fact::Unknown(why) => return unknown(why),
        Fact::Absent { source } => source,
    };
    let Ok(role) = RoleArn::parse(&arn) else {
        return Outcome::NotApplicable("the role ARN cannot be parsed");
    };
    let (path, name) = role.path_and_name.rsplit_once('/').unwrap_or(("", role.path_and_name));
    let summary = format!("account {} has no role {name}", role.account);
    let finding = META.on("IAMRole", "", &arn, summary).missing("IAM role", &arn, source);
    let finding = match &derived.intent.role {
        Some(claim) => finding.seen("the service account's role", claim.raw, &claim.source),
        None => finding,
    };
    finding
        .fixes(role::create(derived, role.account, path, name))
        .fix(Fix::advice("or, if the role has another name, put its ARN where this one is"))
        .into()
}

/// The same for the roles of an EKS Pod Identity association.
fn of_association(derived: &Derived<'_>) -> Outcome {
    if derived.agent_answer().is_some_and(|answer| answer.gave_credentials()) {
        return Outcome::Pass;
    }
    let Associated::Yes(association, named) = Associated::of(derived) else {
        return Outcome::NotApplicable("no EKS Pod Identity association is known");
    };
    let (mut findings, mut unread) = (Vec::new(), Vec::new());
    for hop in hops(derived) {
        let source = match &hop.trust {
            HopTrust::Judged(_) => continue,
            HopTrust::Unknown(unknowns) => {
                unread.extend(unknowns.iter().cloned());
                continue;
            }
            HopTrust::Missing(source) => source,
        };
        let Ok(role) = RoleArn::parse(hop.arn) else { continue };
        let (path, name) = role.path_and_name.rsplit_once('/').unwrap_or(("", role.path_and_name));
        let summary = format!(
            "account {} has no role {name}, which association {} names",
            role.account, association.id
        );
        let field = if hop.is_target { "association.targetRoleArn" } else { "association.roleArn" };
        let finding = META.on("IAMRole", "", hop.arn, summary).missing("IAM role", hop.arn, source).seen(
            "role of the association",
            hop.arn,
            &named.at(field),
        );
        findings.push(
            finding
                .fixes(role::create_for_pod_identity(derived, &hop, role.account, path, name))
                .fix(Fix::advice("or, if the role has another name, put its ARN into the association")),
        );
    }
    Outcome::with_unread(findings, unread)
}
