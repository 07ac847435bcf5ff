//! # No region is set
//!
//! Neither `AWS_REGION` nor `AWS_DEFAULT_REGION` is set in the container. SDKs then ask the instance metadata service, which
//! does not exist on Fargate and is out of reach where the hop limit is 1, or give up at once. EKS's own webhook sets both; a
//! self-hosted one only with `--aws-default-region`.
//!
//! **You see**: `You must specify a region` (boto3, AWS CLI), `MissingRegion: could not find region configuration` (Go), `Region
//! is missing` (JavaScript), `failed to get region from metadata server`.
//!
//! **Decided by**: the SDK's error, against the container's environment. The environment alone is a warning: an application that
//! sets the region in its code needs no variable.
//!
//! **Worth knowing**: boto3 and AWS CLI v1 read only `AWS_DEFAULT_REGION`; the Java and JavaScript SDKs only `AWS_REGION`. The
//! webhook adds neither if the manifest sets either, so one alone serves only some SDKs.
//!
//! **Repair**: set both.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::derive::app_errors::AppError;
use crate::derive::sts::{REGION_VARIABLES, Region};
use crate::repair::env;

pub(super) const META: Meta =
    Meta { id: "region-missing", step: Step::Network, title: "no region is set", explains: &[] };

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some(view) = derived.target() else { return Outcome::NotApplicable("no pod to look at") };
    if view.wiring != Wiring::Complete && !view.pod_identity {
        return Outcome::NotApplicable("the container is not injected, and the webhook sets the region too");
    }
    let said = derived.app_errors.find(|kind| kind == Kind::MissingRegion);
    match Region::of(derived, view) {
        Region::Known(_) => {
            let elsewhere = || said.and_then(|said| not_in_process(derived, view, said));
            return Outcome::of(one_alone(derived, view, said).or_else(elsewhere).into_iter().collect());
        }
        Region::FromWebhook => return Outcome::Pass,
        Region::Missing => {}
        Region::Unread => {
            return match view.env.first_set(&REGION_VARIABLES) {
                // Which region it is does not matter here.
                Some((_, entry)) if entry.is_certain() => Outcome::Pass,
                Some((name, entry)) => Outcome::Unknown(vec![entry.unread(name, view.name())]),
                None => {
                    let flags = derived.facts.cluster.webhook_workload.unknown();
                    let unread = view.env.unread.iter().copied().chain(flags);
                    Outcome::Unknown(unread.cloned().collect())
                }
            };
        }
    }
    let name = view.name();
    let because = if derived.on_fargate() { ", and Fargate has no instance metadata service" } else { "" };
    let Some(source) = derived.spec_at("").map(|source| source.at(format!("{}.env", view.path))) else {
        return Outcome::NotApplicable("no pod to look at");
    };
    let node = derived.node_region().map(|(region, _)| region);
    let (severity, when) = severity(said, Severity::Warning);
    let mut finding = META
        .on_container(derived, view, severity, format!("container {name} has no region{because}{when}"))
        .missing("AWS_REGION", node.unwrap_or("a region"), &source)
        .missing("AWS_DEFAULT_REGION", node.unwrap_or("a region"), &source);
    finding = match said {
        Some(said) => finding.seen(REPORTED, "none found", said.source),
        None => finding.inferred(),
    };
    finding.doubt = super::doubt(derived, view, Doubt::MayFail).filter(|_| severity == Severity::Warning);
    let set = node.and_then(|region| {
        let words = REGION_VARIABLES.map(|variable| Assignment::set(variable, region));
        env::set(derived, view, &words, "set the node's region, if that is the one the application needs")
    });
    finding = finding
        .fix(set.unwrap_or_else(|| Fix::advice("set AWS_REGION and AWS_DEFAULT_REGION in the manifest")));
    if derived.platform == Platform::Other {
        finding = finding.fix(Fix::advice(
            "or run the pod identity webhook with --aws-default-region, which sets it for every pod",
        ));
    }
    finding.into()
}

/// What the SDK says about it.
const REPORTED: &str = "region, as the application reports it";

/// The severity with what the application reports, and when it did.
fn severity(said: Option<&AppError<'_>>, without: Severity) -> (Severity, String) {
    said.map_or((without, String::new()), |said| (said.severity().min(without), said.when()))
}

/// The container has a region, and the application says that it has none.
fn not_in_process(derived: &Derived<'_>, view: &ContainerView<'_>, said: &AppError<'_>) -> Option<Finding> {
    let (variable, entry) = view.env.first_set(&REGION_VARIABLES)?;
    let summary = format!(
        "the application in container {} finds no region, although the container has {variable}: its process has another \
         environment, or its code overrides it{}",
        view.name(),
        said.when()
    );
    let finding = META
        .on_container(derived, view, said.severity(), summary)
        .inferred()
        .evidence(REPORTED, entry.shown(), "none found", said.source)
        .seen(variable, entry.shown(), &entry.source);
    Some(finding.fix(Fix::advice(
        "pass the container's environment on to the process (env -i, sudo, cron and supervisors drop it), or set the region in \
         the application's own settings",
    )))
}

/// Some SDKs read only one of the two variables.
fn one_alone(
    derived: &Derived<'_>,
    view: &ContainerView<'_>,
    said: Option<&AppError<'_>>,
) -> Option<Finding> {
    let [first, second] = REGION_VARIABLES;
    // What could not be read may set the other one.
    if !view.env.unread.is_empty() {
        return None;
    }
    let set = |name| view.env.get(name).filter(|entry| entry.is_set());
    let (has, entry, lacks, readers) = match (set(first), set(second)) {
        (Some(entry), None) => (first, entry, second, "boto3 and AWS CLI v1"),
        (None, Some(entry)) => (second, entry, first, "the Java and JavaScript SDKs"),
        _ => return None,
    };
    // A value that is not a region must not be copied; `region-bogus` reports it.
    if !entry.text().is_none_or(crate::aws::partition::is_region_shaped) {
        return None;
    }
    let summary =
        format!("container {} has {has} but not {lacks}, the only one that {readers} read", view.name());
    let (severity, when) = severity(said, Severity::Info);
    let mut finding = META.on_container(derived, view, severity, format!("{summary}{when}")).evidence(
        lacks,
        entry.shown(),
        "not set",
        &entry.source,
    );
    if let Some(said) = said {
        finding = finding.seen(REPORTED, "none found", said.source);
    }
    let title = format!("set {lacks} too, if the application uses one of them");
    let assignment = entry.text().map(|text| Assignment::set(lacks, text));
    let set = assignment.and_then(|assignment| env::set(derived, view, &[assignment], title.as_str()));
    Some(finding.fix(set.unwrap_or_else(|| Fix::advice(title))))
}
