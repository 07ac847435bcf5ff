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

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::{app_errors, probed};
use crate::derive::probed::ProbedPod;

/// See the module's page.
pub const META: Meta = Meta {
    id: "token-malformed",
    step: Step::TokenFile,
    title: "what is sent as the token is no token",
    explains: &["sts-refused", "silent-fallback-to-node-role"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    if let Some(finding) = probed::of_irsa(derived).and_then(|seen| in_file(derived, seen)) {
        return finding.into();
    }
    let said = match app_errors::of_irsa(derived, |kind| matches!(kind, Kind::NotAJwt | Kind::NotAnOidcToken))
    {
        Ok(said) => said,
        Err(outcome) => return probed::or_pass(derived, META.step, outcome),
    };
    let found = match said.error.kind {
        Kind::NotAJwt => "something that is no JSON Web Token",
        _ => "something without an issuer",
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
        .fix(Fix::advice("let the application's SDK read the token file itself, in place of a copy, a path or a wrapped value"))
        .into()
}

/// What lies in the file is no token.
fn in_file(derived: &Derived<'_>, seen: &ProbedPod<'_>) -> Option<Finding> {
    let jwt = seen.token()?.jwt.as_ref()?;
    let found = if jwt.bearer {
        String::from("a token behind the word Bearer")
    } else if jwt.parts != 3 {
        format!("{} parts between dots", jwt.parts)
    } else if let Some(fault) = &jwt.fault {
        format!("three parts that cannot be decoded ({fault})")
    } else {
        return None;
    };
    let (file, field) = seen.token_file()?;
    let summary = format!("container {} has something else than a token in {}", seen.container(), file.path);
    let finding = probed::finding(&META, derived, seen, summary).evidence(
        &file.path,
        "a JSON Web Token: three parts between dots",
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
        "let nothing write or copy this file, and mount the projected token itself on its path",
    )))
}
