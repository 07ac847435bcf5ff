//! A token, and what may never leave the pod.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

/// Credentials as the fakes give them.
pub const ACCESS_KEY: &str = "ASIAQ7PZN4XKTEXAMPLE";
pub const SECRET_KEY: &str = "k9Wv3yTq+Lr2Zx8Bn5Hd/Fj7Gm4Pc6Sa1Qe0Ruof";
pub const SESSION_TOKEN: &str = "IQoJb3JpZ2luX2VjEHoaCWV1LXdlc3QtMSJGMEQCIBx7Vd0+session/token==";
pub const IMDS_TOKEN: &str = "AQAEAHk2r8yLqVt5Zx-imds-session-token==";

/// A service account token with a signature that nobody will check.
pub fn service_account() -> String {
    let part = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let header = json!({"alg": "RS256", "kid": "7f3a"}).to_string();
    let claims = json!({
        "aud": ["sts.amazonaws.com"], "exp": 1_900_000_000, "iat": 1_800_000_000, "nbf": 1_800_000_000,
        "iss": "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE",
        "sub": "system:serviceaccount:shop:checkout",
        "kubernetes.io": {"namespace": "shop", "pod": {"name": "checkout-7d9f", "uid": "0a1b"}},
    });
    let signature: Vec<u8> = (0_u8..=255).map(|byte| byte.wrapping_mul(151).wrapping_add(77)).collect();
    format!("{}.{}.{}", part(header.as_bytes()), part(claims.to_string().as_bytes()), part(&signature))
}

/// Fails when as much as 16 bytes of a secret are in the output. It does not print them.
pub fn assert_none_in(output: &[u8]) {
    let token = service_account();
    for (name, secret) in [
        ("the token", token.as_str()),
        ("the secret key", SECRET_KEY),
        ("the session token", SESSION_TOKEN),
        ("the session of the metadata service", IMDS_TOKEN),
    ] {
        let shows = |part: &[u8]| output.windows(part.len()).any(|window| window == part);
        assert!(!secret.as_bytes().windows(16).any(shows), "a part of {name} is in the output");
    }
}
