//! # The pod cannot reach STS
//!
//! Requests to the STS endpoint get no answer: a private subnet without NAT and without an interface endpoint for STS, or with one
//! that lacks private DNS, a security group that lets the pods in on 443, or a subnet in the pod's zone; or a network policy.
//!
//! **You see**: `dial tcp 54.239.29.25:443: i/o timeout` (Go), `ConnectTimeoutError`, `Could not connect to the endpoint URL:
//! "https://sts.eu-west-1.amazonaws.com/"` (boto3). Java says nothing and goes on to the node's role.
//!
//! **Decided by**: the probe, which goes the pod's way to the endpoint that its SDK would call, step by step; else the application's
//! own words and the host that they name. That STS answers this machine says nothing about the pod's way.
//!
//! **Not a fault**: that the cluster's OIDC issuer cannot be reached from the pod; STS fetches its keys from AWS's side. A name
//! that does not resolve is `dns-coredns` or `region-bogus`.
//!
//! **Repair**: give the VPC an interface endpoint `com.amazonaws.REGION.sts` with private DNS, or the subnet a way out, and let
//! network policies and security groups pass 443.

use irsa_probe::FaultKind;

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::{app_errors, probed};
use crate::derive::probed::{Leg, ProbedPod};
use crate::repair::vpc_endpoint;

/// See the module's page.
pub const META: Meta = Meta {
    id: "sts-unreachable-no-egress",
    step: Step::Network,
    title: "the pod cannot reach STS",
    explains: &["silent-fallback-to-node-role"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    if let Some(finding) = probed::of_irsa(derived).and_then(|seen| blocked(derived, seen)) {
        return finding.into();
    }
    let found = app_errors::to_sts(derived, |kind| {
        matches!(kind, Kind::ConnectTimeout | Kind::ConnectionRefused | Kind::ConnectFailed)
    });
    let (said, host) = match found {
        Ok(found) => found,
        Err(outcome) => return probed::or_pass(derived, META.step, outcome),
    };
    let (what, found) = match said.error.kind {
        Kind::ConnectTimeout => ("gets no answer from", "no answer"),
        Kind::ConnectionRefused => ("is refused a connection by", "connection refused"),
        _ => ("cannot connect to", "no connection"),
    };
    let who = app_errors::speaker(derived);
    let summary = format!("{who} {what} {host}:443{}", app_errors::times(said));
    let finding = app_errors::finding(&META, derived, said, &summary).evidence(
        format!("connection to {host}:443"),
        "accepted",
        found,
        said.source,
    );
    repaired(derived, finding).into()
}

/// The probe found no way to the endpoint, or none that answers.
fn blocked(derived: &Derived<'_>, seen: &ProbedPod<'_>) -> Option<Finding> {
    let (_, way) = seen.way()?;
    let host = seen.sts_host().filter(|_| way.proxy.is_none())?;
    let (what, found, field) = match seen.blocked() {
        Some((Leg::Tcp, kind)) => {
            let what = match kind {
                FaultKind::Timeout => "gets no answer from",
                FaultKind::Refused => "is refused a connection by",
                FaultKind::Unreachable => "has no route to",
                _ => "cannot connect to",
            };
            (what, way.fault.as_ref()?.text.clone(), "network.connection.tcp")
        }
        // A certificate that is not trusted is another fault.
        Some((Leg::Tls, kind)) if kind != FaultKind::Certificate => {
            ("connects, and gets no TLS from", way.fault.as_ref()?.text.clone(), "network.connection.tls")
        }
        None => {
            let (fault, None) = seen.no_answer()? else { return None };
            ("reaches, and gets no answer from", fault.text.clone(), "sts.assume")
        }
        Some(_) => return None,
    };
    let summary = format!("container {} {what} {host}:443", seen.container());
    let mut finding = probed::finding(&META, derived, seen, summary).evidence(
        format!("connection to {host}:443"),
        "accepted and answered",
        found,
        &seen.at(field),
    );
    for (index, attempt) in
        way.tcp.iter().enumerate().filter(|(_, attempt)| attempt.fault.is_some()).take(SHOWN)
    {
        let fault = attempt.fault.as_ref().map_or("", |fault| &fault.text);
        let at = seen.at(&format!("network.connection.tcp[{index}]"));
        finding = finding.seen(&attempt.address, format!("{fault}, after {} ms", attempt.millis), &at);
    }
    Some(repaired(derived, finding))
}

/// Addresses that are shown: an endpoint has one in each of its zones.
const SHOWN: usize = 3;

fn repaired(derived: &Derived<'_>, finding: Finding) -> Finding {
    let region = derived.plan().region;
    let service = format!("com.amazonaws.{region}.sts");
    finding
        .fix(Fix::inspect(
            "look whether the VPC has an endpoint for STS, with private DNS and a security group that lets the pods in",
            vpc_endpoint::list(derived, &region, "sts"),
        ))
        .fix(Fix::inspect(
            "look for a network policy that keeps the pod from port 443",
            Command::kubectl(derived, &["get", "networkpolicy", "-n", &derived.facts.namespace_name]),
        ))
        .fix(Fix::advice(format!("make an interface endpoint {service} with private DNS, or give the pod's subnet a NAT gateway")))
}
