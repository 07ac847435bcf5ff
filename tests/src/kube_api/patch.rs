//! The three sorts of patches. Two are standards; the strategic merge is Kubernetes' own: lists of named things are merged by their
//! key (`patchMergeKey` in the API's types), and directives in the patch delete, replace and order.

use super::status::{self, Answer, bad_request};
use serde_json::{Map, Value};

/// The object with a patch of this media type applied.
pub fn apply(media_type: &str, mut object: Value, patch: &[u8]) -> Result<Value, Answer> {
    let read = || -> Result<Value, Answer> {
        serde_json::from_slice(patch).map_err(|error| bad_request(&format!("error decoding patch: {error}")))
    };
    match media_type {
        "application/merge-patch+json" => json_patch::merge(&mut object, &read()?),
        "application/json-patch+json" => {
            let patch: json_patch::Patch = serde_json::from_slice(patch)
                .map_err(|error| bad_request(&format!("error decoding patch: {error}")))?;
            json_patch::patch(&mut object, &patch)
                .map_err(|error| status::unprocessable(&error.to_string()))?;
        }
        "application/strategic-merge-patch+json" => {
            let Value::Object(patch) = read()? else { return Err(bad_request("error decoding patch")) };
            merge(&mut object, patch)?;
        }
        _ => {
            let known = "application/json-patch+json, application/merge-patch+json, \
                         application/strategic-merge-patch+json, application/apply-patch+yaml";
            return Err(status::unsupported_patch(known));
        }
    }
    Ok(object)
}

/// By what the entries of a list are known; other lists are replaced.
fn merge_key(field: &str) -> Option<&'static str> {
    Some(match field {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "env"
        | "volumes"
        | "imagePullSecrets"
        | "webhooks"
        | "secrets" => "name",
        "volumeMounts" => "mountPath",
        "volumeDevices" => "devicePath",
        "ports" => "containerPort",
        "hostAliases" => "ip",
        "topologySpreadConstraints" => "topologyKey",
        "ownerReferences" => "uid",
        "conditions" => "type",
        _ => return None,
    })
}

/// Lists of words that are merged as sets.
const SETS: [&str; 1] = ["finalizers"];
const ORDER: &str = "$setElementOrder/";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

fn merge(object: &mut Value, mut patch: Map<String, Value>) -> Result<(), Answer> {
    match patch.remove("$patch").as_ref().and_then(Value::as_str) {
        None | Some("merge") => {}
        Some("replace") => {
            *object = Value::Object(patch);
            return Ok(());
        }
        Some("delete") => {
            *object = Value::Object(Map::new());
            return Ok(());
        }
        Some(other) => return Err(bad_request(&format!("unknown patch type: {other}"))),
    }
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let Some(fields) = object.as_object_mut() else { return Ok(()) };
    if let Some(Value::Array(kept)) = patch.remove("$retainKeys") {
        fields.retain(|key, _| kept.iter().any(|kept| kept == key));
    }
    let (mut orders, mut rest) = (Vec::new(), Vec::new());
    for (key, value) in patch {
        if let Some(field) = key.strip_prefix(ORDER) {
            orders.push((field.to_owned(), value));
        } else if let Some(field) = key.strip_prefix(DELETE_FROM) {
            if let (Some(Value::Array(items)), Value::Array(gone)) = (fields.get_mut(field), value) {
                items.retain(|item| !gone.contains(item));
            }
        } else {
            rest.push((key, value));
        }
    }
    for (key, value) in rest {
        match value {
            Value::Null => drop(fields.remove(&key)),
            Value::Object(patch) => merge(fields.entry(key).or_insert(Value::Null), patch)?,
            Value::Array(items) => match (merge_key(&key), SETS.contains(&key.as_str())) {
                (Some(by), _) => merge_list(fields.entry(key).or_insert(Value::Null), items, by)?,
                (None, true) => {
                    let present = fields.entry(key).or_insert_with(|| Value::Array(Vec::new()));
                    for item in items {
                        if let Some(list) = present.as_array_mut().filter(|list| !list.contains(&item)) {
                            list.push(item);
                        }
                    }
                }
                (None, false) => drop(fields.insert(key, Value::Array(items))),
            },
            plain => drop(fields.insert(key, plain)),
        }
    }
    for (field, order) in orders {
        if let (Some(Value::Array(items)), Value::Array(order)) = (fields.get_mut(&field), order) {
            let by = merge_key(&field);
            let place = |item: &Value| {
                order.iter().position(|wanted| match by {
                    Some(by) => wanted[by] == item[by],
                    None => wanted == item,
                })
            };
            // What the order does not name stays behind what it does.
            items.sort_by_key(|item| place(item).unwrap_or(usize::MAX));
        }
    }
    // An empty list of named things is none.
    fields.retain(|key, value| {
        merge_key(key).is_none() || value.as_array().is_none_or(|list| !list.is_empty())
    });
    Ok(())
}

