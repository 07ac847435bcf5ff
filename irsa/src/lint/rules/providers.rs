//! OIDC providers: their URL and their audiences. Thumbprints are never asked for: IAM does not use those of EKS's issuers.

use crate::derive::issuer::near_miss;
use crate::derive::trust::is_eks;
use crate::documents::Place;
use crate::lint::change::Change;
use crate::lint::findings::Found;
use crate::lint::problem::Problem;
use crate::lint::trust::AUDIENCE;
use crate::severity::Severity;

use super::annotations::annotations;

/// A URL that no token of EKS carries.
pub(super) fn url(change: &Change, found: &mut Found) {
    for provider in &change.providers {
        let Some(url) = provider.url.value.whole() else { continue };
        let Some(issuer) = provider.issuer.as_deref().filter(|issuer| is_eks(issuer)) else { continue };
        let written = url.strip_prefix("https://").unwrap_or(url);
        let Some(words) = near_miss(written, issuer) else { continue };
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

/// No audience that the tokens of the change have.
pub(super) fn audiences(change: &Change, found: &mut Found) {
    let key = format!("{}/audience", crate::derive::webhook::DEFAULT_PREFIX);
    let accounts = || change.objects.iter().filter(|object| object.kind == "ServiceAccount");
    for provider in &change.providers {
        let is_of_eks = provider.issuer.as_deref().is_some_and(is_eks);
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
