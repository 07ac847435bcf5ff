//! Tests over the wire: a small HTTP client over TLS, and what the recordings say.

mod access;
mod changes;
mod logs;
mod objects;
mod tokens;
mod writes;

use super::{FakeKube, TOKEN, tls::Authority};
use crate::test_client::{Got, read_answer, trusting};
use crate::world::World;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use serde_json::Value;
use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

/// A shop whose worker has no node, and a second namespace.
const SHOP: &str = include_str!("shop.yaml");

pub fn shop() -> FakeKube {
    shop_with("")
}

/// The shop with further header lines.
pub fn shop_with(header: &str) -> FakeKube {
    FakeKube::start(&World::parse("shop", &SHOP.replace("#HEADER\n", header)).unwrap())
}

/// How a client authenticates.
pub enum Auth {
    Token(&'static str),
    ClientCert { chain: String, key: String },
    Nobody,
}

pub struct Call<'a> {
    pub method: &'a str,
    pub target: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a str,
    pub auth: Auth,
}

impl Default for Call<'_> {
    fn default() -> Self {
        Call { method: "GET", target: "/", headers: &[], body: "", auth: Auth::Token(TOKEN) }
    }
}

pub fn get(kube: &FakeKube, target: &str) -> Got {
    send(kube, &Call { target, ..Call::default() })
}

pub fn get_as(kube: &FakeKube, target: &str, accept: &str) -> Got {
    send(kube, &Call { target, headers: &[("Accept", accept)], ..Call::default() })
}

pub fn post(kube: &FakeKube, target: &str, body: &Value) -> Got {
    send(kube, &Call { method: "POST", target, body: &body.to_string(), ..Call::default() })
}

pub fn patch(kube: &FakeKube, target: &str, body: &Value) -> Got {
    let headers = [("Content-Type", "application/strategic-merge-patch+json")];
    send(
        kube,
        &Call { method: "PATCH", target, headers: &headers, body: &body.to_string(), ..Call::default() },
    )
}

fn client_config(auth: &Auth) -> ClientConfig {
    let builder = trusting(&Authority::of_process().ca_pem);
    match auth {
        Auth::ClientCert { chain, key } => {
            let chain = vec![CertificateDer::from_pem_slice(chain.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
        _ => builder.with_no_client_auth(),
    }
}

fn request_text(call: &Call<'_>) -> String {
    let mut text = format!("{} {} HTTP/1.1\r\nHost: fake\r\nConnection: close\r\n", call.method, call.target);
    for (name, value) in call.headers {
        text += &format!("{name}: {value}\r\n");
    }
    if let Auth::Token(token) = &call.auth {
        text += &format!("Authorization: Bearer {token}\r\n");
    }
    text + &format!("Content-Length: {}\r\n\r\n{}", call.body.len(), call.body)
}

/// Sends the request and reads to the end of the answer.
pub fn send(kube: &FakeKube, call: &Call<'_>) -> Got {
    read_answer(&mut open(kube, call))
}

type Stream = BufReader<StreamOwned<ClientConnection, TcpStream>>;

/// Sends the request and leaves the answer unread.
pub fn open(kube: &FakeKube, call: &Call<'_>) -> Stream {
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let tls = ClientConnection::new(Arc::new(client_config(&call.auth)), name).unwrap();
    let tcp = TcpStream::connect(kube.url().trim_start_matches("https://")).unwrap();
    tcp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut stream = StreamOwned::new(tls, tcp);
    stream.write_all(request_text(call).as_bytes()).unwrap();
    BufReader::new(stream)
}
