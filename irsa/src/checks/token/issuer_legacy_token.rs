//! # The token is of the old kind
//!
//! Tokens that lie in Secrets, as Kubernetes made them before 1.24 and still makes on request, have no audience and never
//! expire. STS asks for `aud`, so they are worth nothing there.
//!
//! **You see**: `InvalidIdentityToken: Missing a required claim: aud`; with a token of another system `Missing a required claim:
//! sub`.
//!
//! **Decided by**: STS's words to the application. Tokens made by TokenRequest have both claims, so the experiment from here
//! cannot show it.
//!
//! **Repair**: use the projected token: a volume with `serviceAccountToken` and audience `sts.amazonaws.com`, as the webhook
//! adds it.

use crate::aws_error::{Claim, Kind};
use crate::checks::prelude::*;
use crate::checks::shared::app_errors;

/// See the module's page.
pub const META: Meta = Meta {
    id: "issuer-legacy-token",
    step: Step::TokenClaims,
    title: "the token is of the old kind",
    explains: &["silent-fallback-to-node-role"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let said = match app_errors::of_irsa(derived, |kind| matches!(kind, Kind::MissingClaim(_))) {
        Ok(said) => said,
        Err(outcome) => return outcome,
    };
    let claim = match said.error.kind {
        Kind::MissingClaim(Claim::Aud) => "aud",
        Kind::MissingClaim(Claim::Sub) => "sub",
        _ => "a claim that STS asks for",
    };
    let who = app_errors::speaker(derived);
    let summary = format!("{who} sends STS a token without {claim}: not the one that was projected for it");
    let finding = app_errors::finding(&META, derived, said, &summary).missing("claim", claim, said.source);
    let file = derived.target().and_then(|view| view.env.get(TOKEN_FILE));
    let finding = match file.and_then(|entry| Some((entry.text()?, &entry.source))) {
        Some((path, source)) => finding.seen(TOKEN_FILE, path, source),
        None => finding,
    };
    finding
        .fix(Fix::advice("let the application read the projected token, as the webhook mounts it, in place of one from a Secret"))
        .into()
}
