//! Checks of STS's own answer.

super::checks! {
    "STS" [Sts]:
    session_name_invalid,
    session_name_empty,
    session_per_request,
    sts_region_disabled,
    sts_optin_region_masquerade,
    sts_throttled,
    duration_too_long,
    chain_hour_limit,
    session_tags_too_large,
    token_v1_optin_region,
    iam_eventual_consistency,
    sts_refused,
}
