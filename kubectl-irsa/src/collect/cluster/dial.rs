//! TCP to a server: straight, through a tunnel of an HTTP proxy, or through a SOCKS5 proxy.

use std::future::ready;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use kube::Config;
use kube::client::ConfigExt;
use thiserror::Error;
use tokio::net::TcpStream;
use tower::{Service, service_fn};

use super::answer::causes;

/// A connection, on which TLS towards the server has not begun. Under it may be TLS towards the proxy.
type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Connects to the host and port of a URL.
#[derive(Clone)]
pub struct Dial(Way);

#[derive(Clone)]
enum Way {
    Straight(HttpConnector),
    Tunnel(Box<Tunnel<HttpsConnector<HttpConnector>>>),
    /// The proxy, and with which name and password.
    Socks(HttpConnector, Uri, Option<(String, String)>),
}

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

impl Dial {
    /// The way to a server that the environment tells: `HTTPS_PROXY`, `NO_PROXY` and their kin.
    pub fn by_environment(server: &Uri) -> Result<Self, ProxyError> {
        let no_proxy = std::env::var("NO_PROXY").or_else(|_| std::env::var("no_proxy")).unwrap_or_default();
        // The matcher takes `*` for every name, but not for every address.
        let none = no_proxy.split(',').any(|entry| entry.trim() == "*");
        Self::through(Matcher::from_env().intercept(server).filter(|_| !none))
    }

    /// The way through a proxy of one's own, for every server, whatever the environment says.
    pub fn by_proxy(url: &str, server: &Uri) -> Result<Self, ProxyError> {
        let proxy = Matcher::builder().all(url).build().intercept(server);
        Self::through(Some(proxy.ok_or(ProxyError::Url)?))
    }

    fn through(proxy: Option<Intercept>) -> Result<Self, ProxyError> {
        let mut straight = HttpConnector::new();
        straight.enforce_http(false);
        straight.set_nodelay(true);
        let Some(proxy) = proxy else { return Ok(Self(Way::Straight(straight))) };
        match proxy.uri().scheme_str().unwrap_or_default() {
            // The names of servers are the proxy's to resolve, in Go for both.
            "socks5" | "socks5h" => {
                let login = proxy.raw_auth().map(|(name, password)| (name.to_owned(), password.to_owned()));
                Ok(Self(Way::Socks(straight, with_port(proxy.uri().clone(), 1080), login)))
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
                Ok(Self(Way::Tunnel(Box::new(tunnel))))
            }
            other => Err(ProxyError::Kind(other.to_owned())),
        }
    }
}

impl Service<Uri> for Dial {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    /// Connecting waits for nothing but the network.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let way = self.0.clone();
        Box::pin(async move {
            // Proxies are told 443 where no port stands, for http:// too.
            let port = if server.scheme_str() == Some("http") { 80 } else { 443 };
            match way {
                Way::Straight(mut connector) => Ok(connector.call(server).await?.into()),
                Way::Tunnel(mut tunnel) => Ok(tunnel.call(with_port(server, port)).await?),
                Way::Socks(mut straight, proxy, login) => {
                    // Connected here, because the error of what follows would not say why that failed.
                    let mut stream = Some(straight.call(proxy.clone()).await?);
                    let connected = service_fn(move |_: Uri| ready(stream.take().ok_or("it is called once")));
                    let mut socks = SocksV5::new(proxy, connected);
                    if let Some((name, password)) = login {
                        socks = socks.with_auth(name, password);
                    }
                    Ok(socks.call(with_port(server, port)).await?.into())
                }
            }
        })
    }
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
        let server = Uri::from_static("https://10.0.0.1:6443");
        let through = |url| Dial::by_proxy(url, &server).map(|dial| dial.0);
        assert!(matches!(through("http://me:hunter2@proxy:3128"), Ok(Way::Tunnel(_))));
        assert!(matches!(through("socks5://me:hunter2@proxy:1080"), Ok(Way::Socks(..))));
        let Err(error) = through("socks4://me:hunter2@proxy:1080") else { panic!("it is not supported") };
        let words = error.to_string();
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
