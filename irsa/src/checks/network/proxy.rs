//! # Credential requests go through a proxy
//!
//! `HTTPS_PROXY` is set and `NO_PROXY` does not list the STS endpoint, so the token exchange goes through the proxy. With EKS
//! Pod Identity the same applies to `HTTP_PROXY` and the agent's address, which no proxy can reach: it is local to the node.
//!
//! **You see**: `403` or `407` from the proxy, timeouts, `x509: certificate signed by unknown authority` where it intercepts
//! TLS.
//!
//! **Decided by**: the variables in upper or lower case, and the widest reading of `NO_PROXY`: suffixes, `*`, networks. A proxy
//! that lets STS through is no fault, so for STS this is inferred and a warning, unless the application itself reports that the
//! proxy refused, or presented a certificate of its own. Java ignores these variables unless it is configured to read them.
//!
//! **Repair**: add the STS endpoint, or for Pod Identity `169.254.170.23,[fd00:ec2::23]`, to `NO_PROXY`; or allow it in the
//! proxy and give the SDK the proxy's certificate in `AWS_CA_BUNDLE`.

use super::FOR_HTTPS;
use crate::aws::endpoint;
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::probed;
use crate::derive::app_errors::{AppError, Weight};
use crate::derive::container::CREDENTIALS_URI;
use crate::derive::env::EnvEntry;
use crate::derive::probed::{Leg, ProbedPod};
use crate::derive::sts;
use crate::facts::Unknown;
use crate::repair::env;

pub(super) const META: Meta = Meta {
    id: "proxy",
    step: Step::Network,
    title: "credential requests go through a proxy",
    explains: &["tls-roots", "silent-fallback-to-node-role"],
};

const FOR_HTTP: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
const EXEMPT: [&str; 2] = ["NO_PROXY", "no_proxy"];

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    match derived.intent.mechanism {
        _ if derived.containers.is_empty() => return Outcome::NotApplicable("no pod to look at"),
        Mechanism::Irsa | Mechanism::PodIdentity => {}
        _ => return Outcome::NotApplicable("no role is named"),
    }
    let seen = probed::of_irsa(derived).filter(|seen| seen.way().is_some_and(|(_, way)| way.proxy.is_some()));
    let mut findings: Vec<Finding> = seen.and_then(|seen| stopped(derived, seen)).into_iter().collect();
    let mut unread = Vec::new();
    // What the probe saw of the target's path beats what its settings suggest.
    for view in derived.judged().filter(|view| !(view.is_target && seen.is_some())) {
        match proxied(derived, view) {
            Ok(finding) => findings.extend(finding),
            Err(unknown) => unread.push(*unknown),
        }
    }
    Outcome::with_unread(findings, unread)
}

/// The finding on one container; the error says what could not be read.
fn proxied(derived: &Derived<'_>, view: &ContainerView<'_>) -> Result<Option<Finding>, Box<Unknown>> {
    let uri = view.env.get(CREDENTIALS_URI).and_then(EnvEntry::text);
    let agent = (derived.intent.mechanism == Mechanism::PodIdentity)
        .then(|| uri.and_then(endpoint::host_of_url).unwrap_or(sts::AGENT_HOST));
    let variables = if agent.is_some() { FOR_HTTP } else { FOR_HTTPS };
    let Some((variable, entry)) = view.env.first_set(&variables) else { return Ok(None) };
    let lists: Vec<(&str, &EnvEntry)> = EXEMPT
        .into_iter()
        .filter_map(|name| view.env.get(name).filter(|entry| entry.is_set()).map(|entry| (name, entry)))
        .collect();
    let exempts = |host: &str| {
        lists.iter().any(|(_, entry)| entry.text().is_some_and(|list| sts::is_exempt(list, host)))
    };
    let host = match agent {
        Some(agent) => agent.to_owned(),
        None => match sts::host(derived, view) {
            Some(host) => host,
            // Whatever the region is, a list that exempts all of amazonaws.com exempts its endpoint.
            None if exempts("sts.any-region-1.amazonaws.com") => return Ok(None),
            None => {
                let region = view.env.first_set(&sts::REGION_VARIABLES);
                return match (region, view.env.unread.first()) {
                    (Some((name, entry)), _) => Err(Box::new(entry.unread(name, view.name()))),
                    (None, Some(unknown)) => Err(Box::new((*unknown).clone())),
                    (None, None) => Ok(None),
                };
            }
        },
    };
    let redirected =
        agent.is_none() && sts::endpoint_override(&view.env).is_some() && !endpoint::serves_sts(&host);
    // Where requests are redirected elsewhere, that is the fault.
    if exempts(&host) || redirected {
        return Ok(None);
    }
    if let Some((name, entry)) = lists.iter().find(|(_, entry)| entry.text().is_none()) {
        return Err(Box::new(entry.unread(name, view.name())));
    }
    if lists.is_empty()
        && let Some(unknown) = view.env.unread.first()
    {
        return Err(Box::new((*unknown).clone()));
    }
    Ok(Some(finding(derived, view, (variable, entry), lists.first().copied(), &host)))
}

