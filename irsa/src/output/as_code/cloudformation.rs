//! CloudFormation: resources of a template. A text that its intrinsics would read (`Fn::Sub`) stays a text, because none is used.

use serde_json::{Map, Value, json};

use super::{camel, yaml};
use crate::policy::Json;
use crate::repair::{AwsCall, Given};

/// The resource, as a template of its own.
pub(super) fn declare(call: &AwsCall) -> Option<String> {
    let mut parameters = Map::new();
    let (name, kind, properties) = match call {
        AwsCall::UpdateAssumeRolePolicy { role, document } => (
            role.clone(),
            "AWS::IAM::Role",
            json!({"RoleName": role, "AssumeRolePolicyDocument": value(document)}),
        ),
        AwsCall::CreateRole { role, path, document } => (
            role.clone(),
            "AWS::IAM::Role",
            json!({"RoleName": role, "Path": path, "AssumeRolePolicyDocument": value(document)}),
        ),
        AwsCall::PutRolePolicy { role, policy, document } => (
            policy.clone(),
            "AWS::IAM::RolePolicy",
            json!({"RoleName": role, "PolicyName": policy, "PolicyDocument": value(document)}),
        ),
        AwsCall::CreateOpenIdConnectProvider { url, client_id } => (
            String::from("OidcProvider"),
            "AWS::IAM::OIDCProvider",
            json!({"Url": url, "ClientIdList": [client_id]}),
        ),
        AwsCall::CreatePodIdentityAssociation { cluster, namespace, service_account, role } => {
            let role = match role {
                Given::Text(arn) => json!(arn),
                Given::Asked(placeholder) => {
                    let name = camel(&placeholder.name().to_lowercase());
                    parameters.insert(name.clone(), json!({"Type": "String"}));
                    json!({"Ref": name})
                }
            };
            let properties = json!({
                "ClusterName": cluster.name, "Namespace": namespace, "ServiceAccount": service_account, "RoleArn": role});
            (format!("{namespace}-{service_account}"), "AWS::EKS::PodIdentityAssociation", properties)
        }
        AwsCall::CreateAddon { cluster, addon } => {
            (addon.clone(), "AWS::EKS::Addon", json!({"ClusterName": cluster.name, "AddonName": addon}))
        }
        // A property of a resource that is declared elsewhere.
        AwsCall::AddClientId { .. } | AwsCall::UpdateThumbprint { .. } | AwsCall::SetSessionTags { .. } => {
            return None;
        }
    };
    let mut template = Map::new();
    if !parameters.is_empty() {
        template.insert(String::from("Parameters"), Value::Object(parameters));
    }
    let resource = json!({"Type": kind, "Properties": properties});
    template.insert(String::from("Resources"), json!({camel(&name): resource}));
    yaml(&Value::Object(template))
}

fn value(document: &Json) -> Value {
    match document {
        Json::Null => Value::Null,
        Json::Bool(flag) => json!(flag),
        Json::Number(number) => Value::Number(number.clone()),
        Json::String(text) => json!(text),
        Json::Array(items) => items.iter().map(value).collect(),
        Json::Object(members) => {
            Value::Object(members.iter().map(|(key, member)| (key.clone(), value(member))).collect())
        }
    }
}
