//! A Kubernetes API server for tests: it serves a [`World`] over TLS and answers as Kubernetes 1.36 was recorded to
//! answer (`recordings/` of the project; each function names the one it follows).
//!
//! It enforces what the plugin promises: it counts requests for secret values and knows how many answers a user had
//! to wait for one after the other.

mod accept;
mod ephemeral;
mod kubeconfig;
mod log;
pub mod logs;
mod meta;
mod pod_security;
mod pods;
pub mod resources;
mod route;
pub mod rule;
mod select;
mod serve;
mod status;
mod store;
mod tls;
pub(crate) mod token;
mod watch;
mod webhook;

#[cfg(test)]
pub(crate) mod tests;

use crate::server::Background;
use crate::timeline::{Interval, sequential_depth};
use crate::world::World;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
pub use log::Seen;
use serde_json::Value;
pub(crate) use serve::Server;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
pub(crate) use store::{Change, ChangeKind, Store, revision_of};
use tls::Authority;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

/// The bearer token that the server accepts.
pub const TOKEN: &str = "test-token";

/// A running server. It stops when dropped, and drops what is still being answered.
pub struct FakeKube {
    server: Arc<Server>,
    background: Background,
}

impl FakeKube {
    /// Starts a server of this world on a free port of 127.0.0.1, in a thread of its own.
    pub fn start(world: &World) -> FakeKube {
        let server = Arc::new(Server::new(world));
        let tls = TlsAcceptor::from(Authority::of_process().server.clone());
        let shared = server.clone();
        let background =
            Background::start("fake-kube", move |stream| connection(stream, tls.clone(), shared.clone()));
        FakeKube { server, background }
    }

    /// What the connections share.
    pub(crate) fn server(&self) -> Arc<Server> {
        self.server.clone()
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("https://{}", self.background.address())
    }

    /// The certificate of the CA that signed the server's certificate.
    pub fn ca_pem(&self) -> &'static str {
        &Authority::of_process().ca_pem
    }

    /// Writes a kubeconfig that authenticates with a bearer token into `dir`.
    pub fn kubeconfig(&self, dir: &Path) -> PathBuf {
        kubeconfig::with_token(dir, &self.url())
    }

    /// Writes a kubeconfig that authenticates with a client certificate into `dir`.
    pub fn kubeconfig_client_cert(&self, dir: &Path) -> PathBuf {
        kubeconfig::with_client_cert(dir, &self.url())
    }

    /// Writes a kubeconfig that authenticates with an exec credential plugin into `dir`.
    pub fn kubeconfig_exec(&self, dir: &Path) -> PathBuf {
        kubeconfig::with_exec(dir, &self.url())
    }

    /// Every request so far, in the order in which they came.
    pub fn requests(&self) -> Vec<Seen> {
        self.server.log.all()
    }

    /// The length of the longest chain of requests of which each started after the one before had finished: what a
    /// user feels as round trips. Set a latency first, or requests that could overlap will not.
    pub fn sequential_depth(&self) -> usize {
        sequential_depth(self.intervals())
    }

    /// When the requests were made and answered.
    pub fn intervals(&self) -> Vec<Interval> {
        self.requests().iter().map(|seen| (seen.started, seen.finished)).collect()
    }

    /// Delays every answer from now on.
    pub fn set_latency(&self, latency: Duration) {
        *self.server.latency.lock().expect("no thread panics while it holds the latency") = latency;
    }

    /// How many requests asked for secrets in a form that carries their values. It must stay 0.
    pub fn secret_values_read(&self) -> usize {
        self.server.secret_values_read.load(Ordering::SeqCst)
    }

    /// Makes continue tokens handed out so far expire (410), as a compaction does.
    pub fn expire_continue_tokens(&self) {
        self.server.store.compact();
    }

    /// The pods that it holds now, as `NAMESPACE/NAME`.
    pub fn pods(&self) -> BTreeSet<String> {
        let pods = resources::by_path("", "pods").expect("the table has pods");
        self.server.store.all(pods, "").iter().map(|pod| format!("{}/{}", pod.namespace, pod.name)).collect()
    }

    /// The key set of the token issuer (JWKS).
    pub fn key_set(&self) -> Value {
        self.server.issuer.key_set()
    }

    /// The signatures of all tokens that were issued, to whomever: no output may hold any of them.
    pub fn token_signatures(&self) -> Vec<String> {
        self.server.issuer.signatures()
    }

    /// The issuer's public key: an uncompressed P-256 point, for verifying ES256 signatures.
    pub fn issuer_public_key(&self) -> Vec<u8> {
        self.server.issuer.public_key()
    }

    /// A token with any claims, signed by the issuer: what a kubelet would have put into a pod.
    pub fn mint(&self, claims: &Value) -> String {
        self.server.issuer.sign(claims)
    }
}

/// One connection; clients that go away or fail the handshake are no error of the test.
async fn connection(stream: TcpStream, tls: TlsAcceptor, server: Arc<Server>) {
    let Ok(stream) = tls.accept(stream).await else { return };
    let trusted = serve::is_trusted(stream.get_ref().1);
    let service = service_fn(|request| {
        let server = server.clone();
        async move { Ok::<_, Infallible>(server.serve(request, trusted).await) }
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
