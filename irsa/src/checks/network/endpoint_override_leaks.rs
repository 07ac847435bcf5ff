//! # An endpoint override sends STS requests elsewhere
//!
//! `AWS_ENDPOINT_URL` holds for every service, STS included: what was meant for S3 (MinIO, LocalStack, a gateway) receives the
//! token exchange as well. `AWS_ENDPOINT_URL_STS` does so alone.
//!
//! **You see**: `SerializationError: failed to unmarshal error message`, `NoSuchVersion`, HTML where XML is due, `connection
//! refused`; or credentials of an emulator that AWS does not know (`InvalidClientTokenId`).
//!
//! **Decided by**: the host of the URL. For `AWS_ENDPOINT_URL_STS` and a host within the cluster this is an error; otherwise a
//! warning: SDKs from before 2023 (Go v1, Java v1, JavaScript v2) read neither variable, and a proxy of one's own may pass
//! requests on.
//!
//! **Not a fault**: STS's own hosts and VPC endpoints; `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true`; variables of another service
//! (`AWS_ENDPOINT_URL_S3`); an STS endpoint set beside the override, which wins.
//!
//! **Repair**: give STS an endpoint of its own beside it, or narrow the override to the service it is meant for, e.g.
//! `AWS_ENDPOINT_URL_S3`.

use crate::aws::endpoint;
use crate::aws::partition::is_region_shaped;
use crate::checks::prelude::*;
use crate::derive::sts::{self, Region};
use crate::repair::env;

/// See the module's page.
pub const META: Meta = Meta {
    id: "endpoint-override-leaks",
    step: Step::Network,
    title: "an endpoint override sends STS requests elsewhere",
    explains: &[
        "region-bogus",
        "sts-unreachable-no-egress",
        "dns-coredns",
        "tls-roots",
        "silent-fallback-to-node-role",
    ],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    match derived.intent.mechanism {
        _ if derived.containers.is_empty() => return Outcome::NotApplicable("no pod to look at"),
        Mechanism::PodIdentity => return Outcome::NotApplicable("EKS Pod Identity does not ask STS"),
        _ => {}
    }
    let findings = derived.judged().filter_map(|view| leak(derived, view)).collect();
    let unread = derived.judged().filter_map(|view| {
        let (name, entry) = sts::endpoint_override(&view.env)?;
        entry.text().is_none().then(|| entry.unread(name, view.name()))
    });
    Outcome::with_unread(findings, unread.collect())
}

fn leak(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    let (variable, entry) = sts::endpoint_override(&view.env)?;
    let url = entry.text()?;
    let host = endpoint::host_of_url(url).unwrap_or(url);
    if endpoint::serves_sts(host) {
        return None;
    }
    let for_sts = variable == "AWS_ENDPOINT_URL_STS";
    let certain = for_sts && endpoint::is_local(host);
    let severity = if certain { Severity::Error } else { Severity::Warning };
    let name = view.name();
    let finding = META
        .on_container(
            derived,
            view,
            severity,
            format!("{variable} of container {name} sends STS requests to {host}"),
        )
        .inferred()
        .evidence(variable, "a host of STS, or not set", url, &entry.source);
    if for_sts {
        return Some(finding.fix(env::take_out(derived, view, &[(variable, entry)])));
    }
    // What the override is meant for goes on working.
    let region = match Region::of(derived, view) {
        Region::Known(region) if is_region_shaped(region) => Some(region),
        _ => derived.node_region().map(|(region, _)| region),
    };
    let beside = region.and_then(|region| {
        let assignment = format!("AWS_ENDPOINT_URL_STS=https://{}", endpoint::regional_host(region));
        env::set(derived, view, &[assignment], "give STS its own endpoint beside the override")
    });
    let finding = finding.fix(beside.unwrap_or_else(|| {
        Fix::advice("set AWS_ENDPOINT_URL_STS to the regional endpoint of STS beside it")
    }));
    Some(finding.fix(Fix::advice(
        "or set the override for the service it is meant for alone, e.g. as AWS_ENDPOINT_URL_S3",
    )))
}
