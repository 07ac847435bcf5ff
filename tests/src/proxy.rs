//! Proxies: tunnels of HTTP, also over TLS, and SOCKS5. Whatever a client asks one for, it is led to one address.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::aws::tls::{private_ca, server_config};
use crate::server::Background;

/// What a proxy speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `CONNECT` over TCP.
    Http,
    /// `CONNECT` over TLS, with a certificate that [`FakeProxy::ca_pem`] vouches for.
    Https,
    /// SOCKS5, with a name and a password where the client offers that.
    Socks5,
}

/// A running proxy.
pub struct FakeProxy {
    background: Background,
    kind: Kind,
    asked: Arc<Mutex<Vec<String>>>,
}

impl FakeProxy {
    /// Starts one that leads to `upstream`.
    pub fn start(kind: Kind, upstream: SocketAddr) -> FakeProxy {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let tls = TlsAcceptor::from(server_config("127.0.0.1", private_ca()));
        let log = asked.clone();
        let background = Background::start("fake-proxy", move |stream| {
            let (tls, log) = (tls.clone(), log.clone());
            async move {
                // Clients that go away are no error of the test.
                let _ = match kind {
                    Kind::Http => tunnel(stream, upstream, &log).await,
                    Kind::Socks5 => socks(stream, upstream, &log).await,
                    Kind::Https => match tls.accept(stream).await {
                        Ok(stream) => tunnel(stream, upstream, &log).await,
                        Err(error) => Err(error),
                    },
                };
            }
        });
        FakeProxy { background, kind, asked }
    }

    /// Its URL, with a name and a password: `socks5://me:hunter2@127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        let scheme = match self.kind {
            Kind::Http => "http",
            Kind::Https => "https",
            Kind::Socks5 => "socks5",
        };
        format!("{scheme}://me:hunter2@{}", self.background.address())
    }

    /// The certificate of the CA that signed its certificate.
    pub fn ca_pem(&self) -> String {
        private_ca().pem()
    }

    /// What it was asked for, each time: `HOST:PORT LOGIN`.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no thread panics while it holds the log").clone()
    }
}

async fn tunnel<S>(mut client: S, upstream: SocketAddr, log: &Mutex<Vec<String>>) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default();
    let login = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("proxy-authorization").then_some(value)
    });
    write(log, target, login.unwrap_or_default());
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    lead(client, upstream).await
}

async fn socks(mut client: TcpStream, upstream: SocketAddr, log: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let (_version, count) = (client.read_u8().await?, client.read_u8().await?);
    let methods = bytes(&mut client, count).await?;
    let mut login = String::new();
    if methods.contains(&2) {
        client.write_all(&[5, 2]).await?;
        client.read_u8().await?;
        for separator in ["", ":"] {
            let length = client.read_u8().await?;
            login += separator;
            login += &String::from_utf8_lossy(&bytes(&mut client, length).await?);
        }
        client.write_all(&[1, 0]).await?;
    } else {
        client.write_all(&[5, 0]).await?;
    }
    let kind = bytes(&mut client, 4).await?[3];
    let host = match kind {
        1 => std::net::Ipv4Addr::from(client.read_u32().await?).to_string(),
        4 => format!("[{}]", std::net::Ipv6Addr::from(client.read_u128().await?)),
        _ => {
            let length = client.read_u8().await?;
            String::from_utf8_lossy(&bytes(&mut client, length).await?).into_owned()
        }
    };
    let port = client.read_u16().await?;
    write(log, &format!("{host}:{port}"), &login);
    client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).await?;
    lead(client, upstream).await
}

async fn bytes(client: &mut TcpStream, count: u8) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::from(count)];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}

fn write(log: &Mutex<Vec<String>>, target: &str, login: &str) {
    let mut log = log.lock().expect("no thread panics while it holds the log");
    log.push(format!("{target} {login}"));
}

async fn lead<S>(mut client: S, upstream: SocketAddr) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut server = TcpStream::connect(upstream).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}
