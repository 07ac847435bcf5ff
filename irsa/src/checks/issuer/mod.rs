//! Checks of the cluster's OIDC issuer and its keys.

super::checks! {
    "issuer" [Issuer]:
    token_issuer_wrong,
    thumbprint,
    jwks_problem,
}
