//! Checks of EKS Pod Identity, along the same links as IRSA.

mod agent;

super::checks! {
    "EKS Pod Identity" [ServiceAccount, Injection, Network, TrustPolicy, Sts, Caller]:
    pi_no_association,
    pi_overrides_irsa,
    pi_association_after_pod,
    pi_agent_missing,
    pi_agent_not_on_node,
    pi_agent_crash,
    pi_wrong_host,
    pi_agent_tls,
    pi_eks_auth_endpoint,
    pi_trust,
    pi_node_role,
    pi_rate_limit,
    pi_shadowed,
    pi_sdk_too_old,
    pi_ipv6_endpoint_mode,
    pi_bad_authorization,
    pi_token_stale,
}
