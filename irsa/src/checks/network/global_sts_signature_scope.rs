//! # A signed call goes to the global STS endpoint
//!
//! The code pins `https://sts.amazonaws.com` while its SDK signs for the pod's region, and the global endpoint accepts only
//! signatures for `us-east-1`. `AssumeRoleWithWebIdentity` is not signed, so assuming the role itself worked; the next call to
//! STS (`AssumeRole`, `GetCallerIdentity`) fails.
//!
//! **You see**: `SignatureDoesNotMatch: Credential should be scoped to a valid region`.
//!
//! **Decided by**: AWS's error message.
//!
//! **Not a fault**: anything in the role, its trust policy or its permissions.
//!
//! **Repair**: remove the hard-coded endpoint from the code or its configuration; with `AWS_STS_REGIONAL_ENDPOINTS=regional` and
//! a region the SDK picks the right one.

use crate::aws::endpoint;
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors;

pub(super) const META: Meta = Meta {
    id: "global-sts-signature-scope",
    step: Step::Network,
    title: "a signed call goes to the global STS endpoint",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let said = match app_errors::of_irsa(derived, |kind| kind == Kind::SignatureScope) {
        Ok(said) => said,
        Err(outcome) => return outcome,
    };
    let plan = derived.plan();
    let who = app_errors::speaker(derived);
    let summary =
        format!("{who} signs for {}, but the STS endpoint that it calls expects another region", plan.region);
    app_errors::finding(&META, derived, said, &summary)
        .inferred()
        .evidence("region in the signature", "a region that the endpoint accepts", &plan.region, said.source)
        .fix(Fix::advice(format!(
            "remove the hard-coded STS endpoint (usually https://sts.amazonaws.com) from the application's code or \
             configuration, so that its SDK calls {}",
            endpoint::regional_host(&plan.region)
        )))
        .into()
}
