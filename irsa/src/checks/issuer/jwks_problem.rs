//! # AWS cannot verify the token's signature
//!
//! STS fetches the issuer's discovery document and, from the URL in it, the public keys; the key that signed the token must be
//! among them. Both must be public, served over HTTPS within five seconds, and name the same issuer as the token.
//!
//! **You see**: `InvalidIdentityToken: Couldn't retrieve verification key from your identity provider,  please reference
//! AssumeRoleWithWebIdentity documentation for requirements`, or `IDPCommunicationError`. CloudTrail does not show it.
//!
//! **Decided by**: STS's answer to a fresh token; without one, what the issuer's URL serves: another `issuer`, no key with the
//! token's `kid`, or a key with that `kid` that does not verify the signature of a fresh token. A refusal (403, 404) seen from this
//! machine is only a warning, since something in between may have produced it; a web page, a redirection or 5xx shows nothing.
//!
//! **Not a fault**: an issuer that this machine or the pod cannot reach: only STS has to. A private network with EKS's own
//! endpoint often cannot resolve it. A certificate that this machine does not trust.
//!
//! **Repair**: on EKS wait and try again: AWS serves the documents, and the error passes. Elsewhere publish what the API server
//! returns for `kubectl get --raw /.well-known/openid-configuration` and `/openid/v1/jwks`, readable by everyone.

use crate::aws_error::{Kind, Stage};
use crate::checks::prelude::*;
use crate::checks::{role_asked, with_answer};
use crate::derive::issuer::Issuer;
use crate::derive::sts_answer::Refusal;
use crate::facts::issuer::{Key, Published, Signature};
use crate::facts::{Unknown, Why};

pub(super) const META: Meta = Meta {
    id: "jwks-problem",
    step: Step::Issuer,
    title: "AWS cannot verify the token's signature",
    explains: &["sts-refused"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if let Err(outcome) = role_asked(derived) {
        return outcome;
    }
    if derived.sts_answer.passed(Stage::Keys) || derived.second_sts_answer.passed(Stage::Keys) {
        return Outcome::Pass;
    }
    let issuer = match Issuer::of(derived) {
        Ok(issuer) => issuer,
        Err(unknowns) => return Outcome::Unknown(unknowns.into_iter().cloned().collect()),
    };
    let refusal = derived
        .sts_answer
        .refusal()
        .filter(|refusal| matches!(refusal.kind, Kind::NoVerificationKey | Kind::IdpCommunication));
    match (look(derived, &issuer), refusal) {
        (Comparison::InOrder, None) => Outcome::Pass,
        (Comparison::Unknown(unknowns), None) => Outcome::Unknown(unknowns),
        (Comparison::Flaw(Flaw { words, what, found, by: By::Anyone, .. }), None) => {
            let found = found.map_or_else(String::new, |found| format!(" ({found})"));
            let why = format!("its URL {words}{found}, which something in between may have sent");
            Outcome::Unknown(vec![unseen(what, why)])
        }
        (seen, refusal) => finding(derived, &issuer, refusal, &seen).into(),
    }
}

/// What the issuer's URL serves to this machine.
enum Comparison {
    InOrder,
    Unknown(Vec<Unknown>),
    Flaw(Flaw),
}

/// What is wrong with it.
struct Flaw {
    /// As the end of the sentence "the issuer …".
    words: String,
    what: &'static str,
    expected: String,
    found: Option<String>,
    source: Source,
    by: By,
}

/// Who shows a flaw.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// The issuer's own document.
    Issuer,
    /// A refusal, which the issuer's host gives as well as something in between: a warning, unless STS cannot fetch the keys either.
    Refusal,
    /// What is not the issuer's at all, and so shows nothing, unless STS cannot fetch the keys either.
    Anyone,
}

