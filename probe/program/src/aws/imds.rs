//! The node's metadata service: if it can be reached from here, and which role it would hand out. Its credentials are not asked
//! for.

use crate::deadline::{Deadline, millis};
use crate::environment::{Env, shortened};
use crate::net::endpoint::Endpoint;
use crate::net::exchange::{Request, Response, exchange};
use crate::net::{self, Route, tls::Trust};
use crate::secrets::Secrets;
use irsa_probe::{Fault, FaultKind, Imds};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// A hop limit of one swallows the answer: who waits longer only waits.
const PATIENCE: Duration = Duration::from_secs(1);
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
const LONGEST: usize = 128;

/// Asks it.
pub fn ask(env: &Env, secrets: &Secrets, deadline: Deadline) -> Imds {
    let start = Instant::now();
    let ipv6 = env
        .get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")
        .is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6"));
    let usual = if ipv6 { "http://[fd00:ec2::254]/" } else { "http://169.254.169.254/" };
    let url = env.get("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or(usual);
    let mut seen = Imds::default();
    if let Err(fault) = find_role(url, secrets, deadline, &mut seen) {
        seen.fault = Some(fault);
    }
    seen.millis = millis(start);
    seen
}

fn find_role(url: &str, secrets: &Secrets, deadline: Deadline, seen: &mut Imds) -> Result<(), Fault> {
    let endpoint = Endpoint::parse(url)?;
    seen.url = endpoint.url();
    let lifetime = [("X-aws-ec2-metadata-token-ttl-seconds", "60")];
    let session = call(&endpoint, "PUT", "/latest/api/token", &lifetime, deadline)?;
    seen.session_status = Some(session.head.status);
    let token = match session.head.status {
        200 => Some(said(&session).ok_or_else(|| foreign("the answer is not a session token"))?),
        _ => None,
    };
    // Without a session it is the first version of the service, which may be all that there is.
    let token = token.map(|token| Zeroizing::new(token.to_owned()));
    if let Some(token) = &token {
        secrets.add(token.as_bytes());
    }
    let headers: Vec<_> = token.iter().map(|token| ("X-aws-ec2-metadata-token", token.as_str())).collect();
    let answer = call(&endpoint, "GET", ROLES, &headers, deadline)?;
    seen.role_status = Some(answer.head.status);
    if answer.head.status == 200 {
        let name = said(&answer).and_then(|text| text.lines().next()).unwrap_or_default().trim();
        let is_name = |c: char| c.is_ascii_alphanumeric() || "+=,.@-_".contains(c);
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(foreign("the answer is not the name of a role"));
        }
        seen.role = Some(shortened(name, LONGEST));
    }
    Ok(())
}

/// A text of the service, which it says is one: no page, no JSON.
fn said(answer: &Response) -> Option<&str> {
    text(answer.head.header("content-type"), &answer.body)
}

fn text<'b>(kind: Option<&str>, body: &'b [u8]) -> Option<&'b str> {
    let plain = kind.is_none_or(|kind| kind.trim_start().starts_with("text/plain"));
    let text = std::str::from_utf8(body).ok()?.trim();
    let printable = |c: char| c.is_ascii_graphic() || c == '\n' || c == '\r';
    Some(text).filter(|text| plain && !text.is_empty() && !text.contains('<') && text.chars().all(printable))
}

fn foreign(why: &str) -> Fault {
    Fault::new(FaultKind::Protocol, why)
}

fn call(
    endpoint: &Endpoint,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    deadline: Deadline,
) -> Result<Response, Fault> {
    let route = Route { endpoint, proxy: None, trust: &Trust { bundle: None } };
    let (connection, stream) = net::connect(route, deadline.at_most(PATIENCE));
    let Some(mut stream) = stream else {
        return Err(connection.fault.unwrap_or_else(|| Fault::new(FaultKind::Other, "no connection")));
    };
    let host = endpoint.host_header();
    exchange(stream.as_mut(), &Request { method, target, host: &host, headers, body: b"" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_or_json_is_no_text_of_the_service() {
        for (kind, body) in [
            (None, ""),
            (None, "<html>"),
            (Some("text/html"), "eks-node"),
            (Some("application/json"), "null"),
            (None, "{\"a\": 1}"),
            (None, "please sign in"),
        ] {
            assert_eq!(text(kind, body.as_bytes()), None, "{kind:?} {body}");
        }
        assert_eq!(text(Some("text/plain; charset=utf-8"), b"eks-node\n"), Some("eks-node"));
        assert_eq!(text(None, b"AQAEAL_x=="), Some("AQAEAL_x=="));
    }
}
