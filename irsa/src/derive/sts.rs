//! Where a container's SDK sends its STS requests, as far as its environment tells.

use super::Derived;
use super::container::ContainerView;
use super::env::{Env, EnvEntry};
use crate::aws::endpoint::{has_global_endpoint, host_of_url, regional_host};
use crate::facts::{Source, Subject};

/// The variables that name a region; most SDKs read the first, boto3 and AWS CLI v1 only the second.
pub(crate) const REGION_VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
/// `legacy` or `regional`.
pub(crate) const REGIONAL_ENDPOINTS: &str = "AWS_STS_REGIONAL_ENDPOINTS";
/// `true` has SDKs call FIPS endpoints.
pub(crate) const FIPS: &str = "AWS_USE_FIPS_ENDPOINT";
/// `true` has SDKs call dual-stack endpoints.
pub(crate) const DUAL_STACK: &str = "AWS_USE_DUALSTACK_ENDPOINT";
/// Where the Pod Identity agent listens.
pub(crate) const AGENT_HOST: &str = "169.254.170.23";

/// The region that the SDKs of a container read from its environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Region<'e> {
    /// Its text.
    Known(&'e str),
    /// A variable is set whose value was not read, or may be set by something that was not read.
    Unread,
    /// The webhook sets it in future pods.
    FromWebhook,
    /// No variable names one.
    Missing,
}

impl<'e> Region<'e> {
    /// Reads the variables of a container.
    pub(crate) fn of(derived: &Derived<'_>, view: &'e ContainerView<'_>) -> Self {
        match view.env.first_set(&REGION_VARIABLES) {
            Some((_, entry)) if entry.is_certain() => entry.text().map_or(Self::Unread, Self::Known),
            Some(_) => Self::Unread,
            None if !view.env.unread.is_empty() => Self::Unread,
            None => region_to_come(derived),
        }
    }
}

/// What the webhook will add to the pods of a template: EKS's own adds a region, a self-hosted one only if told so.
fn region_to_come<'e>(derived: &Derived<'_>) -> Region<'e> {
    let to_come = matches!(derived.facts.subject, Subject::Template(_)) && derived.intent.expects_injection();
    let eks = derived.registrations.found().iter().any(super::webhook::Registration::eks_managed);
    match (&derived.settings.default_region, eks) {
        _ if !to_come => Region::Missing,
        (_, true) | (Some(_), _) => Region::FromWebhook,
        (None, false) if derived.settings.certain => Region::Missing,
        (None, false) => Region::Unread,
    }
}

/// The variable that redirects STS requests: its name and entry. The one for STS wins over the one for all services.
pub(crate) fn endpoint_override<'e>(env: &'e Env<'_>) -> Option<(&'static str, &'e EnvEntry)> {
    let ignored = env.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").and_then(EnvEntry::text);
    if ignored.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return None;
    }
    env.first_set(&["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"])
}

/// True if the container's variables ask for FIPS endpoints.
pub(crate) fn asks_for_fips(env: &Env<'_>) -> bool {
    is_on(env, FIPS)
}

fn is_on(env: &Env<'_>, variable: &str) -> bool {
    env.get(variable).and_then(EnvEntry::text).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// True if the container's variables ask for the global endpoint and its region has one.
pub(crate) fn asks_for_global(env: &Env<'_>, region: Region<'_>) -> bool {
    let legacy = env.get(REGIONAL_ENDPOINTS).and_then(EnvEntry::text);
    legacy.is_some_and(|value| value.trim().eq_ignore_ascii_case("legacy"))
        && match region {
            Region::Known(region) => has_global_endpoint(region),
            Region::Missing => true,
            Region::Unread | Region::FromWebhook => false,
        }
}

/// The annotation that keeps the webhook from asking for regional endpoints, where older SDKs then call the global one: its
/// value and where it was read.
pub(crate) fn annotated_global<'f>(derived: &Derived<'f>) -> Option<(&'f str, Source)> {
    let view = derived.target()?;
    let global = match Region::of(derived, view) {
        Region::Known(region) => has_global_endpoint(region),
        _ => true,
    };
    let unset = view.env.get(REGIONAL_ENDPOINTS).is_none() && endpoint_override(&view.env).is_none();
    // What Go's strconv.ParseBool reads as false.
    let off = |value: &&str| ["0", "f", "F", "false", "FALSE", "False"].contains(value);
    derived.annotation("sts-regional-endpoints").filter(|(value, _)| global && unset && off(value))
}

