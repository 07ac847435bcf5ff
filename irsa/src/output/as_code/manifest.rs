//! Kubernetes: the fields of a manifest that change, as Kustomize merges them.

use serde_json::{Map, Value, json};

use super::yaml;
use crate::repair::{ObjectChange, PatchType};

/// The object with the fields that change; `None` for what no manifest declares: a restart, a deletion.
pub(super) fn declare(change: &ObjectChange) -> Option<String> {
    match change.patch() {
        Some((PatchType::Merge | PatchType::Strategic, patch)) => {
            let mut object = change.manifest();
            json_merge(&mut object, &patch);
            yaml(&object)
        }
        Some((PatchType::Json, patch)) => {
            let object = &change.object;
            let (group, version) = object.kind.group_version();
            let mut target = Map::from_iter([
                (String::from("version"), json!(version)),
                (String::from("kind"), json!(object.kind.name())),
                (String::from("name"), json!(object.name)),
            ]);
            if !group.is_empty() {
                target.insert(String::from("group"), json!(group));
            }
            target.extend(object.namespace.as_ref().map(|name| (String::from("namespace"), json!(name))));
            let kustomization = json!({
                "apiVersion": "kustomize.config.k8s.io/v1beta1",
                "kind": "Kustomization",
                "patches": [{"target": target, "patch": patch.to_string()}],
            });
            yaml(&kustomization)
        }
        None if change.creates() => yaml(&change.manifest()),
        None => None,
    }
}

/// Adds a patch to an object. A field that is removed stands in it as null, as Kustomize takes it.
fn json_merge(object: &mut Value, patch: &Value) {
    match (object, patch) {
        (Value::Object(object), Value::Object(patch)) => {
            for (key, value) in patch {
                json_merge(object.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (object, patch) => *object = patch.clone(),
    }
}
