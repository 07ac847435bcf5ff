//! # The application does not trust the certificate of STS
//!
//! The image has no certificate authorities (scratch, distroless without `ca-certificates`), the application has a trust store of
//! its own, or a proxy opens TLS and shows a certificate of its own.
//!
//! **You see**: `x509: certificate signed by unknown authority` (Go), `SSL certificate verify error: (20:unable to get local
//! issuer certificate)`, `PKIX path building failed` (Java), in a connection to AWS.
//!
//! **Decided by**: the application's own words.
//!
//! **Not a fault**: the same words about another host, or from the API server about the webhook: see `mwc-cabundle-stale`.
//!
//! **Repair**: put the public certificate authorities into the image (`ca-certificates`); behind a proxy that opens TLS, name a
//! bundle with its certificate in `AWS_CA_BUNDLE`, or exempt AWS from the proxy.

use super::hearsay;
use super::prelude::*;
use crate::aws_error::Kind;

/// See the module's page.
pub const META: Meta = Meta {
    id: "tls-roots",
    step: Step::Network,
    title: "the application does not trust the certificate of STS",
    explains: &["silent-fallback-to-node-role"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let (said, host) = match hearsay::to_sts(derived, |kind| kind == Kind::TlsUnknownAuthority) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    let who = hearsay::speaker(derived);
    let summary = format!("{who} does not trust the certificate that {host} shows it");
    let finding = hearsay::finding(&META, derived, said, &summary).evidence(
        format!("certificate of {host}"),
        "signed by an authority that the application trusts",
        "signed by an unknown authority",
        said.source,
    );
    let bundle =
        derived.target().and_then(|view| view.env.get("AWS_CA_BUNDLE")).filter(|entry| entry.is_set());
    match bundle {
        Some(entry) => finding
            .seen("AWS_CA_BUNDLE", entry.shown(), &entry.source)
            .advice("the application trusts only what AWS_CA_BUNDLE names: add the authority that signs for AWS, or take it out"),
        None => finding.advice(
            "put the public certificate authorities into the image (package ca-certificates); behind a proxy that opens TLS, name \
             a bundle with the proxy's authority in AWS_CA_BUNDLE",
        ),
    }
    .into()
}
