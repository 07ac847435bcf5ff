//! Container credentials: the EKS Pod Identity agent, or what else the environment names.

use super::Credentials;
use crate::deadline::millis;
use crate::environment::shortened;
use crate::net::Stream;
use crate::net::endpoint::Endpoint;
use crate::net::exchange::{Request, Response, exchange};
use irsa_probe::{Answer, Fault, FaultKind};
use serde::Deserialize;
use std::net::IpAddr;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How long the agent may take; it gives its own call to EKS one second.
pub const PATIENCE: Duration = Duration::from_secs(3);
const LONGEST: usize = 1024;

/// The agent's answer: credentials, as JSON.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    access_key_id: Zeroizing<String>,
    secret_access_key: Zeroizing<String>,
    token: Zeroizing<String>,
    account_id: Option<String>,
    expiration: Option<String>,
}

impl Given {
    fn is_whole(&self) -> bool {
        [&self.access_key_id, &self.secret_access_key, &self.token].iter().all(|text| !text.trim().is_empty())
    }
}

/// Where it listens. SDKs send the token only to these hosts, and so does the probe.
pub fn endpoint(url: &str) -> Result<Endpoint, Fault> {
    let endpoint = Endpoint::parse(url)?;
    let agents: [IpAddr; 3] =
        [[169, 254, 170, 2].into(), [169, 254, 170, 23].into(), [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x23].into()];
    let is_agent = endpoint.address().is_some_and(|address| agents.contains(&address.ip()));
    if endpoint.keeps_secrets() || is_agent {
        return Ok(endpoint);
    }
    Err(Fault::new(FaultKind::Invalid, "neither https, nor this pod, nor the address of an agent"))
}

/// Asks for credentials.
pub fn ask(
    stream: &mut dyn Stream,
    endpoint: &Endpoint,
    token: Option<&[u8]>,
) -> (Answer, Option<Credentials>) {
    let start = Instant::now();
    let (mut answer, credentials) = match request(stream, endpoint, token) {
        Ok(response) => read(&response),
        Err(fault) => (Answer { fault: Some(fault), ..Answer::default() }, None),
    };
    answer.millis = millis(start);
    (answer, credentials)
}

fn request(stream: &mut dyn Stream, endpoint: &Endpoint, token: Option<&[u8]>) -> Result<Response, Fault> {
    let not_text = |_| Fault::new(FaultKind::Invalid, "the token is not text");
    let token = token.map(std::str::from_utf8).transpose().map_err(not_text)?;
    let headers: Vec<_> = token.iter().map(|&token| ("Authorization", token)).collect();
    let host = endpoint.host_header();
    let request =
        Request { method: "GET", target: &endpoint.path, host: &host, headers: &headers, body: b"" };
    exchange(stream, &request)
}

fn read(response: &Response) -> (Answer, Option<Credentials>) {
    let mut answer = Answer { status: Some(response.head.status), ..Answer::default() };
    if response.head.status != 200 {
        // The agent reports a failure as a line of text.
        let text = String::from_utf8_lossy(&response.body);
        if text.trim_start().starts_with('<') {
            answer.fault = Some(Fault::new(FaultKind::Protocol, "a page came that is not the agent's"));
            return (answer, None);
        }
        answer.code = code(&text).map(str::to_owned);
        answer.message = Some(shortened(text.trim(), LONGEST));
        return (answer, None);
    }
    match serde_json::from_slice::<Given>(&response.body) {
        Ok(given) if given.is_whole() => {
            answer.account = given.account_id;
            answer.expiration = given.expiration;
            let credentials = Credentials {
                access_key: given.access_key_id,
                secret_key: given.secret_access_key,
                session_token: given.token,
            };
            (answer, Some(credentials))
        }
        // Not the reader's words: they may quote what they could not read.
        Ok(_) | Err(_) => {
            answer.fault = Some(Fault::new(FaultKind::Protocol, "the answer holds no credentials"));
            (answer, None)
        }
    }
}

/// The code in `[request-id]: (AccessDeniedException): message, fault: client`.
fn code(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("]: (")?;
    Some(rest.split_once("): ")?.0).filter(|code| code.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_to_agents_only() {
        for (url, expected) in [
            ("http://169.254.170.23/v1/credentials", true),
            ("http://[fd00:ec2::23]/v1/credentials", true),
            ("http://127.0.0.1:8080/x", true),
            ("https://broker.example/x", true),
            ("http://broker.example/x", false),
            ("http://169.254.169.254/x", false),
        ] {
            assert_eq!(endpoint(url).is_ok(), expected, "{url}");
        }
    }

    #[test]
    fn the_agent_s_code_is_found() {
        let text = "[0a-b1]: (AccessDeniedException): Unauthorized Exception!, fault: client";
        assert_eq!(code(text), Some("AccessDeniedException"));
        assert_eq!(code("Service account token cannot be empty"), None);
    }
}
