//! The network of a pod: a namespace of its own, in which a name server, AWS, the metadata service and the Pod Identity
//! agent have the addresses that they have for real pods. There is no way out of it.

use super::Node;
use super::dns;
use super::services::{agent, metadata};
use super::setup::{Dns, Setup, Sts};
use crate::aws::{self, FROM_PODS};
use crate::fault::{Fault, NAMES};
use irsa_test_container::{Order, READY};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::Value;
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// The cluster's name server.
pub const DNS: Ipv4Addr = Ipv4Addr::new(10, 100, 0, 10);
const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
const AGENT: Ipv4Addr = Ipv4Addr::new(169, 254, 170, 23);
/// The names of these two among the hosts with faults.
const METADATA_HOST: &str = "http://169.254.169.254 in the pod";
const AGENT_HOST: &str = "http://169.254.170.23 in the pod";
const POD: Ipv4Addr = Ipv4Addr::new(10, 0, 3, 17);

/// A network; it ends when dropped.
pub struct Network {
    holder: Child,
}

/// Where pods find AWS: at a public address, or at that of a VPC endpoint.
fn sts_address(setup: &Setup) -> Ipv4Addr {
    match &setup.endpoint {
        Some(_) => Ipv4Addr::new(10, 0, 9, 44),
        None => Ipv4Addr::new(52, 119, 0, 44),
    }
}

impl Network {
    /// Makes the network of a pod, and its servers.
    pub async fn start(node: &Arc<Node>, pod: &Value) -> io::Result<Network> {
        let setup = &node.setup;
        let sts = sts_address(setup);
        let own = pod["status"]["podIP"].as_str().and_then(|text| text.parse().ok()).unwrap_or(POD);
        let addresses: Vec<Ipv4Addr> = [
            Some(own),
            Some(DNS),
            (setup.sts != Sts::Silent).then_some(sts),
            setup.imds.as_ref().map(|_| METADATA),
            setup.pod_identity_agent.then_some(AGENT),
        ]
        .into_iter()
        .flatten()
        .collect();
        let network = Network { holder: start(node, &Order::Network(addresses)).await? };
        let sockets = network.sockets(node, sts)?;
        let name_server = tokio::net::UdpSocket::from_std(sockets.dns)?;
        tokio::spawn(answer_names(name_server, node.clone(), sts));
        if let (Some(listener), Some(aws)) = (sockets.sts, &node.aws) {
            let (aws, mode) = (aws.clone(), setup.sts);
            accept(listener, move |stream| aws::pod_connection(stream, mode, aws.clone()))?;
        }
        if let Some(listener) = sockets.metadata {
            let imds = setup.imds.clone().unwrap_or_default();
            let node = node.clone();
            accept(listener, move |stream| metadata(stream, node.clone(), imds.clone()))?;
        }
        if let Some(listener) = sockets.agent {
            let (node, pod) = (node.clone(), Arc::new(pod.clone()));
            accept(listener, move |stream| agent(stream, node.clone(), pod.clone()))?;
        }
        Ok(network)
    }

    /// The namespace.
    pub fn path(&self) -> PathBuf {
        namespace(&self.holder, "net")
    }

    /// Sockets stay in the namespace in which they were made: that of a thread which moves there.
    fn sockets(&self, node: &Node, sts: Ipv4Addr) -> io::Result<Sockets> {
        let (setup, path) = (&node.setup, self.path());
        let refuses = |host| node.faults().is_some_and(|faults| faults.of_host(host) == Some(Fault::Refused));
        let sts_listens = !matches!(setup.sts, Sts::Refused | Sts::Silent) && !refuses(FROM_PODS);
        let metadata_listens = setup.imds.is_some() && !refuses(METADATA_HOST);
        let agent_listens = setup.pod_identity_agent && !refuses(AGENT_HOST);
        let listen = |wanted: bool, address: Ipv4Addr, port: u16| {
            wanted.then(|| TcpListener::bind((address, port))).transpose()
        };
        let make = || -> io::Result<Sockets> {
            let file = File::open(path)?;
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))?;
            Ok(Sockets {
                dns: UdpSocket::bind((DNS, 53))?,
                sts: listen(sts_listens, sts, 443)?,
                metadata: listen(metadata_listens, METADATA, 80)?,
                agent: listen(agent_listens, AGENT, 80)?,
            })
        };
        let sockets =
            std::thread::scope(|scope| scope.spawn(make).join().map_err(|_| io::Error::other("panic")));
        let sockets: Sockets = sockets??;
        sockets.dns.set_nonblocking(true)?;
        Ok(sockets)
    }
}

struct Sockets {
    dns: UdpSocket,
    sts: Option<TcpListener>,
    metadata: Option<TcpListener>,
    agent: Option<TcpListener>,
}

/// Starts the container runtime, and waits until what it is to be is there. It ends when the process is dropped, and by
/// itself when the test is gone.
pub async fn start(node: &Node, order: &Order) -> io::Result<Child> {
    let mut child = Command::new(&node.programs.runtime)
        .arg(serde_json::to_string(order)?)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).await?;
    if line.trim_end() == READY {
        return Ok(child);
    }
    let output = child.wait_with_output().await?;
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim_end().to_owned()))
}

/// The namespace of a process.
pub fn namespace(process: &Child, kind: &str) -> PathBuf {
    // Of a process that has ended there is none; opening it fails then.
    PathBuf::from(format!("/proc/{}/ns/{kind}", process.id().unwrap_or_default()))
}

fn accept<T>(
    listener: TcpListener,
    serve: impl Fn(tokio::net::TcpStream) -> T + Send + 'static,
) -> io::Result<()>
where
    T: Future<Output = ()> + Send + 'static,
{
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    Ok(())
}

async fn answer_names(socket: tokio::net::UdpSocket, node: Arc<Node>, sts: Ipv4Addr) {
    let mut buffer = [0; 512];
    let find = |name: &str| node.aws.as_ref().and_then(|aws| aws.host(name)).map(|_| sts);
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        let mode = match node.faults().and_then(|faults| faults.met(NAMES)) {
            Some(Fault::NxDomain) => Dns::NxDomain,
            Some(Fault::ServFail) => Dns::ServFail,
            Some(Fault::Empty) => Dns::Empty,
            Some(Fault::Silence) => Dns::Silent,
            _ => node.setup.dns,
        };
        if let Some(answer) = dns::answer(&buffer[..length], mode, find) {
            // Who asked may be gone.
            let _ = socket.send_to(&answer, from).await;
        }
    }
}
