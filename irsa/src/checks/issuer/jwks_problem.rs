//! # AWS cannot check the token's signature
//!
//! STS fetches the issuer's discovery document and, from where that says, its public keys; the key that signed the token must
//! be among them. Both must be public, served by HTTPS within five seconds, and name the issuer as the token does.
//!
//! **You see**: `InvalidIdentityToken: Couldn't retrieve verification key from your identity provider,  please reference
//! AssumeRoleWithWebIdentity documentation for requirements`, or `IDPCommunicationError`. CloudTrail does not show it.
//!
//! **Decided by**: STS's answer to a fresh token; without one, what the issuer's URL serves: another `issuer`, no key of the
//! token's `kid`, another key of that `kid` than the API server signs with. An error page seen from here is a warning only, for
//! something on the way may have made it.
//!
//! **Not a fault**: an issuer that cannot be reached from here or from the pod: only STS has to. A private network with EKS's
//! own endpoint often cannot resolve it. A certificate that this machine does not trust.
//!
//! **Repair**: on EKS wait and try again: AWS serves the documents, and the error passes. Elsewhere publish what the API server
//! says: `kubectl get --raw /.well-known/openid-configuration` and `/openid/v1/jwks`, readable for everyone.

use crate::aws_error::{Kind, Stage};
use crate::checks::prelude::*;
use crate::checks::{role_asked, with_answer};
use crate::derive::issuer::Issuer;
use crate::derive::sts_answer::Refusal;
use crate::facts::issuer::{Key, Published};
use crate::facts::{Unknown, Why};

/// See the module's page.
pub const META: Meta = Meta {
    id: "jwks-problem",
    step: Step::Issuer,
    title: "AWS cannot check the token's signature",
    explains: &["sts-refused"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
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
        (ProbedPod::InOrder, None) => Outcome::Pass,
        (ProbedPod::Unknown(unknowns), None) => Outcome::Unknown(unknowns),
        (seen, refusal) => finding(derived, &issuer, refusal, &seen).into(),
    }
}

/// What the issuer's URL shows from here.
enum ProbedPod {
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
    /// True if the document itself says so; an error page may be made on the way.
    certain: bool,
}

fn look(derived: &Derived<'_>, issuer: &Issuer<'_>) -> ProbedPod {
    let facts = &derived.facts.issuer;
    let document = match &facts.published {
        Fact::Known(document) => document,
        Fact::Unknown(why) => return ProbedPod::Unknown(vec![why.clone()]),
        Fact::Absent { .. } => return ProbedPod::Unknown(Vec::new()),
    };
    let discovery = match page(&document.value, "discovery document", &document.source) {
        Ok(discovery) => discovery,
        Err(seen) => return seen,
    };
    if discovery.issuer != issuer.url {
        return ProbedPod::Flaw(Flaw {
            words: String::from("names itself otherwise than the tokens do"),
            what: "issuer in the discovery document",
            expected: issuer.url.to_owned(),
            found: Some(discovery.issuer.clone()),
            source: document.source.at("issuer"),
            certain: true,
        });
    }
    let keys = match &facts.published_keys {
        Fact::Known(keys) => keys,
        Fact::Unknown(why) => return ProbedPod::Unknown(vec![why.clone()]),
        Fact::Absent { .. } => return ProbedPod::Unknown(Vec::new()),
    };
    match page(&keys.value, "key set", &keys.source) {
        Ok(published) => compare(derived, published, &keys.source),
        Err(seen) => seen,
    }
}

/// The document, or what its lack amounts to.
fn page<'p, T>(published: &'p Published<T>, what: &'static str, source: &Source) -> Result<&'p T, ProbedPod> {
    let flaw = |words: String, found: String| {
        ProbedPod::Flaw(Flaw {
            words,
            what,
            expected: String::from("a JSON document, for everyone"),
            found: Some(found),
            source: source.clone(),
            certain: false,
        })
    };
    Err(match published {
        Published::Document(document) => return Ok(document),
        Published::Status(status) => {
            flaw(format!("answers {status} in place of its {what}"), format!("HTTP status {status}"))
        }
        Published::Unusable(words) => flaw(format!("serves something else than its {what}"), words.clone()),
        Published::NoSuchHost => {
            unseen(what, String::from("the issuer's host name does not exist as seen from here"))
        }
        Published::Untrusted(words) => {
            unseen(what, format!("this machine does not trust its certificate: {words}"))
        }
    })
}