/// The host that STS requests of the container go to; `None` if not known.
pub(crate) fn host(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<String> {
    if let Some((_, entry)) = endpoint_override(&view.env) {
        return entry.text().and_then(host_of_url).map(str::to_owned);
    }
    let region = Region::of(derived, view);
    if asks_for_global(&view.env, region) {
        return Some(String::from("sts.amazonaws.com"));
    }
    match region {
        Region::Known(region) => {
            Some(irsa_probe::sts_host(region, asks_for_fips(&view.env), is_on(&view.env, DUAL_STACK)))
        }
        Region::FromWebhook => derived.node_region().map(|(region, _)| regional_host(region)),
        Region::Missing => Some(String::from("sts.amazonaws.com")),
        Region::Unread => None,
    }
}

/// `aws:RequestedRegion` of the container's requests to STS; `None` if its variables leave it to the SDK's version whether that
/// calls the global endpoint or the Region's.
pub(crate) fn requested_region(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<String> {
    let is_said = endpoint_override(&view.env).is_some()
        || view.env.get(REGIONAL_ENDPOINTS).is_some_and(|entry| entry.text().is_some());
    let is_alike = match Region::of(derived, view) {
        // Both endpoints are in it.
        Region::Known(region) => is_said || region == "us-east-1" || !has_global_endpoint(region),
        Region::Unread | Region::FromWebhook | Region::Missing => endpoint_override(&view.env).is_some(),
    };
    let host = host(derived, view).filter(|_| is_alike)?;
    crate::aws::endpoint::requested_region(&host).map(str::to_owned)
}

/// True if a `NO_PROXY` list exempts the host. Programs read such lists in different ways; this is the widest of them,
/// so that only what nobody would exempt counts as proxied.
pub(crate) fn is_exempt(list: &str, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    list.split([',', ' ', ';', '|']).map(|entry| entry.trim().to_ascii_lowercase()).any(|entry| {
        if entry == "*" {
            return true;
        }
        if entry.contains('/') {
            return is_in_network(&entry, &host);
        }
        let unbracketed = match entry.strip_prefix('[') {
            Some(inner) => inner.split(']').next().unwrap_or_default(),
            // More than one colon: an IPv6 address, not a port.
            None if entry.matches(':').count() == 1 => entry.split(':').next().unwrap_or_default(),
            None => &entry,
        };
        let name = unbracketed.trim_start_matches('*').trim_start_matches('.').trim_end_matches('.');
        !name.is_empty() && (host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')))
    })
}

/// True if an address is in a network: `10.0.0.0/8`.
pub(crate) fn is_in_network(network: &str, host: &str) -> bool {
    let Some((network, bits)) = network.split_once('/') else { return false };
    let (Ok(network), Ok(bits), Ok(host)) =
        (network.parse::<core::net::IpAddr>(), bits.parse::<u32>(), host.parse::<core::net::IpAddr>())
    else {
        return false;
    };
    match (network, host) {
        (core::net::IpAddr::V4(network), core::net::IpAddr::V4(host)) => {
            let drop = 32_u32.saturating_sub(bits);
            u32::from(network).checked_shr(drop) == u32::from(host).checked_shr(drop)
        }
        (core::net::IpAddr::V6(network), core::net::IpAddr::V6(host)) => {
            let drop = 128_u32.saturating_sub(bits);
            u128::from(network).checked_shr(drop) == u128::from(host).checked_shr(drop)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_exempt_hosts() {
        let host = "sts.eu-west-1.amazonaws.com";
        for list in [
            "*",
            "localhost,.amazonaws.com",
            "amazonaws.com",
            "*.amazonaws.com",
            "localhost, sts.eu-west-1.amazonaws.com:443",
            "STS.eu-west-1.amazonaws.com",
            ".eu-west-1.amazonaws.com",
        ] {
            assert!(is_exempt(list, host), "{list}");
        }
        for list in
            ["", "localhost,.svc", "s3.amazonaws.com", "sts.amazonaws.com", "onaws.com", "10.0.0.0/8", "."]
        {
            assert!(!is_exempt(list, host), "{list}");
        }
        for list in ["169.254.170.23", "169.254.0.0/16", "0.0.0.0/0", "169.254.170.23/32"] {
            assert!(is_exempt(list, AGENT_HOST), "{list}");
        }
        assert!(!is_exempt("169.254.169.254,169.254.169.0/24", AGENT_HOST));
        for list in ["[fd00:ec2::23]", "fd00:ec2::23", "fd00:ec2::/32"] {
            assert!(is_exempt(list, "fd00:ec2::23"), "{list}");
        }
    }
}
