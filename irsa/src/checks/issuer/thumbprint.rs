//! # IAM does not trust the issuer's certificate
//!
//! IAM fetches the issuer's keys over HTTPS and checks the certificate against its own list of public authorities. Only if that
//! fails, as with a private authority, does it compare the thumbprints that the provider lists.
//!
//! **You see**: `InvalidIdentityToken: OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint`.
//!
//! **Decided by**: STS's own answer, and nothing else.
//!
//! **Not a fault**: a thumbprint that differs from the certificate's, one of forty zeros, or none. EKS's issuers have public
//! certificates, so their thumbprints are never looked at; most advice on the web is older than that.
//!
//! **Repair**: give the issuer a certificate from a public authority, or store the thumbprint of the topmost certificate that
//! its host sends. Take it from outside any network that intercepts TLS.

use crate::aws_error::{Kind, Stage};
use crate::checks::prelude::*;
use crate::checks::{role_asked, with_answer};
use crate::derive::issuer::Issuer;
use crate::derive::provider::Provider;
use crate::facts::issuer::Published;
use crate::repair::oidc_provider;

pub(super) const META: Meta = Meta {
    id: "thumbprint",
    step: Step::Issuer,
    title: "IAM does not trust the issuer's certificate",
    explains: &["sts-refused"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if let Err(outcome) = role_asked(derived) {
        return outcome;
    }
    let Some(refusal) =
        derived.sts_answer.refusal().filter(|refusal| refusal.kind == Kind::ThumbprintMismatch)
    else {
        return match derived.sts_answer.passed(Stage::Keys) {
            true => Outcome::Pass,
            false => Outcome::NotApplicable("STS does not mention a thumbprint"),
        };
    };
    let (Ok(issuer), Provider::Found(arn)) = (Issuer::of(derived), derived.provider()) else {
        return Outcome::NotApplicable("the issuer or its provider is not known");
    };
    let summary =
        format!("IAM trusts neither the authority nor a thumbprint of the certificate of {}", issuer.url);
    let mut finding = with_answer(META.on("OIDCProvider", "", arn, summary), refusal);
    if let Some(provider) = derived.facts.aws.provider.known() {
        let stored = match provider.value.thumbprints.as_slice() {
            [] => String::from("(none)"),
            list => list.join(", "),
        };
        finding = finding.seen("the provider's thumbprints", stored, &provider.source.at("ThumbprintList"));
    }
    // Where a proxy inspects TLS, what this machine sees is the proxy's.
    if let Some(published) = derived.facts.issuer.published.known()
        && !issuer.has_public_certificate()
        && let Published::Untrusted(words) = &published.value
    {
        finding = finding.seen("certificate as seen from this machine", words, &published.source);
    }
    finding.fixes(oidc_provider::trust_certificate(derived, arn, issuer.url)).into()
}
