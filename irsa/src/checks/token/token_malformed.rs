//! # The application sends something that is not a token
//!
//! STS receives something other than a JSON Web Token: the path of the file instead of its content, a copy that an init
//! container truncated or wrote a log line into, a token prefixed with `Bearer `, or the token of another system.
//!
//! **You see**: `InvalidIdentityToken: The ID Token provided is not a valid JWT`, `Provided Token is not a Login With Amazon
//! token`.
//!
//! **Decided by**: STS's error message in the application's log, or the token file as the probe reads it. A token that the API
//! server issues now is well-formed, so a request from this machine cannot show it.
//!
//! **Not a fault** of the role, its trust policy or the OIDC provider: STS did not get that far.
//!
//! **Repair**: have the SDK read the projected file itself, each time; remove copies and wrappers.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::{app_errors, probed};
use crate::derive::probed::ProbedPod;

pub(super) const META: Meta = Meta {
    id: "token-malformed",
    step: Step::TokenFile,
    title: "the application sends something that is not a token",
    explains: &["sts-refused", "silent-fallback-to-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if let Some(finding) = probed::of_irsa(derived).and_then(|seen| in_file(derived, seen)) {
        return finding.into();
    }
    let said = match app_errors::of_irsa(derived, |kind| matches!(kind, Kind::NotAJwt | Kind::NotAnOidcToken))
    {
        Ok(said) => said,
        Err(outcome) => return probed::or_pass(derived, META.step, outcome),
    };
    let found = match said.error.kind {
        Kind::NotAJwt => "something that is not a JSON Web Token",
        _ => "a token without an issuer",
    };
    let who = app_errors::speaker(derived);
    let finding = app_errors::finding(&META, derived, said, &format!("{who} sends STS {found}"));
    let file = derived.target().and_then(|view| view.env.get(TOKEN_FILE));
    let finding = match file.and_then(|entry| Some((entry.text()?, &entry.source))) {
        Some((path, source)) => finding.seen(TOKEN_FILE, path, source),
        None => finding,
    };
    finding
        .evidence("token", "the content of the projected file", found, said.source)
        .fix(Fix::advice("have the application's SDK read the token file itself, instead of passing it a copy, a path or a wrapped value"))
        .into()
}

/// The file does not contain a token.
fn in_file(derived: &Derived<'_>, seen: &ProbedPod<'_>) -> Option<Finding> {
    let jwt = seen.token()?.jwt.as_ref()?;
    let found = if jwt.bearer {
        String::from("a token prefixed with Bearer")
    } else if jwt.parts != 3 {
        format!("{} dot-separated parts", jwt.parts)
    } else if let Some(fault) = &jwt.fault {
        format!("three parts that cannot be decoded ({fault})")
    } else {
        return None;
    };
    let (file, field) = seen.token_file()?;
    let summary = format!("container {} has something other than a token in {}", seen.container(), file.path);
    let finding = probed::finding(&META, derived, seen, summary).evidence(
        &file.path,
        "a JSON Web Token: three dot-separated parts",
        found,
        &seen.at("token.jwt"),
    );
    let finding = match &file.stat {
        Some(stat) => {
            finding.seen("the file", format!("{} bytes", stat.size), &seen.at(&format!("{field}.stat")))
        }
        None => finding,
    };
    Some(finding.fix(Fix::advice(
        "find what writes or copies this file and stop it, and mount the projected token itself at this path",
    )))
}
