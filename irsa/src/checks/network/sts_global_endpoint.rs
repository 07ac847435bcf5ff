//! # STS is called at its global endpoint
//!
//! `AWS_STS_REGIONAL_ENDPOINTS=legacy` in the container, or `eks.amazonaws.com/sts-regional-endpoints: "false"` on the service
//! account (the webhook then injects no such variable, and older SDKs default to the global endpoint). In a private cluster only
//! the regional name `sts.REGION.amazonaws.com` leads to the VPC endpoint; `sts.amazonaws.com` leads out to the internet.
//!
//! **You see**, in a private cluster: `Post "https://sts.amazonaws.com/": dial tcp …:443: i/o timeout`. In an opt-in region
//! later calls fail with `InvalidClientTokenId`, since the global endpoint issues tokens that are not valid there.
//!
//! **Decided by**: the variable, the annotation and the region. With a route to the internet it works, so the variable is a
//! warning; the annotation, which affects only older SDKs, is an info finding.
//!
//! **Not a fault**: `legacy` in a region that never had a global endpoint (opt-in regions, China, GovCloud): SDKs call the
//! regional one there. A CNAME in CoreDNS is no repair: the certificate does not match.
//!
//! **Repair**: unset the variable or remove the annotation; the webhook's default is `regional`.

use crate::aws::endpoint;
use crate::checks::prelude::*;
use crate::derive::sts::{self, REGIONAL_ENDPOINTS, Region};
use crate::repair::env;
use crate::repair::{service_account, workload};

pub(super) const META: Meta = Meta {
    id: "sts-global-endpoint",
    step: Step::Network,
    title: "STS is called at its global endpoint",
    explains: &["sts-unreachable-no-egress", "silent-fallback-to-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    match derived.intent.mechanism {
        _ if derived.containers.is_empty() => return Outcome::NotApplicable("no pod to look at"),
        Mechanism::PodIdentity => return Outcome::NotApplicable("EKS Pod Identity does not call STS"),
        Mechanism::None => return Outcome::NotApplicable("no role is named"),
        _ => {}
    }
    let mut findings: Vec<Finding> = derived.judged().filter_map(|view| legacy(derived, view)).collect();
    if findings.is_empty() {
        findings.extend(annotated(derived));
    }
    Outcome::of(findings)
}

fn legacy(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    let entry = view.env.get(REGIONAL_ENDPOINTS)?;
    let overridden = sts::endpoint_override(&view.env).is_some();
    if overridden || !sts::asks_for_global(&view.env, Region::of(derived, view)) {
        return None;
    }
    let name = view.name();
    let summary =
        format!("container {name} calls STS at sts.amazonaws.com, which a private cluster cannot reach");
    let finding = META.on_container(derived, view, Severity::Warning, summary).inferred().evidence(
        REGIONAL_ENDPOINTS,
        "regional",
        entry.shown(),
        &entry.source,
    );
    Some(finding.fix(env::take_out(derived, view, &[(REGIONAL_ENDPOINTS, entry)])))
}

/// The annotation counts unless the target sets the variable itself.
fn annotated(derived: &Derived<'_>) -> Option<Finding> {
    let (value, source) = derived.annotation("sts-regional-endpoints")?;
    // What Go's strconv.ParseBool reads as false.
    let off = ["0", "f", "F", "false", "FALSE", "False"].contains(&value);
    let view = derived.target()?;
    let global = match Region::of(derived, view) {
        Region::Known(region) => endpoint::has_global_endpoint(region),
        _ => true,
    };
    if !off
        || !global
        || view.env.get(REGIONAL_ENDPOINTS).is_some()
        || sts::endpoint_override(&view.env).is_some()
    {
        return None;
    }
    let key = format!("{}/sts-regional-endpoints", derived.settings.annotation_prefix);
    let summary = "an annotation turns off regional STS endpoints: older SDKs call sts.amazonaws.com";
    let finding = META
        .on_account(derived, summary)
        .severity(Severity::Info)
        .inferred()
        .evidence(&key, "true, or not set", value, &source)
        .fix(service_account::annotate(derived, "remove the annotation", &format!("{key}-")));
    Some(finding.fix(workload::restart_or_advice(derived)))
}
