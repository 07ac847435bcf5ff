//! # The application does not trust the certificate of STS
//!
//! The image has no certificate authorities (scratch, distroless without `ca-certificates`), the application has its own trust
//! store, or a proxy intercepts TLS and presents a certificate of its own.
//!
//! **You see**: `x509: certificate signed by unknown authority` (Go), `SSL certificate verify error: (20:unable to get local
//! issuer certificate)`, `PKIX path building failed` (Java), in a connection to AWS; or `certificate is valid for …, not sts.…`,
//! where the name leads to another host.
//!
//! **Decided by**: the probe's TLS handshake, or what the application reports.
//!
//! **Not a fault**: the same message about another host, or from the API server about the webhook: see `mwc-cabundle-stale`.
//!
//! **Repair**: add the public certificate authorities to the image (`ca-certificates`); behind a proxy that intercepts TLS,
//! point `AWS_CA_BUNDLE` to a bundle with its certificate, or exempt AWS from the proxy.

use irsa_probe::FaultKind;

use super::failed_on_the_way;
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::{app_errors, probed};
use crate::derive::probed::{Leg, ProbedPod};

pub(super) const META: Meta = Meta {
    id: "tls-roots",
    step: Step::Network,
    title: "the application does not trust the certificate of STS",
    explains: &["silent-fallback-to-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if let Some(finding) = probed::of_irsa(derived).and_then(|seen| not_trusted(derived, seen)) {
        return finding.into();
    }
    let (said, host) = match failed_on_the_way(derived, is_tls) {
        Ok(found) => found,
        Err(outcome) => return probed::or_pass(derived, META.step, outcome),
    };
    let who = app_errors::speaker(derived);
    let what = format!("certificate of {host}");
    if said.error.kind == Kind::TlsWrongName {
        let summary = format!("{who} gets a certificate for another name than {host}");
        return app_errors::finding(&META, derived, said, &summary)
            .evidence(what, format!("for {host}"), "for another name", said.source)
            .fix(Fix::advice(format!(
                "find what answers for {host} in the pod's network: a CNAME or rewrite in the cluster's DNS, a private zone of \
                 the VPC, or a proxy"
            )))
            .into();
    }
    let summary = format!("{who} does not trust the certificate that {host} presents");
    let finding = app_errors::finding(&META, derived, said, &summary).evidence(
        what,
        "signed by an authority that the application trusts",
        "signed by an unknown authority",
        said.source,
    );
    repaired(derived, finding).into()
}

fn is_tls(kind: Kind) -> bool {
    matches!(kind, Kind::TlsUnknownAuthority | Kind::TlsWrongName)
}

/// The probe did not trust the certificate either, by the authorities that the application's settings name, or by Mozilla's,
/// which are not the image's.
fn not_trusted(derived: &Derived<'_>, seen: &ProbedPod<'_>) -> Option<Finding> {
    let (Leg::Tls, FaultKind::Certificate) = seen.blocked()? else { return None };
    let (_, way) = seen.way()?;
    let (host, tls) = (seen.sts_host()?, way.tls.as_ref()?);
    let at = seen.at("network.connection.tls");
    let fault = tls.fault.as_ref().map_or("", |fault| &fault.text);
    let summary = format!("container {} gets a certificate for {host} that is not trusted", seen.container());
    let mut finding = probed::finding(&META, derived, seen, summary).evidence(
        format!("certificate of {host}"),
        "signed by a trusted authority",
        fault,
        &at,
    );
    if let Some(issuer) = &tls.issuer {
        finding = finding.seen("signed by", issuer, &at);
    }
    finding = match &tls.bundle {
        Some(bundle) => finding.seen("trusted authorities", bundle, &at),
        // The application may have others in its image.
        None => finding.seen("trusted authorities", "Mozilla's", &at).inferred(),
    };
    Some(repaired(derived, finding))
}

fn repaired(derived: &Derived<'_>, finding: Finding) -> Finding {
    let bundle =
        derived.target().and_then(|view| view.env.get("AWS_CA_BUNDLE")).filter(|entry| entry.is_set());
    match bundle {
        Some(entry) => finding
            .seen("AWS_CA_BUNDLE", entry.shown(), &entry.source)
            .fix(Fix::advice("the application trusts only what is in AWS_CA_BUNDLE: add the authority that signs for AWS, or unset the variable")),
        None => finding.fix(Fix::advice(
            "add the public certificate authorities to the image (package ca-certificates); behind a proxy that intercepts TLS, \
             point AWS_CA_BUNDLE to a bundle with the proxy's authority",
        )),
    }
}
