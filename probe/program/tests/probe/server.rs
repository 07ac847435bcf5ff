//! A small server of HTTP and HTTPS that answers as it is told.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What a server answers to a request; nothing means that it hangs.
pub type Answer = Option<String>;

/// A running server; its thread ends with the test's process.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    /// The authority that signed its certificate.
    authority: Option<String>,
}

impl Server {
    /// Over HTTP.
    pub fn plain(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Server {
        Server::start(None, answer)
    }

    /// Over TLS, under a new authority.
    pub fn tls(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Server {
        let named = |name: &str, hosts: &[&str]| {
            let hosts = hosts.iter().map(|&host| host.to_owned()).collect::<Vec<_>>();
            let mut params = CertificateParams::new(hosts).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            params
        };
        let mut params = named("Corporate Interception CA", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate =
            named("sts", &["localhost", "127.0.0.1"]).signed_by(&key, &authority).unwrap().der().clone();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let mut server = Server::start(Some(Arc::new(config)), answer);
        server.authority = Some(authority.pem());
        server
    }

    fn start(
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen) = (Arc::new(answer), requests.clone());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (tls, answer, seen) = (tls.clone(), answer.clone(), seen.clone());
                thread::spawn(move || match tls {
                    Some(config) => {
                        let connection = ServerConnection::new(config).unwrap();
                        serve(StreamOwned::new(connection, stream), answer.as_ref(), &seen);
                    }
                    None => serve(stream, answer.as_ref(), &seen),
                });
            }
        });
        Server { address, requests, authority: None }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Its authority's certificate.
    pub fn authority(&self) -> &str {
        self.authority.as_deref().unwrap()
    }

    /// What it was asked.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it was asked something.
    pub fn wait_for_request(&self) {
        let start = Instant::now();
        while self.requests().is_empty() {
            assert!(start.elapsed() < Duration::from_secs(20), "nobody asked");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn serve(mut stream: impl Read + Write, answer: &dyn Fn(&str) -> Answer, seen: &Mutex<Vec<String>>) {
    let Some(request) = read(&mut stream) else { return };
    let answer = answer(&request);
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    match answer {
        Some(answer) => {
            // The client may have left.
            let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
        }
        None => thread::sleep(Duration::from_secs(60)),
    }
}

fn read(stream: &mut impl Read) -> Option<String> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap_or("0");
            if body.len() >= length.parse().unwrap() {
                return Some(text.into_owned());
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(count) => request.extend_from_slice(&buffer[..count]),
        }
    }
}

/// An answer of HTTP.
pub fn answer(status: u16, headers: &str, body: &str) -> Answer {
    Some(format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len()))
}

/// Lets a connection through to where it wants.
pub fn tunnel(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let Some(request) = read(&mut client) else { continue };
            client.write_all(answer.as_bytes()).unwrap();
            let to = request.split(' ').nth(1).unwrap();
            let Ok(mut server) = TcpStream::connect(to) else { continue };
            let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
            // Either side may end it.
            let _ = std::io::copy(&mut server, &mut client);
        }
    });
    address
}
