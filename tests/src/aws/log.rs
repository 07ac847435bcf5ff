//! What was asked, and when.

use super::call::{Call, Origin};
use http::request::Parts;
use std::collections::BTreeMap;
use std::time::Instant;

/// One request.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Whether a pod asked, and not the plugin.
    pub from_pod: bool,
    /// The host that was asked.
    pub host: String,
    /// `sts:AssumeRoleWithWebIdentity`; of an issuer, `GET` and the path.
    pub action: String,
    /// Its parameters, but the web identity token.
    pub params: BTreeMap<String, String>,
    /// The access key that signed it.
    pub access_key: Option<String>,
    /// When it had been read.
    pub started: Instant,
    /// When the answer was ready; `None` for requests that never got one.
    pub finished: Option<Instant>,
    /// HTTP status of the answer.
    pub status: Option<u16>,
}

impl Seen {
    /// A call of a service.
    pub fn call(host: &str, call: &Call, head: &Parts) -> Seen {
        let authorization = head.headers.get("authorization").and_then(|value| value.to_str().ok());
        let access_key = authorization.and_then(|text| text.split_once("Credential=")?.1.split('/').next());
        let params = call.params.iter().filter(|(name, _)| name != "WebIdentityToken").cloned();
        Seen {
            from_pod: call.origin == Origin::Pod,
            params: params.collect(),
            access_key: access_key.map(str::to_owned),
            ..Seen::new(host, call.action())
        }
    }

    /// A page of an issuer.
    pub fn page(host: &str, path: &str) -> Seen {
        Seen::new(host, format!("GET {path}"))
    }

    /// A connection that the proxy could not make.
    pub fn no_route(host: &str) -> Seen {
        Seen { finished: Some(Instant::now()), status: Some(502), ..Seen::new(host, "CONNECT".to_owned()) }
    }

    fn new(host: &str, action: String) -> Seen {
        Seen {
            from_pod: false,
            host: host.to_owned(),
            action,
            params: BTreeMap::new(),
            access_key: None,
            started: Instant::now(),
            finished: None,
            status: None,
        }
    }
}
