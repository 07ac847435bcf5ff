//! The other links of the credential chain.

use crate::pod::Pod;
use crate::server::{Server, answer};
use crate::sts::accepts;
use crate::token::{ACCESS_KEY, IMDS_TOKEN, SECRET_KEY, SESSION_TOKEN, service_account};
use irsa_probe::{FaultKind, Report};

fn with_agent(status: u16, body: &str) -> (Report, Vec<String>) {
    with_agent_and_sts(status, body, &Server::plain(accepts).url())
}

fn with_agent_and_sts(status: u16, body: &str, sts: &str) -> (Report, Vec<String>) {
    let body = body.to_owned();
    let agent = Server::plain(move |_| answer(status, "", &body));
    let mut pod = Pod::new();
    pod.mount("identity", &service_account());
    let token = pod.path("identity/token");
    pod.set("AWS_ROLE_ARN", "");
    pod.set("AWS_ENDPOINT_URL_STS", sts);
    pod.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &format!("{}/v1/credentials", agent.url()));
    pod.set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &token);
    (pod.run().report, agent.requests())
}

fn credentials() -> String {
    format!(
        r#"{{"AccessKeyId":"{ACCESS_KEY}","SecretAccessKey":"{SECRET_KEY}","Token":"{SESSION_TOKEN}",
            "AccountId":"111122223333","Expiration":"2026-11-23T06:00:00Z"}}"#
    )
}

#[test]
fn the_agent_s_credentials_are_not_sent_in_the_clear() {
    // Reserved for documentation: nothing answers there.
    let (report, _) = with_agent_and_sts(200, &credentials(), "http://192.0.2.1:9/");
    let seen = report.container_credentials.unwrap();
    assert_eq!((seen.answer.unwrap().status, seen.caller), (Some(200), None));
}

#[test]
fn the_agent_s_credentials_show_who_the_caller_is() {
    let (report, requests) = with_agent(200, &credentials());
    let seen = report.container_credentials.unwrap();
    let answer = seen.answer.unwrap();
    assert_eq!((answer.status, answer.account.as_deref()), (Some(200), Some("111122223333")));
    assert!(seen.caller.unwrap().arn.is_some());
    assert!(seen.token.unwrap().own.readable);
    assert!(
        requests[0].contains(&format!("\r\nAuthorization: {}\r\n", service_account())),
        "it is shown the token"
    );
}

#[test]
fn the_agent_s_refusal_is_quoted() {
    let text = "[0a-b1]: (AccessDeniedException): Unauthorized Exception!, fault: client\n";
    let (report, _) = with_agent(400, text);
    let seen = report.container_credentials.unwrap();
    let answer = seen.answer.unwrap();
    assert_eq!((answer.status, answer.code.as_deref()), (Some(400), Some("AccessDeniedException")));
    assert_eq!(answer.message.as_deref(), Some(text.trim()));
    assert!(seen.caller.is_none());
}

#[test]
fn an_agent_that_is_not_there_is_told_and_others_are_not_asked() {
    for (url, asked) in [("http://127.0.0.1:1/v1", true), ("http://192.0.2.1/v1", false)] {
        let mut pod = Pod::new();
        pod.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
        let seen = pod.run().report.container_credentials.unwrap();
        assert_eq!(seen.connection.is_some(), asked);
        let fault = seen.connection.map_or(seen.fault, |connection| connection.fault).unwrap();
        assert_eq!(fault.kind, if asked { FaultKind::Refused } else { FaultKind::Invalid });
    }
}

#[test]
fn the_node_s_role_is_named_and_not_taken() {
    let imds = Server::plain(|request| {
        if request.starts_with("PUT /latest/api/token ") {
            answer(200, "", IMDS_TOKEN)
        } else {
            answer(200, "", "eks-node-role")
        }
    });
    let mut pod = Pod::new();
    pod.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &imds.url());
    let seen = pod.run().report.imds.unwrap();
    assert_eq!((seen.session_status, seen.role_status), (Some(200), Some(200)));
    assert_eq!((seen.role.as_deref(), seen.fault), (Some("eks-node-role"), None));
    let [_, role] = imds.requests().try_into().unwrap();
    assert!(role.starts_with("GET /latest/meta-data/iam/security-credentials/ "), "no role's credentials");
    assert!(role.contains(&format!("X-aws-ec2-metadata-token: {IMDS_TOKEN}\r\n")));
}

#[test]
fn a_metadata_service_out_of_reach_does_not_hold_up() {
    let imds = Server::plain(|_| None);
    let mut pod = Pod::new();
    pod.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &imds.url());
    let report = pod.run().report;
    assert_eq!(report.imds.unwrap().fault.unwrap().kind, FaultKind::Timeout);
    assert!(report.millis.unwrap() < 5_000);
}
