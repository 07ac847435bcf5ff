//! Verifies Signature Version 4. The time of a signature is not looked at: worlds have clocks of their own.

use super::endpoint::Endpoint;
use super::failure::Common;
use super::keyring::{Key, Keyring};
use crate::query::{parse_query, percent_encode};
use http::request::Parts;
use ring::{digest, hmac};

/// Who signed the request.
pub fn authenticate(head: &Parts, body: &[u8], endpoint: &Endpoint, keys: &Keyring) -> Result<Key, Common> {
    let signature = Signature::of(head).ok_or(Common::MissingToken)?;
    let in_partition = |key: &Key| key.partition == endpoint.partition;
    let key = keys.find(signature.key_id).filter(in_partition).ok_or(Common::UnknownKey)?;
    if key.session_token.as_deref() != header(head, "x-amz-security-token") {
        return Err(Common::UnknownKey);
    }
    signature.check_scope(endpoint)?;
    if signature.calculate(head, body, &key.secret) != signature.value {
        return Err(Common::BadSignature);
    }
    if key.expired { Err(Common::Expired) } else { Ok(key) }
}

/// The parts of an Authorization header.
struct Signature<'a> {
    key_id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    headers: &'a str,
    value: &'a str,
}

impl<'a> Signature<'a> {
    fn of(head: &'a Parts) -> Option<Signature<'a>> {
        let fields = header(head, "authorization")?.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let field = |name: &str| {
            fields.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let mut scope = field("Credential")?.split('/');
        Some(Signature {
            key_id: scope.next()?,
            date: scope.next()?,
            region: scope.next()?,
            service: scope.next()?,
            headers: field("SignedHeaders")?,
            value: field("Signature")?,
        })
    }

    /// The signature that the request must have, if the header names the right key.
    fn calculate(&self, head: &Parts, body: &[u8], secret: &str) -> String {
        let scope = [self.date, self.region, self.service, "aws4_request"];
        let first = format!("AWS4{secret}").into_bytes();
        let signing_key = scope.iter().fold(first, |key, part| sign(&key, part));
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{}\n{}",
            header(head, "x-amz-date").unwrap_or_default(),
            scope.join("/"),
            sha256(canonical_request(head, body, self.headers).as_bytes())
        );
        hex(&sign(&signing_key, &text))
    }

    fn check_scope(&self, endpoint: &Endpoint) -> Result<(), Common> {
        if self.service != endpoint.service.name() {
            let service = endpoint.service.name();
            return Err(Common::WrongScope(format!(
                "Credential should be scoped to correct service: '{service}'. "
            )));
        }
        if self.region != endpoint.region {
            return Err(Common::WrongScope("Credential should be scoped to a valid region. ".to_owned()));
        }
        Ok(())
    }
}

fn canonical_request(head: &Parts, body: &[u8], signed: &str) -> String {
    // The path is encoded once more: only S3 signs it as it is sent.
    let path = head.uri.path().split('/').map(percent_encode).collect::<Vec<_>>().join("/");
    let mut query: Vec<String> = parse_query(head.uri.query().unwrap_or_default())
        .iter()
        .map(|(key, value)| format!("{}={}", percent_encode(key), percent_encode(value)))
        .collect();
    query.sort();
    let headers: String = signed
        .split(';')
        .map(|name| format!("{name}:{}\n", header(head, name).unwrap_or_default().trim()))
        .collect();
    format!("{}\n{path}\n{}\n{headers}\n{signed}\n{}", head.method, query.join("&"), sha256(body))
}

fn header<'a>(head: &'a Parts, name: &str) -> Option<&'a str> {
    head.headers.get(name).and_then(|value| value.to_str().ok())
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The Authorization header of a request that is signed with this key, for tests.
#[cfg(test)]
pub fn authorization(head: &Parts, body: &[u8], endpoint: &Endpoint, id: &str, secret: &str) -> String {
    let (headers, date) = ("host;x-amz-date", header(head, "x-amz-date").unwrap_or_default());
    let (region, service) = (endpoint.region.as_str(), endpoint.service.name());
    let signature = Signature { key_id: id, date: &date[..8], region, service, headers, value: "" };
    let value = signature.calculate(head, body, secret);
    let scope = format!("{id}/{}/{region}/{service}/aws4_request", &date[..8]);
    format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={headers}, Signature={value}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    /// The examples of AWS's Signature Version 4 test suite.
    #[test]
    fn the_suite_of_aws() {
        let cases = [
            (
                "GET",
                "/",
                "host;x-amz-date",
                "",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "GET",
                "/?Param2=value2&Param1=value1",
                "host;x-amz-date",
                "",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                "POST",
                "/",
                "content-type;host;x-amz-date",
                "Param1=value1",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
        ];
        for (method, target, headers, body, expected) in cases {
            let request = Request::builder()
                .method(method)
                .uri(target)
                .header("host", "example.amazonaws.com")
                .header("x-amz-date", "20150830T123600Z")
                .header("content-type", "application/x-www-form-urlencoded")
                .header(
                    "authorization",
                    format!(
                        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                         SignedHeaders={headers}, Signature=x"
                    ),
                );
            let head = request.body(()).unwrap().into_parts().0;
            let signature = Signature::of(&head).unwrap();
            let found =
                signature.calculate(&head, body.as_bytes(), "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
            assert_eq!(found, expected, "{method} {target}");
        }
    }
}
