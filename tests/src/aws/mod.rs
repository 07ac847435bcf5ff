//! A fake AWS that enforces: STS, IAM, EKS, CloudTrail and the issuers of a world, behind an HTTPS proxy, so that the
//! plugin asks the real host names.
//!
//! It shares no code with the plugin and does not guess: whatever it is asked beyond what it knows for certain is
//! answered with 500 and noted in [`FakeAws::problems`], which every test must find empty.

pub mod account;
pub mod action;
mod call;
mod cloudtrail;
mod eks;
pub mod endpoint;
mod environment;
mod failure;
mod iam;
mod iam_changes;
mod issuer;
mod jwt;
mod keyring;
mod log;
pub mod pod_identity;
mod policy;
mod serve;
mod sigv4;
mod stored_policy;
mod sts;
pub(crate) mod tls;
pub mod trust_change;
mod xml;

#[cfg(test)]
mod tests;

use crate::fault::{Fault, Faults};
use crate::kube_api::FakeKube;
use crate::kubelet::setup::Sts;
use crate::server::Background;
use crate::timeline::Interval;
use crate::world::World;
use call::Origin;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
pub use log::Seen;
use serde_json::json;
use serve::Host;
pub(crate) use serve::Server;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};

/// A running AWS. It stops when dropped, and drops what is still being answered.
pub struct FakeAws {
    server: Arc<Server>,
    background: Background,
}

impl FakeAws {
    /// Starts the AWS of this world. The world's issuer publishes the keys that `kube` signs with; without it, none.
    pub fn start(world: &World, kube: Option<&FakeKube>) -> FakeAws {
        let keys = kube.map_or_else(|| json!({ "keys": [] }), FakeKube::key_set);
        let server = Arc::new(Server::new(&world.header, &world.accounts, keys));
        if let Some(kube) = kube {
            let (weak, issuer) = (Arc::downgrade(&server), world.header.issuer.clone());
            let cluster = kube.server();
            let _ = server.cluster.set(Box::new(move || cluster.install_agent()));
            // The first AWS of a cluster stays its AWS.
            let _ = kube.server().has_association.set(Box::new(move |namespace, name| {
                let accounts = weak.upgrade().map(|server| server.accounts());
                let clusters = accounts.iter().flat_map(|accounts| accounts.iter()).flat_map(|it| &it.eks);
                let mut own = clusters.filter(|cluster| cluster.issuer(&issuer) == issuer);
                own.any(|cluster| {
                    let associations = &cluster.pod_identity_associations;
                    associations.iter().any(|it| it.namespace == namespace && it.service_account == name)
                })
            }));
        }
        let shared = server.clone();
        let background = Background::start("fake-aws", move |stream| connection(stream, shared.clone()));
        FakeAws { server, background }
    }

    /// The environment variables of a user with this AWS; the files that they name are written into `dir`.
    pub fn env(&self, dir: &Path) -> Vec<(String, String)> {
        environment::environment(&self.server, &self.proxy(), &tls::public_ca().pem(), dir)
    }

    /// Its accounts are those of another world from now on, as after a repair.
    pub fn become_as(&self, world: &World) {
        self.server.set_accounts(&world.accounts);
    }

    /// Its accounts as they are now.
    pub fn accounts(&self) -> Arc<[account::Account]> {
        self.server.accounts()
    }

    /// What the connections share.
    pub(crate) fn server(&self) -> Arc<Server> {
        self.server.clone()
    }

    /// The certificate of the CA that signs the hosts of this AWS.
    pub(crate) fn ca_pem() -> String {
        tls::public_ca().pem()
    }

    /// `http://127.0.0.1:PORT`, the proxy that leads to all hosts of this AWS.
    pub fn proxy(&self) -> String {
        format!("http://{}", self.background.address())
    }

    /// What goes wrong with its answers.
    pub fn faults(&self) -> &Faults {
        &self.server.faults
    }

    /// Every request so far, in the order in which they came.
    pub fn requests(&self) -> Vec<Seen> {
        self.server.log.all()
    }

    /// When the requests were made and answered.
    pub fn intervals(&self) -> Vec<Interval> {
        self.requests().iter().map(|seen| (seen.started, seen.finished)).collect()
    }

