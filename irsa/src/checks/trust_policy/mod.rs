//! Checks of the role's trust policy.

super::checks! {
    "trust policy" [TrustPolicy]:
    trust_deny_statement,
    trust_provider_other_account,
    trust_wrong_principal,
    trust_issuer_typo,
    trust_wrong_action,
    trust_two_clusters_anded,
    trust_unavailable_key,
    trust_key_value_swapped,
    trust_wildcard_in_stringequals,
    trust_case,
    trust_aud_mismatch,
    trust_sub_mismatch,
    trust_session_name_or_tag,
    trust_quota,
    trust_permissive,
    trust_json_oddities,
}
