//! How an issuer that a policy names compares with the cluster's own.

use crate::policy::without_scheme;

/// In how many characters a mistyped issuer may differ.
const TYPO: usize = 2;

/// How two issuers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IssuerMatch {
    /// Identical.
    Same,
    /// Meant to be the same: wrong region, host in the wrong order, scheme, slash, a typo, the documentation's example.
    Typo,
    /// Another EKS cluster's.
    OtherCluster,
    /// Something else: a CI system, or a cluster that is not EKS.
    Foreign,
}

/// Compares an issuer, a provider's ARN or the issuer of a condition key with the cluster's issuer, which has no scheme.
pub(crate) fn issuer_match(named: &str, own: &str) -> IssuerMatch {
    if named == own {
        return IssuerMatch::Same;
    }
    let (named, own) = (without_scheme(named), without_scheme(own));
    if named.is_empty() {
        return IssuerMatch::Foreign;
    }
    let (named_id, own_id) = (last_part(&named), last_part(&own));
    let has_own_id = is_eks_id(own_id) && named.contains(own_id);
    let cut_short = own.strip_prefix(&named).is_some_and(|rest| rest.starts_with('/'));
    if named == own || has_own_id || cut_short || strsim::levenshtein(&named, &own) <= TYPO {
        return IssuerMatch::Typo;
    }
    let both_eks = is_eks(&named) && is_eks(&own);
    if both_eks && (!is_eks_id(named_id) || strsim::levenshtein(named_id, own_id) <= TYPO) {
        return IssuerMatch::Typo;
    }
    if is_eks(&named) { IssuerMatch::OtherCluster } else { IssuerMatch::Foreign }
}

/// `oidc.eks.eu-west-1.amazonaws.com`, `oidc-eks.eu-west-1.api.aws`, and the wrong order `oidc.eu-west-1.eks.…`.
pub(crate) fn is_eks(issuer: &str) -> bool {
    let host = issuer.split('/').next().unwrap_or_default();
    let labels = || host.split(['.', '-']);
    labels().next() == Some("oidc") && labels().any(|label| label == "eks")
}

/// The last part of the path: the cluster's id.
fn last_part(issuer: &str) -> &str {
    issuer.rsplit_once('/').map_or("", |(_, id)| id)
}

fn is_eks_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "oidc.eks.eu-west-1.amazonaws.com/id/B61F0D97A2C84E5D93F02AE871C4D5B0";

    #[test]
    fn issuers_beside_the_cluster_s_own() {
        for (named, expected) in [
            (OWN, IssuerMatch::Same),
            (
                "https://oidc.eks.eu-west-1.amazonaws.com/id/B61F0D97A2C84E5D93F02AE871C4D5B0",
                IssuerMatch::Typo,
            ),
            ("oidc.eks.eu-west-1.amazonaws.com/id/B61F0D97A2C84E5D93F02AE871C4D5B0/", IssuerMatch::Typo),
            ("oidc.eu-west-1.eks.amazonaws.com/B61F0D97A2C84E5D93F02AE871C4D5B0", IssuerMatch::Typo),
            ("oidc.eks.eu-west-2.amazonaws.com/id/B61F0D97A2C84E5D93F02AE871C4D5B0", IssuerMatch::Typo),
            ("oidc-eks.eu-west-1.api.aws/id/B61F0D97A2C84E5D93F02AE871C4D5B0", IssuerMatch::Typo),
            ("oidc.eks.eu-west-1.amazonaws.com/id/B61F0D97A2C84E5D93F02AE871C4D5BO", IssuerMatch::Typo),
            ("oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE", IssuerMatch::Typo),
            ("oidc.eks.eu-west-1.amazonaws.com", IssuerMatch::Typo),
            (
                "oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F60718293A4B5C6D7E8F9",
                IssuerMatch::OtherCluster,
            ),
            (
                "oidc.eks.us-east-1.amazonaws.com/id/0A1B2C3D4E5F60718293A4B5C6D7E8F9",
                IssuerMatch::OtherCluster,
            ),
            ("token.actions.githubusercontent.com", IssuerMatch::Foreign),
            ("", IssuerMatch::Foreign),
        ] {
            assert_eq!(issuer_match(named, OWN), expected, "{named}");
        }
    }

    #[test]
    fn an_issuer_of_one_s_own() {
        let own = "oidc.example.com/prod";
        assert_eq!(issuer_match("oidc.example.com/prod/", own), IssuerMatch::Typo);
        assert_eq!(issuer_match("oidc.example.com/staging", own), IssuerMatch::Foreign);
        assert_eq!(
            issuer_match("oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F60718293A4B5C6D7E8F9", own),
            IssuerMatch::OtherCluster
        );
    }
}
