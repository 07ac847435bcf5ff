//! Whether published keys verify a token's signature, as STS asks. The token stays here; what becomes of it is a fact.

use irsa::facts::Fact;
use irsa::facts::issuer::{Claims, Key, Published, Signature};
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils, verify};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::signature::{Error, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
    VerificationAlgorithm,
};

use super::token::Token;

/// Verification alone, by ring, which is there for TLS.
static RING: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    verifier_factory: |algorithm, key| Ok(Box::new(ByRing { algorithm: *algorithm, key: key.clone() })),
    key_utils: KeyUtils::new_unimplemented(),
};

struct ByRing {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl JwtVerifier for ByRing {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for ByRing {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), Error> {
        let verified = match self.key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => rsa(self.algorithm).map(|algorithm| {
                // ring refuses leading zeros, which some issuers write.
                let zeros = n.iter().take_while(|byte| **byte == 0).count();
                RsaPublicKeyComponents { n: &n[zeros..], e: &e[..] }.verify(algorithm, message, signature)
            }),
            DecodingKeyKind::SecretOrDer(point) => curve(self.algorithm)
                .map(|algorithm| UnparsedPublicKey::new(algorithm, point).verify(message, signature)),
        };
        // A key of another kind than the algorithm is of did not make the signature.
        verified.and_then(Result::ok).ok_or_else(Error::new)
    }
}

fn rsa(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::RS256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        _ => None,
    }
}

