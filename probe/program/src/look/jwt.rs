//! What a token claims. The token itself and its signature stay where they are.

use crate::environment::shortened;
use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use irsa_probe::{Claims, Fault, FaultKind, Jwt, Kubernetes, Object};
use serde_json::Value;

/// No claim is longer in the report.
const LONGEST: usize = 512;
/// No more audiences are reported.
const MOST: usize = 16;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads a token.
pub fn read(content: &[u8]) -> Jwt {
    let trimmed = content.trim_ascii();
    let bare = trimmed.strip_prefix(b"Bearer ");
    let parts: Vec<&[u8]> = bare.unwrap_or(trimmed).split(|&byte| byte == b'.').collect();
    let mut jwt = Jwt {
        parts: parts.len(),
        padded: trimmed.len() != content.len(),
        bearer: bare.is_some(),
        ..Jwt::default()
    };
    let [header, payload, _signature] = parts.as_slice() else {
        jwt.fault = Some(Fault::new(FaultKind::Invalid, "not three parts"));
        return jwt;
    };
    match (decode(header), decode(payload)) {
        (Some(header), Some(payload)) => {
            jwt.alg = text(&header["alg"]);
            jwt.kid = text(&header["kid"]);
            jwt.claims = Some(claims(&payload));
        }
        (None, _) => jwt.fault = Some(Fault::new(FaultKind::Invalid, "the header is not JSON in base64url")),
        (_, None) => jwt.fault = Some(Fault::new(FaultKind::Invalid, "the claims are not JSON in base64url")),
    }
    jwt
}

/// Why it fails is not told: the decoders' errors quote what they read.
fn decode(part: &[u8]) -> Option<Value> {
    let value: Value = serde_json::from_slice(&BASE64.decode(part).ok()?).ok()?;
    value.is_object().then_some(value)
}

fn claims(payload: &Value) -> Claims {
    let aud = match &payload["aud"] {
        Value::Array(all) => all.iter().filter_map(text).take(MOST).collect(),
        one => text(one).into_iter().collect(),
    };
    let kubernetes = &payload["kubernetes.io"];
    Claims {
        iss: text(&payload["iss"]),
        sub: text(&payload["sub"]),
        aud,
        exp: seconds(&payload["exp"]),
        iat: seconds(&payload["iat"]),
        nbf: seconds(&payload["nbf"]),
        kubernetes: kubernetes.is_object().then(|| Kubernetes {
            namespace: text(&kubernetes["namespace"]),
            serviceaccount: object(&kubernetes["serviceaccount"]),
            pod: object(&kubernetes["pod"]),
            node: object(&kubernetes["node"]),
        }),
    }
}

fn object(value: &Value) -> Option<Object> {
    value.is_object().then(|| Object { name: text(&value["name"]), uid: text(&value["uid"]) })
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(|text| shortened(text, LONGEST))
}

/// JWT allows fractions of a second.
fn seconds(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "a cast from f64 saturates")]
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use serde_json::json;

    fn token(header: &Value, payload: &Value) -> String {
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.c2lnbmF0dXJl", part(header), part(payload))
    }

    #[test]
    fn a_service_account_token_is_read() {
        let payload = json!({
            "aud": ["sts.amazonaws.com"], "exp": 1_900_000_000, "iat": 1_899_000_000.5, "iss": "https://issuer",
            "sub": "system:serviceaccount:shop:checkout", "secret": "x",
            "kubernetes.io": {"namespace": "shop", "pod": {"name": "p", "uid": "u"}, "serviceaccount": {"name": "checkout"}},
        });
        let jwt = read(token(&json!({"alg": "RS256", "kid": "k"}), &payload).as_bytes());
        assert_eq!((jwt.parts, jwt.padded, jwt.bearer, jwt.fault), (3, false, false, None));
        assert_eq!((jwt.alg.as_deref(), jwt.kid.as_deref()), (Some("RS256"), Some("k")));
        let claims = jwt.claims.unwrap();
        assert_eq!((claims.exp, claims.iat, claims.nbf), (Some(1_900_000_000), Some(1_899_000_000), None));
        assert_eq!(claims.aud, ["sts.amazonaws.com"]);
        let pod = claims.kubernetes.unwrap().pod.unwrap();
        assert_eq!((pod.name.as_deref(), pod.uid.as_deref()), (Some("p"), Some("u")));
    }

    #[test]
    fn its_shape_is_told() {
        let good = token(&json!({"alg": "RS256"}), &json!({"aud": "one"}));
        let jwt = read(format!("Bearer {good}\n").as_bytes());
        assert!(jwt.padded && jwt.bearer);
        assert_eq!(jwt.claims.unwrap().aud, ["one"]);
        assert_eq!(read(b"/var/run/secrets/token").parts, 1);
        assert_eq!(read(b"").parts, 1);
    }

    #[test]
    fn garbage_is_not_quoted() {
        for garbage in ["a.b.c", "e30.!!.c", "W10.e30.c", "hunter2.hunter2.hunter2", "\u{0}.\u{0}.\u{0}"] {
            let jwt = read(garbage.as_bytes());
            let fault = jwt.fault.unwrap();
            assert!(jwt.claims.is_none() && fault.kind == FaultKind::Invalid);
            assert!(!fault.text.contains("hunter2"));
        }
    }

    #[test]
    fn a_claim_of_another_type_is_absent() {
        let jwt = read(
            token(&json!({"alg": 7}), &json!({"aud": {}, "exp": "soon", "kubernetes.io": 1})).as_bytes(),
        );
        assert_eq!((jwt.alg, jwt.claims), (None, Some(Claims::default())));
    }
}
