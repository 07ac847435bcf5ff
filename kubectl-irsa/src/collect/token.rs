//! A token of the service account, made for this run by TokenRequest: kept only as long as it is tried, never shown.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::dangerous::insecure_decode_claims;
use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::cluster::{Answer, Api, NoAnswer, Type, body, encode, of_namespace};
use super::foreign::hold;
use irsa::facts::issuer::Claims;
use irsa::facts::kubernetes::Meta;

/// Lifetime of a token made for this run, in seconds; the API server makes none shorter.
const TOKEN_SECONDS: i64 = 600;

/// A token. It cannot print itself.
#[derive(Debug)]
pub struct Token(SecretString);

impl Token {
    /// Takes a token over.
    pub fn new(text: impl Into<SecretString>) -> Self {
        let token = Self(text.into());
        hold(token.expose());
        if let Some((_, signature)) = token.expose().rsplit_once('.') {
            hold(signature);
        }
        token
    }

    /// The text, for STS and for the check of its signature.
    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The token's claims; `None` if it is not a JSON Web Token.
    pub fn claims(&self) -> Option<Claims> {
        let token = self.expose();
        let payload: Payload = insecure_decode_claims(token).ok().filter(|_| !token.ends_with('.'))?;
        // jsonwebtoken reads no header of an algorithm that it does not know, and the API server may sign with ES512.
        let (header, _) = token.split_once('.')?;
        let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        let time = |seconds: Option<i64>| seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
        Some(Claims {
            alg: header.alg,
            kid: header.kid,
            iss: payload.iss,
            aud: match payload.aud {
                Some(Audience::One(audience)) => vec![audience],
                Some(Audience::Many(audiences)) => audiences,
                None => Vec::new(),
            },
            sub: payload.sub,
            exp: time(payload.exp),
            iat: time(payload.iat),
        })
    }
}

impl Api {
    /// Makes a token of a service account, for one audience, bound to a pod where there is one.
    pub(super) async fn token(
        &self,
        namespace: &str,
        service_account: &str,
        audience: &str,
        pod: Option<&Meta>,
    ) -> Result<Token, NoAnswer> {
        let bound = pod.map(|pod| BoundObjectReference {
            api_version: Some(String::from("v1")),
            kind: Some(String::from("Pod")),
            name: Some(pod.name.clone()),
            uid: Some(String::from(&pod.uid)),
        });
        let spec = TokenRequestSpec {
            audiences: Some(vec![audience.to_owned()]),
            expiration_seconds: Some(TOKEN_SECONDS),
            bound_object_ref: bound,
            ..TokenRequestSpec::default()
        };
        let wanted = body(&TokenRequest { spec: Some(spec), ..TokenRequest::default() })?;
        let path = of_namespace::<ServiceAccount>(namespace);
        let request =
            path.create_subresource("token", &encode(service_account), &PostParams::default(), wanted);
        let answer: TokenAnswer = self.read(Answer::Few, &[Type::of::<TokenRequest>()], request).await?;
        let token = answer.status.token;
        if token.expose_secret().trim().is_empty() {
            return Err(NoAnswer::Unreadable(String::from("the answer holds no token")));
        }
        Ok(Token::new(token))
    }
}

/// What TokenRequest answers. No `Debug`: it holds a token.
#[derive(Deserialize)]
struct TokenAnswer {
    status: TokenStatus,
}

#[derive(Deserialize)]
struct TokenStatus {
    token: SecretString,
}

#[derive(Deserialize)]
struct Header {
    alg: Option<String>,
    kid: Option<String>,
}

#[derive(Deserialize)]
struct Payload {
    iss: Option<String>,
    aud: Option<Audience>,
    sub: Option<String>,
    exp: Option<i64>,
    iat: Option<i64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> Token {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let header = encode(r#"{"alg":"RS256","kid":"k1"}"#);
        Token::new(format!("{header}.{}.c2lnbmF0dXJl", encode(payload)))
    }

    #[test]
    fn claims_of_a_token() {
        let claims = token(r#"{"iss":"https://i","aud":["a","b"],"sub":"s","exp":1795334400,"iat":1}"#)
            .claims()
            .unwrap();
        assert_eq!(claims.kid.as_deref(), Some("k1"));
        assert_eq!(claims.aud, ["a", "b"]);
        assert_eq!(claims.exp, Timestamp::from_second(1_795_334_400).ok());
        assert_eq!(token(r#"{"aud":"a"}"#).claims().unwrap().aud, ["a"]);
    }

    #[test]
    fn what_is_no_token() {
        for text in ["", "a.b", "a.b.c", "e30.e30.", "e30.e30.x.y", "/var/run/secrets/token"] {
            assert_eq!(Token::new(text).claims(), None, "{text}");
        }
    }

    #[test]
    fn a_token_does_not_print_itself() {
        assert_eq!(format!("{:?}", token("{}")), "Token(SecretBox<str>([REDACTED]))");
    }
}