fn look(derived: &Derived<'_>, issuer: &Issuer<'_>) -> Comparison {
    let facts = &derived.facts.issuer;
    let document = match &facts.published {
        Fact::Known(document) => document,
        Fact::Unknown(why) => return Comparison::Unknown(vec![why.clone()]),
        Fact::Absent { .. } => return Comparison::Unknown(Vec::new()),
    };
    let discovery = match page(issuer, &document.value, "discovery document", &document.source) {
        Ok(discovery) => discovery,
        Err(seen) => return seen,
    };
    if discovery.issuer != issuer.url {
        return Comparison::Flaw(Flaw {
            words: String::from("names another issuer than the tokens do"),
            what: "issuer in the discovery document",
            expected: issuer.url.to_owned(),
            found: Some(discovery.issuer.clone()),
            source: document.source.at("issuer"),
            by: By::Issuer,
        });
    }
    if !discovery.jwks_uri.as_ref().is_some_and(|uri| uri.starts_with("https://")) {
        return Comparison::Flaw(Flaw {
            words: String::from("does not say where its keys are"),
            what: "jwks_uri in the discovery document",
            expected: String::from("an https URL"),
            found: discovery.jwks_uri.clone(),
            source: document.source.at("jwks_uri"),
            by: By::Issuer,
        });
    }
    let keys = match &facts.published_keys {
        Fact::Known(keys) => keys,
        Fact::Unknown(why) => return Comparison::Unknown(vec![why.clone()]),
        Fact::Absent { .. } => return Comparison::Unknown(Vec::new()),
    };
    match page(issuer, &keys.value, "key set", &keys.source) {
        Ok(published) => compare(derived, published, &keys.source),
        Err(seen) => seen,
    }
}

/// The document, or what follows from not having it.
fn page<'p, T>(
    issuer: &Issuer<'_>,
    published: &'p Published<T>,
    what: &'static str,
    source: &Source,
) -> Result<&'p T, Comparison> {
    let flaw = |words: String, found: String, by| {
        Comparison::Flaw(Flaw {
            words,
            what,
            expected: String::from("a JSON document, readable by everyone"),
            found: Some(found),
            source: source.clone(),
            by,
        })
    };
    Err(match published {
        Published::Document(document) => return Ok(document),
        Published::Status(status) => {
            // 407 and 511 are a proxy's, a redirection mostly a portal's; 429 and 5xx pass.
            let by = if matches!(status, 407 | 429) || !(400..500).contains(status) {
                By::Anyone
            } else {
                By::Refusal
            };
            flaw(format!("answers {status} instead of its {what}"), format!("HTTP status {status}"), by)
        }
        Published::Unusable(words) => {
            flaw(format!("serves something other than its {what}"), words.clone(), By::Anyone)
        }
        Published::NoSuchHost => {
            let why = String::from("the issuer's host name does not resolve from this machine");
            Comparison::Unknown(vec![unseen(what, why)])
        }
        Published::Untrusted(words) => {
            let why = match issuer.has_public_certificate() {
                true => format!(
                    "a proxy inspects TLS between this machine and AWS, and its certificate is not trusted here ({words}); set \
                     AWS_CA_BUNDLE to the proxy's CA"
                ),
                false => format!("this machine does not trust its certificate: {words}"),
            };
            Comparison::Unknown(vec![unseen(what, why)])
        }
    })
}

fn unseen(what: &str, words: String) -> Unknown {
    Unknown { what: format!("the issuer's {what}"), why: Why::Failed(words), grant: None }
}

