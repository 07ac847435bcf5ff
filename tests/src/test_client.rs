//! A small HTTP client for tests of the fakes over the wire.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, client::WantsClientCert};
use serde_json::Value;
use std::io::BufRead;
use std::sync::Arc;

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

/// A client that trusts this CA.
pub fn trusting(ca_pem: &str) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
}

/// Reads to the end of the answer, which must be the last of the connection.
pub fn read_answer(stream: &mut impl BufRead) -> Got {
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

fn unchunk(body: &str) -> String {
    let (mut rest, mut out) = (body, String::new());
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        out += &after[..size];
        rest = after[size..].trim_start_matches("\r\n");
    }
    out
}
