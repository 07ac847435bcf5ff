//! # The provider or role was created moments ago
//!
//! What IAM has just written reaches the STS endpoints of all Regions some seconds later, occasionally a minute. Until then STS
//! refuses as if the provider or the role did not exist.
//!
//! **You see**: `No OpenIDConnect provider found in your account` or `Not authorized to perform sts:AssumeRoleWithWebIdentity`
//! right after a deployment, and never again.
//!
//! **Decided by**: STS does not know what IAM shows (a provider; a role whose trust policy allows the token), and IAM says that
//! it was created within the last two minutes. IAM does not record when a trust policy changed, so such a change is not seen.
//!
//! **Repair**: wait a minute and run this again. SDKs retry by themselves; restart pods that gave up.

use jiff::Timestamp;

use crate::aws_error::{Kind, Stage};
use crate::checks::prelude::*;
use crate::checks::{role_asked, with_answer};
use crate::policy::Decision;

pub(super) const META: Meta = Meta {
    id: "iam-eventual-consistency",
    step: Step::Sts,
    title: "the provider or role was created moments ago",
    explains: &["sts-refused"],
};

/// How long it takes at most, in seconds; the clock of the API server may differ a little from IAM's.
const SETTLED: i64 = 120;

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if let Err(outcome) = role_asked(derived) {
        return outcome;
    }
    let refusal = match &derived.sts_answer {
        StsVerdict::Refused(refusal) => refusal,
        StsVerdict::Open(open) => return unknown(&open.unknown()),
        StsVerdict::Accepted { .. } | StsVerdict::NotApplicable => return Outcome::Pass,
    };
    let aws = &derived.facts.aws;
    let allows =
        || derived.trust().judged().is_some_and(|judged| matches!(judged.to_trial, Decision::Allow { .. }));
    let (what, created, source) = match (refusal.kind, &aws.provider, &aws.role) {
        (Kind::NoProvider, Fact::Known(provider), _) => {
            ("OIDC provider", provider.value.created, &provider.source)
        }
        (_, _, Fact::Known(role)) if refusal.stage == Some(Stage::Trust) && allows() => {
            ("role", role.value.created, &role.source)
        }
        _ => return Outcome::Pass,
    };
    let Some(created) = created else { return Outcome::Pass };
    let clock = match &derived.facts.cluster.server_clock {
        Fact::Known(clock) => clock,
        Fact::Unknown(why) => return unknown(why),
        Fact::Absent { .. } => return Outcome::Pass,
    };
    let Some(age) = age(created, clock.value) else { return Outcome::Pass };
    let summary = format!("the {what} was created {age} s ago: it may take a minute until STS knows it");
    with_answer(META.on_account(derived, summary).inferred(), refusal)
        .seen(format!("{what} created"), created.to_string(), source)
        .seen("time", clock.value.to_string(), &clock.source)
        .fix(Fix::advice("wait a minute and run this again"))
        .into()
}

/// The age in seconds of something too new to be known everywhere.
fn age(created: Timestamp, now: Timestamp) -> Option<i64> {
    let age = now.as_second() - created.as_second();
    (-SETTLED..=SETTLED).contains(&age).then_some(age.max(0))
}