/// What the published keys make of a fresh token's signature.
fn compare(derived: &Derived<'_>, published: &[Key], source: &Source) -> Comparison {
    let facts = &derived.facts.issuer;
    let flaw = |words: &str, what, expected: String, found| {
        Comparison::Flaw(Flaw {
            words: words.to_owned(),
            what,
            expected,
            found,
            source: source.at("keys"),
            by: By::Issuer,
        })
    };
    let Some(kid) = facts.minted.known().and_then(|claims| claims.value.kid.as_deref()) else {
        return Comparison::Unknown(facts.minted.unknown().into_iter().cloned().collect());
    };
    let of_id = |keys: &[Key]| {
        keys.iter().find(|key| key.kid.as_deref() == Some(kid)).map(|key| key.material.clone())
    };
    let own = facts.api_keys.known().and_then(|keys| of_id(&keys.value));
    let is_another = own.is_some() && own != of_id(published);
    // The keys themselves are long, and no person compares them.
    let other = |words, expected: &str| {
        flaw(words, "published key of the token's key id", expected.to_owned(), Some(String::from("another")))
    };
    match (facts.signature.known().map(|signature| &signature.value), own) {
        (Some(Signature::Verified), _) => Comparison::InOrder,
        (Some(Signature::NoSuchKey), _) => {
            let ids: Vec<&str> =
                published.iter().map(|key| key.kid.as_deref().unwrap_or("(no id)")).collect();
            flaw(
                "does not publish the key that signs the tokens",
                "ids of the published keys",
                kid.to_owned(),
                (!ids.is_empty()).then(|| ids.join(", ")),
            )
        }
        (Some(Signature::BadSignature | Signature::UnsupportedAlgorithm(_)), _) if is_another => other(
            "publishes a key other than the one the API server signs with",
            "the one that the API server serves",
        ),
        (Some(Signature::BadSignature), _) => other(
            "publishes a key that does not verify the signature of its tokens",
            "the one that signed a fresh token",
        ),
        // Both publish the same.
        (Some(Signature::UnsupportedAlgorithm(_)), Some(_)) => Comparison::InOrder,
        (Some(Signature::UnsupportedAlgorithm(name)), None) => Comparison::Unknown(vec![Unknown {
            what: Signature::WHAT.to_owned(),
            why: Why::Failed(format!("signatures of {name} are not checked here")),
            grant: None,
        }]),
        (None, _) => Comparison::Unknown(facts.signature.unknown().into_iter().cloned().collect()),
    }
}

fn finding(
    derived: &Derived<'_>,
    issuer: &Issuer<'_>,
    refusal: Option<&Refusal<'_>>,
    seen: &Comparison,
) -> Finding {
    let url = issuer.url;
    let severity = match (seen, refusal) {
        (Comparison::Flaw(flaw), None) if flaw.by != By::Issuer => Severity::Warning,
        _ => Severity::Error,
    };
    let summary = match seen {
        Comparison::Flaw(flaw) => format!("the issuer {url} {}", flaw.words),
        Comparison::InOrder => {
            format!("STS could not fetch the keys of {url}, although this machine can")
        }
        Comparison::Unknown(_) => format!("STS cannot fetch the keys of {url}"),
    };
    let mut finding = META.on_account(derived, summary).severity(severity);
    if let Comparison::Flaw(flaw) = seen {
        finding = match &flaw.found {
            Some(found) => finding.evidence(flaw.what, &flaw.expected, found, &flaw.source),
            None => finding.missing(flaw.what, &flaw.expected, &flaw.source),
        };
    }
    finding = match refusal {
        Some(refusal) => with_answer(finding, refusal),
        None => finding.inferred(),
    };
    if issuer.is_eks() || matches!(seen, Comparison::InOrder) {
        return finding.fix(Fix::advice(
            "run this again in a minute: if the documents are in order, the error passes by itself",
        ));
    }
    finding
        .fix(Fix::inspect(
            "print the discovery document that must be served there, readable by everyone",
            Command::kubectl(derived, &["get", "--raw", "/.well-known/openid-configuration"]),
        ))
        .fix(Fix::inspect(
            "print the keys that must be served at its jwks_uri",
            Command::kubectl(derived, &["get", "--raw", "/openid/v1/jwks"]),
        ))
        .fix(Fix::advice("publish both under the issuer's URL, and run this again"))
}
