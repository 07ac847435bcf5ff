//! # A signed call goes to the global STS endpoint
//!
//! The code pins `https://sts.amazonaws.com` while its SDK signs for the pod's region, and the global endpoint takes only
//! signatures for `us-east-1`. `AssumeRoleWithWebIdentity` is not signed, so the role itself was had: the next call to STS
//! (`AssumeRole`, `GetCallerIdentity`) fails.
//!
//! **You see**: `SignatureDoesNotMatch: Credential should be scoped to a valid region`.
//!
//! **Decided by**: AWS's own words.
//!
//! **Not a fault**: of the role, its trust policy or its permissions.
//!
//! **Repair**: take the fixed endpoint out of the code or its configuration; with `AWS_STS_REGIONAL_ENDPOINTS=regional` and a
//! region the SDK finds the right one.

use crate::aws::endpoint;
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors;

/// See the module's page.
pub const META: Meta = Meta {
    id: "global-sts-signature-scope",
    step: Step::Network,
    title: "a signed call goes to the global STS endpoint",
    explains: &[],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let said = match app_errors::of_irsa(derived, |kind| kind == Kind::SignatureScope) {
        Ok(said) => said,
        Err(outcome) => return outcome,
    };
    let plan = derived.plan();
    let who = app_errors::speaker(derived);
    let summary =
        format!("{who} signs for {}, and the STS endpoint that it calls takes another region", plan.region);
    app_errors::finding(&META, derived, said, &summary)
        .inferred()
        .evidence("scope of the signature", "a region that the endpoint takes", &plan.region, said.source)
        .fix(Fix::advice(format!(
            "take the fixed STS endpoint (https://sts.amazonaws.com, mostly) out of the application's code or configuration, so \
             that its SDK calls {}",
            endpoint::regional_host(&plan.region)
        )))
        .into()
}
