//! eksctl: what a ClusterConfig declares. It writes the trust policies of the roles that it makes itself, so that there is no word for
//! one.

use serde_json::{Value, json};

use super::yaml;
use crate::repair::{AwsCall, AwsChange, Change, Edit, Given, InEks, ObjectChange, ObjectKind};

/// The part of a ClusterConfig.
pub(super) fn declare(change: &Change) -> Option<String> {
    let config = match change {
        Change::Kubernetes(ObjectChange { object, edit: Edit::Annotate(all) })
            if object.kind == ObjectKind::ServiceAccount =>
        {
            let role = all.iter().find(|one| one.name.ends_with("/role-arn"))?.value.as_ref()?;
            let metadata = json!({"name": object.name, "namespace": object.namespace});
            let account = json!({"metadata": metadata, "attachRoleARN": text(role)});
            json!({"iam": {"withOIDC": true, "serviceAccounts": [account]}})
        }
        Change::Kubernetes(_) => return None,
        Change::Aws(AwsChange { call, .. }) => match call {
            AwsCall::CreateOpenIdConnectProvider { .. } => json!({"iam": {"withOIDC": true}}),
            AwsCall::CreatePodIdentityAssociation { cluster, namespace, service_account, role } => {
                let association = json!({
                    "namespace": namespace, "serviceAccountName": service_account, "roleARN": text(role)});
                json!({"metadata": metadata(cluster), "iam": {"podIdentityAssociations": [association]}})
            }
            AwsCall::CreateAddon { cluster, addon } => {
                json!({"metadata": metadata(cluster), "addons": [{"name": addon}]})
            }
            AwsCall::UpdateAssumeRolePolicy { .. }
            | AwsCall::CreateRole { .. }
            | AwsCall::PutRolePolicy { .. }
            | AwsCall::AddClientId { .. }
            | AwsCall::UpdateThumbprint { .. }
            | AwsCall::SetSessionTags { .. } => return None,
        },
    };
    let mut whole = json!({"apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig"});
    if let (Value::Object(whole), Value::Object(config)) = (&mut whole, config) {
        whole.extend(config);
    }
    yaml(&whole)
}

fn metadata(cluster: &InEks) -> Value {
    json!({"name": cluster.name, "region": cluster.region})
}

fn text(given: &Given) -> String {
    match given {
        Given::Text(text) => text.clone(),
        Given::Asked(placeholder) => format!("${{{}}}", placeholder.name()),
    }
}
