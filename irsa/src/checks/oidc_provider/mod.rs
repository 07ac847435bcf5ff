//! Checks of the issuer's OIDC provider in IAM.

super::checks! {
    "OIDC provider" [OidcProvider]:
    wrong_account_in_arn,
    oidc_url_variant,
    oidc_other_cluster,
    oidc_provider_missing,
    provider_quota,
    oidc_client_id,
}
