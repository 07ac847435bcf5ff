//! # STS is deactivated in this Region
//!
//! An administrator can deactivate STS per Region and account. It is the **role's** account that counts.
//!
//! **You see**: `RegionDisabledException: STS is not activated in this region for account:111122223333. Your account
//! administrator can activate STS in this region using the IAM Console.`
//!
//! **Decided by**: STS's answer to a fresh token, at the endpoint that the pod uses.
//!
//! **Repair**: activate STS for the Region in the IAM console of the role's account (Account settings, Security Token Service);
//! there is no API for it. Or have the pod use another Region's endpoint.

use crate::aws::arn::RoleArn;
use crate::aws_error::{Kind, Stage};
use crate::checks::prelude::*;
use crate::checks::{role_asked, with_answer};

pub(super) const META: Meta = Meta {
    id: "sts-region-disabled",
    step: Step::Sts,
    title: "STS is deactivated in this Region",
    explains: &["sts-refused"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let arn = match role_asked(derived) {
        Ok(arn) => arn,
        Err(outcome) => return outcome,
    };
    let refusal = match &derived.sts_answer {
        attempt if attempt.passed(Stage::Region) => return Outcome::Pass,
        StsVerdict::Refused(refusal) if refusal.kind == Kind::RegionDisabled => refusal,
        StsVerdict::Open(open) => return unknown(&open.unknown()),
        StsVerdict::Accepted { .. } | StsVerdict::Refused(_) | StsVerdict::NotApplicable => {
            return Outcome::NotApplicable("STS does not mention the Region");
        }
    };
    let account = RoleArn::parse(&arn).map_or("the role's", |role| role.account);
    let region = derived.plan().region;
    let summary = format!("STS is deactivated in {region} for account {account}");
    with_answer(META.on("Account", "", account, summary), refusal)
        .fix(Fix::advice(format!(
            "activate STS for {region} in the IAM console of account {account}: Account settings, Security Token Service"
        )))
        .into()
}
