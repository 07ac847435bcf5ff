//! The way to STS, and where it ends.

use crate::pod::{CLOSED, Pod};
use crate::server::Server;
use crate::sts::accepts;
use irsa_probe::{FaultKind, Skipped};

#[test]
fn a_refused_connection_is_told() {
    let report = Pod::new().run().report;
    let connection = report.network.unwrap().connection;
    let [attempt] = connection.tcp.as_slice() else { panic!("{:?}", connection.tcp) };
    assert!(CLOSED.ends_with(&attempt.address));
    assert_eq!(attempt.fault.as_ref().unwrap().kind, FaultKind::Refused);
    assert_eq!(connection.fault.unwrap().kind, FaultKind::Refused);
    assert_eq!(report.sts.unwrap().skipped, Some(Skipped::NoConnection));
    assert!(report.clock.is_none());
}

#[test]
fn an_unknown_authority_is_named_and_told_nothing() {
    let server = Server::tls(accepts);
    let mut pod = Pod::new();
    pod.set("AWS_ENDPOINT_URL_STS", &server.url());
    let report = pod.run().report;
    let tls = report.network.unwrap().connection.tls.unwrap();
    assert_eq!(tls.fault.unwrap().kind, FaultKind::Certificate);
    assert_eq!(tls.issuer.as_deref(), Some("CN=Corporate Interception CA"));
    assert_eq!(tls.bundle, None);
    assert_eq!(report.sts.unwrap().skipped, Some(Skipped::NoConnection));
    assert!(server.requests().is_empty());
}

#[test]
fn a_bundle_that_cannot_be_read_is_told() {
    let server = Server::tls(accepts);
    let mut pod = Pod::new();
    pod.set("AWS_ENDPOINT_URL_STS", &server.url());
    for (path, kind) in [("nowhere.pem", FaultKind::NotFound), ("token/token", FaultKind::Invalid)] {
        let path = pod.path(path);
        pod.set("AWS_CA_BUNDLE", &path);
        let tls = pod.run().report.network.unwrap().connection.tls.unwrap();
        assert_eq!(tls.bundle_fault.unwrap().kind, kind);
        assert_eq!(tls.fault.unwrap().kind, FaultKind::Certificate, "the probe's own authorities are used");
    }
}

#[test]
fn a_server_without_tls_is_no_certificate_fault() {
    let server = Server::plain(accepts);
    let mut pod = Pod::new();
    pod.set("AWS_ENDPOINT_URL_STS", &server.url().replace("http:", "https:"));
    pod.options.deadline = 3_000;
    let connection = pod.run().report.network.unwrap().connection;
    let fault = connection.tls.unwrap().fault.unwrap();
    assert!(matches!(fault.kind, FaultKind::Tls | FaultKind::Timeout | FaultKind::Reset), "{fault:?}");
}

#[test]
fn a_name_that_does_not_exist_is_told() {
    let mut pod = Pod::new();
    // Reserved for this: RFC 2606.
    pod.set("AWS_ENDPOINT_URL_STS", "https://sts.invalid");
    let connection = pod.run().report.network.unwrap().connection;
    let lookup = connection.lookup.unwrap();
    assert_eq!((lookup.name.as_str(), lookup.addresses.len()), ("sts.invalid", 0));
    // Where the tests run without a resolver that is what is told.
    let kind = lookup.fault.unwrap().kind;
    assert!(
        matches!(kind, FaultKind::NoSuchName | FaultKind::ResolverFailed | FaultKind::Timeout),
        "{kind:?}"
    );
    assert!(connection.tcp.is_empty());
}

#[test]
fn a_setting_that_makes_no_sense_is_told() {
    let mut pod = Pod::new();
    pod.set("AWS_ENDPOINT_URL_STS", "minio:9000");
    let network = pod.run().report.network.unwrap();
    assert_eq!(network.connection.fault.unwrap().kind, FaultKind::Invalid);
}
