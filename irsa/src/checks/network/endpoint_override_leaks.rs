//! # An endpoint override sends STS requests elsewhere
//!
//! `AWS_ENDPOINT_URL` applies to every service, STS included: an override meant for S3 (MinIO, LocalStack, a gateway) receives
//! the token exchange as well. `AWS_ENDPOINT_URL_STS` redirects STS alone.
//!
//! **You see**: `SerializationError: failed to unmarshal error message`, `NoSuchVersion`, HTML instead of XML, `connection
//! refused`; or credentials from an emulator that AWS does not know (`InvalidClientTokenId`).
//!
//! **Decided by**: the host in the URL. For `AWS_ENDPOINT_URL_STS` and a host inside the cluster this is an error; otherwise a
//! warning: SDKs from before 2023 (Go v1, Java v1, JavaScript v2) read neither variable, and your own proxy may forward the
//! requests.
//!
//! **Not a fault**: STS's own hosts and VPC endpoints; `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true`; variables for another service
//! (`AWS_ENDPOINT_URL_S3`); an STS endpoint set alongside the override, which takes precedence.
//!
//! **Repair**: set a separate endpoint for STS, or limit the override to the service it is meant for, e.g.
//! `AWS_ENDPOINT_URL_S3`.

use crate::aws::endpoint;
use crate::aws::partition::is_region_shaped;
use crate::checks::prelude::*;
use crate::derive::sts::{self, Region};
use crate::repair::env;

pub(super) const META: Meta = Meta {
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

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    match derived.intent.mechanism {
        _ if derived.containers.is_empty() => return Outcome::NotApplicable("no pod to look at"),
        Mechanism::PodIdentity => return Outcome::NotApplicable("EKS Pod Identity does not call STS"),
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
        .evidence(variable, "an STS host, or not set", url, &entry.source);
    if for_sts {
        return Some(finding.fix(env::take_out(derived, view, &[(variable, entry)])));
    }
    // Whatever the override is meant for keeps working.
    let region = match Region::of(derived, view) {
        Region::Known(region) if is_region_shaped(region) => Some(region),
        _ => derived.node_region().map(|(region, _)| region),
    };
    let beside = region.and_then(|region| {
        let assignment = format!("AWS_ENDPOINT_URL_STS=https://{}", endpoint::regional_host(region));
        env::set(derived, view, &[assignment], "set a separate endpoint for STS alongside the override")
    });
    let finding =
        finding
            .fix(beside.unwrap_or_else(|| {
                Fix::advice("also set AWS_ENDPOINT_URL_STS to the regional STS endpoint")
            }));
    Some(
        finding.fix(Fix::advice(
            "or limit the override to the service it is meant for, e.g. AWS_ENDPOINT_URL_S3",
        )),
    )
}
