//! Checks of the network path from the pod to STS.

use crate::aws::partition::is_region_shaped;
use crate::derive::Derived;

super::checks! {
    "network" [Network]:
    region_bogus,
    region_missing,
    endpoint_override_leaks,
    sts_global_endpoint,
    proxy,
    networkpolicy_egress,
    dns_coredns,
    ipv6,
    sts_unreachable_no_egress,
    vpce_policy_denies_sts,
    tls_roots,
    global_sts_signature_scope,
    trust_network_conditions,
}

/// The region in the name of an STS endpoint that does not exist; `None` if the name should exist, and the fault is in
/// resolving it.
fn region_of_no_host<'h>(derived: &Derived<'_>, host: &'h str) -> Option<&'h str> {
    let rest = ["sts.", "sts-fips."].iter().find_map(|service| host.strip_prefix(service))?;
    let (region, _) =
        rest.split_once('.').filter(|_| rest != "amazonaws.com" && rest != "amazonaws.com.cn")?;
    let elsewhere = derived.node_region().is_some_and(|(of_node, _)| of_node != region);
    (!is_region(region) || elsewhere).then_some(region)
}

/// A region, or one of the pseudo regions that SDKs know.
fn is_region(text: &str) -> bool {
    let plain = text.strip_prefix("fips-").or_else(|| text.strip_suffix("-fips")).unwrap_or(text);
    is_region_shaped(plain) || matches!(text, "aws-global" | "aws-cn-global" | "aws-us-gov-global")
}
