//! What the EKS webhook adds to a pod that is created (`handler.go` of amazon-eks-pod-identity-webhook): the variables, the
//! token's volume and its mounts. The account's other annotations, and associations of EKS Pod Identity, are not here.

use super::resources::by_path;
use super::store::Store;
use serde_json::{Value, json};

const WEBHOOK: &str = "iam-for-pods.amazonaws.com";
const ROLE: &str = "eks.amazonaws.com/role-arn";
const VOLUME: &str = "aws-iam-token";
const DIRECTORY: &str = "/var/run/secrets/eks.amazonaws.com/serviceaccount";

/// Completes a pod of this account, if the cluster has the webhook and the account names a role.
pub fn inject(store: &Store, pod: &mut Value, account: &Value, issuer: &str) {
    let annotation = &account["metadata"]["annotations"][ROLE];
    let Some(role) = annotation.as_str().filter(|_| is_there(store)) else { return };
    let added = variables(role, issuer);
    let mut changed = false;
    for kind in ["initContainers", "containers"] {
        for container in pod["spec"][kind].as_array_mut().into_iter().flatten() {
            changed |= complete(container, &added);
        }
    }
    let token = json!({"audience": "sts.amazonaws.com", "expirationSeconds": 86_400, "path": "token"});
    let volume = json!({
        "name": VOLUME,
        "projected": {"defaultMode": 420, "sources": [{"serviceAccountToken": token}]},
    });
    let volumes = &mut pod["spec"]["volumes"];
    if changed && !has(volumes, VOLUME) {
        push(volumes, volume);
    }
}

fn is_there(store: &Store) -> bool {
    let configurations = by_path("admissionregistration.k8s.io", "mutatingwebhookconfigurations");
    let all = configurations.map(|kind| store.all(kind, "")).unwrap_or_default();
    all.iter().any(|object| has(&object.value["webhooks"], WEBHOOK))
}

fn variables(role: &str, issuer: &str) -> Vec<(&'static str, String)> {
    // The webhook is told its Region; here the issuer's URL has it.
    let region = issuer.strip_prefix("https://oidc.eks.").and_then(|rest| rest.split('.').next());
    let region = region.map(|region| [("AWS_DEFAULT_REGION", region), ("AWS_REGION", region)]);
    let identity =
        [("AWS_ROLE_ARN", role.to_owned()), ("AWS_WEB_IDENTITY_TOKEN_FILE", format!("{DIRECTORY}/token"))];
    let settings =
        [("AWS_STS_REGIONAL_ENDPOINTS", "regional")].into_iter().chain(region.into_iter().flatten());
    settings.map(|(name, value)| (name, value.to_owned())).chain(identity).collect()
}

/// A container that has been wired by hand stays as it is.
fn complete(container: &mut Value, variables: &[(&str, String)]) -> bool {
    if ["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"].iter().any(|name| has(&container["env"], name)) {
        return false;
    }
    for (name, value) in variables {
        if !has(&container["env"], name) {
            push(&mut container["env"], json!({"name": name, "value": value}));
        }
    }
    push(&mut container["volumeMounts"], json!({"name": VOLUME, "mountPath": DIRECTORY, "readOnly": true}));
    true
}

fn has(list: &Value, name: &str) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|item| item["name"] == name))
}

fn push(list: &mut Value, item: Value) {
    match list {
        Value::Array(list) => list.push(item),
        missing => *missing = json!([item]),
    }
}
