//! # The global endpoint's credentials are invalid in this opt-in Region
//!
//! The global STS endpoint, `sts.amazonaws.com`, issues version 1 session tokens unless the account says otherwise. Regions that
//! an account has to opt in to accept only version 2.
//!
//! **You see**: `InvalidClientTokenId: The security token included in the request is invalid`, `AWS was not able to validate the
//! provided access credentials`, after the role was assumed without trouble.
//!
//! **Decided by**: AWS's error in the application's log, while the container's environment sends it to the global endpoint and
//! its region is an opt-in one.
//!
//! **Not a fault**: the global endpoint in Regions that every account has; they accept both versions.
//!
//! **Repair**: use the regional endpoint. The account can also issue version 2 everywhere (`aws iam
//! set-security-token-service-preferences`), which changes tokens for all its users.

use crate::aws::endpoint;
use crate::aws::partition::{is_region_shaped, partition_of_region};
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors;
use crate::derive::sts::{self, Region};
use crate::repair::env;

pub(super) const META: Meta = Meta {
    id: "token-v1-optin-region",
    step: Step::Sts,
    title: "the global endpoint's credentials are invalid in this opt-in Region",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let said = match app_errors::of_irsa(derived, |kind| kind == Kind::InvalidClientToken) {
        Ok(said) => said,
        Err(outcome) => return outcome,
    };
    let Some(view) = derived.target() else { return Outcome::NotApplicable("no pod to look at") };
    let Region::Known(region) = Region::of(derived, view) else {
        return Outcome::NotApplicable("the region of the container is not known");
    };
    let opt_in = is_region_shaped(region)
        && partition_of_region(region) == "aws"
        && !endpoint::has_global_endpoint(region);
    let global = sts::host(derived, view).is_some_and(|host| host == "sts.amazonaws.com");
    let Some((variable, entry)) = sts::endpoint_override(&view.env).filter(|_| opt_in && global) else {
        return Outcome::NotApplicable("the container does not use the global endpoint in an opt-in Region");
    };
    let who = app_errors::speaker(derived);
    let summary = format!("{who} gets credentials from sts.amazonaws.com, which {region} does not accept");
    let finding = app_errors::finding(&META, derived, said, &summary)
        .inferred()
        .evidence("STS endpoint", endpoint::regional_host(region), "sts.amazonaws.com", &entry.source)
        .seen("AWS's error", "InvalidClientTokenId", said.source);
    finding.fix(env::take_out(derived, view, &[(variable, entry)])).into()
}
