//! HTTP to one API server, as one user: kube's client over our own way there.

use http::header::{AUTHORIZATION, USER_AGENT};
use http::{HeaderValue, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::{ClientBuilder, ConfigExt, RustlsTlsError};
use kube::config::{AuthInfo, Cluster};
use kube::{Client, Config};
use thiserror::Error;
use tower::ServiceExt;
use zeroize::Zeroizing;

use super::access::Server;
use super::dial::{self, ProxyError};
use super::pem::{self, PemError};
use super::sign_in::{self, SignInError, sign_in};
use crate::collect::{Deadline, causes};

/// How this program calls itself.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("kubectl-irsa/", env!("CARGO_PKG_VERSION")));

/// A connection cannot be set up.
#[derive(Debug, Error)]
pub enum ConnectionError {
    #[error(transparent)]
    SignIn(#[from] SignInError),
    #[error(transparent)]
    Authority(#[from] PemError),
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    #[error("the TLS server name \"{0}\" is not a host name")]
    ServerName(String),
    #[error("the user, group or UID to act as contains characters that are not allowed in an HTTP header")]
    Impersonation,
    #[error(
        "the client certificate is X.509 version 1, which kubectl accepts and this program's TLS library (rustls) does \
         not: have a version 3 certificate issued"
    )]
    Version1,
    #[error("{0}")]
    Tls(String),
}

/// The certificates by which the cluster is known. A file may be a pipe to which nobody writes.
async fn authority(
    cluster: &Cluster,
    deadline: &Deadline,
) -> Result<Option<Zeroizing<Vec<u8>>>, ConnectionError> {
    let read =
        pem::read(cluster.certificate_authority_data.as_deref(), cluster.certificate_authority.as_ref());
    let late = |late| {
        let what = String::from("reading the cluster's certificate authority");
        ConnectionError::SignIn(SignInError::Late { what, late })
    };
    Ok(deadline.wait("a file", sign_in::LONGEST, read).await.map_err(late)??)
}

/// Signs in before the deadline; nothing is sent to the server yet. Every answer's head is shown to `seen`.
pub async fn connect(
    server: &Server,
    deadline: &Deadline,
    seen: impl Fn(&Response<Incoming>) + Clone + Send + 'static,
) -> Result<Client, ConnectionError> {
    let mut cluster = server.cluster.clone();
    let mut config = Config::new(server.address.clone());
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or_default();
    if config.accept_invalid_certs || server.address.scheme_str() != Some("https") {
        // Where no certificate is checked, the machine needs no authorities, either.
        config.root_cert = Some(Vec::new());
        cluster.certificate_authority = None;
    } else if let Some(authority) = authority(&cluster, deadline).await? {
        let all = pem::certificates(&authority, "the cluster's certificate authority")?;
        config.root_cert = Some(all.iter().map(|der| der.to_vec()).collect());
        cluster.certificate_authority_data = Some(pem::encoded(&authority));
    }
    let (authorization, identity) = sign_in(&server.user, &cluster, deadline).await?;
    config.headers.push((USER_AGENT, AGENT));
    // Not as the user's token: tower-http panics at one that no header can hold.
    config.headers.extend(authorization.map(|value| (AUTHORIZATION, value)));
    let (certificate, key) = identity.map(|identity| (identity.certificate, identity.key)).unzip();
    // Made new: whatever tells a way to sign in would be gone again, once for every layer.
    config.auth_info = AuthInfo {
        client_certificate_data: certificate,
        client_key_data: key,
        impersonate: server.user.impersonate.clone(),
        impersonate_uid: server.user.impersonate_uid.clone(),
        impersonate_groups: server.user.impersonate_groups.clone(),
        impersonate_user_extra: server.user.impersonate_user_extra.clone(),
        ..AuthInfo::default()
    };
    config.tls_server_name.clone_from(&cluster.tls_server_name);
    let dial = match &cluster.proxy_url {
        None => dial::by_environment(&server.address)?,
        Some(url) => dial::by_proxy(url, &server.address)?,
    };
    let https = config.rustls_https_connector_with_connector(dial).map_err(|error| match error {
        kube::Error::RustlsTls(RustlsTlsError::InvalidServerName(_)) => {
            ConnectionError::ServerName(cluster.tls_server_name.unwrap_or_default())
        }
        error if causes(&error).contains("UnsupportedCertVersion") => ConnectionError::Version1,
        error => ConnectionError::Tls(causes(&error)),
    })?;
    let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .build(https);
    let shown = http.map_response(move |response: Response<Incoming>| {
        seen(&response);
        response
    });
    let headers = config.extra_headers_layer().map_err(|_| ConnectionError::Impersonation)?;
    Ok(ClientBuilder::new(shown, &server.namespace)
        .with_layer(&headers)
        .with_layer(&config.base_uri_layer())
        .build())
}
