//! A change in the language of the tool that manages what it changes, for whoever does not change things by hand: what was changed by a
//! command only comes back with the next `terraform apply`.

mod cloudformation;
mod eksctl;
mod manifest;
mod terraform;

use crate::repair::{AwsCall, AwsChange, Change, ObjectChange};
use crate::text::yaml::Node;

/// The languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Terraform's and OpenTofu's HCL.
    Terraform,
    /// eksctl's ClusterConfig.
    Eksctl,
    /// A template of CloudFormation, in YAML.
    CloudFormation,
    /// Kubernetes manifests, as Kustomize takes them as patches.
    Yaml,
}

impl Language {
    /// Every language, with its name on the command line and what it is.
    pub const ALL: [(Self, &str, &str); 4] = [
        (Self::Terraform, "terraform", "HCL of Terraform and OpenTofu"),
        (Self::Eksctl, "eksctl", "eksctl's ClusterConfig"),
        (Self::CloudFormation, "cloudformation", "A template of CloudFormation"),
        (Self::Yaml, "yaml", "Manifests and patches of Kubernetes"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(language, ..)| *language == self).map_or("", |(_, name, _)| name)
    }

    /// What declares the change; `None` where the language has no word for it.
    pub fn declare(self, change: &Change) -> Option<String> {
        match (self, change) {
            (Self::Terraform, change) => terraform::declare(change),
            (Self::Eksctl, change) => eksctl::declare(change),
            (Self::CloudFormation, Change::Aws(AwsChange { call, .. })) => cloudformation::declare(call),
            (Self::Yaml, Change::Kubernetes(change)) => manifest::declare(change),
            (Self::CloudFormation, Change::Kubernetes(_)) | (Self::Yaml, Change::Aws(_)) => None,
        }
    }

    /// The change in words, where the language has none.
    pub fn words(self, change: &Change) -> String {
        let what = match change {
            Change::Kubernetes(ObjectChange { object, .. }) => object.target(),
            Change::Aws(AwsChange { call, .. }) => match call {
                AwsCall::UpdateAssumeRolePolicy { role, .. }
                | AwsCall::CreateRole { role, .. }
                | AwsCall::PutRolePolicy { role, .. } => format!("role {role}"),
                AwsCall::CreateOpenIdConnectProvider { url, .. } => format!("the OIDC provider of {url}"),
                AwsCall::AddClientId { provider, client_id } => {
                    format!("{client_id} among the audiences of {provider}")
                }
                AwsCall::UpdateThumbprint { provider } => format!("the thumbprints of {provider}"),
                AwsCall::CreatePodIdentityAssociation { namespace, service_account, .. } => {
                    format!("the EKS Pod Identity association of {namespace}/{service_account}")
                }
                AwsCall::SetSessionTags { association, .. } => {
                    format!("session tags of association {association}")
                }
                AwsCall::CreateAddon { addon, .. } => format!("add-on {addon}"),
            },
        };
        format!("{} has no form for this: change {what} where it is declared", self.name())
    }
}

/// Words of a name that a language does not take as it is.
fn identifier(name: &str, separator: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let joined = words.collect::<Vec<_>>().join(separator);
    if joined.starts_with(|c: char| c.is_ascii_alphabetic()) {
        joined
    } else {
        format!("x{separator}{joined}")
    }
}

/// The same in CamelCase, as CloudFormation wants logical ids.
fn camel(name: &str) -> String {
    let words = identifier(name, " ");
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    words.split(' ').map(capital).collect()
}

