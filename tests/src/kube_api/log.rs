//! What was asked, and when.

use super::route::Route;
use http::HeaderMap;
use std::time::Instant;

/// One request.
#[derive(Debug, Clone)]
pub struct Seen {
    /// HTTP method.
    pub method: String,
    /// RBAC verb.
    pub verb: String,
    /// `pods`, `serviceaccounts/token`, or the path of a non-resource URL.
    pub resource: String,
    /// Namespace, empty at the cluster scope.
    pub namespace: String,
    /// Object name, empty for lists.
    pub name: String,
    /// As on the request line.
    pub path_and_query: String,
    /// When the request had been read up to its body.
    pub started: Instant,
    /// When the answer was ready (of a watch: its first events); `None` for requests that never got one.
    pub finished: Option<Instant>,
    /// HTTP status of the answer.
    pub status: Option<u16>,
    /// Accept header.
    pub accept: String,
    /// `Impersonate-User` header.
    pub impersonate_user: Option<String>,
    /// `Impersonate-Group` headers.
    pub impersonate_groups: Vec<String>,
    /// `Impersonate-Uid` header.
    pub impersonate_uid: Option<String>,
    /// `Impersonate-Extra-KEY` headers, their keys as sent.
    pub impersonate_extra: Vec<(String, String)>,
}

impl Seen {
    /// A request that starts now.
    pub fn new(method: &str, path_and_query: &str, route: &Route, headers: &HeaderMap) -> Seen {
        let all = |name: &str| -> Vec<String> {
            headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).map(str::to_owned).collect()
        };
        let resource = route.resource.clone().unwrap_or_default();
        let extra = headers.iter().filter_map(|(name, value)| {
            let key = name.as_str().strip_prefix("impersonate-extra-")?;
            Some((key.to_owned(), value.to_str().ok()?.to_owned()))
        });
        Seen {
            method: method.to_owned(),
            verb: route.verb.clone(),
            resource: route.label(),
            namespace: resource.namespace,
            name: resource.name,
            path_and_query: path_and_query.to_owned(),
            started: Instant::now(),
            finished: None,
            status: None,
            accept: all("accept").join(", "),
            impersonate_user: all("impersonate-user").pop(),
            impersonate_groups: all("impersonate-group"),
            impersonate_uid: all("impersonate-uid").pop(),
            impersonate_extra: extra.collect(),
        }
    }
}
