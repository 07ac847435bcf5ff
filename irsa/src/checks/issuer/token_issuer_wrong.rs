//! # Tokens carry an issuer that AWS does not know
//!
//! The API server writes the first of its `--service-account-issuer` flags into new tokens; it only accepts the others. EKS sets
//! it. Elsewhere a change of that flag, of kOps' discovery store or of a custom domain breaks every role of the cluster; and the
//! default, `https://kubernetes.default.svc`, is not an address that AWS could reach at all.
//!
//! **You see**: `No OpenIDConnect provider found in your account for https://…`, with an issuer that the provider in IAM does
//! not have.
//!
//! **Decided by**: `iss` of a fresh token. That AWS cannot reach an issuer shows in its URL: not `https`, or a host inside the
//! cluster or a private network. That the issuer has changed shows in the role, which trusts service accounts of another issuer
//! and none of this one.
//!
//! **Not a fault**: an issuer with a dual-stack name in `describe-cluster` or in Terraform's output: tokens carry the ordinary
//! one. An issuer that pods cannot reach: only STS has to.
//!
//! **Repair**: create a provider for the new issuer and have the roles trust it, or set the flag back.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::checks::{role_asked, with_answer};
use crate::derive::issuer::{Issuer, Teller};
use crate::derive::provider::{Because, Missing, Provider};
use crate::repair::{oidc_provider, trust_policy};

pub(super) const META: Meta = Meta {
    id: "token-issuer-wrong",
    step: Step::Issuer,
    title: "tokens carry an issuer that AWS does not know",
    explains: &["jwks-problem", "oidc-other-cluster", "sts-refused"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if let Err(outcome) = role_asked(derived) {
        return outcome;
    }
    let issuer = match Issuer::of(derived) {
        Ok(issuer) => issuer,
        Err(unknowns) => return Outcome::Unknown(unknowns.into_iter().cloned().collect()),
    };
    if let Provider::Missing(missing) = derived.provider() {
        match &missing.because {
            Because::NotPublic => return not_public(derived, missing).into(),
            Because::OtherCluster if !issuer.is_eks() => return changed(derived, missing),
            _ => {}
        }
    }
    Outcome::of(disagreement(derived, &issuer).into_iter().collect())
}

fn not_public(derived: &Derived<'_>, missing: &Missing<'_>) -> Finding {
    let url = missing.issuer.url;
    let summary = format!("tokens carry the issuer {url:?}, which AWS cannot reach");
    let finding = META.on_account(derived, summary).evidence(
        "iss",
        "an https URL that AWS can reach",
        url,
        &missing.issuer.source,
    );
    let finding = match &missing.refusal {
        Some(refusal) => with_answer(finding, refusal),
        None => finding,
    };
    finding.fix(Fix::advice(
        "publish the cluster's discovery document and keys at a public https URL, set the API server's \
         --service-account-issuer to it, and create an OIDC provider for it in IAM",
    ))
}

/// The role trusts service accounts of another issuer, and this one has no provider.
fn changed(derived: &Derived<'_>, missing: &Missing<'_>) -> Outcome {
    let judged = derived.trust().judged();
    let Some((judged, fault)) = judged.and_then(|judged| Some((judged, judged.fault.as_ref()?))) else {
        return Outcome::Pass;
    };
    let summary = format!(
        "tokens carry the issuer {}; role {} trusts service accounts of another issuer",
        missing.issuer.url, judged.role.name
    );
    let finding = trust::found(derived, &META, judged, fault, summary).inferred();
    let finding = match &missing.refusal {
        Some(refusal) => with_answer(finding, refusal),
        None => finding,
    };
    finding
        .fix(oidc_provider::create(derived, missing))
        .fixes(trust_policy::let_in(derived, judged, fault))
        .fix(Fix::advice(
            "or, if the issuer changed by mistake, set the API server's --service-account-issuer back",
        ))
        .into()
}

/// Several API servers, and one that was started with another flag.
fn disagreement(derived: &Derived<'_>, issuer: &Issuer<'_>) -> Option<Finding> {
    let served = derived.facts.issuer.api.known().filter(|_| issuer.by == Teller::Token)?;
    if served.value.issuer == issuer.url {
        return None;
    }
    let summary = format!("tokens carry the issuer {}, but the API server serves another", issuer.url);
    let finding = META
        .on_account(derived, summary)
        .severity(Severity::Warning)
        .evidence("issuer", issuer.url, &served.value.issuer, &served.source.at(".issuer"))
        .seen("iss of a fresh token", issuer.url, &issuer.source)
        .fix(Fix::advice("give every API server the same --service-account-issuer flags, in the same order"));
    Some(finding)
}
