//! Which issuer counts: the `iss` of a token is what STS looks up, whatever else names an issuer (failures.md 0.3).

use super::Derived;
use crate::aws::endpoint::{has_public_certificate, host_of_url, is_local};
use crate::facts::{Facts, Source, Unknown};

/// The issuer of the service account's tokens.
#[derive(Debug, Clone)]
pub struct Issuer<'f> {
    /// Its URL, as tokens carry it.
    pub url: &'f str,
    /// Where it was read.
    pub source: Source,
    /// Which source that is.
    pub by: Teller,
}

/// Where the issuer was read, the most reliable first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Teller {
    /// A fresh token of the service account.
    Token,
    /// The API server's discovery document.
    ApiServer,
    /// EKS's description of the cluster; some tools show a dual-stack URL there that no token carries.
    Eks,
}

impl<'f> Issuer<'f> {
    /// The issuer, or what would have to be known.
    pub fn of(derived: &Derived<'f>) -> Result<Self, Vec<&'f Unknown>> {
        let (issuer, cluster) = (&derived.facts.issuer, &derived.facts.aws.cluster);
        let of_token = derived
            .claims()
            .and_then(|(claims, source)| Some((claims.iss.as_deref()?, source.claim("iss"), Teller::Token)));
        let served = || {
            let discovery = issuer.api.known()?;
            Some((discovery.value.issuer.as_str(), discovery.source.at(".issuer"), Teller::ApiServer))
        };
        let described = || {
            let cluster = cluster.known()?;
            // No token carries the dual-stack name.
            let url = cluster.value.issuer.as_deref().filter(|url| !url.starts_with("https://oidc-eks."))?;
            Some((url, cluster.source.at("cluster.identity.oidc.issuer"), Teller::Eks))
        };
        match of_token.or_else(served).or_else(described) {
            Some((url, source, by)) => Ok(Self { url, source, by }),
            None => Err([issuer.minted.unknown(), issuer.api.unknown()].into_iter().flatten().collect()),
        }
    }

    /// True if AWS could fetch the keys of such a URL: `https`, and a host that is not in the cluster by its very name.
    pub fn is_public(&self) -> bool {
        self.url.starts_with("https://") && host_of_url(self.url).is_some_and(|host| !is_local(host))
    }

    /// True if EKS serves it.
    pub fn is_eks(&self) -> bool {
        eks_id(self.url).is_some()
    }

    /// True if a certificate that this machine does not trust cannot be the issuer's: AWS serves it with a public one, so that a proxy
    /// inspects TLS in between.
    pub fn has_public_certificate(&self) -> bool {
        host_of_url(self.url).is_some_and(has_public_certificate)
    }

    /// False if EKS's description is of another cluster than the one that the tokens come from; `None` if not known.
    pub fn is_of_described_cluster(&self, facts: &Facts) -> Option<bool> {
        let described = facts.aws.cluster.known()?.value.issuer.as_deref()?;
        match (self.by, eks_id(self.url), eks_id(described)) {
            (Teller::Eks, ..) => None,
            (_, Some(own), Some(other)) => Some(own == other),
            _ => Some(self.url == described),
        }
    }
}

/// The cluster's id in an issuer URL of EKS, of either of its hosts: `https://oidc.eks.REGION.amazonaws.com/id/ID`,
/// `https://oidc-eks.REGION.api.aws/id/ID`.
pub(crate) fn eks_id(url: &str) -> Option<&str> {
    let url = url.strip_prefix("https://").unwrap_or(url);
    let (host, path) = url.split_once('/')?;
    let eks = host.starts_with("oidc.eks.") || host.starts_with("oidc-eks.");
    path.strip_prefix("id/").filter(|id| eks && !id.is_empty())
}

/// How the URL of a provider differs from the issuer that it was meant for; both without `https://`. `None` if they are equal,
/// or belong to two issuers.
pub(crate) fn near_miss(provider: &str, issuer: &str) -> Option<&'static str> {
    if provider == issuer {
        return None;
    }
    if provider.strip_prefix("http://") == Some(issuer) {
        return Some("the scheme, which is https");
    }
    if provider.trim_end_matches('/') == issuer.trim_end_matches('/') {
        return Some("a trailing slash");
    }
    if provider.eq_ignore_ascii_case(issuer) {
        return Some("upper and lower case");
    }
    if provider.replacen(":443", "", 1) == issuer {
        return Some("the port, which no token carries");
    }
    let id = eks_id(issuer)?;
    let (host, path) = provider.split_once('/')?;
    if !path.trim_end_matches('/').rsplit('/').next()?.eq_ignore_ascii_case(id) {
        return None;
    }
    Some(if host.starts_with("oidc-eks.") {
        "the dual-stack host, which no token carries"
    } else if issuer.starts_with(&format!("{host}/")) {
        "the path: the cluster's id follows `/id/`"
    } else {
        "the host: it starts with `oidc.eks.` and the region"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "oidc.eks.eu-west-1.amazonaws.com/id/D539D4633E53DE1B716D3041E7A3C1F2";

    #[test]
    fn ids_of_clusters() {
        let id = Some("D539D4633E53DE1B716D3041E7A3C1F2");
        assert_eq!(eks_id(ISSUER), id);
        assert_eq!(eks_id(&format!("https://{ISSUER}")), id);
        assert_eq!(eks_id("https://oidc-eks.eu-west-1.api.aws/id/D539D4633E53DE1B716D3041E7A3C1F2"), id);
        for other in
            ["https://oidc.eks.eu-west-1.amazonaws.com/id/", "https://kubernetes.default.svc", "oidc.eks./x"]
        {
            assert_eq!(eks_id(other), None, "{other}");
        }
    }

    #[test]
    fn near_misses_are_told_from_other_issuers() {
        let id = "D539D4633E53DE1B716D3041E7A3C1F2";
        for (provider, word) in [
            (format!("{ISSUER}/"), "slash"),
            (ISSUER.to_lowercase(), "case"),
            (format!("oidc.eks.eu-west-1.amazonaws.com:443/id/{id}"), "port"),
            (format!("oidc-eks.eu-west-1.api.aws/id/{id}"), "dual-stack"),
            (format!("oidc.eu-west-1.eks.amazonaws.com/id/{id}"), "host"),
            (format!("oidc.eks.eu-west-1.amazonaws.com/{id}"), "path"),
        ] {
            let found = near_miss(&provider, ISSUER);
            assert!(found.is_some_and(|words| words.contains(word)), "{provider}: {found:?}");
        }
        for other in [
            ISSUER,
            "oidc.eks.eu-west-1.amazonaws.com/id/AAAAD4633E53DE1B716D3041E7A3C1F2",
            "token.actions.githubusercontent.com",
            "",
        ] {
            assert_eq!(near_miss(other, ISSUER), None, "{other}");
        }
        assert!(near_miss("oidc.example.com/shop/", "oidc.example.com/shop").is_some());
    }
}
