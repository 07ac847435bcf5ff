//! # The Region is not enabled, but STS reports no provider
//!
//! In a Region that the role's account has not opted in to, STS does not know the account, and answers as if the OIDC provider
//! were missing. Creating the provider again fails, because it exists.
//!
//! **You see**: `InvalidIdentityToken: No OpenIDConnect provider found in your account for https://…`, with an endpoint such as
//! `sts.af-south-1.amazonaws.com`.
//!
//! **Decided by**: the same token at the endpoint of a Region that is active in every account. If STS finds the provider there,
//! the first answer was that of an inactive Region. If the second endpoint does not answer, it is enough that IAM has the
//! provider.
//!
//! **Not a fault**: an endpoint in an opt-in Region as such.
//!
//! **Repair**: enable the Region in the role's account; or have the pod use the STS endpoint of an active Region.

use crate::aws::arn::RoleArn;
use crate::aws_error::{Kind, Stage};
use crate::checks::prelude::*;
use crate::checks::{role_asked, with_answer};

pub(super) const META: Meta = Meta {
    id: "sts-optin-region-masquerade",
    step: Step::Sts,
    title: "the Region is not enabled, but STS reports no provider",
    explains: &["sts-refused"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let arn = match role_asked(derived) {
        Ok(arn) => arn,
        Err(outcome) => return outcome,
    };
    let refusal = match &derived.sts_answer {
        StsVerdict::Refused(refusal) if refusal.kind == Kind::NoProvider => refusal,
        StsVerdict::Open(open) => return unknown(&open.unknown()),
        StsVerdict::Accepted { .. } | StsVerdict::Refused(_) | StsVerdict::NotApplicable => {
            return Outcome::NotApplicable("STS does not report a missing provider");
        }
    };
    let iam = derived.facts.aws.provider.known();
    let confirmed = derived.second_sts_answer.passed(Stage::Provider);
    match &derived.second_sts_answer {
        _ if confirmed => {}
        StsVerdict::Open(open) if iam.is_none() => return unknown(&open.unknown()),
        StsVerdict::Open(_) => {}
        StsVerdict::Accepted { .. } | StsVerdict::Refused(_) | StsVerdict::NotApplicable => {
            return Outcome::Pass;
        }
    }
    let account = RoleArn::parse(&arn).map_or("the role's", |role| role.account);
    let region = derived.plan().region;
    let summary = format!(
        "{} does not know account {account}: Region {region} is not enabled there; no provider is missing",
        refusal.attempt.host
    );
    let mut finding = with_answer(META.on("Account", "", account, summary).inferred(), refusal);
    finding = match &derived.second_sts_answer {
        StsVerdict::Accepted { attempt, source } => {
            finding.seen(format!("answer of {}", attempt.host), "the token is accepted", source)
        }
        StsVerdict::Refused(second) if confirmed => with_answer(finding, second),
        _ => finding,
    };
    if let Some(provider) = iam {
        finding = finding.seen("OIDC provider in IAM", &provider.value.arn, &provider.source);
    }
    finding
        .fix(Fix::advice(format!("enable Region {region} in account {account} (AWS Regions in its account settings)")))
        .fix(Fix::advice("or have the pod call STS in an active Region, with AWS_ENDPOINT_URL_STS or the region in its code"))
        .into()
}
