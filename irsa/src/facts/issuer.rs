//! The cluster's OIDC issuer: according to the API server, as published, and in a token.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Fact, Why};

/// Everything about the issuer of one service account's tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Issuer {
    /// The API server's own `/.well-known/openid-configuration`.
    pub api: Fact<Discovery>,
    /// The API server's own `/openid/v1/jwks`.
    pub api_keys: Fact<Vec<Key>>,
    /// Claims of a fresh token of the service account, made by TokenRequest.
    pub minted: Fact<Claims>,
    /// What the issuer's URL answers to `/.well-known/openid-configuration`, fetched from this machine.
    pub published: Fact<Published<Discovery>>,
    /// What the published `jwks_uri` answers.
    pub published_keys: Fact<Published<Vec<Key>>>,
    /// Whether the published keys verify the signature of the token that `minted` is of.
    pub signature: Fact<Signature>,
}

impl Issuer {
    /// Nothing of it is known, for one reason.
    pub fn unknown(why: &Why) -> Self {
        fn of<T>(what: &str, why: &Why) -> Fact<T> {
            Fact::unknown_because(what, why.clone(), None)
        }
        Self {
            api: of("the cluster's issuer", why),
            api_keys: of("the cluster's signing keys", why),
            minted: of("a token of the service account", why),
            published: of("the published discovery document", why),
            published_keys: of("the published signing keys", why),
            signature: of(Signature::WHAT, why),
        }
    }
}

/// An OpenID discovery document, as far as STS reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discovery {
    /// Must equal `iss` of the tokens.
    pub issuer: String,
    /// Where the keys are.
    #[serde(default)]
    pub jwks_uri: Option<String>,
}

/// A public key of a JSON Web Key Set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Key id.
    pub kid: Option<String>,
    /// `RSA`, `EC`, …
    pub kty: String,
    /// The public part itself (`n` and `e`, or `x` and `y`), to tell whether two keys of one id are the same.
    pub material: String,
}

/// What becomes of a token's signature with the published keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// The published key of the token's key id made it.
    Verified,
    /// No published key has the token's key id.
    NoSuchKey,
    /// The published key of the token's key id did not make it.
    BadSignature,
    /// It is of an algorithm, or the key of a kind, that is not checked here.
    UnsupportedAlgorithm(String),
}

impl Signature {
    /// What it is called where it is not known.
    pub const WHAT: &str = "whether the published keys verify a token's signature";
}

/// What an address of the issuer answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Published<T> {
    /// The document.
    Document(T),
    /// An HTTP status other than 200.
    Status(u16),
    /// Something other than the expected JSON.
    Unusable(String),
    /// A certificate that this machine does not trust; the verifier's words.
    Untrusted(String),
    /// The host name does not exist.
    NoSuchHost,
}

/// Claims of a service-account token. The token itself is never kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Signing algorithm.
    pub alg: Option<String>,
    /// Id of the signing key.
    pub kid: Option<String>,
    /// Issuer.
    pub iss: Option<String>,
    /// Audiences.
    pub aud: Vec<String>,
    /// `system:serviceaccount:NAMESPACE:NAME`.
    pub sub: Option<String>,
    /// Expiry.
    pub exp: Option<Timestamp>,
    /// Issued at.
    pub iat: Option<Timestamp>,
}
