//! # An endpoint override sends STS requests elsewhere
//!
//! `AWS_ENDPOINT_URL` applies to every service, STS included: an override meant for S3 (MinIO, LocalStack, a gateway) receives
//! the token exchange as well. `AWS_ENDPOINT_URL_STS` redirects STS alone.
//!
//! **You see**: `SerializationError: failed to unmarshal error message`, `NoSuchVersion`, HTML instead of XML, `connection
//! refused`; or credentials from an emulator that AWS does not know (`InvalidClientTokenId`).
//!
//! **Decided by**: the host in the URL. It is an error if the application reports a failure at that host, or an answer to the
//! token exchange that is not STS's (then its own settings may redirect it, and no variable need be set), or for
//! `AWS_ENDPOINT_URL_STS` and a host inside the cluster. Otherwise it is a warning: SDKs from before 2023 (Go v1, Java v1,
//! JavaScript v2) read neither variable, and your own proxy may forward the requests.
//!
//! **Not a fault**: STS's own hosts and VPC endpoints; `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true`; variables for another service
//! (`AWS_ENDPOINT_URL_S3`); an STS endpoint set alongside the override, which takes precedence.
//!
//! **Repair**: unset an override that leads to a host of AWS, since SDKs find that themselves. Otherwise set a separate
//! endpoint for STS, or limit the override to the service it is meant for, e.g. `AWS_ENDPOINT_URL_S3`.

use crate::aws::endpoint;
use crate::aws::partition::is_region_shaped;
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors;
use crate::derive::app_errors::AppError;
use crate::derive::sts::{self, Region};
use crate::repair::env;

pub(super) const META: Meta = Meta {
    id: "endpoint-override-leaks",
    step: Step::Network,
    title: "an endpoint override sends STS requests elsewhere",
    explains: &[
        "region-bogus",
        "sts-unreachable-no-egress",
        "dns-coredns",
        "tls-roots",
        "silent-fallback-to-node-role",
    ],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    match derived.intent.mechanism {
        _ if derived.containers.is_empty() => return Outcome::NotApplicable("no pod to look at"),
        Mechanism::PodIdentity => return Outcome::NotApplicable("EKS Pod Identity does not call STS"),
        _ => {}
    }
    let mut findings: Vec<Finding> = derived.judged().filter_map(|view| leak(derived, view)).collect();
    let target = derived.target().map(ContainerView::name);
    if !findings.iter().any(|finding| finding.about.container.as_deref() == target) {
        findings.extend(redirected(derived));
    }
    let unread = derived.judged().filter_map(|view| {
        let (name, entry) = sts::endpoint_override(&view.env)?;
        entry.text().is_none().then(|| entry.unread(name, view.name()))
    });
    Outcome::with_unread(findings, unread.collect())
}

