//! Connections, step by step, each step under a deadline and seen.

pub mod endpoint;
pub mod exchange;
mod issuer;
mod lookup;
pub mod proxy;
pub mod resolver;
mod timed;
pub mod tls;

use crate::deadline::{Deadline, millis};
use endpoint::Endpoint;
use irsa_probe::{Connection, Fault, FaultKind, Lookup, TcpAttempt};
use proxy::Proxy;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use timed::Timed;
use tls::Trust;

const LOOKUP: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(3);
const HANDSHAKE: Duration = Duration::from_secs(3);
const ANSWER: Duration = Duration::from_secs(5);
/// More addresses of a name are not tried.
const MOST_ADDRESSES: usize = 3;

/// A connection over which an HTTP request can be sent.
pub trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

/// How to reach an endpoint.
#[derive(Clone, Copy)]
pub struct Route<'a> {
    /// The endpoint.
    pub endpoint: &'a Endpoint,
    /// The proxy on the way.
    pub proxy: Option<&'a Proxy>,
    /// Whose certificates are accepted.
    pub trust: &'a Trust,
}

/// Opens a connection. What was seen is told also when it fails, which is then in `fault`.
pub fn connect(route: Route<'_>, deadline: Deadline) -> (Connection, Option<Box<dyn Stream>>) {
    let mut seen = Connection { proxy: route.proxy.map(|proxy| proxy.seen.clone()), ..Connection::default() };
    match open(route, deadline, &mut seen) {
        Ok(stream) => (seen, Some(stream)),
        Err(fault) => {
            seen.fault = Some(fault);
            (seen, None)
        }
    }
}

fn open(route: Route<'_>, deadline: Deadline, seen: &mut Connection) -> Result<Box<dyn Stream>, Fault> {
    let endpoint = route.endpoint;
    let next = match route.proxy {
        Some(proxy) => proxy.endpoint()?,
        None => endpoint,
    };
    let addresses = resolve(next, deadline.at_most(LOOKUP), seen)?;
    let stream = reach(&addresses, deadline, seen)?;
    let mut stream = Timed::new(stream, deadline);
    if let Some(proxy) = route.proxy {
        stream.until(deadline.at_most(HANDSHAKE));
        let status = proxy.tunnel(&mut stream, endpoint)?;
        if let Some(seen) = &mut seen.proxy {
            seen.status = Some(status);
        }
        if !(200..300).contains(&status) {
            return Err(Fault::new(FaultKind::Proxy, format!("the proxy answered CONNECT with {status}")));
        }
    }
    if !endpoint.tls {
        stream.until(deadline.at_most(ANSWER));
        return Ok(Box::new(stream));
    }
    stream.until(deadline.at_most(HANDSHAKE));
    let (handshake, result) = tls::handshake(stream, &endpoint.host, route.trust);
    seen.tls = Some(handshake);
    let mut stream = result?;
    stream.sock.until(deadline.at_most(ANSWER));
    Ok(Box::new(stream))
}

fn resolve(endpoint: &Endpoint, deadline: Deadline, seen: &mut Connection) -> Result<Vec<SocketAddr>, Fault> {
    if let Some(address) = endpoint.address() {
        return Ok(vec![address]);
    }
    let start = Instant::now();
    let result = lookup::addresses(&endpoint.host, endpoint.port, deadline);
    let mut lookup = Lookup { name: endpoint.host.clone(), millis: millis(start), ..Lookup::default() };
    match &result {
        Ok(addresses) => {
            lookup.addresses = addresses.iter().map(|address| address.ip().to_string()).collect()
        }
        Err(fault) => lookup.fault = Some(fault.clone()),
    }
    seen.lookup = Some(lookup);
    result
}

/// Tries one address after the other; the last one's failure is that of all.
fn reach(addresses: &[SocketAddr], deadline: Deadline, seen: &mut Connection) -> Result<TcpStream, Fault> {
    let mut failure = Fault::new(FaultKind::NoSuchName, "the name has no address");
    for address in addresses.iter().take(MOST_ADDRESSES) {
        let start = Instant::now();
        let result = deadline
            .at_most(CONNECT)
            .remaining()
            .and_then(|left| TcpStream::connect_timeout(address, left))
            // Else the request waits for the peer's delayed acknowledgement of the handshake.
            .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
            .map_err(Fault::from);
        let fault = result.as_ref().err().cloned();
        seen.tcp.push(TcpAttempt { address: address.to_string(), millis: millis(start), fault });
        match result {
            Ok(stream) => return Ok(stream),
            Err(fault) => failure = fault,
        }
    }
    Err(failure)
}
