//! # The pod cannot reach STS
//!
//! Requests to the STS endpoint get no answer: a private subnet without NAT and without an interface endpoint for STS, or with one
//! that lacks private DNS, a security group that lets the pods in on 443, or a subnet in the pod's zone; or a network policy.
//!
//! **You see**: `dial tcp 54.239.29.25:443: i/o timeout` (Go), `ConnectTimeoutError`, `Could not connect to the endpoint URL:
//! "https://sts.eu-west-1.amazonaws.com/"` (boto3). Java says nothing and goes on to the node's role.
//!
//! **Decided by**: the application's own words and the host that they name. That STS answers this machine says nothing about the
//! pod's way.
//!
//! **Not a fault**: that the cluster's OIDC issuer cannot be reached from the pod; STS fetches its keys from AWS's side. A name
//! that does not resolve is `dns-coredns` or `region-bogus`.
//!
//! **Repair**: give the VPC an interface endpoint `com.amazonaws.REGION.sts` with private DNS, or the subnet a way out, and let
//! network policies and security groups pass 443.

use super::hearsay;
use super::prelude::*;
use crate::aws_error::Kind;

/// See the module's page.
pub const META: Meta = Meta {
    id: "sts-unreachable-no-egress",
    step: Step::Network,
    title: "the pod cannot reach STS",
    explains: &["silent-fallback-to-node-role"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let found = hearsay::to_sts(derived, |kind| {
        matches!(kind, Kind::ConnectTimeout | Kind::ConnectionRefused | Kind::ConnectFailed)
    });
    let (said, host) = match found {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    let (what, found) = match said.error.kind {
        Kind::ConnectTimeout => ("gets no answer from", "no answer"),
        Kind::ConnectionRefused => ("is refused a connection by", "connection refused"),
        _ => ("cannot connect to", "no connection"),
    };
    let who = hearsay::speaker(derived);
    let region = derived.plan().region;
    let service = format!("com.amazonaws.{region}.sts");
    let filter = format!("Name=service-name,Values={service}");
    let summary = format!("{who} {what} {host}:443{}", hearsay::times(said));
    hearsay::finding(&META, derived, said, &summary)
        .evidence(format!("connection to {host}:443"), "accepted", found, said.source)
        .fix(
            "look whether the VPC has an endpoint for STS, with private DNS and a security group that lets the pods in",
            derived.aws(&["ec2", "describe-vpc-endpoints", "--region", &region, "--filters", &filter]),
        )
        .fix(
            "look for a network policy that keeps the pod from port 443",
            derived.kubectl(&["get", "networkpolicy", "-n", &derived.facts.namespace_name]),
        )
        .advice(format!("make an interface endpoint {service} with private DNS, or give the pod's subnet a NAT gateway"))
        .into()
}
