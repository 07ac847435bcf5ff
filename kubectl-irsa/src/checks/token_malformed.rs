//! # What is sent as the token is no token
//!
//! STS gets something else than a JSON Web Token: the path of the file in place of its content, a copy that an init container
//! cut off or wrote a log line into, `Bearer ` before it, the token of another system.
//!
//! **You see**: `InvalidIdentityToken: The ID Token provided is not a valid JWT`, `Provided Token is not a Login With Amazon
//! token`.
//!
//! **Decided by**: STS's words to the application. A token that the API server makes now is well-formed, so the experiment from
//! here cannot show it.
//!
//! **Not a fault**: of the role, its trust policy or the provider: STS did not get that far.
//!
//! **Repair**: let the SDK read the projected file itself, each time; take copies and wrappers out.

use super::hearsay;
use super::prelude::*;
use crate::aws_error::Kind;

/// See the module's page.
pub const META: Meta = Meta {
    id: "token-malformed",
    step: Step::TokenFile,
    title: "what is sent as the token is no token",
    explains: &["silent-fallback-to-node-role"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let said = match hearsay::of_irsa(derived, |kind| matches!(kind, Kind::NotAJwt | Kind::NotAnOidcToken)) {
        Ok(said) => said,
        Err(outcome) => return outcome,
    };
    let found = match said.error.kind {
        Kind::NotAJwt => "something that is no JSON Web Token",
        _ => "something without an issuer",
    };
    let who = hearsay::speaker(derived);
    let finding = hearsay::finding(&META, derived, said, &format!("{who} sends STS {found}"));
    let file = derived.target().and_then(|view| view.env.get(TOKEN_FILE));
    let finding = match file.and_then(|entry| Some((entry.text()?, &entry.source))) {
        Some((path, source)) => finding.seen(TOKEN_FILE, path, source),
        None => finding,
    };
    finding
        .evidence("token", "the content of the projected file", found, said.source)
        .advice("let the application's SDK read the token file itself, in place of a copy, a path or a wrapped value")
        .into()
}