    /// Delays every answer from now on.
    pub fn set_latency(&self, latency: Duration) {
        *self.server.latency.lock().expect("no thread panics while it holds the latency") = latency;
    }

    /// What was asked beyond what the fake knows. It must stay empty.
    pub fn problems(&self) -> Vec<String> {
        self.server.problems.lock().expect("no thread panics while it holds the problems").clone()
    }

    /// How many requests the plugin signed with credentials that STS issued during the test. It must stay 0. The probe
    /// asks STS once who it is.
    pub fn issued_credentials_used(&self) -> usize {
        let issued = |seen: &&Seen| {
            !seen.from_pod && seen.access_key.as_ref().is_some_and(|key| self.server.keys.has_issued(key))
        };
        self.requests().iter().filter(issued).count()
    }

    /// Secret keys, session tokens, and the signatures of the web identity tokens that were sent: no output may hold
    /// any of them.
    pub fn secrets(&self) -> Vec<String> {
        let signatures =
            self.server.signatures.lock().expect("no thread panics while it holds the signatures").clone();
        let trail = cloudtrail::SESSION_TOKEN.to_owned();
        self.server.keys.secrets().into_iter().chain(signatures).chain([trail]).collect()
    }
}

/// One connection to the proxy; clients that go away or fail the handshake are no error of the test.
async fn connection(stream: TcpStream, server: Arc<Server>) {
    let mut stream = BufReader::new(stream);
    let Some(name) = read_connect(&mut stream).await else { return };
    let fault = server.faults.of_host(&name);
    let is_reachable = server.is_reachable(&name) && fault != Some(Fault::Refused);
    let Some(host) = server.host(&name).filter(|_| is_reachable) else {
        server.log.start(Seen::no_route(&name));
        // The client may be gone.
        let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").await;
        return;
    };
    if stream.write_all(b"HTTP/1.1 200 Connection Established\r\n\r\n").await.is_err() {
        return;
    }
    let tls = match fault {
        Some(Fault::OtherCa) => tls::server_config(&name, tls::interceptor_ca()),
        Some(Fault::OtherHost) => tls::server_config("elsewhere.example", server.ca(&name)),
        _ => tls::server_config(&name, server.ca(&name)),
    };
    let Ok(stream) = TlsAcceptor::from(tls).accept(stream).await else { return };
    answer(stream, Origin::Laptop, name, host, server).await;
}

/// The name of all its hosts among those with faults, as pods reach them: at one address.
pub const FROM_PODS: &str = "AWS in the pod";

/// One connection from a pod, which is straight: the handshake names the host.
pub(crate) async fn pod_connection(stream: TcpStream, sts: Sts, server: Arc<Server>) {
    let Ok(handshake) = LazyConfigAcceptor::new(Default::default(), stream).await else { return };
    let Some(name) = handshake.client_hello().server_name().map(str::to_owned) else { return };
    let Some(host) = server.host(&name) else { return };
    let fault = server.faults.of_host(FROM_PODS);
    let is_intercepted = sts == Sts::Intercepted || fault == Some(Fault::OtherCa);
    let ca = if is_intercepted { tls::interceptor_ca() } else { server.ca(&name) };
    let shown = if fault == Some(Fault::OtherHost) { "elsewhere.example" } else { &name };
    let Ok(stream) = handshake.into_stream(tls::server_config(shown, ca)).await else { return };
    if sts == Sts::Hangs {
        std::future::pending::<()>().await;
    }
    answer(stream, Origin::Pod, name, host, server).await;
}

async fn answer<S>(stream: S, origin: Origin, name: String, host: Host, server: Arc<Server>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(|request| {
        let (server, host, name) = (server.clone(), host.clone(), name.clone());
        async move { server.serve(origin, &name, &host, request).await }
    });
    // Clients that go away are no error of the test.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// The host of `CONNECT host:443`; anything else is not for this proxy.
async fn read_connect(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut request = String::new();
    stream.read_line(&mut request).await.ok()?;
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
    }
    let target = request.strip_prefix("CONNECT ")?.split(' ').next()?;
    Some(target.strip_suffix(":443")?.to_owned())
}
