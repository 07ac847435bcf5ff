//! Fields that the API does not have, and values of another type: by the API's own types.

use super::status::{Answer, bad_request};
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Refuses an object whose values have wrong types, and in a strict request one with fields that the API does not have; otherwise they are
/// dropped.
pub fn check(kind: &str, object: &mut Value, strict: bool) -> Result<(), Answer> {
    match kind {
        "Pod" => read::<Pod>(object, strict),
        "ServiceAccount" => read::<ServiceAccount>(object, strict),
        "Namespace" => read::<Namespace>(object, strict),
        "ConfigMap" => read::<ConfigMap>(object, strict),
        "Deployment" => read::<Deployment>(object, strict),
        "StatefulSet" => read::<StatefulSet>(object, strict),
        "DaemonSet" => read::<DaemonSet>(object, strict),
        "Job" => read::<Job>(object, strict),
        "CronJob" => read::<CronJob>(object, strict),
        "MutatingWebhookConfiguration" => read::<MutatingWebhookConfiguration>(object, strict),
        "NetworkPolicy" => read::<NetworkPolicy>(object, strict),
        _ => Ok(()),
    }
}

fn read<T: DeserializeOwned + Serialize>(object: &mut Value, strict: bool) -> Result<(), Answer> {
    let complete = completed(object.clone());
    let read: T = serde_json::from_value(complete.clone())
        .map_err(|error| bad_request(&format!("the object provided is unrecognized: {error}")))?;
    let kept = serde_json::to_value(&read).map_err(|error| bad_request(&error.to_string()))?;
    let mut unknown = Vec::new();
    lost(&complete, &kept, String::new(), &mut unknown);
    if !strict {
        for path in unknown {
            let (parent, field) = path.rsplit_once('/').unwrap_or_default();
            object.pointer_mut(parent).and_then(Value::as_object_mut).map(|fields| fields.remove(field));
        }
        return Ok(());
    }
    if unknown.is_empty() {
        return Ok(());
    }
    let unknown: Vec<String> =
        unknown.iter().map(|path| format!("unknown field \"{}\"", path[1..].replace('/', "."))).collect();
    Err(bad_request(&format!("strict decoding error: {}", unknown.join(", "))))
}

/// Worlds leave out what the types require.
fn completed(mut object: Value) -> Value {
    let spec = &mut object["spec"];
    if !spec["template"].is_null() && spec["selector"].is_null() {
        spec["selector"] = json!({});
    }
    object
}

/// The paths of fields that are gone, as JSON pointers.
fn lost(before: &Value, after: &Value, path: String, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(before), _) => {
            for (key, value) in before {
                let path = format!("{path}/{key}");
                match after.get(key) {
                    Some(after) => lost(value, after, path, found),
                    // Empty values are left out when they are written.
                    None if value.is_null() || *value == json!([]) || *value == json!({}) => {}
                    None => found.push(path),
                }
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                lost(before, after, format!("{path}/{index}"), found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_api_does_not_have() {
        let deployment = |spec: Value| {
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"},
                   "spec": {"template": {"spec": spec}}})
        };
        let mut sound = deployment(
            json!({"containers": [{"name": "a", "env": [{"name": "X", "value": "1"}]}], "volumes": []}),
        );
        assert_eq!(check("Deployment", &mut sound, true), Ok(()));
        let mut typo =
            deployment(json!({"containers": [{"name": "a", "envs": []}, {"name": "b", "envv": [1]}]}));
        let refused = check("Deployment", &mut typo, true).unwrap_err();
        let text = String::from_utf8(refused.body).unwrap();
        assert!(text.contains(r#"unknown field \"spec.template.spec.containers.1.envv\""#), "{text}");
        assert_eq!(check("Deployment", &mut typo, false), Ok(()));
        assert_eq!(typo["spec"]["template"]["spec"]["containers"][1], json!({"name": "b"}));
        let mut number =
            deployment(json!({"containers": [{"name": "a", "env": [{"name": "X", "value": 1}]}]}));
        assert_eq!(check("Deployment", &mut number, false).unwrap_err().code, 400);
    }
}
