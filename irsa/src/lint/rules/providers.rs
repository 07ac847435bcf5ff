//! OIDC providers: their URL and their audiences. Thumbprints are never asked for: IAM does not use those of EKS's issuers.

use crate::derive::issuer::near_miss;
use crate::derive::trust::is_eks;
use crate::documents::Place;
use crate::lint::change::Change;
use crate::lint::findings::Found;
use crate::lint::problem::Problem;
use crate::lint::trust::{AUDIENCE, bare};
use crate::severity::Severity;

use super::annotations::annotations;

/// A URL that no token of EKS carries.
pub(super) fn url(change: &Change, found: &mut Found) {
    for provider in &change.providers {
        let Some(url) = provider.url.value.whole() else { continue };
        let Some(issuer) = issuer_of(url) else { continue };
        let written = url.strip_prefix("https://").unwrap_or(url);
        let Some(words) = near_miss(written, &issuer) else { continue };
        found.add(Problem {
            place: Place { file: provider.file.clone(), position: provider.url.at },
            id: "oidc-url-variant",
            severity: Severity::Error,
            summary: format!("the OIDC provider differs from the tokens' issuer by {words}"),
            what: String::from("URL of the provider"),
            expected: Some(format!("https://{issuer}")),
            found: Some(url.to_owned()),
            fix: Some(String::from("give the provider exactly the issuer's URL")),
        });
    }
}

/// The issuer that EKS's tokens carry, for a URL that was meant to be one; without scheme.
fn issuer_of(url: &str) -> Option<String> {
    let url = bare(url.trim());
    let (host, path) = url.split_once('/')?;
    let host = host.split(':').next()?.to_ascii_lowercase();
    if !is_eks(&host) {
        return None;
    }
    let region = host.split(['.']).find(|label| crate::aws::partition::is_region_shaped(label))?;
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    // Partitions of their own have their own names, which are left as they are.
    let known = ["aws", "aws-cn", "aws-us-gov"].contains(&crate::aws::partition::partition_of_region(region));
    let host = if known { format!("oidc.eks.{region}.{suffix}") } else { host.clone() };
    let id = path.rsplit('/').next().filter(|id| !id.is_empty())?;
    Some(format!("{host}/id/{}", id.to_ascii_uppercase()))
}

/// No audience that the tokens of the change have.
pub(super) fn audiences(change: &Change, found: &mut Found) {
    let key = format!("{}/audience", crate::derive::webhook::DEFAULT_PREFIX);
    let accounts = || change.objects.iter().filter(|object| object.kind == "ServiceAccount");
    for provider in &change.providers {
        let is_of_eks = provider.url.value.whole().is_some_and(|url| is_eks(bare(url)));
        let Some(ids) = provider.client_ids.as_ref().filter(|_| is_of_eks) else { continue };
        let accepts = |audience: &str| ids.value.iter().any(|id| id.may_be(audience));
        let annotated = accounts().flat_map(|object| annotations(object.node.get("metadata")));
        let mut annotated =
            annotated.filter(|entry| entry.key == key).filter_map(|entry| match entry.value.content() {
                crate::documents::yaml::Content::Text(audience) => Some(audience.as_str()),
                _ => None,
            });
        if accepts(AUDIENCE) || annotated.any(accepts) {
            continue;
        }
        let shown: Vec<String> = ids.value.iter().map(crate::lint::text::Text::shown).collect();
        found.add(Problem {
            place: Place { file: provider.file.clone(), position: ids.at },
            id: "oidc-client-id",
            severity: Severity::Error,
            summary: format!("the OIDC provider does not accept the tokens' audience \"{AUDIENCE}\""),
            what: String::from("the provider's audiences"),
            expected: Some(AUDIENCE.to_owned()),
            found: Some(if shown.is_empty() { String::from("(none)") } else { shown.join(", ") }),
            fix: Some(format!("add {AUDIENCE} to the provider's client ids")),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issuer_that_a_url_was_meant_to_be() {
        let issuer = "oidc.eks.eu-west-1.amazonaws.com/id/4F1E27D9A0B84C6E93D5720AB81C6EF3";
        for url in [
            "https://oidc.eks.eu-west-1.amazonaws.com/id/4F1E27D9A0B84C6E93D5720AB81C6EF3",
            "oidc.eks.eu-west-1.amazonaws.com/id/4F1E27D9A0B84C6E93D5720AB81C6EF3",
            "http://oidc.eks.eu-west-1.amazonaws.com/id/4F1E27D9A0B84C6E93D5720AB81C6EF3/",
            "https://oidc.eks.eu-west-1.amazonaws.com:443/id/4F1E27D9A0B84C6E93D5720AB81C6EF3",
            "https://oidc-eks.eu-west-1.api.aws/id/4f1e27d9a0b84c6e93d5720ab81c6ef3",
        ] {
            assert_eq!(issuer_of(url).as_deref(), Some(issuer), "{url}");
        }
        let china = "https://oidc.eks.cn-north-1.amazonaws.com.cn/id/4F1E27D9A0B84C6E93D5720AB81C6EF3";
        assert_eq!(near_miss(bare(china), &issuer_of(china).unwrap()), None);
        assert_eq!(issuer_of("https://token.actions.githubusercontent.com"), None);
    }
}
