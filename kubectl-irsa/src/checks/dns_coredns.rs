//! # The pod cannot resolve the name of STS
//!
//! The name server of the pod, CoreDNS mostly, does not answer, or does not know a name that exists: CoreDNS is down or
//! overloaded, a network policy keeps the pod from port 53, a private zone of the VPC hides the name. What CoreDNS itself needs in
//! order to start (a network plugin, Karpenter) must not need CoreDNS.
//!
//! **You see**: `dial tcp: lookup sts.eu-west-1.amazonaws.com on 10.100.0.10:53: read udp … i/o timeout`, `Temporary failure in
//! name resolution`, `EAI_AGAIN`; or `no such host` for the STS endpoint of the pod's own region.
//!
//! **Decided by**: the application's own words. A name that does not exist at all is `region-bogus`.
//!
//! **Not a fault**: of AWS or of the role. That the name of the OIDC issuer does not resolve in the pod is none either.
//!
//! **Repair**: look at CoreDNS and at the network policies; `dnsPolicy: Default` for what must run before CoreDNS.

use super::hearsay;
use super::prelude::*;
use crate::aws_error::Kind;

/// See the module's page.
pub const META: Meta = Meta {
    id: "dns-coredns",
    step: Step::Network,
    title: "the pod cannot resolve the name of STS",
    explains: &["silent-fallback-to-node-role"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let found = hearsay::to_sts(derived, |kind| matches!(kind, Kind::DnsTimeout | Kind::NoSuchHost));
    let (said, host) = match found {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    if said.error.kind == Kind::NoSuchHost && super::region_bogus::region_of_no_host(derived, host).is_some()
    {
        return Outcome::NotApplicable("no such name exists: see region-bogus");
    }
    let (what, found) = match said.error.kind {
        Kind::DnsTimeout => ("no answer to its questions for the name", "no answer"),
        _ => ("the answer that there is no such name as", "no such host"),
    };
    let who = hearsay::speaker(derived);
    let summary = format!("{who} gets {what} {host}{}", hearsay::times(said));
    hearsay::finding(&META, derived, said, &summary)
        .evidence(format!("addresses of {host}"), "at least one", found, said.source)
        .fix(
            "look at the name servers of the cluster",
            derived.kubectl(&["get", "pods", "-n", "kube-system", "-l", "k8s-app=kube-dns", "-o", "wide"]),
        )
        .fix(
            "look for a network policy that keeps the pod from port 53",
            derived.kubectl(&["get", "networkpolicy", "-n", &derived.facts.namespace_name]),
        )
        .advice("if CoreDNS needs this pod in order to run, set dnsPolicy: Default on it, so that it asks the node's name server")
        .into()
}