fn unseen(what: &str, words: String) -> ProbedPod {
    ProbedPod::Unknown(vec![Unknown {
        what: format!("the issuer's {what}"),
        why: Why::Failed(words),
        grant: None,
    }])
}

/// The key that signs, among those that are published.
fn compare(derived: &Derived<'_>, published: &[Key], source: &Source) -> ProbedPod {
    let facts = &derived.facts.issuer;
    let flaw = |words: &str, what, expected: String, found| {
        ProbedPod::Flaw(Flaw {
            words: words.to_owned(),
            what,
            expected,
            found,
            source: source.at("keys"),
            certain: true,
        })
    };
    let Some(kid) = facts.minted.known().and_then(|claims| claims.value.kid.as_deref()) else {
        return ProbedPod::Unknown(facts.minted.unknown().into_iter().cloned().collect());
    };
    let of_id = |keys: &[Key]| {
        keys.iter().find(|key| key.kid.as_deref() == Some(kid)).map(|key| key.material.clone())
    };
    let Some(material) = of_id(published) else {
        let ids: Vec<&str> = published.iter().map(|key| key.kid.as_deref().unwrap_or("(no id)")).collect();
        let found = if ids.is_empty() { None } else { Some(ids.join(", ")) };
        return flaw(
            "does not publish the key that signs the tokens",
            "ids of the published keys",
            kid.to_owned(),
            found,
        );
    };
    match facts.api_keys.known().and_then(|keys| of_id(&keys.value)) {
        Some(own) if own != material => flaw(
            "publishes another key than the API server signs with",
            "published key of that id",
            own,
            Some(material),
        ),
        _ => ProbedPod::InOrder,
    }
}

fn finding(
    derived: &Derived<'_>,
    issuer: &Issuer<'_>,
    refusal: Option<&Refusal<'_>>,
    seen: &ProbedPod,
) -> Finding {
    let url = issuer.url;
    let severity = match (seen, refusal) {
        (ProbedPod::Flaw(flaw), None) if !flaw.certain => Severity::Warning,
        _ => Severity::Error,
    };
    let summary = match seen {
        ProbedPod::Flaw(flaw) => format!("the issuer {url} {}", flaw.words),
        ProbedPod::InOrder => {
            format!("STS could not fetch the keys of {url}, which are served as seen from here")
        }
        ProbedPod::Unknown(_) => format!("STS cannot fetch the keys of {url}"),
    };
    let mut finding = META.on_account(derived, summary).severity(severity);
    if let ProbedPod::Flaw(flaw) = seen {
        finding = match &flaw.found {
            Some(found) => finding.evidence(flaw.what, &flaw.expected, found, &flaw.source),
            None => finding.missing(flaw.what, &flaw.expected, &flaw.source),
        };
    }
    finding = match refusal {
        Some(refusal) => with_answer(finding, refusal),
        None => finding.inferred(),
    };
    if issuer.is_eks() || matches!(seen, ProbedPod::InOrder) {
        return finding.fix(Fix::advice(
            "run this again in a minute: where the documents are in order, the error passes by itself",
        ));
    }
    finding
        .fix(Fix::inspect(
            "print the discovery document that must be served there, readable for everyone",
            Command::kubectl(derived, &["get", "--raw", "/.well-known/openid-configuration"]),
        ))
        .fix(Fix::inspect(
            "print the keys that must be served at its jwks_uri",
            Command::kubectl(derived, &["get", "--raw", "/openid/v1/jwks"]),
        ))
        .fix(Fix::advice("publish both where the issuer's URL is served from, and run this again"))
}
