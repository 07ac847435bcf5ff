//! TCP to a server: straight, through a tunnel of an HTTP proxy, or through a SOCKS5 proxy.

use std::future::ready;

use http::Uri;
use hyper_rustls::MaybeHttpsStream;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use kube::Config;
use kube::client::ConfigExt;
use thiserror::Error;
use tokio::net::TcpStream;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceExt, service_fn};

use crate::collect::causes;
use crate::collect::foreign::hold_login;

/// Connects to the host and port of a URL.
pub type Dial = BoxCloneSyncService<Uri, Stream, BoxError>;
/// A connection, on which TLS towards the server has not begun. Under it may be TLS towards the proxy.
type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// A proxy that cannot be used. Its URL is not repeated: it may hold a password.
#[derive(Debug, Error)]
pub enum ProxyError {
    #[error(
        "the kubeconfig's proxy-url is not the URL of a proxy; http://, https:// and socks5:// are supported"
    )]
    Url,
    #[error("a proxy of the kind {0}:// is not supported; http://, https:// and socks5:// are")]
    Kind(String),
    #[error("the proxy: {0}")]
    Tls(String),
}

/// The way to a server that the environment tells: `HTTPS_PROXY`, `NO_PROXY` and their kin.
pub fn by_environment(server: &Uri) -> Result<Dial, ProxyError> {
    let no_proxy = std::env::var("NO_PROXY").or_else(|_| std::env::var("no_proxy")).unwrap_or_default();
    // The matcher takes `*` for every name, but not for every address.
    let none = no_proxy.split(',').any(|entry| entry.trim() == "*");
    through(Matcher::from_env().intercept(server).filter(|_| !none))
}

/// The way through a proxy of one's own, for every server, whatever the environment says.
pub fn by_proxy(url: &str, server: &Uri) -> Result<Dial, ProxyError> {
    hold_login(url);
    let proxy = Matcher::builder().all(url).build().intercept(server);
    through(Some(proxy.ok_or(ProxyError::Url)?))
}

fn through(proxy: Option<Intercept>) -> Result<Dial, ProxyError> {
    let mut straight = HttpConnector::new();
    straight.enforce_http(false);
    straight.set_nodelay(true);
    let Some(proxy) = proxy else {
        return Ok(Dial::new(straight.map_response(Stream::from).map_err(BoxError::from)));
    };
    match proxy.uri().scheme_str().unwrap_or_default() {
        // The names of servers are the proxy's to resolve, in Go for both.
        "socks5" | "socks5h" => {
            let login = proxy.raw_auth().map(|(name, password)| (name.to_owned(), password.to_owned()));
            let proxy = with_port(proxy.uri().clone(), 1080);
            Ok(Dial::new(service_fn(move |server| {
                socks(straight.clone(), proxy.clone(), login.clone(), named(server))
            })))
        }
        scheme @ ("http" | "https") => {
            // The machine's authorities vouch for a proxy; the cluster's certificate and name have no part in it.
            let mut config = Config::new(proxy.uri().clone());
            config.root_cert = (scheme == "http").then(Vec::new);
            let to_proxy = config.rustls_https_connector_with_connector(straight);
            let to_proxy = to_proxy.map_err(|error| ProxyError::Tls(causes(&error)))?;
            let mut tunnel = Tunnel::new(proxy.uri().clone(), to_proxy);
            if let Some(login) = proxy.basic_auth() {
                tunnel = tunnel.with_auth(login.clone());
            }
            Ok(Dial::new(tunnel.map_request(named).map_err(BoxError::from)))
        }
        other => Err(ProxyError::Kind(other.to_owned())),
    }
}

async fn socks(
    mut straight: HttpConnector,
    proxy: Uri,
    login: Option<(String, String)>,
    server: Uri,
) -> Result<Stream, BoxError> {
    // Connected here, because the error of what follows would not say why that failed.
    let mut stream = Some(straight.call(proxy.clone()).await?);
    let mut socks = SocksV5::new(proxy, service_fn(move |_: Uri| ready(stream.take().ok_or("called twice"))));
    if let Some((name, password)) = login {
        socks = socks.with_auth(name, password);
    }
    Ok(socks.call(server).await?.into())
}

/// A server as proxies must be told of it: they take 443 where no port stands, for http:// too.
fn named(server: Uri) -> Uri {
    let port = if server.scheme_str() == Some("http") { 80 } else { 443 };
    with_port(server, port)
}

/// The same URL with a port, if it has none.
fn with_port(uri: Uri, port: u16) -> Uri {
    let (Some(scheme), Some(host), None) = (uri.scheme_str(), uri.host(), uri.port()) else { return uri };
    let authority = format!("{host}:{port}");
    Uri::builder().scheme(scheme).authority(authority).path_and_query("/").build().unwrap_or(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_of_ones_own() {
        let through = |url| by_proxy(url, &Uri::from_static("https://10.0.0.1:6443"));
        assert!(through("http://me:hunter2@proxy:3128").is_ok());
        assert!(through("socks5h://me:hunter2@proxy").is_ok());
        let words = through("socks4://me:hunter2@proxy:1080").unwrap_err().to_string();
        assert!(words.contains("socks4://") && !words.contains("hunter2"), "{words}");
        assert!(matches!(through(""), Err(ProxyError::Url)));
        assert!(matches!(through("ftp://proxy"), Err(ProxyError::Url)));
    }

    #[test]
    fn ports_that_are_not_named() {
        let named = |uri| with_port(Uri::from_static(uri), 80).to_string();
        assert_eq!(named("http://kube"), "http://kube:80/");
        assert_eq!(named("http://[::1]"), "http://[::1]:80/");
        assert_eq!(named("http://[::1]:8001"), "http://[::1]:8001/");
    }
}
