//! Reads and verifies web identity tokens, as STS does.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::Value;

/// A token in its parts.
pub struct Token<'t> {
    message: &'t str,
    signature: Vec<u8>,
    header: Value,
    claims: Value,
}

impl<'t> Token<'t> {
    /// Three parts of base64, two of them JSON objects.
    pub fn parse(text: &'t str) -> Option<Token<'t>> {
        let (message, signature) = text.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let json = |part: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice(&bytes).ok().filter(Value::is_object)
        };
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        Some(Token { message, signature, header: json(header)?, claims: json(claims)? })
    }

    /// The id of the key that signed it.
    pub fn key_id(&self) -> &str {
        self.header["kid"].as_str().unwrap_or_default()
    }

    /// A claim.
    pub fn claim(&self, name: &str) -> &Value {
        &self.claims[name]
    }

    /// Whether this key (ES256, as the fake API server signs) made the signature.
    pub fn is_signed_by(&self, key: &Value) -> bool {
        let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap_or_default());
        let (Ok(x), Ok(y)) = (coordinate("x"), coordinate("y")) else { return false };
        let point = [vec![4], x, y].concat();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        self.header["alg"] == "ES256" && public.verify(self.message.as_bytes(), &self.signature).is_ok()
    }
}
