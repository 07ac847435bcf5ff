//! A Kubernetes API server for tests: it serves a [`World`] over TLS and answers as Kubernetes 1.36 was recorded to
//! answer (`recordings/` of the project; each function names the one it follows).
//!
//! It enforces what the plugin promises: it counts requests for secret values and knows how many answers a user had
//! to wait for one after the other.

mod accept;
mod controllers;
mod ephemeral;
mod kubeconfig;
mod log;
pub mod logs;
mod meta;
mod patch;
mod pod_security;
mod pods;
mod protobuf;
pub mod resources;
mod route;
pub mod rule;
mod schema;
mod select;
mod serve;
mod status;
mod store;
mod tls;
pub(crate) mod token;
mod watch;
mod webhook;
mod writes;

#[cfg(test)]
pub(crate) mod tests;

use crate::fault::{Fault, Faults};
use crate::server::Background;
use crate::timeline::{Interval, sequential_depth};
use crate::world::World;
use http::Request;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
pub use log::Seen;
use route::Route;
use serde_json::Value;
pub(crate) use serve::Server;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
pub(crate) use store::{Change, ChangeKind, Store, revision_of};
use tls::Authority;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

/// The bearer token that the server accepts.
pub const TOKEN: &str = "test-token";

/// The name of its host among those with faults.
pub const API_SERVER: &str = "API server";

/// How a server is reached.
#[derive(Debug, Clone, Copy)]
pub struct Front {
    /// The address that it listens on.
    pub address: IpAddr,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// What stands before every path, as Rancher has it: `/k8s/clusters/c-1`.
    pub prefix: &'static str,
}

impl Default for Front {
    fn default() -> Front {
        Front { address: IpAddr::V4(Ipv4Addr::LOCALHOST), tls: true, prefix: "" }
    }
}

/// A running server. It stops when dropped, and drops what is still being answered.
pub struct FakeKube {
    server: Arc<Server>,
    background: Background,
    front: Front,
}

impl FakeKube {
    /// Starts a server of this world on a free port of 127.0.0.1, in a thread of its own.
    pub fn start(world: &World) -> FakeKube {
        FakeKube::start_behind(world, Front::default())
    }

    /// The same with another front.
    pub fn start_behind(world: &World, front: Front) -> FakeKube {
        let server = Arc::new(Server::new(world));
        let shared = server.clone();
        let background = Background::start_at("fake-kube", front.address, move |stream| {
            connection(stream, front, shared.clone())
        });
        FakeKube { server, background, front }
    }

    /// Its objects are those of another world from now on, as after a rollout. No watch is told.
    pub fn become_as(&self, world: &World) {
        self.server.store.set_objects(&world.objects);
    }

    /// What the connections share.
    pub(crate) fn server(&self) -> Arc<Server> {
        self.server.clone()
    }

    /// `https://127.0.0.1:PORT`, or where nobody listens.
    pub fn url(&self) -> String {
        if self.server.faults.of_host(API_SERVER) == Some(Fault::Refused) {
            return "https://127.0.0.1:9".to_owned();
        }
        let scheme = if self.front.tls { "https" } else { "http" };
        format!("{scheme}://{}{}", self.background.address(), self.front.prefix)
    }

    /// What goes wrong with its answers.
    pub fn faults(&self) -> &Faults {
        &self.server.faults
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.background.address()
    }

    /// Answers the next requests with 429, and asks to come back after so many seconds.
    pub fn be_busy(&self, times: usize, seconds: u64) {
        *self.server.busy.lock().expect("no thread panics while it holds it") = (times, seconds);
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

    /// What people write: everything that no controller makes, without what the server adds, and without the time of a restart.
    pub fn written(&self) -> BTreeMap<String, Value> {
        const MADE: [&str; 5] = ["pods", "replicasets", "events", "controllerrevisions", "endpointslices"];
        let objects = self.server.store.everything();
        let people_s = objects.iter().filter(|object| !MADE.contains(&object.resource.plural));
        people_s
            .map(|object| {
                let mut value = object.value.clone();
                value.as_object_mut().expect("an object").remove("status");
                let metadata = value["metadata"].as_object_mut().expect("metadata");
                for field in ["resourceVersion", "generation", "managedFields", "uid", "creationTimestamp"] {
                    metadata.remove(field);
                }
                let template = value.pointer_mut("/spec/template/metadata").and_then(Value::as_object_mut);
                if let Some(metadata) = template {
                    let annotations = metadata.get_mut("annotations").and_then(Value::as_object_mut);
                    let left = annotations.is_some_and(|annotations| {
                        annotations.remove("kubectl.kubernetes.io/restartedAt");
                        !annotations.is_empty()
                    });
                    if !left {
                        metadata.remove("annotations");
                    }
                }
                let name = format!("{} {}/{}", object.resource.plural, object.namespace, object.name);
                (name, value)
            })
            .collect()
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
async fn connection(stream: TcpStream, front: Front, server: Arc<Server>) {
    if !front.tls {
        return answer(stream, front, false, server).await;
    }
    let authority = Authority::of_process();
    let tls = match server.faults.of_host(API_SERVER) {
        Some(Fault::OtherCa) => &authority.strange,
        Some(Fault::OtherHost) => &authority.misnamed,
        _ => &authority.server,
    };
    let Ok(stream) = TlsAcceptor::from(tls.clone()).accept(stream).await else { return };
    let trusted = serve::is_trusted(stream.get_ref().1);
    answer(stream, front, trusted, server).await;
}

async fn answer<S>(stream: S, front: Front, trusted: bool, server: Arc<Server>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(|mut request: Request<Incoming>| {
        let server = server.clone();
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let inner = target.strip_prefix(front.prefix).unwrap_or("/outside");
        *request.uri_mut() = inner.parse().expect("the end of a path is one");
        async move {
            let route = Route::parse(request.method(), request.uri().path(), request.uri().query());
            let kind = format!("{} {}", route.verb, route.label());
            let answer = async { Ok(server.serve(request, trusted).await) };
            server.faults.between(&kind, answer, |body| body.boxed()).await
        }
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
