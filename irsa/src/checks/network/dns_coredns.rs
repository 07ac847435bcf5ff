//! # The pod cannot resolve the STS host name
//!
//! The pod's name server, usually CoreDNS, does not answer, or denies a name that exists: CoreDNS is down or overloaded, a
//! network policy blocks port 53, or a private zone of the VPC hides the name. What CoreDNS itself needs in order to start (a
//! network plugin, Karpenter) must not depend on CoreDNS.
//!
//! **You see**: `dial tcp: lookup sts.eu-west-1.amazonaws.com on 10.100.0.10:53: read udp … i/o timeout`, `Temporary failure in
//! name resolution`, `EAI_AGAIN`; or `no such host` for the STS endpoint of the pod's own region.
//!
//! **Decided by**: the probe's lookup, or what the application reports. A name that does not exist at
//! all is `region-bogus`, or `sts-fips-name`.
//!
//! **Not a fault**: anything in AWS or in the role; nor that the OIDC issuer's host name does not resolve in the pod.
//!
//! **Repair**: check CoreDNS and the network policies; set `dnsPolicy: Default` on whatever must run before CoreDNS.

use irsa_probe::FaultKind;

use super::failed_on_the_way;
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::{app_errors, probed};
use crate::derive::probed::{Leg, ProbedPod};
use crate::derive::wire::Wire;

pub(super) const META: Meta = Meta {
    id: "dns-coredns",
    step: Step::Network,
    title: "the pod cannot resolve the STS host name",
    explains: &["silent-fallback-to-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if let Some(finding) = probed::of_irsa(derived).and_then(|seen| looked_up(derived, seen)) {
        return finding.into();
    }
    let found = failed_on_the_way(derived, |kind| matches!(kind, Kind::DnsTimeout | Kind::NoSuchHost));
    let (said, host) = match found {
        Ok(found) => found,
        Err(outcome) => return probed::or_pass(derived, META.step, outcome),
    };
    let (what, found) = match said.error.kind {
        Kind::DnsTimeout => ("no DNS answer for", "no answer"),
        _ => ("\"no such host\" for", "no such host"),
    };
    let who = app_errors::speaker(derived);
    let summary = format!("{who} gets {what} {host}{}", app_errors::times(said));
    let finding = app_errors::finding(&META, derived, said, &summary).evidence(
        format!("addresses of {host}"),
        "at least one",
        found,
        said.source,
    );
    repaired(derived, finding).into()
}

/// The probe got no address for the endpoint.
fn looked_up(derived: &Derived<'_>, seen: &ProbedPod<'_>) -> Option<Finding> {
    let (Leg::Lookup, kind) = seen.blocked()? else { return None };
    let (_, way) = seen.way()?;
    let lookup = way.lookup.as_ref().filter(|_| way.proxy.is_none())?;
    let host = lookup.name.as_str();
    let what = match kind {
        FaultKind::NoSuchName if Wire::of_name(derived, host, true).is_some() => return None,
        FaultKind::NoSuchName => "\"no such host\" for",
        _ => "no DNS answer for",
    };
    let found = lookup.fault.as_ref().map_or("none", |fault| &fault.text);
    let at = seen.at("network.connection.lookup");
    let summary = format!("container {} gets {what} {host}", seen.container());
    let mut finding = probed::finding(&META, derived, seen, summary)
        .evidence(format!("addresses of {host}"), "at least one", found, &at)
        .seen("lookup took", format!("{} ms", lookup.millis), &at);
    let resolver = seen.report().network.as_ref().and_then(|network| network.resolver.as_ref());
    if let Some(resolver) = resolver {
        let place = seen.at("network.resolver");
        finding = finding.seen("the pod's name servers", resolver.servers.join(" "), &place);
    }
    Some(repaired(derived, finding))
}

fn repaired(derived: &Derived<'_>, finding: Finding) -> Finding {
    finding
        .fix(Fix::inspect(
            "check the cluster's DNS pods",
            Command::kubectl(
                derived,
                &["get", "pods", "-n", "kube-system", "-l", "k8s-app=kube-dns", "-o", "wide"],
            ),
        ))
        .fix(Fix::inspect(
            "check for a network policy that blocks port 53",
            Command::kubectl(derived, &["get", "networkpolicy", "-n", &derived.facts.namespace_name]),
        ))
        .fix(Fix::advice("if CoreDNS needs this pod in order to run, set dnsPolicy: Default on it, so that it uses the node's name server"))
}
