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
    let secret = format!("AWS4{}", key.secret);
    let scope = [signature.date, signature.region, signature.service, "aws4_request"];
    let signing_key = scope.iter().fold(secret.into_bytes(), |key, part| sign(&key, part));
    let text = format!(
        "AWS4-HMAC-SHA256\n{}\n{}\n{}",
        header(head, "x-amz-date").unwrap_or_default(),
        scope.join("/"),
        sha256(canonical_request(head, body, signature.headers).as_bytes())
    );
    if hex(&sign(&signing_key, &text)) != signature.value {
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
