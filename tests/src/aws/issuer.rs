//! What the world's issuers publish: to the plugin over HTTPS, and to STS, which fetches it itself.

use super::account::{Account, IssuerServes, Keys, Served, without_scheme};
use crate::kube_api::token;
use crate::world::Header;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// An answer of an issuer's host.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// Content-Type.
    pub content_type: &'static str,
    /// Body.
    pub body: String,
    /// How long it takes; `None` is forever.
    pub delay: Option<Duration>,
}

/// Longer than the five seconds that STS waits for a key set.
const SLOW: Duration = Duration::from_secs(6);

const NO_SUCH_PAGE: &str = r#"{"message":"Not Found"}"#;

/// Every issuer of the world, by URL.
pub struct Issuers(BTreeMap<String, Issuer>);

struct Issuer {
    serves: IssuerServes,
    keys: Value,
}

/// The host of an issuer's URL.
pub fn host_of(issuer: &str) -> &str {
    without_scheme(issuer).split('/').next().unwrap_or_default()
}

impl Issuers {
    /// The world's own issuer publishes `keys`; those of other clusters publish keys of their own.
    pub fn new(header: &Header, accounts: &[Account], keys: Value) -> Issuers {
        let others = accounts.iter().flat_map(|account| &account.eks).map(|c| c.issuer(&header.issuer));
        let mut issuers: BTreeMap<String, Issuer> =
            others.map(|url| (url.to_owned(), Issuer::stranger(url))).collect();
        let serves = header.issuer_serves.clone().unwrap_or_default();
        let keys = match serves.keys {
            Keys::AsIs => keys,
            Keys::Other => token::Issuer::new(&header.issuer).key_set(),
            Keys::SameId => {
                let mut other = token::Issuer::new(&header.issuer).key_set();
                other["keys"][0]["kid"] = keys["keys"][0]["kid"].clone();
                other
            }
            Keys::Rotated => {
                let former = token::Issuer::new(&header.issuer).key_set();
                let unknown = json!({"kty": "AKP", "alg": "ML-DSA-44", "kid": "later", "pub": "AAAA"});
                json!({"keys": [former["keys"][0], unknown, keys["keys"][0]]})
            }
            Keys::WithoutKid => without_kid(keys),
            Keys::None => json!({ "keys": [] }),
        };
        issuers.insert(header.issuer.clone(), Issuer { serves, keys });
        Issuers(issuers)
    }

    /// Whether an issuer lives on this host.
    pub fn live_on(&self, host: &str) -> bool {
        self.0.keys().any(|issuer| host_of(issuer) == host)
    }

    /// What is served under a URL.
    pub fn page(&self, url: &str) -> Page {
        let page = |(issuer, published): (&String, &Issuer)| {
            let path = url.strip_prefix(issuer.as_str())?;
            match path {
                "/.well-known/openid-configuration" => {
                    Some(serve(published.serves.discovery, &published.discovery(issuer)))
                }
                "/keys" => Some(serve(published.serves.jwks, &published.keys)),
                _ => None,
            }
        };
        self.0.iter().find_map(page).unwrap_or_else(|| plain(404, NO_SUCH_PAGE))
    }

    /// The key with this id, as STS gets it: by discovery, within five seconds, from an issuer that says its own name.
    pub fn key(&self, issuer: &str, id: &str) -> Option<Value> {
        let configuration = self.fetch(&format!("{issuer}/.well-known/openid-configuration"))?;
        if configuration["issuer"] != issuer {
            return None;
        }
        let set = self.fetch(configuration["jwks_uri"].as_str()?)?;
        set["keys"].as_array()?.iter().find(|key| key["kid"] == id).cloned()
    }

    fn fetch(&self, url: &str) -> Option<Value> {
        let page = self.page(url);
        let in_time = page.status == 200 && page.delay == Some(Duration::ZERO);
        serde_json::from_str(&page.body).ok().filter(|_| in_time)
    }
}

impl Issuer {
    fn stranger(url: &str) -> Issuer {
        Issuer { serves: IssuerServes::default(), keys: token::Issuer::new(url).key_set() }
    }

    fn discovery(&self, url: &str) -> Value {
        let mut configuration = token::configuration(url);
        if let Some(name) = &self.serves.issuer_field {
            configuration["issuer"] = json!(name);
        }
        configuration
    }
}

fn serve(served: Served, document: &Value) -> Page {
    let as_is = Page {
        status: 200,
        content_type: "application/json",
        body: document.to_string(),
        delay: Some(Duration::ZERO),
    };
    match served {
        Served::AsIs => as_is,
        Served::Slow => Page { delay: Some(SLOW), ..as_is },
        Served::Hang => Page { delay: None, ..as_is },
        Served::NotFound => plain(404, NO_SUCH_PAGE),
        Served::Forbidden => Page {
            status: 403,
            content_type: "application/xml",
            body: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied\
                   </Message></Error>"
                .to_owned(),
            ..as_is
        },
        Served::Html => Page {
            content_type: "text/html",
            body: "<!DOCTYPE html><html><title>Welcome</title></html>".to_owned(),
            ..as_is
        },
    }
}

fn plain(status: u16, body: &str) -> Page {
    Page { status, content_type: "application/json", body: body.to_owned(), delay: Some(Duration::ZERO) }
}

fn without_kid(mut keys: Value) -> Value {
    for key in keys["keys"].as_array_mut().into_iter().flatten() {
        key.as_object_mut().map(|fields| fields.remove("kid"));
    }
    keys
}
