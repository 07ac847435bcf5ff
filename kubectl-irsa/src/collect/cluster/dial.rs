//! TCP to a server, straight or through an HTTP proxy.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::TcpStream;
use tower_service::Service;

use super::tls::{self, TlsError};

/// A connection, on which TLS towards the server has not begun. Under it may be TLS towards the proxy.
pub type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Connects to the host and port of a URL.
#[derive(Clone)]
pub struct Dial(Way);

#[derive(Clone)]
enum Way {
    Straight(HttpConnector),
    Proxied(Box<Tunnel<HttpsConnector<HttpConnector>>>),
}

/// A proxy that cannot be used. Its URL is not repeated: it may hold a password.
#[derive(Debug, Error)]
pub enum ProxyError {
    /// The kubeconfig's proxy is no URL.
    #[error("the kubeconfig's proxy-url is not a URL")]
    Url,
    /// Another kind of proxy.
    #[error("a proxy of the kind {0}:// is not supported; http:// and https:// are")]
    Kind(String),
    /// TLS towards the proxy cannot be set up.
    #[error("the proxy: {0}")]
    Tls(#[from] TlsError),
}

impl Dial {
    /// The way to a server that the environment tells: `HTTPS_PROXY`, `NO_PROXY` and their kin.
    pub fn by_environment(server: &Uri) -> Result<Self, ProxyError> {
        Self::through(Matcher::from_env().intercept(server))
    }

    /// The way through a proxy of one's own, for every server.
    pub fn by_proxy(url: &str, server: &Uri) -> Result<Self, ProxyError> {
        let proxy = Matcher::builder().all(url).build().intercept(server);
        Self::through(Some(proxy.ok_or(ProxyError::Url)?))
    }

    fn through(proxy: Option<Intercept>) -> Result<Self, ProxyError> {
        let mut straight = HttpConnector::new();
        straight.enforce_http(false);
        straight.set_nodelay(true);
        let Some(proxy) = proxy else { return Ok(Self(Way::Straight(straight))) };
        let tls = match proxy.uri().scheme_str() {
            Some("http") => tls::unused()?,
            Some("https") => tls::of_system()?,
            other => return Err(ProxyError::Kind(other.unwrap_or_default().to_owned())),
        };
        let to_proxy = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        let mut tunnel = Tunnel::new(proxy.uri().clone(), to_proxy.wrap_connector(straight));
        if let Some(login) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(login.clone());
        }
        Ok(Self(Way::Proxied(Box::new(tunnel))))
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
            match way {
                Way::Straight(mut connector) => Ok(connector.call(server).await?.into()),
                Way::Proxied(mut tunnel) => Ok(tunnel.call(server).await?),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_of_ones_own() {
        let server = Uri::from_static("https://10.0.0.1:6443");
        let through = |url| Dial::by_proxy(url, &server).map(|dial| matches!(dial.0, Way::Proxied(_)));
        assert!(through("http://me:hunter2@proxy:3128").unwrap());
        let socks = through("socks5://me:hunter2@proxy:1080").unwrap_err().to_string();
        assert!(socks.contains("socks5://") && !socks.contains("hunter2"), "{socks}");
        assert!(matches!(through(""), Err(ProxyError::Url)));
    }
}