fn finding(
    derived: &Derived<'_>,
    view: &ContainerView<'_>,
    (variable, entry): (&str, &EnvEntry),
    list: Option<(&str, &EnvEntry)>,
    host: &str,
) -> Finding {
    let name = view.name();
    let (what, unless) = if derived.intent.mechanism == Mechanism::PodIdentity {
        ("the Pod Identity agent", "")
    } else {
        ("STS", ", if the proxy does not let it through")
    };
    let by_proxy = |kind| matches!(kind, Kind::Proxy | Kind::TlsUnknownAuthority | Kind::EndpointNotSts);
    let of_cluster = |said: &AppError<'_>| said.error.host.as_deref().is_some_and(endpoint::is_cluster_api);
    let failed = derived.app_errors.iter().find(|said| by_proxy(said.error.kind) && !of_cluster(said));
    let failed = failed.filter(|said| view.is_target && said.weight == Weight::Current);
    let (severity, outcome) = match failed.map(|said| said.error.kind) {
        None => (Severity::Warning, ""),
        Some(Kind::Proxy) => (Severity::Error, ", which does not let it through"),
        Some(Kind::EndpointNotSts) => (Severity::Error, ", and gets an answer that is not STS's"),
        Some(_) => (Severity::Error, ", and does not trust the certificate that it gets"),
    };
    let summary = format!("container {name} calls {what} ({host}) through the proxy in {variable}{outcome}");
    let mut finding = META.on_container(derived, view, severity, summary).inferred().seen(
        variable,
        entry.shown(),
        &entry.source,
    );
    if let Some(said) = failed {
        let words = match said.error.kind {
            Kind::Proxy => "the proxy refuses it or cannot be reached",
            Kind::EndpointNotSts => "an answer that is not STS's",
            _ => "a certificate signed by an unknown authority",
        };
        finding = finding.evidence(format!("connection to {host}"), "established", words, said.source);
    }
    let finding = match list {
        Some((list, exempt)) => finding.evidence(list, format!("…,{host}"), exempt.shown(), &exempt.source),
        None => finding.missing("NO_PROXY", host, &entry.source),
    };
    let added = if host == sts::AGENT_HOST { "169.254.170.23,[fd00:ec2::23]" } else { host };
    let in_manifest = |entry: &EnvEntry| matches!(entry.origin, crate::derive::env::Origin::Env(_));
    let assignment = match list {
        Some((list, exempt)) if in_manifest(exempt) => exempt
            .text()
            .map(|text| Assignment::set(list, format!("{},{added}", text.trim_end_matches([',', ' '])))),
        Some(_) => None,
        None => Some(Assignment::set("NO_PROXY", added)),
    };
    let title = format!("exempt {what} from the proxy{unless}");
    let exempt = assignment.and_then(|assignment| env::set(derived, view, &[assignment], title));
    finding.fix(exempt.unwrap_or_else(|| Fix::advice(format!("add {added} to NO_PROXY{unless}"))))
}

/// The proxy did not let the probe through to STS.
fn stopped(derived: &Derived<'_>, seen: &ProbedPod<'_>) -> Option<Finding> {
    let (_, way) = seen.way()?;
    let (proxy, host) = (way.proxy.as_ref()?, seen.sts_host()?);
    let (what, found) = match seen.blocked() {
        Some((Leg::Lookup, _)) => ("whose name does not resolve", way.fault.as_ref()?.text.clone()),
        Some((Leg::Tcp, _)) => ("which cannot be reached", way.fault.as_ref()?.text.clone()),
        Some((Leg::Proxy, _)) => match proxy.status {
            Some(status) => ("which does not let it through", format!("status {status}")),
            None => ("which does not let it through", way.fault.as_ref()?.text.clone()),
        },
        // A certificate of the proxy's own is for tls-roots to report.
        Some((Leg::Tls, _)) => return None,
        None => {
            let (_, Some(excerpt)) = seen.no_answer()? else { return None };
            ("which answers instead of STS", excerpt.to_owned())
        }
    };
    let container = seen.container();
    let summary =
        format!("container {container} calls STS ({host}) through the proxy in {}, {what}", proxy.variable);
    let finding = probed::finding(&META, derived, seen, summary)
        .seen(&proxy.variable, &proxy.url, &seen.at("network.connection.proxy"))
        .evidence(format!("connection to {host}"), "established", found, &seen.at("network.connection"));
    let exempt = derived.target().and_then(|view| {
        let nothing = EXEMPT.iter().all(|name| view.env.get(name).is_none());
        let title = "exempt STS from the proxy, if the pod has a direct route to it";
        env::set(derived, view, &[Assignment::set("NO_PROXY", host)], title).filter(|_| nothing)
    });
    Some(finding.fix(exempt.unwrap_or_else(|| {
        Fix::advice(format!(
            "add {host} to NO_PROXY if the pod has a direct route to it, or allow it in the proxy"
        ))
    })))
}
