//! The cluster's OIDC issuer: what the API server says about it, and what is published at its URL.

use jsonwebtoken::jwk::JwkSet;
use serde::Deserialize;
use serde_json::Value;

use super::cluster::{Api, NoAnswer};
use super::web::{Silence, Web, is_page};
use irsa::facts::issuer::{Discovery, Key, Published};
use irsa::facts::{Fact, Grant, Source, Unknown, Why};

#[derive(Deserialize)]
struct KeySet<K> {
    keys: Vec<K>,
}

#[derive(Deserialize)]
struct WireKey {
    #[serde(default)]
    kid: Option<String>,
    // RFC 7517, 4.1: every key has it.
    kty: String,
    // RSA
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
    // elliptic curves
    #[serde(default)]
    x: String,
    #[serde(default)]
    y: String,
}

impl From<WireKey> for Key {
    fn from(key: WireKey) -> Self {
        let material = [key.n, key.e, key.x, key.y].join(".");
        Self { kid: key.kid, kty: key.kty, material }
    }
}

/// The API server's own discovery document. It needs `system:service-account-issuer-discovery`, which any authenticated
/// user has by default.
pub async fn of_api(api: &Api) -> Fact<Discovery> {
    let path = "/.well-known/openid-configuration";
    let answer = api.document::<Discovery>(path, "application/json").await.and_then(|found| {
        let named = !found.issuer.trim().is_empty();
        named.then_some(found).ok_or_else(|| unlike("the answer names no issuer"))
    });
    said(api, path, "the cluster's issuer", answer)
}

/// The API server's public keys. It serves them under their own media type only.
pub async fn keys_of_api(api: &Api) -> Fact<Vec<Key>> {
    let path = "/openid/v1/jwks";
    let answer =
        api.document::<KeySet<WireKey>>(path, "application/jwk-set+json, application/json;q=0.5").await;
    // It signs with one at least.
    let keys = answer.and_then(|set| match set.keys.is_empty() {
        true => Err(unlike("the answer holds no key")),
        false => Ok(set.keys.into_iter().map(Key::from).collect()),
    });
    said(api, path, "the cluster's signing keys", keys)
}

fn unlike(words: &str) -> NoAnswer {
    NoAnswer::Unreadable(words.to_owned())
}

fn said<T>(api: &Api, path: &str, what: &str, answer: Result<T, NoAnswer>) -> Fact<T> {
    let source =
        Source::Api { verb: "get".into(), object: path.into(), namespace: None, field: String::new() };
    match answer {
        Ok(value) => Fact::observed(value, source),
        Err(error) => {
            Fact::Unknown(api.unknown(what.to_owned(), &error, Some(Grant::rbac("get", path, None))))
        }
    }
}

/// What the issuer's URL publishes.
pub async fn published(web: &Web, issuer: &str) -> Fact<Published<Discovery>> {
    // OpenID Connect Discovery 1.0, section 4: a trailing slash of the issuer is taken off first.
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    fetch(web, &url, "the published discovery document", |body| {
        serde_json::from_slice(body).map_err(|_| "not a JSON discovery document")
    })
    .await
}

/// The published keys, and those of them that can verify.
pub async fn published_keys(
    web: &Web,
    discovery: &Fact<Published<Discovery>>,
) -> (Fact<Published<Vec<Key>>>, JwkSet) {
    let what = "the published signing keys";
    let mut verifying = JwkSet::default();
    let uri = discovery.known().and_then(|known| match &known.value {
        Published::Document(document) => document.jwks_uri.clone(),
        _ => None,
    });
    let Some(uri) = uri.filter(|uri| uri.starts_with("https://")) else {
        return (Fact::not_asked(what, "the discovery document has no jwks_uri"), verifying);
    };
    let keys = fetch(web, &uri, what, |body| {
        let set: KeySet<Value> = serde_json::from_slice(body).map_err(|_| "not a JSON key set")?;
        let keys: Result<Vec<WireKey>, _> = set.keys.iter().map(WireKey::deserialize).collect();
        // One by one: a single key of a new kind must not hide the others.
        verifying.keys = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
        Ok(keys.map_err(|_| "not a JSON key set")?.into_iter().map(Key::from).collect())
    })
    .await;
    (keys, verifying)
}

async fn fetch<T>(
    web: &Web,
    url: &str,
    what: &str,
    read: impl FnOnce(&[u8]) -> Result<T, &'static str>,
) -> Fact<Published<T>> {
    let source = Source::Web { url: url.to_owned(), field: String::new() };
    let unknown = |why| Fact::Unknown(Unknown { what: what.to_owned(), why, grant: None });
    let found = match web.get(url).await {
        // A list is no document, which serde would read as the values of one.
        Ok(answer) if answer.status == 200 => match answer.body.trim_ascii_start().first() {
            Some(b'{') => {
                read(&answer.body).map_or_else(|words| Published::Unusable(words.into()), Published::Document)
            }
            Some(_) if is_page(&answer.body) => Published::Unusable(String::from("a web page")),
            Some(_) => Published::Unusable(String::from("not a JSON document")),
            None => Published::Unusable(String::from("nothing")),
        },
        Ok(answer) => Published::Status(answer.status),
        Err(Silence::Untrusted(why)) => Published::Untrusted(why),
        Err(Silence::NoSuchHost) => Published::NoSuchHost,
        Err(Silence::Late(late)) => return unknown(late.into()),
        Err(Silence::Unreachable(words)) => return unknown(Why::Failed(words)),
    };
    Fact::observed(found, source)
}
