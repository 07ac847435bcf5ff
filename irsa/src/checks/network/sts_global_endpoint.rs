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
//! warning; the annotation, which affects only older SDKs, is an info finding. A failed connection to `sts.amazonaws.com` that
//! the application reports makes either an error.
//!
//! **Not a fault**: `legacy` in a region that never had a global endpoint (opt-in regions, China, GovCloud): SDKs call the
//! regional one there. A CNAME in CoreDNS is no repair: the certificate does not match.
//!
//! **Repair**: unset the variable or remove the annotation; the webhook's default is `regional`.

use super::failed;
use crate::checks::prelude::*;
use crate::derive::app_errors::AppError;
use crate::derive::sts::{self, REGIONAL_ENDPOINTS, Region};
use crate::derive::wire::Wire;
use crate::repair::env;
use crate::repair::{service_account, workload};

pub(super) const META: Meta = Meta {
    id: "sts-global-endpoint",
    step: Step::Network,
    title: "STS is called at its global endpoint",
    explains: &["sts-unreachable-no-egress", "silent-fallback-to-node-role"],
};

const GLOBAL: &str = "sts.amazonaws.com";

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
    let said = unreachable(derived).filter(|_| view.is_target);
    let (severity, summary) = match said {
        Some(said) => (
            said.severity().min(Severity::Warning),
            format!("container {name} calls STS at {GLOBAL}, and cannot reach it{}", said.when()),
        ),
        None => (
            Severity::Warning,
            format!("container {name} calls STS at {GLOBAL}, which a private cluster cannot reach"),
        ),
    };
    let mut finding = META.on_container(derived, view, severity, summary).inferred().evidence(
        REGIONAL_ENDPOINTS,
        "regional",
        entry.shown(),
        &entry.source,
    );
    if let Some(said) = said {
        finding = finding.seen(format!("connection to {GLOBAL}"), "failed", said.source);
    }
    Some(finding.fix(env::take_out(derived, view, &[(REGIONAL_ENDPOINTS, entry)])))
}

/// A connection to the global endpoint that failed, as the application reports it.
fn unreachable<'d>(derived: &'d Derived<'_>) -> Option<&'d AppError<'d>> {
    failed(derived, |(_, host, wire)| *host == GLOBAL && matches!(wire, Wire::Way))
        .ok()
        .map(|(said, ..)| said)
}

/// The annotation counts unless the target sets the variable itself.
fn annotated(derived: &Derived<'_>) -> Option<Finding> {
    let (value, source) = sts::annotated_global(derived)?;
    let key = format!("{}/sts-regional-endpoints", derived.settings.annotation_prefix);
    let summary = "an annotation turns off regional STS endpoints: older SDKs call sts.amazonaws.com";
    let said = unreachable(derived);
    let mut finding = META
        .on_account(derived, summary)
        .severity(said.map_or(Severity::Info, AppError::severity))
        .inferred()
        .evidence(&key, "true, or not set", value, &source)
        .fix(service_account::annotate(derived, "remove the annotation", Assignment::remove(&key)));
    if let Some(said) = said {
        finding = finding.seen(format!("connection to {GLOBAL}"), "failed", said.source);
    }
    Some(finding.fix(workload::restart_or_advice(derived)))
}
