//! Signature Version 4, for requests to STS: POST, no query, these headers and no others.

use super::Credentials;
use crate::clock::basic_iso8601;
use ring::digest::{SHA256, digest};
use ring::hmac::{HMAC_SHA256, Key, sign as hmac};
use std::fmt::Write;

/// The headers that a signed request carries.
pub struct Signed {
    /// `X-Amz-Date`.
    pub date: String,
    /// `Authorization`.
    pub authorization: String,
}

/// Signs a form for STS. The session token is signed too, and belongs into `X-Amz-Security-Token`.
pub fn sign(
    credentials: &Credentials,
    region: &str,
    host: &str,
    content_type: &str,
    body: &[u8],
    now: i64,
) -> Signed {
    const NAMES: &str = "content-type;host;x-amz-date;x-amz-security-token";
    let date = basic_iso8601(now);
    let day = date.get(..8).unwrap_or(&date);
    let scope = format!("{day}/{region}/sts/aws4_request");
    let token = credentials.session_token.as_str();
    let canonical = zeroize::Zeroizing::new(format!(
        "POST\n/\n\ncontent-type:{content_type}\nhost:{host}\nx-amz-date:{date}\nx-amz-security-token:{token}\n\n{NAMES}\n{}",
        hash(body)
    ));
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hash(canonical.as_bytes()));
    let secret = zeroize::Zeroizing::new(format!("AWS4{}", credentials.secret_key.as_str()));
    let derive = |key: &[u8], text: &str| hmac(&Key::new(HMAC_SHA256, key), text.as_bytes());
    let mut key = derive(secret.as_bytes(), day);
    for text in [region, "sts", "aws4_request"] {
        key = derive(key.as_ref(), text);
    }
    let signature = hex(derive(key.as_ref(), &to_sign).as_ref());
    let id = credentials.access_key.as_str();
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={NAMES}, Signature={signature}");
    Signed { date, authorization }
}

fn hash(data: &[u8]) -> String {
    hex(digest(&SHA256, data).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::Credentials as Theirs;
    use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings};
    use aws_sigv4::sign::v4::SigningParams;
    use proptest::prelude::*;
    use std::time::{Duration, UNIX_EPOCH};

    const TYPE: &str = "application/x-www-form-urlencoded";

    fn reference(ours: &Credentials, region: &str, host: &str, body: &[u8], now: u64) -> String {
        let theirs = Theirs::new(
            ours.access_key.as_str(),
            ours.secret_key.as_str(),
            Some(ours.session_token.to_string()),
            None,
            "test",
        )
        .into();
        let params = SigningParams::builder()
            .identity(&theirs)
            .region(region)
            .name("sts")
            .time(UNIX_EPOCH + Duration::from_secs(now))
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let headers = [("content-type", TYPE), ("host", host)];
        let url = format!("https://{host}/");
        let request =
            SignableRequest::new("POST", url, headers.into_iter(), SignableBody::Bytes(body)).unwrap();
        let (instructions, _) = aws_sigv4::http_request::sign(request, &params).unwrap().into_parts();
        let (_, value) = instructions.headers().find(|(name, _)| *name == "authorization").unwrap();
        value.to_owned()
    }

    proptest! {
        #[test]
        fn signed_as_the_sdk_signs(
            id in "[A-Z0-9]{16,20}",
            secret in "[A-Za-z0-9+/]{40}",
            token in "[A-Za-z0-9+/=]{1,200}",
            region in "[a-z]{2}-[a-z]{4,9}-[1-9]",
            body in "[ -~]{0,80}",
            now in 0_u32..u32::MAX,
        ) {
            let host = format!("sts.{region}.amazonaws.com");
            let credentials = Credentials {
                access_key: id.into(), secret_key: secret.into(), session_token: token.into(),
            };
            let ours = sign(&credentials, &region, &host, TYPE, body.as_bytes(), now.into());
            let theirs = reference(&credentials, &region, &host, body.as_bytes(), now.into());
            // Equality without a word of what differs: a failure must not print the key.
            prop_assert!(ours.authorization == theirs);
        }
    }
}
