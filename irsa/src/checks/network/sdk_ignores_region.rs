//! # The SDK calls STS in another Region than the pod's
//!
//! To exchange the token, some SDKs make a client for STS of their own that does not follow `AWS_REGION`: PHP before 3.36x and
//! JavaScript v3 from 3.502 call us-east-1; older SDKs call the global endpoint unless told otherwise. In a private cluster
//! only the name of the pod's own Region leads to the VPC endpoint.
//!
//! **You see**: `cURL error 28: Failed to connect to sts.us-east-1.amazonaws.com`, `connect ETIMEDOUT` at that host or at
//! `sts.amazonaws.com`, while `AWS_REGION` names another Region.
//!
//! **Decided by**: a failed connection to one of these two hosts, which the application reports, and a Region in the container's
//! environment that is not us-east-1. It is inferred: the application's own code may choose that Region.
//!
//! **Not a fault**: such a call that succeeds; `AWS_STS_REGIONAL_ENDPOINTS=legacy`, which is `sts-global-endpoint`; and a
//! container without a Region, which is `region-missing`. It needs no VPC endpoint in the other Region.
//!
//! **Repair**: name the endpoint for STS, which most SDKs read since 2023; or update the SDK, or give its client the Region in
//! code.

use super::failed;
use crate::aws::endpoint::{StsName, has_global_endpoint, regional_host};
use crate::aws_error::SdkName;
use crate::checks::prelude::*;
use crate::checks::shared::{app_errors, probed};
use crate::derive::sts::{REGION_VARIABLES, REGIONAL_ENDPOINTS};
use crate::derive::wire::Wire;
use crate::repair::env;

pub(super) const META: Meta = Meta {
    id: "sdk-ignores-region",
    step: Step::Network,
    title: "the SDK calls STS in another Region than the pod's",
    explains: &["silent-fallback-to-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let (said, host, wire) = match failed(derived, |(.., wire)| matches!(wire, Wire::OtherRegion(_))) {
        Ok(found) => found,
        Err(outcome) => return probed::or_pass(derived, META.step, outcome),
    };
    let (Wire::OtherRegion(own), Some(view)) = (wire, derived.target()) else { return Outcome::Pass };
    let who = app_errors::speaker(derived);
    let regional = regional_host(&own);
    let sdk = said.error.sdk.as_ref().map(|sdk| sdk.name);
    let summary =
        format!("{who} cannot reach {host}; its Region is {own}, so its SDK should call {regional}");
    let mut finding = app_errors::finding(&META, derived, said, &summary).inferred().evidence(
        "STS endpoint",
        &regional,
        host,
        said.source,
    );
    if let Some((variable, entry)) = view.env.first_set(&REGION_VARIABLES) {
        finding = finding.seen(variable, entry.shown(), &entry.source);
    }
    let is_global = StsName::parse(host).is_some_and(|name| name.region.is_none());
    let unset = view.env.get(REGIONAL_ENDPOINTS).is_none() && view.env.unread.is_empty();
    let variables: Vec<(&str, String)> = [
        (is_global && unset && has_global_endpoint(&own))
            .then(|| (REGIONAL_ENDPOINTS, String::from("regional"))),
        Some(("AWS_ENDPOINT_URL_STS", format!("https://{regional}"))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let title = "name the endpoint of the pod's own Region; restarts the pods";
    let assignments: Vec<Assignment> =
        variables.iter().map(|(name, value)| Assignment::set(*name, value)).collect();
    let set = env::set(derived, view, &assignments, title);
    let words: Vec<String> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
    finding
        .fix(set.unwrap_or_else(|| Fix::advice(format!("set {} in the manifest", words.join(" and ")))))
        .fix(Fix::advice(match sdk {
            Some(SdkName::Php) => "or update the AWS SDK for PHP: its web identity provider follows the Region only in later versions",
            Some(SdkName::JsV3) => "or give the credential provider the Region in code: clientConfig: { region }",
            _ => "or update the SDK, or give its STS client the Region in code",
        }))
        .into()
}
