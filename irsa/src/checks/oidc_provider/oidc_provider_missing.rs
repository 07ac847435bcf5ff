//! # The role's account has no OIDC provider for the cluster
//!
//! STS looks up the token's issuer among the OIDC providers of the **role's** account. If it finds none, no role of that account
//! can be assumed with such a token, whatever its trust policy says.
//!
//! **You see**: `InvalidIdentityToken: No OpenIDConnect provider found in your account for https://oidc.eks…`. "Your account" is
//! the role's, not the cluster's and not the caller's.
//!
//! **Decided by**: STS's answer to a fresh token; or IAM, asked with credentials of the role's account for the provider of
//! exactly the token's `iss`. A provider in the account that you happen to be signed in to does not count.
//!
//! **Not a fault**: an EKS identity provider for users who sign in to the cluster (`describe-identity-provider-config`): that
//! one is for the other direction. An inactive Region can answer with the same message; that is `sts-optin-region-masquerade`.
//!
//! **Repair**: create the provider, with the tool that manages the account if there is one: `eksctl utils
//! associate-iam-oidc-provider`, Terraform's `aws_iam_openid_connect_provider`. A thumbprint is not needed.

use crate::checks::prelude::*;
use crate::checks::{role_asked, with_answer};
use crate::derive::provider::{Because, Missing, Provider};
use crate::repair::oidc_provider;

pub(super) const META: Meta = Meta {
    id: "oidc-provider-missing",
    step: Step::OidcProvider,
    title: "the role's account has no OIDC provider for the cluster",
    explains: &["sts-refused"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if let Err(outcome) = role_asked(derived) {
        return outcome;
    }
    match derived.provider() {
        Provider::Found(_) => Outcome::Pass,
        Provider::Unknown(unknowns) => Outcome::Unknown(unknowns.clone()),
        Provider::Missing(missing) => match &missing.because {
            Because::Unexplained => finding(derived, missing).into(),
            _ => Outcome::NotApplicable("there is none, and another check says why"),
        },
    }
}

fn finding(derived: &Derived<'_>, missing: &Missing<'_>) -> Finding {
    let summary = format!("account {} has no OIDC provider for {}", missing.account, missing.issuer.url);
    let finding = META
        .on("OIDCProvider", "", &missing.arn, summary)
        .missing("OIDC provider", &missing.arn, &missing.source)
        .seen("the tokens' issuer", missing.issuer.url, &missing.issuer.source);
    let finding = match &missing.refusal {
        Some(refusal) => with_answer(finding, refusal),
        None => finding,
    };
    let finding = if missing.inferred { finding.inferred() } else { finding };
    finding.fix(oidc_provider::create(derived, missing))
}
