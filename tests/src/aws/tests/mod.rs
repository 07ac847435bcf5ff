//! Tests over the wire: through the proxy, over TLS, as a client of AWS.

mod issuer;
mod signed;
mod web_identity;

use super::endpoint::Endpoint;
use super::{FakeAws, sigv4, tls};
use crate::kube_api::FakeKube;
use crate::query::percent_encode;
use crate::test_client::{Got, read_answer, trusting};
use crate::world::World;
use http::Request;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

const STS: &str = "sts.eu-west-1.amazonaws.com";
const IAM: &str = "iam.amazonaws.com";
const ISSUER: &str = "https://oidc.eks.eu-west-1.amazonaws.com/id/A";
const ROLE: &str = "arn:aws:iam::111122223333:role/shop-checkout";
const SUBJECT: &str = "system:serviceaccount:shop:checkout";

const HEADER: &str = "apiVersion: irsa.test/v1
kind: World
about: an account with one role
debug: [pod/x]
issuer: https://oidc.eks.eu-west-1.amazonaws.com/id/A
expect: {exit: 2}
";

const ACCOUNT: &str = "
apiVersion: irsa.test/v1
kind: AwsAccount
account: '111122223333'
oidcProviders:
  - {}
roles:
  - name: shop-checkout
    trust:
      Version: '2012-10-17'
      Statement:
        Effect: Allow
        Principal:
          Federated: arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A
        Action: sts:AssumeRoleWithWebIdentity
        Condition:
          StringEquals:
            oidc.eks.eu-west-1.amazonaws.com/id/A:sub: system:serviceaccount:shop:checkout
";

/// A world's API server and AWS.
struct Fakes {
    kube: FakeKube,
    aws: FakeAws,
}

/// The base world with further lines in the header and in the account.
fn fakes(header: &str, account: &str) -> Fakes {
    start(&format!("{HEADER}{header}\n---\n{ACCOUNT}{account}"))
}

fn start(text: &str) -> Fakes {
    let world = World::parse("test", text).unwrap_or_else(|error| panic!("{error}"));
    let kube = FakeKube::start(&world);
    let aws = FakeAws::start(&world, Some(&kube));
    Fakes { kube, aws }
}

/// A request to one of AWS's hosts.
struct Call<'a> {
    method: &'a str,
    host: &'a str,
    target: &'a str,
    headers: Vec<(&'a str, String)>,
    body: String,
}

/// What was wrong with a request before there was an answer.
#[derive(Debug, PartialEq)]
enum NoAnswer {
    /// The proxy's status.
    Proxy(String),
    /// The TLS handshake or the connection failed.
    Broken,
}

impl Fakes {
    fn send(&self, call: &Call<'_>) -> Result<Got, NoAnswer> {
        let mut tcp = TcpStream::connect(self.aws.proxy().trim_start_matches("http://")).unwrap();
        tcp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(tcp, "CONNECT {}:443 HTTP/1.1\r\n\r\n", call.host).unwrap();
        let mut reader = BufReader::new(tcp);
        let (mut status, mut end) = (String::new(), String::new());
        reader.read_line(&mut status).unwrap();
        while end != "\r\n" {
            end.clear();
            reader.read_line(&mut end).unwrap();
        }
        if !status.contains(" 200 ") {
            return Err(NoAnswer::Proxy(status.trim_end().to_owned()));
        }
        let config = trusting(&tls::public_ca().pem()).with_no_client_auth();
        let name = ServerName::try_from(call.host.to_owned()).unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = BufReader::new(StreamOwned::new(connection, reader.into_inner()));
        let headers: String =
            call.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{}",
            call.method,
            call.target,
            call.host,
            call.body.len(),
            call.body
        );
        stream.get_mut().write_all(request.as_bytes()).map_err(|_| NoAnswer::Broken)?;
        match stream.fill_buf() {
            Ok([]) | Err(_) => Err(NoAnswer::Broken),
            Ok(_) => Ok(read_answer(&mut stream)),
        }
    }

    /// The same, signed with a key.
    fn send_signed(&self, mut call: Call<'_>, id: &str, secret: &str) -> Result<Got, NoAnswer> {
        let mut builder = Request::builder().method(call.method).uri(call.target).header("host", call.host);
        call.headers.push(("x-amz-date", "20261122T080000Z".to_owned()));
        for (name, value) in &call.headers {
            builder = builder.header(*name, value);
        }
        let head = builder.body(()).unwrap().into_parts().0;
        let endpoint = Endpoint::of(call.host).unwrap();
        let authorization = sigv4::authorization(&head, call.body.as_bytes(), &endpoint, id, secret);
        call.headers.push(("authorization", authorization));
        self.send(&call)
    }

    /// A token of the issuer.
    fn token(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = json!({"iss": ISSUER, "sub": SUBJECT, "aud": ["sts.amazonaws.com"],
                                "iat": 1_795_334_300, "exp": 1_795_335_000});
        change(&mut claims);
        self.kube.mint(&claims)
    }

    fn assume(&self, host: &str, params: &[(&str, &str)]) -> Result<Got, NoAnswer> {
        self.send(&form(host, "AssumeRoleWithWebIdentity", params))
    }
}

fn form<'a>(host: &'a str, action: &str, params: &[(&str, &str)]) -> Call<'a> {
    let fields = params.iter().map(|(name, value)| format!("&{name}={}", percent_encode(value)));
    let body = format!("Action={action}{}", fields.collect::<String>());
    Call { method: "POST", host, target: "/", headers: Vec::new(), body }
}

/// The text of the first element of this name.
fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let rest = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {xml}")).1;
    rest.split_once(&format!("</{name}>")).unwrap().0
}

/// Status, code and message of a refusal in XML.
fn refusal(got: &Got) -> (u16, String, String) {
    (got.code, element(&got.body, "Code").to_owned(), element(&got.body, "Message").to_owned())
}
