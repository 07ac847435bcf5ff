//! A proxy on the way.

use crate::pod::Pod;
use crate::server::{Server, answer, tunnel};
use crate::sts::accepts;
use irsa_probe::FaultKind;

fn pod(server: &Server) -> Pod {
    let mut pod = Pod::new();
    let bundle = pod.path("bundle.pem");
    std::fs::write(&bundle, server.authority()).unwrap();
    pod.set("AWS_CA_BUNDLE", &bundle);
    pod.set("AWS_ENDPOINT_URL_STS", &server.url());
    pod
}

#[test]
fn a_proxy_is_gone_through() {
    let server = Server::tls(accepts);
    let proxy = tunnel("HTTP/1.1 200 Connection established\r\n\r\n");
    let mut pod = pod(&server);
    pod.set("HTTPS_PROXY", &format!("http://me:hunter2hunter2hunter2@{proxy}"));
    let report = pod.run().report;
    let connection = report.network.unwrap().connection;
    let seen = connection.proxy.unwrap();
    assert_eq!((seen.variable.as_str(), seen.status), ("HTTPS_PROXY", Some(200)));
    assert_eq!(seen.url, format!("http://[withheld]@{proxy}"));
    assert_eq!(connection.tcp[0].address, proxy.to_string());
    assert_eq!(report.sts.unwrap().caller.unwrap().status, Some(200));
}

#[test]
fn a_proxy_that_refuses_is_told() {
    let server = Server::tls(accepts);
    let proxy = Server::plain(|_| answer(407, "", ""));
    let mut pod = pod(&server);
    pod.set("https_proxy", &proxy.address.to_string());
    let connection = pod.run().report.network.unwrap().connection;
    assert_eq!(connection.proxy.unwrap().status, Some(407));
    assert_eq!(connection.fault.unwrap().kind, FaultKind::Proxy);
    assert!(proxy.requests()[0].starts_with(&format!("CONNECT {} HTTP/1.1\r\n", server.address)));
    assert!(server.requests().is_empty());
}

#[test]
fn an_exception_is_kept() {
    let server = Server::tls(accepts);
    let mut pod = pod(&server);
    pod.set("HTTPS_PROXY", "http://127.0.0.1:1");
    pod.set("NO_PROXY", "localhost,127.0.0.0/8");
    let report = pod.run().report;
    assert!(report.network.unwrap().connection.proxy.is_none());
    assert_eq!(report.sts.unwrap().caller.unwrap().status, Some(200));
}

#[test]
fn a_proxy_of_another_kind_is_not_guessed_at() {
    let server = Server::tls(accepts);
    let mut pod = pod(&server);
    pod.set("HTTPS_PROXY", "socks5://127.0.0.1:1080");
    let connection = pod.run().report.network.unwrap().connection;
    assert_eq!(connection.fault.unwrap().kind, FaultKind::Proxy);
    assert!(connection.tcp.is_empty());
}
