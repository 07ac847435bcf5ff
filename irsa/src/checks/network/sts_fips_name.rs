//! # The FIPS name of STS does not exist
//!
//! STS has names `sts-fips.REGION.amazonaws.com` in us-east-1, us-east-2, us-west-1 and us-west-2 only. In GovCloud its usual
//! name, `sts.us-gov-west-1.amazonaws.com`, is the FIPS one; elsewhere there is none. `AWS_USE_FIPS_ENDPOINT=true` makes SDKs
//! build such a name for any Region, and some applications build it themselves.
//!
//! **You see**: `lookup sts-fips.eu-west-1.amazonaws.com on 172.20.0.10:53: no such host`, `Could not connect to the endpoint
//! URL: "https://sts-fips.…"`.
//!
//! **Decided by**: the name that was looked up, against those that AWS publishes. The variable alone is a warning: older SDKs do
//! not read it, and AWS may publish more.
//!
//! **Not a fault**: the cluster's DNS, the Region, or the way to STS; and the variable in GovCloud.
//!
//! **Repair**: unset the variable, or the application's own setting; where FIPS is required, have STS called in a Region that
//! has it.

use irsa_probe::FaultKind;

use super::failed;
use crate::aws::endpoint::{self, FIPS_REGIONS};
use crate::aws::partition::is_region_shaped;
use crate::checks::prelude::*;
use crate::checks::shared::{app_errors, probed};
use crate::derive::probed::Leg;
use crate::derive::sts;
use crate::derive::wire::Wire;
use crate::repair::env;

pub(super) const META: Meta = Meta {
    id: "sts-fips-name",
    step: Step::Network,
    title: "the FIPS name of STS does not exist",
    explains: &["dns-coredns", "silent-fallback-to-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    match derived.intent.mechanism {
        _ if derived.containers.is_empty() => return Outcome::NotApplicable("no pod to look at"),
        Mechanism::PodIdentity => return Outcome::NotApplicable("EKS Pod Identity does not call STS"),
        _ => {}
    }
    let seen = looked_up(derived);
    let is_on =
        |finding: &Finding, view: &ContainerView<'_>| finding.about.container.as_deref() == Some(view.name());
    let configured = derived.judged().filter_map(|view| {
        configured(derived, view).filter(|_| !seen.as_ref().is_some_and(|finding| is_on(finding, view)))
    });
    let findings: Vec<Finding> = configured.collect();
    Outcome::of(findings.into_iter().chain(seen).collect())
}

/// The variable asks for a name that is not published.
fn configured(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    let (host, entry) = built(derived, view)?;
    let name = view.name();
    let summary =
        format!("{} of container {name} has SDKs call {host}, a name that STS does not have", sts::FIPS);
    let mut finding = META.on_container(derived, view, Severity::Warning, summary).inferred().evidence(
        sts::FIPS,
        "not set",
        entry.shown(),
        &entry.source,
    );
    finding.doubt = super::doubt(derived, view, Doubt::SomeFail);
    Some(repaired(derived, view, finding, &host))
}

/// The name that the variable has SDKs build, if it is not published.
fn built<'e>(
    derived: &Derived<'_>,
    view: &'e ContainerView<'_>,
) -> Option<(String, &'e crate::derive::env::EnvEntry)> {
    let entry = view.env.get(sts::FIPS).filter(|_| sts::asks_for_fips(&view.env))?;
    let in_use = sts::endpoint_override(&view.env).is_none();
    let sts::Region::Known(region) = sts::Region::of(derived, view) else { return None };
    let host = sts::host(derived, view).filter(|_| in_use && is_region_shaped(region))?;
    // Which of the dual-stack names exist is not published.
    (!endpoint::is_published(&host) && host.contains(".amazonaws.")).then_some((host, entry))
}

/// The probe, or the application, looked for such a name.
fn looked_up(derived: &Derived<'_>) -> Option<Finding> {
    let view = derived.target()?;
    if let Some(seen) = probed::of_irsa(derived)
        && let Some((Leg::Lookup, FaultKind::NoSuchName)) = seen.blocked()
        && let Some(host) = seen.sts_host()
        && let Some(Wire::NoFips) = Wire::of_name(derived, host, true)
    {
        let summary =
            format!("container {} looks for STS at {host}, a name that does not exist", seen.container());
        let finding = probed::finding(&META, derived, seen, summary);
        let at = seen.at("network.connection.lookup");
        let finding = finding.evidence(format!("addresses of {host}"), "at least one", "no such name", &at);
        return Some(repaired(derived, view, finding, host));
    }
    let (said, host, _) = failed(derived, |(.., wire)| matches!(wire, Wire::NoFips)).ok()?;
    let who = app_errors::speaker(derived);
    let summary = format!("{who} looks for STS at {host}, a name that STS does not have");
    let finding = app_errors::finding(&META, derived, said, &summary).evidence(
        format!("addresses of {host}"),
        "at least one",
        "cannot be reached",
        said.source,
    );
    let finding = match built(derived, view) {
        Some((_, entry)) => finding.seen(sts::FIPS, entry.shown(), &entry.source),
        None => finding.inferred(),
    };
    Some(repaired(derived, view, finding, host))
}

fn repaired(derived: &Derived<'_>, view: &ContainerView<'_>, finding: Finding, host: &str) -> Finding {
    let region = endpoint::StsName::parse(host).and_then(|name| name.region).unwrap_or_default();
    let setting = match built(derived, view) {
        Some((_, entry)) => env::take_out(derived, view, &[(sts::FIPS, entry)]),
        None => Fix::advice(
            "turn off FIPS for STS in the application's own settings or code, which build this name",
        ),
    };
    let finding = finding.fix(setting);
    if region.starts_with("us-gov-") {
        let usual = endpoint::regional_host(region);
        return finding
            .fix(Fix::advice(format!("have STS called at {usual}: in GovCloud that is its FIPS endpoint")));
    }
    finding.fix(Fix::advice(format!(
        "where FIPS is required, have STS called in a Region where it has a FIPS endpoint: {}",
        FIPS_REGIONS.join(", ")
    )))
}
