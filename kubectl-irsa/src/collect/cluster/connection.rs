//! HTTP to one API server, as one user.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri, uri};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::ServerName;
use thiserror::Error;

use super::access::Server;
use super::dial::{Dial, ProxyError};
use super::kubeconfig::User;
use super::sign_in::{SignInError, sign_in};
use super::tls::{self, TlsError};
use crate::collect::api::encode;

/// A connection cannot be set up.
#[derive(Debug, Error)]
pub enum ConnectionError {
    /// Who asks is not settled.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The way there.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// `tls-server-name` is none.
    #[error("the TLS server name \"{0}\" is not a host name")]
    ServerName(String),
    /// Whom to act as cannot be said in a header.
    #[error("the user, group or uid to act as holds characters that an HTTP header cannot have")]
    Impersonation,
}

/// Connections to one API server, opened as they are needed and used again.
pub struct Connection {
    client: Client<HttpsConnector<Dial>, Full<Bytes>>,
    server: Uri,
    headers: HeaderMap,
}

impl Connection {
    /// Signs in; nothing is sent to the server yet.
    pub async fn open(server: &Server) -> Result<Self, ConnectionError> {
        let credentials = sign_in(server).await?;
        let cluster = &server.cluster;
        let dial = match cluster.proxy_url.as_str() {
            "" => Dial::by_environment(&server.address)?,
            url => Dial::by_proxy(url, &server.address)?,
        };
        // A server without TLS needs no authorities, and the machine may have none.
        let tls = match server.address.scheme_str() {
            Some("https") => tls::of_cluster(cluster, credentials.certificate)?,
            _ => tls::unused()?,
        };
        let mut https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        if !cluster.tls_server_name.is_empty() {
            let name = ServerName::try_from(cluster.tls_server_name.clone())
                .map_err(|_| ConnectionError::ServerName(cluster.tls_server_name.clone()))?;
            https = https.with_server_name_resolver(FixedServerNameResolver::new(name));
        }
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(https.enable_http1().wrap_connector(dial));
        let mut headers = acting_as(&server.user).ok_or(ConnectionError::Impersonation)?;
        if let Some(authorization) = credentials.authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        Ok(Self { client, server: server.address.clone(), headers })
    }

    /// Sends a request for a path and query of the server.
    pub async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Box<dyn std::error::Error + Send + Sync>> {
        *request.uri_mut() = join(&self.server, request.uri())?;
        request.headers_mut().extend(self.headers.clone());
        Ok(self.client.request(request).await?)
    }
}

/// A path and query at a server, whose URL may have a path of its own, as Rancher's has.
fn join(server: &Uri, path: &Uri) -> Result<Uri, http::Error> {
    let mut parts = server.clone().into_parts();
    let query = path.path_and_query().map_or("/", uri::PathAndQuery::as_str);
    parts.path_and_query = Some(format!("{}{query}", server.path().trim_end_matches('/')).parse()?);
    Ok(Uri::from_parts(parts)?)
}

/// The headers that name whom to act as; `None` if a header cannot hold a name.
fn acting_as(user: &User) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    let single = [("impersonate-user", &user.r#as), ("impersonate-uid", &user.as_uid)];
    let groups = user.as_groups.iter().map(|group| ("impersonate-group", group));
    for (name, value) in single.into_iter().chain(groups).filter(|(_, value)| !value.is_empty()) {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).ok()?);
    }
    for (key, values) in &user.as_user_extra {
        let name = format!("impersonate-extra-{}", encode(key).to_ascii_lowercase());
        for value in values {
            headers.append(HeaderName::try_from(&name).ok()?, HeaderValue::from_str(value).ok()?);
        }
    }
    Some(headers)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn paths_at_a_server() {
        let joined = |server: &str, path: &str| {
            join(&server.parse().unwrap(), &path.parse().unwrap()).unwrap().to_string()
        };
        assert_eq!(joined("https://10.0.0.1:6443", "/version"), "https://10.0.0.1:6443/version");
        assert_eq!(
            joined("https://rancher/k8s/clusters/c-1/", "/api/v1/pods?limit=1"),
            "https://rancher/k8s/clusters/c-1/api/v1/pods?limit=1"
        );
    }

    #[test]
    fn whom_to_act_as() {
        let user = User {
            r#as: String::from("alice"),
            as_groups: vec![String::from("dev"), String::from("oncall")],
            as_user_extra: BTreeMap::from([(String::from("example.com/scope"), vec![String::from("view")])]),
            ..User::default()
        };
        let headers = acting_as(&user).unwrap();
        assert_eq!(headers["impersonate-user"], "alice");
        assert_eq!(headers.get_all("impersonate-group").iter().collect::<Vec<_>>(), ["dev", "oncall"]);
        assert_eq!(headers["impersonate-extra-example.com%2fscope"], "view");
        assert!(!headers.contains_key("impersonate-uid"));
        assert!(acting_as(&User { r#as: String::from("a\nb"), ..User::default() }).is_none());
    }
}
