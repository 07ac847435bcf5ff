//! # The role ARN is not quite the role's
//!
//! A role with a path, `/team/app/`, has it in its ARN, and STS needs the whole ARN. (The old `aws-auth` ConfigMap was the other
//! way round: there the path had to be left out.) Case matters, too.
//!
//! ```text
//! bad   arn:aws:iam::111122223333:role/shop-checkout
//! good  arn:aws:iam::111122223333:role/team/app/shop-checkout
//! ```
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity`.
//!
//! **Decided by**: IAM, asked for the role by its name, answers with its ARN; the two are compared character by character.
//!
//! **Repair**: use the ARN exactly as IAM has it.

use crate::aws::arn::RoleArn;
use crate::checks::prelude::*;
use crate::checks::role_asked;
use crate::repair::service_account;

pub(super) const META: Meta = Meta {
    id: "role-path-missing",
    step: Step::Role,
    title: "the role ARN is not quite the role's",
    explains: &["sts-refused"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let arn = match role_asked(derived) {
        Ok(arn) => arn,
        Err(outcome) => return outcome,
    };
    if derived.sts_answer.accepted() {
        return Outcome::Pass;
    }
    let role = match &derived.facts.aws.role {
        Fact::Known(role) => role,
        Fact::Unknown(why) => return unknown(why),
        Fact::Absent { .. } => return Outcome::NotApplicable("the role does not exist"),
    };
    let (Ok(named), Ok(real)) = (RoleArn::parse(&arn), RoleArn::parse(&role.value.arn)) else {
        return Outcome::NotApplicable("the role ARN cannot be parsed");
    };
    if named.path_and_name == real.path_and_name {
        return Outcome::Pass;
    }
    let case_only = named.path_and_name.eq_ignore_ascii_case(real.path_and_name);
    let what = if case_only { "in case" } else { "in its path" };
    let summary = format!("the role ARN differs from role {}'s own {what}", role.value.name);
    let finding = META.on_account(derived, summary).evidence(
        "role ARN",
        &role.value.arn,
        arn,
        &role.source.at("Role.Arn"),
    );
    let finding = if case_only { finding.inferred() } else { finding };
    finding.fixes(service_account::rename_role(derived, &role.value.arn)).into()
}
