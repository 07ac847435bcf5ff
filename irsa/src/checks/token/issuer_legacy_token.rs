//! # The token is a legacy service account token
//!
//! Tokens stored in Secrets, which Kubernetes created automatically before 1.24 and still creates on request, have no audience
//! and never expire. STS requires `aud`, so it does not accept them.
//!
//! **You see**: `InvalidIdentityToken: Missing a required claim: aud`; with a token from another system `Missing a required
//! claim: sub`.
//!
//! **Decided by**: STS's error message in the application's log. Tokens from TokenRequest have both claims, so a request from
//! this machine cannot show it.
//!
//! **Repair**: use the projected token: a volume with `serviceAccountToken` and audience `sts.amazonaws.com`, as the webhook
//! adds it.

use crate::aws_error::{Claim, Kind};
use crate::checks::prelude::*;
use crate::checks::shared::app_errors;

pub(super) const META: Meta = Meta {
    id: "issuer-legacy-token",
    step: Step::TokenClaims,
    title: "the token is a legacy service account token",
    explains: &["silent-fallback-to-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let said = match app_errors::of_irsa(derived, |kind| matches!(kind, Kind::MissingClaim(_))) {
        Ok(said) => said,
        Err(outcome) => return outcome,
    };
    let claim = match said.error.kind {
        Kind::MissingClaim(Claim::Aud) => "aud",
        Kind::MissingClaim(Claim::Sub) => "sub",
        _ => "a claim that STS requires",
    };
    let who = app_errors::speaker(derived);
    let summary = format!("{who} sends STS a token without {claim}, so not its projected token");
    let finding = app_errors::finding(&META, derived, said, &summary).missing("claim", claim, said.source);
    let file = derived.target().and_then(|view| view.env.get(TOKEN_FILE));
    let finding = match file.and_then(|entry| Some((entry.text()?, &entry.source))) {
        Some((path, source)) => finding.seen(TOKEN_FILE, path, source),
        None => finding,
    };
    finding
        .fix(Fix::advice(
            "have the application read the projected token that the webhook mounts, not one from a Secret",
        ))
        .into()
}
