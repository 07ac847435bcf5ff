//! From what a change set holds to facts about one identity, as if it were deployed on EKS: what the checks judge.

use std::sync::Arc;

use crate::documents::Store;
use crate::documents::yaml::whole_documents;
use crate::facts::aws::{Association, Aws, Provider, Role};
use crate::facts::issuer::{Discovery, Issuer};
use crate::facts::kubernetes::MutatingWebhookConfiguration;
use crate::facts::{Fact, Facts, Listing, Owner, Position, Source, Sourced, Subject, Why};
use crate::rounds::of_documents;
use crate::target::{Kind, Target};

use super::policy::Filled;

/// The account where none is known.
pub(super) const NO_ACCOUNT: &str = "000000000000";

/// The issuer where none is known.
pub(super) const NO_ISSUER: &str = "oidc.eks.us-east-1.amazonaws.com/id/00000000000000000000000000000000";
/// Namespace and name of a service account that may be any.
pub(super) const WITNESS: (&str, &str) = ("any-namespace", "any-service-account");
/// What stands for `*` in the name of one that a pattern covers.
pub(super) const COVERED: &str = "whichever";

/// A place that is in no file.
pub(super) fn nowhere() -> Source {
    in_file("", "", Position::default(), None)
}

/// A part of a file.
fn in_file(file: &str, object: &str, position: Position, filled: Option<&Filled>) -> Source {
    Source::File {
        file: file.to_owned(),
        document: 1,
        object: object.to_owned(),
        field: String::new(),
        position,
        positions: filled.map(|filled| filled.positions.clone()).unwrap_or_default(),
    }
}

fn known<T>(value: T, source: Source) -> Fact<T> {
    Fact::Known(Sourced { value, source })
}

/// The registration of EKS's own webhook.
fn webhook() -> Option<MutatingWebhookConfiguration> {
    let registered = serde_json::json!({
        "metadata": {"name": "pod-identity-webhook"},
        "webhooks": [{
            "name": "iam-for-pods.amazonaws.com",
            "admissionReviewVersions": ["v1"],
            "clientConfig": {"url": "https://127.0.0.1:23443/mutate"},
            "failurePolicy": "Ignore",
            "reinvocationPolicy": "IfNeeded",
            "objectSelector": {"matchExpressions": [
                {"key": crate::derive::webhook::SKIP_LABEL, "operator": "DoesNotExist"},
            ]},
            "rules": [{"operations": ["CREATE"], "resources": ["pods"]}],
        }],
    });
    serde_json::from_value(registered).ok()
}

/// A target of the change as it will be; `None` if it cannot be judged by itself.
pub(super) fn of_target(store: &Store, namespace: &str, target: &Target) -> Option<Facts> {
    let mut facts = of_documents(store, namespace, target, None).ok()?.into_iter().next()?;
    // A pod that is in a file only has not been created, and nothing has been injected.
    if let Subject::Pod(pod) = &facts.subject {
        let owner = Owner {
            kind: String::from("Pod"),
            meta: pod.value.metadata.clone(),
            template_meta: pod.value.metadata.clone(),
            template_spec: pod.value.spec.clone(),
            revision: None,
        };
        let template = Sourced { value: owner, source: pod.source.clone() };
        facts.owner = Arc::new(Fact::Known(template.clone()));
        facts.subject = Subject::Template(Box::new(template));
    }
    let own = facts.cluster.webhooks.known().is_some_and(|listing| !listing.value.items.is_empty());
    if !own {
        let mut cluster = (*facts.cluster).clone();
        let items = webhook().map(|value| Sourced { value, source: nowhere() });
        cluster.webhooks = known(Listing { items: items.into_iter().collect(), cut: None }, nowhere());
        facts.cluster = Arc::new(cluster);
    }
    Some(facts)
}

/// A service account that is in no file.
pub(super) fn of_witness(namespace: &str, name: &str, annotations: &[(&str, &str)]) -> Option<Facts> {
    let annotations: serde_json::Map<_, _> =
        annotations.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
    let object = serde_json::json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": namespace, "annotations": annotations},
    });
    let (documents, _) = whole_documents(&object.to_string());
    let mut store = Store::default();
    store.take(documents.first()?, ("ServiceAccount", None), "", 1)?.ok()?;
    let target = Target { kind: Kind::ServiceAccount, name: name.to_owned() };
    of_target(&store, namespace, &target)
}

/// A role with its trust policy.
pub(super) fn role(role: &super::change::Role, arn: &str, filled: &Filled) -> Fact<Role> {
    let name = arn.rsplit('/').next().unwrap_or(arn).to_owned();
    let value = Role {
        arn: arn.to_owned(),
        name,
        created: None,
        trust: filled.json.line(),
        max_session: None,
        boundary: None,
    };
    known(value, in_file(&role.file, "role", role.at, Some(filled)))
}

/// What AWS would answer about a web identity.
pub(super) struct WebIdentity<'c> {
    /// The role, as it will be.
    pub role: Fact<Role>,
    /// Issuer without scheme.
    pub issuer: &'c str,
    /// The provider of that issuer, if it is in the change and its audiences are known.
    pub provider: Option<&'c super::change::Provider>,
}

impl WebIdentity<'_> {
    /// Adds it to the facts.
    pub(super) fn of(self, facts: &Facts) -> Facts {
        let why = Why::NotInFiles;
        let mut aws = Aws::unknown(&why);
        let provider = self.provider.and_then(|provider| {
            let ids = provider.client_ids.as_ref()?;
            let client_ids: Option<Vec<String>> =
                ids.value.iter().map(|id| id.whole().map(str::to_owned)).collect();
            let value = Provider {
                arn: format!("arn:aws:iam::{NO_ACCOUNT}:oidc-provider/{}", self.issuer),
                url: self.issuer.to_owned(),
                client_ids: client_ids?,
                thumbprints: Vec::new(),
                created: None,
            };
            Some(known(value, in_file(&provider.file, "provider", ids.at, None)))
        });
        if let Some(provider) = provider {
            aws.provider = provider;
        }
        aws.role = self.role;
        let mut issuer = Issuer::unknown(&why);
        let discovery = Discovery { issuer: format!("https://{}", self.issuer), jwks_uri: None };
        issuer.api = known(discovery, nowhere());
        Facts { aws: Arc::new(aws), issuer: Arc::new(issuer), ..facts.clone() }
    }
}

/// What AWS would answer about an association.
pub(super) fn associated(
    facts: &Facts,
    association: &super::change::Association,
    (role_arn, role): (&str, Option<Fact<Role>>),
    target: Option<(&str, Option<Fact<Role>>)>,
) -> Facts {
    let mut aws = Aws::unknown(&Why::NotInFiles);
    let value = Association {
        id: String::from("of this change"),
        arn: None,
        role_arn: Some(role_arn.to_owned()),
        target_role_arn: target.as_ref().map(|(arn, _)| (*arn).to_owned()),
        external_id: None,
        session_tags: association.session_tags,
        created: None,
    };
    let source = in_file(&association.file, "association", association.at, None);
    aws.associations = known(vec![value], source);
    aws.role = facts.aws.role.clone();
    if let Some(role) = role {
        aws.associated_role = role;
    }
    if let Some(role) = target.and_then(|(_, role)| role) {
        aws.target_role = role;
    }
    Facts { aws: Arc::new(aws), ..facts.clone() }
}
