//! # The role does not trust EKS Pod Identity
//!
//! A role for EKS Pod Identity must allow the service `pods.eks.amazonaws.com` both `sts:AssumeRole` and `sts:TagSession`. A
//! role that was created for a web identity trusts the cluster's OIDC provider, which does not help here.
//!
//! **You see**: `(AccessDeniedException): Unauthorized Exception! EKS does not have permissions to assume the associated role.`
//! in the agent's answer.
//!
//! **Decided by**: the denial from EKS Auth, in the agent's answer to the probe or in the application's log. The trust policy
//! itself is not read, so this is inferred; conditions on `aws:SourceAccount`, `aws:SourceArn` or the session's tags can also
//! cause it.
//!
//! **Not a fault**: a denial that names the node's role is `pi-node-role`.
//!
//! **Repair**: make the role trust the service. The agent asks again with the next request.

use super::agent::{self, Told};
use crate::aws::arn::RoleArn;
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::derive::association::Associated;
use crate::derive::trust::FIELD;
use crate::repair::role;

pub(super) const META: Meta = Meta {
    id: "pi-trust",
    step: Step::TrustPolicy,
    title: "the role does not trust EKS Pod Identity",
    explains: &[],
};

/// What the trust policy needs.
const STATEMENT: &str = r#"{"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}"#;

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let told = Told {
        what: |who| format!("EKS Auth denies {who} the credentials of the associated role"),
        answer: "AccessDeniedException",
    };
    let finding = match agent::refusal_of_eks(&META, derived, |kind| kind == Kind::PodIdentityDenied, &told) {
        Ok((_, finding)) => finding.inferred(),
        Err(outcome) => return outcome,
    };
    let statement = format!("the role's trust policy needs the statement {STATEMENT}");
    let Associated::Yes(association, source) = Associated::of(derived) else {
        return finding.fix(Fix::advice(statement)).into();
    };
    let Some(arn) = &association.role_arn else { return finding.fix(Fix::advice(statement)).into() };
    let finding = finding.seen("role of the association", arn, source);
    let look = RoleArn::parse(arn).ok().map(|role| {
        let command = role::look_in(derived, role.account, role.name(), FIELD);
        Fix::inspect(format!("check who the role trusts{}", command.first()), command)
    });
    finding.fixes(look).fix(Fix::advice(statement)).into()
}
