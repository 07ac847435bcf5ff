//! # The pod cannot reach STS
//!
//! Requests to the STS endpoint get no answer. The pod's subnet is private, without NAT and without an interface endpoint for
//! STS; or the endpoint is there, but without private DNS, without a subnet in the pod's zone, or with a security group that
//! does not allow the pods in on 443; or a network policy blocks the pod.
//!
//! **You see**: `dial tcp 54.239.29.25:443: i/o timeout` (Go), `ConnectTimeoutError`, `Could not connect to the endpoint URL:
//! "https://sts.eu-west-1.amazonaws.com/"` (boto3). Java says nothing and falls back to the node's role.
//!
//! **Decided by**: the probe, which follows the pod's path to the endpoint that its SDK would call, step by step; otherwise what
//! the application reports, and the host in its message. That STS answers this machine says nothing about the pod's path.
//!
//! **Not a fault**: an OIDC issuer that the pod cannot reach; STS fetches its keys from AWS's side. A name that does not resolve
//! is `dns-coredns` or `region-bogus`.
//!
//! **Repair**: create an interface endpoint `com.amazonaws.REGION.sts` with private DNS in the VPC, or give the subnet a way
//! out, and allow 443 in network policies and security groups.

use irsa_probe::FaultKind;

use super::failed_on_the_way;
use crate::aws::endpoint::StsName;
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::{app_errors, probed};
use crate::derive::probed::{Leg, ProbedPod};
use crate::repair::vpc_endpoint;

pub(super) const META: Meta = Meta {
    id: "sts-unreachable-no-egress",
    step: Step::Network,
    title: "the pod cannot reach STS",
    explains: &["silent-fallback-to-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if let Some(finding) = probed::of_irsa(derived).and_then(|seen| blocked(derived, seen)) {
        return finding.into();
    }
    let found = failed_on_the_way(derived, |kind| {
        matches!(kind, Kind::ConnectTimeout | Kind::ConnectionRefused | Kind::ConnectFailed)
    });
    let (said, host) = match found {
        Ok(found) => found,
        Err(outcome) => return probed::or_pass(derived, META.step, outcome),
    };
    let (what, found) = match said.error.kind {
        Kind::ConnectTimeout => ("gets no answer from", "no answer"),
        Kind::ConnectionRefused => ("gets connection refused from", "connection refused"),
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
    repaired(derived, finding, host, said.error.kind == Kind::ConnectionRefused).into()
}

/// The probe could not reach the endpoint, or got no answer from it.
fn blocked(derived: &Derived<'_>, seen: &ProbedPod<'_>) -> Option<Finding> {
    let (_, way) = seen.way()?;
    let host = seen.sts_host().filter(|_| way.proxy.is_none())?;
    let (what, found, field) = match seen.blocked() {
        Some((Leg::Tcp, kind)) => {
            let what = match kind {
                FaultKind::Timeout => "gets no answer from",
                FaultKind::Refused => "gets connection refused from",
                FaultKind::Unreachable => "has no route to",
                _ => "cannot connect to",
            };
            (what, way.fault.as_ref()?.text.clone(), "network.connection.tcp")
        }
        // A certificate that is not trusted is another fault.
        Some((Leg::Tls, kind)) if kind != FaultKind::Certificate => (
            "connects, but cannot set up TLS with",
            way.fault.as_ref()?.text.clone(),
            "network.connection.tls",
        ),
        None => {
            let (fault, None) = seen.no_answer()? else { return None };
            // What is not understood is an answer, if none of STS's.
            if fault.kind == FaultKind::Protocol {
                return None;
            }
            ("connects, but gets no answer from", fault.text.clone(), "sts.assume")
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
    Some(repaired(derived, finding, host, matches!(seen.blocked(), Some((Leg::Tcp, FaultKind::Refused)))))
}

/// Addresses that are shown: an endpoint has one in each of its zones.
const SHOWN: usize = 3;

fn repaired(derived: &Derived<'_>, finding: Finding, host: &str, refused: bool) -> Finding {
    if refused {
        return finding.fix(Fix::advice(
            "find what refuses it: AWS does not refuse connections to STS. It is nearer: the proxy of a service mesh that does not \
             let the pod out, a hostAliases entry or a DNS rewrite for the name, or a firewall",
        ));
    }
    let named = StsName::parse(host).and_then(|name| name.region).map(str::to_owned);
    let region = named.unwrap_or_else(|| derived.plan().region);
    let service = format!("com.amazonaws.{region}.sts");
    finding
        .fix(Fix::inspect(
            "check whether the VPC has an endpoint for STS, with private DNS and a security group that allows the pods in",
            vpc_endpoint::list(derived, &region, "sts"),
        ))
        .fix(Fix::inspect(
            "check for a network policy that blocks port 443",
            Command::kubectl(derived, &["get", "networkpolicy", "-n", &derived.facts.namespace_name]),
        ))
        .fix(Fix::advice(format!("create an interface endpoint {service} with private DNS, or give the pod's subnet a NAT gateway")))
}