fn leak(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    let (variable, entry) = sts::endpoint_override(&view.env)?;
    let url = entry.text()?;
    let host = endpoint::host_of_url(url).unwrap_or(url);
    if endpoint::serves_sts(host) {
        return None;
    }
    let for_sts = variable == "AWS_ENDPOINT_URL_STS";
    let certain = for_sts && endpoint::is_local(host);
    let said = failed_at(derived, host).filter(|_| view.is_target);
    let severity = match said {
        _ if certain => Severity::Error,
        Some(said) => said.severity().min(Severity::Warning),
        None => Severity::Warning,
    };
    let name = view.name();
    let fails = said.map_or_else(String::new, |said| format!(", where they fail{}", said.when()));
    let mut finding = META
        .on_container(
            derived,
            view,
            severity,
            format!("{variable} of container {name} sends STS requests to {host}{fails}"),
        )
        .inferred()
        .evidence(variable, "an STS host, or not set", url, &entry.source);
    // One's own gateway may pass requests on; an emulator, or another service of AWS, does not.
    let certainly = endpoint::is_local(host) || endpoint::is_aws(host);
    let against = if certainly { Doubt::SomeFail } else { Doubt::MayFail };
    finding.doubt = super::doubt(derived, view, against).filter(|_| severity == Severity::Warning);
    if let Some(said) = said {
        finding = finding.seen(format!("call to {host}"), outcome(said.error.kind), said.source);
    }
    // What leads to a host of AWS's, SDKs find themselves; but the name of a VPC endpoint is someone's choice.
    let needless = endpoint::is_aws(host) && !host.contains(".vpce.");
    if for_sts || needless {
        return Some(finding.fix(env::take_out(derived, view, &[(variable, entry)])));
    }
    // Whatever the override is meant for keeps working.
    let region = match Region::of(derived, view) {
        Region::Known(region) if is_region_shaped(region) => Some(region),
        _ => derived.node_region().map(|(region, _)| region),
    };
    let beside = region.and_then(|region| {
        let url = format!("https://{}", endpoint::regional_host(region));
        let assignment = Assignment::set("AWS_ENDPOINT_URL_STS", url);
        env::set(derived, view, &[assignment], "set a separate endpoint for STS alongside the override")
    });
    let finding =
        finding
            .fix(beside.unwrap_or_else(|| {
                Fix::advice("also set AWS_ENDPOINT_URL_STS to the regional STS endpoint")
            }));
    Some(
        finding.fix(Fix::advice(
            "or limit the override to the service it is meant for, e.g. AWS_ENDPOINT_URL_S3",
        )),
    )
}

/// What the application reports of its calls to the host of an override, or of an answer that is not STS's.
fn failed_at<'d>(derived: &'d Derived<'_>, host: &str) -> Option<&'d AppError<'d>> {
    derived.app_errors.iter().find(|said| match said.error.host.as_deref() {
        Some(named) => named.eq_ignore_ascii_case(host) && is_failure(said.error.kind),
        None => said.error.kind == Kind::EndpointNotSts,
    })
}

fn is_failure(kind: Kind) -> bool {
    kind == Kind::EndpointNotSts || kind.is_transport()
}

const fn outcome(kind: Kind) -> &'static str {
    match kind {
        Kind::EndpointNotSts => "an answer that is not STS's",
        Kind::TlsUnknownAuthority | Kind::TlsWrongName => "a certificate that is not trusted",
        Kind::NoSuchHost | Kind::DnsTimeout => "the name does not resolve",
        Kind::ConnectTimeout => "no answer",
        _ => "no connection",
    }
}

/// No variable redirects STS, and yet the application sends its token elsewhere, gets an answer that is not STS's, or calls the
/// cluster's own API server as if it were AWS: its own settings have an endpoint, often that of S3.
fn redirected(derived: &Derived<'_>) -> Option<Finding> {
    let said = derived.app_errors.iter().find(|said| {
        let host = said.error.host.as_deref();
        let exchange = said.error.operation.as_deref() == Some("AssumeRoleWithWebIdentity");
        match said.error.kind {
            Kind::EndpointNotSts => true,
            kind if !kind.is_transport() => false,
            _ if exchange => host.is_some_and(|host| !endpoint::serves_sts(host)),
            _ => said.error.sdk.is_some() && host.is_some_and(endpoint::is_cluster_api),
        }
    })?;
    // A proxy may answer instead.
    let proxied = derived.target().is_some_and(|view| view.env.first_set(&super::FOR_HTTPS).is_some());
    if proxied && said.error.kind == Kind::EndpointNotSts {
        return None;
    }
    let who = app_errors::speaker(derived);
    let summary = match said.error.host.as_deref().filter(|host| !endpoint::serves_sts(host)) {
        Some(host) => format!("{who} sends AWS requests to {host}, which does not serve them"),
        None => format!("{who} sends its token to an endpoint that does not answer like STS"),
    };
    let finding = app_errors::finding(&META, derived, said, &summary).inferred().evidence(
        "answer to AssumeRoleWithWebIdentity",
        "STS's",
        outcome(said.error.kind),
        said.source,
    );
    Some(finding.fix(Fix::advice(
        "in the application's own settings, use the endpoint for the service that it is meant for (S3), and none for STS; an S3 \
         endpoint of AWS's own can be left out altogether",
    )))
}