fn curve(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    match algorithm {
        Algorithm::ES256 => Some(&ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => Some(&ECDSA_P384_SHA384_FIXED),
        _ => None,
    }
}

/// What becomes of the signature of a token with the published keys, of which some can verify.
pub fn fact(
    token: Option<&Token>,
    claims: &Fact<Claims>,
    published: &Fact<Published<Vec<Key>>>,
    verifying: &JwkSet,
) -> Fact<Signature> {
    let (Some(token), Some(claims)) = (token, claims.known()) else {
        return match claims.unknown() {
            Some(unknown) => Fact::Unknown(unknown.clone()),
            None => Fact::not_asked(Signature::WHAT, "there is no token"),
        };
    };
    match published {
        Fact::Known(keys) => match &keys.value {
            Published::Document(all) => {
                Fact::observed(of(token, &claims.value, all, verifying), keys.source.at("keys"))
            }
            _ => Fact::not_asked(Signature::WHAT, "no keys are published"),
        },
        Fact::Unknown(unknown) => Fact::Unknown(unknown.clone()),
        Fact::Absent { .. } => Fact::not_asked(Signature::WHAT, "no keys are published"),
    }
}

fn of(token: &Token, claims: &Claims, all: &[Key], verifying: &JwkSet) -> Signature {
    // Set once; every later attempt changes nothing.
    let _ = RING.install_default();
    if claims.kid.is_none() || all.iter().all(|key| key.kid != claims.kid) {
        return Signature::NoSuchKey;
    }
    let name = claims.alg.as_deref().unwrap_or_default();
    let algorithm = name.parse().ok().filter(|name| rsa(*name).is_some() || curve(*name).is_some());
    let of_id = verifying.keys.iter().filter(|key| key.common.key_id == claims.kid);
    let keys: Vec<DecodingKey> = of_id.filter_map(|key| DecodingKey::from_jwk(key).ok()).collect();
    let (Some(algorithm), false, Some((message, signature))) =
        (algorithm, keys.is_empty(), token.expose().rsplit_once('.'))
    else {
        return Signature::UnsupportedAlgorithm(name.to_owned());
    };
    let verifies = |key| verify(signature, message.as_bytes(), key, algorithm).unwrap_or_default();
    if keys.iter().any(verifies) { Signature::Verified } else { Signature::BadSignature }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::*;

    /// Header and claims, and their signature by the key whose modulus is `MODULUS` (made with OpenSSL).
    const MESSAGE: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.eyJpc3MiOiJodHRwczovL29pZGMuZXhhbXBsZS5jb20iLCJzdWIiOiJzeXN0\
     ZW06c2VydmljZWFjY291bnQ6c2hvcDpjaGVja291dCJ9";
    const SIGNATURE: &str = "PzDadWfyDc7g0UrIWYf5s_fOGDaH_0NpL549LJsWZTLiKMQKC9ePgH1m6nzrTFRLo-FlrcqAIPF-8ygsYNrZ1GATNk2Sf8Ps\
     TWtl6OXCz-62Mn79kYjBhQniEVnK6b-H6KtDuXqdHQtfcp2_b-UBRpjOIcGQ7C8N_849rRvHhW0YbEOidr6ldYLBJh84Ow7B\
     lcX2FtiNp8arfQj4VSQkZXd4jKc0XPGdZznWTLEObuVhzpGCFD7DYcS_BPZR043uRei-1890cE3V2Tt-jXWJJy63rypkHEDR\
     DPSVme6VqyuaUNlCC013lV4g_BOIGaYDWKkZ6sfV8px2opcjs0lSCQ";
    const MODULUS: &str = "sqHdHmJQxKHtQPEt4EfZosGib0ZD_xWDJOWiunOJuN29yc9oFGvXpoVXTq6bCWQ7nyiwqYD6FQ4snprNPReytfQdQzsbWGE6\
     xJTJUpSE6RZXmcOCeJAEd_UI8i8kWdKfWgqZ8123EiqlMNnH79KJDShSXZJRRkP6LC79vSS2Xu0fJ9MbL02cAGEWi72T_Tk_\
     EKIwg9fXfvWzTXx7Gx84IXikFKpcAXD2RIvIZx_GXAW7ftksglxuegUHicedzn6atPpiQDTAgfqHzUpJ1GMYRzI6BTU47Zm5\
     mRkCs8V42oz2kxaB3ucHH28oy6BAt8r52W6Jppcs50cmCNHLV6wpiQ";
    const ANOTHER: &str = "ytislG-0ZpM0z3pUHcGCn4q87JA0Q0CX9rvMKgty7jzJ1Qc9T5ej-B76kLl_f6d8FTfbXm3FMafK5KpMDlWHTfaCTAnrECLo\
     E6KFG8Pw2BOycERFFHU-EPWPGPyY_r9OS7c5jTJSOwLP6gisrLT5wlqxrJPKL2rVgzRDBGWhKv6uRKeIyV2XOeGvazPY9hL7\
     lz6DsYyzFBNGeMOlu3aZPcTQJ6u9hcyHTL4BmoZeSpQf0UBKUUePodfZniTRryAAFGXjgBQLJqOC2m_ORPj7heXS7XXORzIu\
     UWUPVQ7mli9JnA9ZEJdyoE4x0-NjZPE53Ov5vDjd91DGNgyq6LYshQ";

    fn key(id: &str, modulus: &str) -> Value {
        json!({"kty": "RSA", "alg": "RS256", "use": "sig", "kid": id, "n": modulus, "e": "AQAB"})
    }

    fn of_keys(token: &str, keys: &[Value]) -> Signature {
        let token = Token::new(token);
        let claims = token.claims().unwrap();
        let slim = |key: &Value| Key {
            kid: key["kid"].as_str().map(str::to_owned),
            kty: String::new(),
            material: String::new(),
        };
        let all: Vec<Key> = keys.iter().map(slim).collect();
        let readable = keys.iter().filter_map(|key| serde_json::from_value(key.clone()).ok());
        of(&token, &claims, &all, &JwkSet { keys: readable.collect() })
    }

    fn signed() -> String {
        format!("{MESSAGE}.{SIGNATURE}")
    }

    #[test]
    fn a_published_key_verifies_or_does_not() {
        let of = |keys: &[Value]| of_keys(&signed(), keys);
        assert_eq!(of(&[key("k1", MODULUS)]), Signature::Verified);
        assert_eq!(of(&[key("k0", ANOTHER), key("k1", ANOTHER), key("k1", MODULUS)]), Signature::Verified);
        assert_eq!(of(&[key("k1", ANOTHER)]), Signature::BadSignature);
        assert_eq!(of(&[key("k0", MODULUS)]), Signature::NoSuchKey);
        assert_eq!(of(&[json!({"kty": "RSA", "n": MODULUS, "e": "AQAB"})]), Signature::NoSuchKey);
        assert_eq!(of(&[]), Signature::NoSuchKey);
        // A key of another kind under the token's id did not sign it.
        let coordinate = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
        let curve = json!({"kty": "EC", "crv": "P-256", "kid": "k1", "x": coordinate, "y": coordinate});
        assert_eq!(of(&[curve]), Signature::BadSignature);
        // One of a kind that nobody here knows may have.
        let new = json!({"kty": "AKP", "alg": "ML-DSA-44", "kid": "k1", "pub": "AAAA"});
        assert_eq!(of(&[new]), Signature::UnsupportedAlgorithm(String::from("RS256")));
    }

    #[test]
    fn a_leading_zero_makes_no_other_key() {
        let bytes = URL_SAFE_NO_PAD.decode(MODULUS).unwrap();
        let padded = URL_SAFE_NO_PAD.encode([&[0], &bytes[..]].concat());
        assert_eq!(of_keys(&signed(), &[key("k1", &padded)]), Signature::Verified);
    }

    #[test]
    fn a_changed_token_is_not_verified() {
        let (header, claims) = MESSAGE.split_once('.').unwrap();
        let keys = [key("k1", MODULUS)];
        let changed = URL_SAFE_NO_PAD.encode(r#"{"sub":"system:serviceaccount:shop:admin"}"#);
        assert_eq!(of_keys(&format!("{header}.{changed}.{SIGNATURE}"), &keys), Signature::BadSignature);
        for algorithm in ["RS384", "ES256"] {
            let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{algorithm}","kid":"k1"}}"#));
            let token = format!("{header}.{claims}.{SIGNATURE}");
            assert_eq!(of_keys(&token, &keys), Signature::BadSignature, "{algorithm}");
        }
        // The last is what the API server may sign with, and no algorithm may be the verifier's own to choose.
        for algorithm in ["HS256", "none", "ES512"] {
            let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{algorithm}","kid":"k1"}}"#));
            let token = format!("{header}.{claims}.{SIGNATURE}");
            assert_eq!(of_keys(&token, &keys), Signature::UnsupportedAlgorithm(algorithm.to_owned()));
        }
    }
}
