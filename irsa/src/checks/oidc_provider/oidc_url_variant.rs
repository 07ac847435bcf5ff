//! # The provider's URL is not quite the issuer's
//!
//! IAM compares a provider's URL with the token's `iss` character by character. A URL with a trailing slash, another case, a
//! port, EKS's dual-stack host or the parts of the host in another order matches no token at all.
//!
//! ```text
//! bad   https://oidc.eks.eu-west-1.amazonaws.com/id/4F1E…/
//! bad   https://oidc-eks.eu-west-1.api.aws/id/4F1E…
//! good  https://oidc.eks.eu-west-1.amazonaws.com/id/4F1E…
//! ```
//!
//! **You see**: `InvalidIdentityToken: No OpenIDConnect provider found in your account for https://oidc.eks…`, while the console
//! shows a provider that looks right.
//!
//! **Decided by**: the list of providers in the role's account, or the provider that the role's trust policy names, against
//! `iss`. The token's `iss` is what counts, not the URL that Terraform or `describe-cluster` shows.
//!
//! **Not a fault**: such a provider next to one with the right URL.
//!
//! **Repair**: create a provider with exactly the token's issuer, and name it in the trust policies. A provider's URL cannot be
//! changed; delete the wrong one once no role names it.

use crate::checks::prelude::*;
use crate::checks::{role_asked, with_answer};
use crate::derive::provider::{Because, Provider};
use crate::repair::oidc_provider;

pub(super) const META: Meta = Meta {
    id: "oidc-url-variant",
    step: Step::OidcProvider,
    title: "the provider's URL is not quite the issuer's",
    explains: &["sts-refused"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if let Err(outcome) = role_asked(derived) {
        return outcome;
    }
    let missing = match derived.provider() {
        Provider::Found(_) => return Outcome::Pass,
        Provider::Unknown(unknowns) => return Outcome::Unknown(unknowns.clone()),
        Provider::Missing(missing) => missing,
    };
    let Because::UrlVariant { arn, words, source } = &missing.because else { return Outcome::Pass };
    let summary = format!("the OIDC provider differs from the tokens' issuer by {words}");
    let mut finding = META
        .on("OIDCProvider", "", arn, summary)
        .evidence("OIDC provider", &missing.arn, arn, source)
        .seen("the tokens' issuer", missing.issuer.url, &missing.issuer.source);
    if let Some(refusal) = &missing.refusal {
        finding = with_answer(finding, refusal);
    }
    if missing.inferred {
        finding = finding.inferred();
    }
    finding
        .fix(oidc_provider::create(derived, missing))
        .fix(Fix::advice(
            "name the new provider in the trust policy; delete the old one once no role names it",
        ))
        .into()
}