/// YAML of a value, without what a terminal would not show.
fn yaml(value: &serde_json::Value) -> Option<String> {
    let node: Node = serde_json::from_str(&value.to_string()).ok()?;
    node.in_usual_order().document().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::policy::Json;
    use crate::repair::{Assignment, Edit, Given, InEks, Object, ObjectKind};

    fn cluster() -> InEks {
        InEks { region: String::from("eu-west-1"), name: String::from("prod") }
    }

    fn document(sub: &str) -> Json {
        let keys = Json::Object(vec![(String::from("issuer.example:sub"), Json::text(sub))]);
        let statement = Json::object([
            ("Effect", Json::text("Allow")),
            ("Action", Json::text("sts:AssumeRoleWithWebIdentity")),
            ("Condition", Json::object([("StringEquals", keys)])),
        ]);
        Json::object([("Version", Json::text("2012-10-17")), ("Statement", Json::Array(vec![statement]))])
    }

    /// A change of every kind, with this text wherever a text may be.
    fn changes(text: &str) -> Vec<Change> {
        let t = || text.to_owned();
        let calls = [
            AwsCall::UpdateAssumeRolePolicy { role: t(), document: document(text) },
            AwsCall::CreateRole { role: t(), path: String::from("/team/"), document: document(text) },
            AwsCall::PutRolePolicy { role: t(), policy: t(), document: document(text) },
            AwsCall::CreateOpenIdConnectProvider { url: t(), client_id: t() },
            AwsCall::AddClientId { provider: t(), client_id: t() },
            AwsCall::UpdateThumbprint { provider: t() },
            AwsCall::CreatePodIdentityAssociation {
                cluster: cluster(),
                namespace: t(),
                service_account: t(),
                role: Given::Text(t()),
            },
            AwsCall::SetSessionTags { cluster: cluster(), association: t(), enabled: true },
            AwsCall::CreateAddon { cluster: cluster(), addon: t() },
        ];
        let edits = [
            Edit::Create,
            Edit::Annotate(vec![Assignment::set(text, text), Assignment::remove("gone")]),
            Edit::Annotate(vec![Assignment::set("eks.amazonaws.com/role-arn", text)]),
            Edit::Label(vec![Assignment::set(text, text)]),
            Edit::SetEnv { container: t(), is_init: false, variables: vec![Assignment::set(text, text)] },
            Edit::SetServiceAccount(t()),
            Edit::Merge(json!({"spec": {text: text}})),
            Edit::Json(json!([{"op": "add", "path": "/x", "value": text}])),
            Edit::Restart,
            Edit::Delete,
        ];
        let kinds = [ObjectKind::ServiceAccount, ObjectKind::Deployment, ObjectKind::Namespace];
        let objects = kinds.into_iter().flat_map(|kind| {
            let object = Object { kind, namespace: Some(t()), name: t() };
            edits
                .clone()
                .into_iter()
                .map(move |edit| Change::from(ObjectChange { object: object.clone(), edit }))
        });
        let calls = calls.into_iter().map(|call| Change::from(AwsChange { account: None, call }));
        calls.chain(objects).collect()
    }

    /// All texts of a YAML document.
    fn texts(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) => found.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
            Value::Object(members) => {
                found.extend(members.keys().cloned());
                members.values().for_each(|value| texts(value, found));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    #[test]
    fn what_each_says() {
        for (language, name, _) in Language::ALL {
            let all: Vec<String> = changes("shop-checkout")
                .iter()
                .map(|change| language.declare(change).unwrap_or_else(|| language.words(change) + "\n"))
                .collect();
            let mut distinct: Vec<&String> = Vec::new();
            all.iter().for_each(|text| {
                if !distinct.contains(&text) {
                    distinct.push(text)
                }
            });
            let page = distinct.into_iter().cloned().collect::<Vec<_>>().join("\n");
            insta::assert_snapshot!(format!("as_{name}"), page);
        }
    }

    proptest! {
        /// The parsers of the languages read what is written, and no text becomes anything but a text.
        #[test]
        fn no_text_leaves_its_place(text in "[^\0]{1,30}|[$%]\\{[a-z(){}\"]{1,12}|!Sub [a-z]{3}|\\*[a-z]|<<EOF\n") {
            for change in changes(&text) {
                if let Some(hcl) = Language::Terraform.declare(&change) {
                    let body: hcl::Body = hcl::parse(&hcl).map_err(|error| TestCaseError::fail(format!("{error}: {hcl}")))?;
                    // A template would be an expression of its own.
                    let debug = format!("{body:?}");
                    prop_assert!(!debug.contains("TemplateExpr"), "{hcl}");
                    prop_assert!(body.blocks().all(|block| block.identifier() == "resource"), "{hcl}");
                }
                for language in [Language::Eksctl, Language::CloudFormation, Language::Yaml] {
                    // Which issuer it is, eksctl knows.
                    let is_implied = matches!(&change, Change::Aws(AwsChange {
                        call: AwsCall::CreateOpenIdConnectProvider { .. }, .. }));
                    let yaml = language.declare(&change).filter(|_| !(is_implied && language == Language::Eksctl));
                    let Some(yaml) = yaml else { continue };
                    let read: Vec<Value> = serde_saphyr::from_multiple(&yaml).map_err(|error| TestCaseError::fail(format!("{error}: {yaml}")))?;
                    let mut found = Vec::new();
                    read.iter().for_each(|value| texts(value, &mut found));
                    prop_assert!(found.contains(&text), "{text:?} in {yaml}");
                }
            }
        }
    }
}
