//! Tests over the wire: a small HTTP client over TLS, and what the recordings say.

mod access;
mod objects;
mod tokens;

use super::{FakeKube, TOKEN, tls::Authority};
use crate::world::World;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
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

/// An answer as it was on the wire.
#[derive(Debug)]
pub struct Got {
    pub code: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn message(&self) -> String {
        self.json()["message"].as_str().unwrap().to_owned()
    }

    /// `metadata.name` of every item.
    pub fn names(&self) -> Vec<String> {
        let list = self.json();
        let name = |item: &Value| item["metadata"]["name"].as_str().unwrap().to_owned();
        list["items"].as_array().unwrap_or_else(|| panic!("{list}")).iter().map(name).collect()
    }
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

fn client_config(auth: &Auth) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(Authority::of_process().ca_pem.as_bytes()).unwrap();
    roots.add(ca).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
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
    let mut stream = open(kube, call);
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let code = line.split(' ').nth(1).unwrap_or_else(|| panic!("no status line: {line:?}")).parse().unwrap();
    let mut headers = Vec::new();
    loop {
        line.clear();
        stream.read_line(&mut line).unwrap();
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_lowercase(), value.to_owned())),
            None => break,
        }
    }
    let mut body = String::new();
    stream.read_to_string(&mut body).unwrap();
    let mut got = Got { code, headers, body };
    if got.header("transfer-encoding") == "chunked" {
        got.body = unchunk(&got.body);
    }
    got
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

fn unchunk(body: &str) -> String {
    let (mut rest, mut out) = (body, String::new());
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        out += &after[..size];
        rest = after[size..].trim_start_matches("\r\n");
    }
    out
}
