//! What pods find at link-local addresses: the node's metadata service and the EKS Pod Identity agent.

use super::Node;
use super::setup::Imds;
use crate::aws::pod_identity::{NONE, credentials};
use crate::fault::{Cut, IN_POD};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::net::TcpStream;

const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
const SESSION: &str = "AQAEA-session-of-the-metadata-service==";

/// One connection to the metadata service, version 2.
pub async fn metadata(stream: TcpStream, node: Arc<Node>, imds: Imds) {
    serve(stream, &node, "IMDS", |request| {
        let session = request.headers().get("x-aws-ec2-metadata-token").is_some_and(|value| value == SESSION);
        match (request.method(), request.uri().path(), &imds.role) {
            (&Method::PUT, "/latest/api/token", _) => (200, SESSION.to_owned()),
            _ if !session => (401, String::new()),
            (&Method::GET, ROLES, Some(role)) => (200, role.clone()),
            _ => (404, String::new()),
        }
    })
    .await;
}

/// One connection to the agent: credentials for the role of the pod's association.
pub async fn agent(stream: TcpStream, node: Arc<Node>, pod: Arc<Value>) {
    serve(stream, &node, "agent", |request| {
        if request.uri().path() != "/v1/credentials" {
            return (404, String::new());
        }
        if !request.headers().contains_key("authorization") {
            return (400, "Service account token cannot be empty".to_owned());
        }
        match node.aws.as_ref().map_or(Err(NONE), |aws| credentials(aws, &pod)) {
            Ok(key) => (
                200,
                json!({
                    "AccessKeyId": key.id, "SecretAccessKey": key.secret, "Token": key.session_token,
                    "AccountId": key.account, "Expiration": aws_expiry(&node),
                })
                .to_string(),
            ),
            Err(words) => (if words == NONE { 404 } else { 400 }, words.to_owned()),
        }
    })
    .await;
}

fn aws_expiry(node: &Node) -> String {
    (node.kube.header.now + jiff::SignedDuration::from_hours(6)).to_string()
}

async fn serve(
    stream: TcpStream,
    node: &Node,
    name: &str,
    answer: impl Fn(&Request<Incoming>) -> (u16, String),
) {
    let service = service_fn(|request: Request<Incoming>| {
        let (status, body) = answer(&request);
        let response = Response::builder().status(status).body(Full::new(Bytes::from(body)));
        let response = Ok::<_, Cut>(response.expect("a status alone is valid"));
        let kind = format!("{name} {} {}{IN_POD}", request.method(), request.uri().path());
        async move {
            match node.faults() {
                Some(faults) => faults.between(&kind, async { response }, |body| body).await,
                None => response,
            }
        }
    });
    // Clients that go away are no error of the test.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
