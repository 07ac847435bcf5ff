//! Checks of the network path from the pod to STS.

use super::Outcome;
use super::shared::app_errors::{self, UNREPORTED};
use crate::aws::endpoint;
use crate::aws_error::Kind;
use crate::derive::Derived;
use crate::derive::app_errors::AppError;
use crate::derive::container::ContainerView;
use crate::derive::wire::Wire;
use crate::finding::Doubt;

super::checks! {
    "network" [Network]:
    region_bogus,
    region_missing,
    sts_fips_name,
    sdk_ignores_region,
    endpoint_override_leaks,
    sts_global_endpoint,
    proxy,
    mesh_not_ready,
    networkpolicy_egress,
    dns_coredns,
    ipv6,
    sts_unreachable_no_egress,
    vpce_policy_denies_sts,
    tls_roots,
    global_sts_signature_scope,
    trust_network_conditions,
}

/// The variables that name a proxy for HTTPS.
const FOR_HTTPS: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// A failed connection to STS, as the application reports it: the error, the host, and what it is about.
type Failed<'d> = (&'d AppError<'d>, &'d str, Wire<'d>);

/// The most recent failed connection to STS that is about this.
fn failed<'d>(derived: &'d Derived<'_>, is: impl Fn(&Failed<'_>) -> bool) -> Result<Failed<'d>, Outcome> {
    // What a proxy does is a check of its own.
    let on_the_way = |kind: Kind| kind.is_transport() && kind != Kind::Proxy;
    app_errors::of_irsa(derived, on_the_way)?;
    let named = derived.app_errors.iter().filter(|said| on_the_way(said.error.kind)).filter_map(|said| {
        let in_pod = said.error.kind == Kind::RefusedInPod;
        let host = match said.error.host.as_deref() {
            Some(host) if endpoint::serves_sts(host) || in_pod && endpoint::is_aws(host) => host,
            None if in_pod => "AWS",
            _ => return None,
        };
        Some((said, host, Wire::of(derived, said, host)))
    });
    named.into_iter().find(is).ok_or(UNREPORTED)
}

/// The same on the way itself, to an endpoint that exists and that the pod should call.
fn failed_on_the_way<'d>(
    derived: &'d Derived<'_>,
    is: impl Fn(Kind) -> bool,
) -> Result<(&'d AppError<'d>, &'d str), Outcome> {
    let (said, host, _) =
        failed(derived, |(said, _, wire)| matches!(wire, Wire::Way) && is(said.error.kind))?;
    Ok((said, host))
}

/// What a setting of a container, by which some SDKs or all of them do not reach STS, says against the link: nothing where the pod is
/// known to have its role all the same, or if it is not the target's.
fn doubt(derived: &Derived<'_>, view: &ContainerView<'_>, doubt: Doubt) -> Option<Doubt> {
    let has_role = derived.app_errors.prove_the_caller()
        || derived.probed.pod().is_some_and(|seen| seen.proves_identity());
    (view.is_target && !has_role).then_some(doubt)
}
