//! # The region does not exist
//!
//! `AWS_REGION` or `AWS_DEFAULT_REGION` holds something that is not a region: an availability zone, a typo, a template that was
//! never rendered, the made-up region of another object store (`minio`, `auto`). SDKs build the STS host name from it.
//!
//! ```text
//! bad   AWS_REGION=eu-west-1a
//! good  AWS_REGION=eu-west-1
//! ```
//!
//! **You see**: `dial tcp: lookup sts.minio.amazonaws.com on 10.100.0.10:53: no such host`, `Could not connect to the endpoint
//! URL`. It looks like a DNS fault, but it is one of configuration.
//!
//! **Decided by**: the form of the value (`eu-west-1`), not a list of regions, since AWS keeps adding them. If the other
//! variable holds a region, or STS has its own endpoint (`AWS_ENDPOINT_URL_STS`), only some SDKs are affected and this is a
//! warning. Or by what the application reports: it calls an STS endpoint whose name has no region in it, whatever the
//! words, or looks up one that does not exist, in a region that its code or its own settings name.
//!
//! **Not a fault**: a region other than the node's; pseudo regions such as `aws-global`.
//!
//! **Repair**: set the right region, or unset the variable and let the webhook set it.

use irsa_probe::FaultKind;

use super::failed;
use crate::aws::endpoint;
use crate::aws::partition::is_region_shaped;
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::{app_errors, probed};
use crate::derive::env::EnvEntry;
use crate::derive::probed::Leg;
use crate::derive::sts;
use crate::derive::wire::{Wire, is_region, may_be_newer_than_this_tool};
use crate::repair::env;

pub(super) const META: Meta = Meta {
    id: "region-bogus",
    step: Step::Network,
    title: "the region does not exist",
    explains: &["silent-fallback-to-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if derived.containers.is_empty() {
        return Outcome::NotApplicable("no pod to look at");
    }
    let mut findings: Vec<Finding> = derived.judged().filter_map(|view| bogus(derived, view)).collect();
    if !findings.iter().any(|finding| finding.severity == Severity::Error) {
        findings.extend(resolved(derived).or_else(|| called(derived)));
    }
    let unread = derived.judged().flat_map(|view| {
        sts::REGION_VARIABLES.iter().filter_map(|name| {
            let entry = view.env.get(name).filter(|entry| entry.text().is_none() && entry.is_set())?;
            Some(entry.unread(name, view.name()))
        })
    });
    Outcome::with_unread(findings, unread.collect())
}

fn bogus(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    let set = |name: &'static str| {
        let entry = view.env.get(name)?;
        entry.text().filter(|text| !text.is_empty()).map(|text| (name, entry, text))
    };
    let named: Vec<(&str, &EnvEntry, &str)> = sts::REGION_VARIABLES.into_iter().filter_map(set).collect();
    let (good, bad): (Vec<_>, Vec<_>) = named.into_iter().partition(|(_, _, text)| is_region(text));
    let (variable, entry, text) = bad.first()?;
    let name = view.name();
    let some_sdks_only = !good.is_empty()
        || sts::endpoint_override(&view.env).is_some()
        || derived.intent.mechanism == Mechanism::PodIdentity
        || may_be_newer_than_this_tool(text);
    let severity = if some_sdks_only { Severity::Warning } else { Severity::Error };
    let summary = format!("{variable} of container {name} is {text:?}, which is not an AWS region");
    let expected = match derived.node_region() {
        Some((region, _)) => format!("a region, such as the node's {region}"),
        None => String::from("a region, such as eu-west-1"),
    };
    let mut finding = META
        .on_container(derived, view, severity, summary)
        .inferred()
        .evidence(*variable, expected, *text, &entry.source)
        .seen("STS endpoint that SDKs build from it", endpoint::regional_host(text), &entry.source);
    finding.doubt = super::doubt(derived, view, Doubt::MayFail).filter(|_| severity == Severity::Warning);
    for (variable, entry, text) in bad.iter().skip(1) {
        finding = finding.seen(*variable, *text, &entry.source);
    }
    let variables: Vec<_> = bad.iter().map(|(name, entry, _)| (*name, *entry)).collect();
    Some(
        finding
            .fix(env::take_out(derived, view, &variables))
            .fix(Fix::advice("or set the region that the application needs")),
    )
}

/// The probe, which follows the process's own environment, found that the name does not exist.
fn resolved(derived: &Derived<'_>) -> Option<Finding> {
    let seen = probed::of_irsa(derived)?;
    let (Leg::Lookup, FaultKind::NoSuchName) = seen.blocked()? else { return None };
    let host = &seen.way()?.1.lookup.as_ref()?.name;
    let Some(Wire::NoRegion(region)) = Wire::of_name(derived, host, true) else { return None };
    let summary =
        format!("container {} calls STS in region {region:?}, but {host} does not exist", seen.container());
    let at = seen.at("network.connection.lookup");
    let finding = probed::finding(&META, derived, seen, summary).inferred().evidence(
        format!("addresses of {host}"),
        "at least one",
        "no such name",
        &at,
    );
    let finding = match derived.node_region() {
        Some((of_node, source)) => finding.evidence("region", of_node, region, &source),
        None => finding,
    };
    Some(finding.fix(Fix::advice(
        "set an AWS region where the application's environment or configuration names this one",
    )))
}

/// The application calls the STS endpoint of a region that does not come from the pod's variables.
fn called(derived: &Derived<'_>) -> Option<Finding> {
    let (said, host, wire) = failed(derived, |(.., wire)| matches!(wire, Wire::NoRegion(_))).ok()?;
    let Wire::NoRegion(region) = wire else { return None };
    let who = app_errors::speaker(derived);
    let zone =
        region.strip_suffix(|last: char| last.is_ascii_lowercase()).filter(|rest| is_region_shaped(rest));
    let summary = match zone {
        Some(_) => {
            format!("{who} looks for STS in {region:?}, which is an availability zone and not a region")
        }
        None => format!("{who} looks for STS in region {region:?}, but {host} does not exist"),
    };
    let found = if said.error.kind == Kind::NoSuchHost { "no such host" } else { "cannot be reached" };
    let finding = app_errors::finding(&META, derived, said, &summary).inferred().evidence(
        format!("addresses of {host}"),
        "at least one",
        found,
        said.source,
    );
    let finding = match (zone, derived.node_region()) {
        (None, Some((of_node, source))) => finding.evidence("region", of_node, region, &source),
        _ => finding,
    };
    Some(finding.fix(match zone {
        Some(zone) => {
            Fix::advice(format!("set {zone} where the application's own settings or code name its zone"))
        }
        None => Fix::advice("set an AWS region where the application's own settings or code name this one"),
    }))
}
