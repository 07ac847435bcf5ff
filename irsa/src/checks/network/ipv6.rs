//! # The pod has only IPv6, and the STS host only IPv4
//!
//! The regional names of STS (`sts.REGION.amazonaws.com`) have only IPv4 addresses. Pods of an IPv6 EKS cluster reach them
//! through their node; in a cluster that was set up by hand a pod with an IPv6 address may have no route to IPv4 at all.
//!
//! **You see**: `connect: network is unreachable`, `Network unreachable`, at once and not after a timeout.
//!
//! **Decided by**: the probe: the pod's own address is IPv6, the STS host name resolves to IPv4 addresses only, and the kernel
//! has no route to any of them.
//!
//! **Not a fault**: IPv6 itself; a pod of an IPv6 EKS cluster has a route to IPv4.
//!
//! **Repair**: have the SDK call the dual-stack name of STS, `sts.REGION.api.aws`, or give the pods a route to IPv4. A VPC
//! endpoint with private DNS does not cover the dual-stack name unless it is a dual-stack endpoint.

use core::net::IpAddr;

use irsa_probe::FaultKind;

use crate::checks::prelude::*;
use crate::checks::shared::probed;
use crate::derive::probed::ProbedPod;
use crate::derive::sts::DUAL_STACK;
use crate::repair::env;

pub(super) const META: Meta = Meta {
    id: "ipv6",
    step: Step::Network,
    title: "the pod has only IPv6, and the STS host only IPv4",
    explains: &["sts-unreachable-no-egress", "silent-fallback-to-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    match probed::of_irsa(derived).and_then(|seen| without_a_route(derived, seen)) {
        Some(finding) => finding.into(),
        None => probed::or_pass(
            derived,
            META.step,
            Outcome::NotApplicable("the probe did not test the path to STS"),
        ),
    }
}

fn without_a_route(derived: &Derived<'_>, seen: &ProbedPod<'_>) -> Option<Finding> {
    let pod = derived.facts.subject.pod()?;
    let (_, way) = seen.way().filter(|(_, way)| way.proxy.is_none())?;
    let lookup = way.lookup.as_ref().filter(|lookup| !lookup.addresses.is_empty())?;
    let is = |family: fn(&IpAddr) -> bool, address: &str| {
        address.parse().is_ok_and(|address: IpAddr| family(&address))
    };
    let own = &pod.value.status.pod_ip;
    let no_route = way
        .tcp
        .iter()
        .all(|attempt| attempt.fault.as_ref().is_some_and(|fault| fault.kind == FaultKind::Unreachable));
    let ipv4_alone = lookup.addresses.iter().all(|address| is(IpAddr::is_ipv4, address));
    if !(is(IpAddr::is_ipv6, own) && ipv4_alone && no_route && !way.tcp.is_empty()) {
        return None;
    }
    let host = &lookup.name;
    let summary = format!(
        "container {} has an IPv6 address and no route to IPv4, and {host} has only IPv4 addresses",
        seen.container()
    );
    let finding = probed::finding(&META, derived, seen, summary)
        .evidence(
            format!("addresses of {host}"),
            "an IPv6 address",
            lookup.addresses.join(" "),
            &seen.at("network.connection.lookup.addresses"),
        )
        .seen("the pod's address", own, &pod.source.at(".status.podIP"))
        .seen(
            format!("connection to {host}"),
            way.fault.as_ref()?.text.as_str(),
            &seen.at("network.connection.tcp"),
        );
    let set = derived.target().and_then(|view| {
        let title = "have the SDK call the dual-stack name of STS";
        env::set(derived, view, &[Assignment::set(DUAL_STACK, "true")], title)
    });
    Some(finding.fix(set.unwrap_or_else(|| {
        Fix::advice(format!("set {DUAL_STACK}=true: the SDK then calls the dual-stack name of STS"))
    })))
}
