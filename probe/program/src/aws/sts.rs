//! STS: the token is tried, and who it makes of the caller is asked.

use super::region::StsEndpoint;
use super::{Credentials, answer, sigv4};
use crate::clock;
use crate::deadline::{Deadline, millis};
use crate::net::exchange::{Request, Response, exchange};
use crate::net::{self, Route, Stream};
use irsa_probe::{Answer, Clock, Connection};
use std::time::Instant;
use zeroize::Zeroizing;

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
const CALLER: &str = "GetCallerIdentity";
/// The shortest session that STS issues, in seconds.
const SHORTEST: &str = "900";

/// What the token is tried with.
pub struct Trial<'a> {
    /// The role.
    pub role_arn: &'a str,
    /// The session's name.
    pub session_name: &'a str,
    /// The file's content, as it is.
    pub token: &'a [u8],
}

/// AssumeRoleWithWebIdentity. It needs no signature: the token is the proof.
pub fn assume(
    stream: &mut dyn Stream,
    sts: &StsEndpoint,
    trial: &Trial<'_>,
) -> (Answer, Option<Clock>, Option<Credentials>) {
    let body = form(&[
        ("Action", answer::ASSUME.as_bytes()),
        ("Version", b"2011-06-15"),
        ("RoleArn", trial.role_arn.as_bytes()),
        ("RoleSessionName", trial.session_name.as_bytes()),
        ("DurationSeconds", SHORTEST.as_bytes()),
        ("WebIdentityToken", trial.token),
    ]);
    let (answer, clock, response) = call(stream, sts, answer::ASSUME, &[("Content-Type", FORM)], &body);
    let credentials = response.as_ref().and_then(answer::credentials);
    (answer, clock, credentials)
}

/// GetCallerIdentity, signed with these credentials, over a connection of its own.
pub fn caller(route: Route<'_>, sts: &StsEndpoint, credentials: &Credentials, deadline: Deadline) -> Answer {
    let (Connection { fault, .. }, stream) = net::connect(route, deadline);
    let Some(mut stream) = stream else { return Answer { fault, ..Answer::default() } };
    let body = form(&[("Action", CALLER.as_bytes()), ("Version", b"2011-06-15")]);
    let host = sts.endpoint.host_header();
    let signed = sigv4::sign(credentials, &sts.region, &host, FORM, &body, clock::now());
    let headers = [
        ("Content-Type", FORM),
        ("X-Amz-Date", signed.date.as_str()),
        ("X-Amz-Security-Token", credentials.session_token.as_str()),
        ("Authorization", signed.authorization.as_str()),
    ];
    call(stream.as_mut(), sts, CALLER, &headers, &body).0
}

/// The endpoint's clock, without asking anything of it.
pub fn clock(stream: &mut dyn Stream, sts: &StsEndpoint) -> Option<Clock> {
    let host = sts.endpoint.host_header();
    let request = Request { method: "GET", target: "/", host: &host, headers: &[], body: b"" };
    read_clock(&exchange(stream, &request).ok()?)
}

fn call(
    stream: &mut dyn Stream,
    sts: &StsEndpoint,
    operation: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> (Answer, Option<Clock>, Option<Response>) {
    let start = Instant::now();
    let host = sts.endpoint.host_header();
    let request = Request { method: "POST", target: &sts.endpoint.path, host: &host, headers, body };
    match exchange(stream, &request) {
        Ok(response) => {
            let answer = Answer { millis: millis(start), ..answer::read(&response, operation) };
            (answer, read_clock(&response), Some(response))
        }
        Err(fault) => (Answer { millis: millis(start), fault: Some(fault), ..Answer::default() }, None, None),
    }
}

/// Only STS's own answers tell its time: what stands in between dates its answers by a clock of its own.
fn read_clock(response: &Response) -> Option<Clock> {
    response.head.header("x-amzn-requestid")?;
    let remote = response.head.header("date")?.to_owned();
    Some(Clock { local: clock::now(), remote })
}

fn form(fields: &[(&str, &[u8])]) -> Zeroizing<Vec<u8>> {
    // One allocation, as an escaped byte takes three: what a growing vector leaves behind is not wiped.
    let capacity = fields.iter().map(|(name, value)| name.len() + 3 * value.len() + 2).sum();
    let mut body = Zeroizing::new(Vec::with_capacity(capacity));
    for (name, value) in fields {
        if !body.is_empty() {
            body.push(b'&');
        }
        body.extend_from_slice(name.as_bytes());
        body.push(b'=');
        for &byte in *value {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
                body.push(byte);
            } else {
                const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
                body.extend([b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
            }
        }
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_escaped() {
        let body = form(&[("A", b"a/b c+\xff"), ("B", b"-_.~9")]);
        assert_eq!(std::str::from_utf8(&body).unwrap(), "A=a%2Fb%20c%2B%FF&B=-_.~9");
    }
}