fn merge_list(present: &mut Value, patches: Vec<Value>, by: &str) -> Result<(), Answer> {
    if patches.iter().any(|item| item["$patch"] == "replace") {
        *present = patches.into_iter().filter(|item| item["$patch"] != "replace").collect();
        return Ok(());
    }
    let mut list = present.as_array().cloned().unwrap_or_default();
    for patch in patches {
        let Value::Object(fields) = patch else { return Err(bad_request("map: an entry is no object")) };
        let Some(key) = fields.get(by).cloned() else {
            return Err(bad_request(&format!("map: does not contain declared merge key: {by}")));
        };
        let is = |item: &Value| item[by] == key;
        if fields.get("$patch").is_some_and(|directive| directive == "delete") {
            list.retain(|item| !is(item));
        } else if let Some(found) = list.iter_mut().find(|item| is(item)) {
            merge(found, fields)?;
        } else {
            let mut added = Value::Null;
            merge(&mut added, fields)?;
            list.push(added);
        }
    }
    *present = Value::Array(list);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn strategic(object: Value, patch: Value) -> Value {
        apply("application/strategic-merge-patch+json", object, patch.to_string().as_bytes()).unwrap()
    }

    /// The patches are those that kubectl 1.32 sends.
    #[test]
    fn variables_are_set_and_unset() {
        let container = |env: Value| json!({"spec": {"containers": [{"name": "a", "image": "i"}, {"name": "b", "env": env}]}});
        let set = json!({"spec": {"$setElementOrder/containers": [{"name": "a"}, {"name": "b"}],
            "containers": [{"name": "b", "$setElementOrder/env": [{"name": "X"}, {"name": "Y"}],
                            "env": [{"name": "Y", "value": "2"}, {"name": "X", "value": "1"}]}]}});
        let both = json!([{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]);
        assert_eq!(strategic(container(json!([{"name": "X", "value": "0"}])), set), container(both.clone()));
        let unset =
            json!({"spec": {"containers": [{"name": "b", "env": [{"name": "X", "$patch": "delete"}]}]}});
        assert_eq!(strategic(container(both), unset), container(json!([{"name": "Y", "value": "2"}])));
    }

    #[test]
    fn directives() {
        let volume = json!({"volumes": [{"name": "v", "emptyDir": {}}]});
        let retain = json!({"volumes": [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/x"}}]});
        assert_eq!(
            strategic(volume, retain),
            json!({"volumes": [{"name": "v", "hostPath": {"path": "/x"}}]})
        );
        let replace = json!({"labels": {"$patch": "replace", "a": "1"}});
        assert_eq!(strategic(json!({"labels": {"b": "2"}}), replace), json!({"labels": {"a": "1"}}));
        assert_eq!(strategic(json!({"a": 1, "b": [1, 2]}), json!({"a": null, "b": [3]})), json!({"b": [3]}));
    }

    #[test]
    fn the_standards() {
        let merged =
            apply("application/merge-patch+json", json!({"a": {"b": 1, "c": 2}}), br#"{"a": {"b": null}}"#);
        assert_eq!(merged.unwrap(), json!({"a": {"c": 2}}));
        let patch = br#"[{"op": "test", "path": "/a", "value": 2}]"#;
        let refused = apply("application/json-patch+json", json!({"a": 1}), patch).unwrap_err();
        assert_eq!(refused.code, 422);
        assert_eq!(apply("text/plain", json!({}), b"{}").unwrap_err().code, 415);
    }
}
