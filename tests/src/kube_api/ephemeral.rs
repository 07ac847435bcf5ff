//! PATCH of `pods/ephemeralcontainers`: the merge, and what the API server's validation refuses.

use super::status::{Answer, Cause, bad_request, invalid_object};
use serde_json::{Value, json};

/// What no ephemeral container may have, in the order of the API server's complaints.
const FORBIDDEN: [&str; 7] =
    ["ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resources", "restartPolicy"];

/// Merges the ephemeral containers of a strategic merge patch into a pod. Everything else of the patch has no effect
/// on this subresource, new volumes included.
pub fn patch(pod: &mut Value, patch: &Value) -> Result<(), Answer> {
    let before = list(&pod["spec"]["ephemeralContainers"]).to_vec();
    let mut after = before.clone();
    let mut new = Vec::new();
    for given in list(&patch["spec"]["ephemeralContainers"]) {
        let Some(name) = given["name"].as_str() else {
            return Err(bad_request("map: does not contain declared merge key: name"));
        };
        match after.iter_mut().find(|container| container["name"] == name) {
            Some(existing) => merge(existing, given),
            None => new.push(with_defaults(given.clone())),
        }
    }
    // The list that is merged in comes first, recording `watch-ephemeral-container`.
    new.extend(after);
    let causes: Vec<Cause> = changed(&before, &new).into_iter().chain(validate(pod, &new)).collect();
    if !causes.is_empty() {
        return Err(invalid_object("Pod", pod["metadata"]["name"].as_str().unwrap_or_default(), &causes));
    }
    if new != before {
        let generation = pod["metadata"]["generation"].as_i64().unwrap_or(1);
        pod["metadata"]["generation"] = json!(generation + 1);
        pod["spec"]["ephemeralContainers"] = json!(new);
    }
    Ok(())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn merge(existing: &mut Value, given: &Value) {
    match (existing, given) {
        (Value::Object(existing), Value::Object(given)) => {
            for (key, value) in given {
                merge(existing.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (existing, given) => *existing = given.clone(),
    }
}

/// What the API server fills in for a container of any sort.
pub fn with_defaults(mut container: Value) -> Value {
    let image = container["image"].as_str().unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    let latest = !name.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest");
    let policy = if latest { "Always" } else { "IfNotPresent" };
    for (key, default) in [
        ("resources", json!({})),
        ("terminationMessagePath", json!("/dev/termination-log")),
        ("terminationMessagePolicy", json!("File")),
        ("imagePullPolicy", json!(policy)),
    ] {
        if container[key].is_null() {
            container[key] = default;
        }
    }
    container
}

/// A real server adds a difference of the Go structures to the message, recording `ec-patch-change-existing`.
fn changed(before: &[Value], after: &[Value]) -> Vec<Cause> {
    let other = |old: &&Value| !after.contains(old);
    let cause = |old: &Value| {
        let message = format!("existing ephemeral containers {} may not be changed\n", old["name"]);
        Cause::forbidden("spec.ephemeralContainers".to_owned(), &message)
    };
    before.iter().filter(other).map(cause).collect()
}

fn validate(pod: &Value, ephemeral: &[Value]) -> Vec<Cause> {
    let spec = &pod["spec"];
    let others: Vec<&Value> = list(&spec["initContainers"]).iter().chain(list(&spec["containers"])).collect();
    let mut causes = Vec::new();
    for (index, container) in ephemeral.iter().enumerate() {
        let path = format!("spec.ephemeralContainers[{index}]");
        if others.iter().any(|other| other["name"] == container["name"]) {
            causes.push(Cause::duplicate(format!("{path}.name"), &container["name"]));
        }
        let target = &container["targetContainerName"];
        if !matches!(target.as_str(), None | Some("")) && others.iter().all(|other| other["name"] != *target)
        {
            causes.push(Cause::not_found(format!("{path}.targetContainerName"), target));
        }
        if container["image"].as_str().is_none_or(str::is_empty) {
            causes.push(Cause::required(format!("{path}.image")));
        }
        let cannot = "cannot be set for an Ephemeral Container";
        for field in FORBIDDEN.iter().filter(|field| is_set(&container[**field])) {
            causes.push(Cause::forbidden(format!("{path}.{field}"), cannot));
        }
        for (index, mount) in list(&container["volumeMounts"]).iter().enumerate() {
            let path = format!("{path}.volumeMounts[{index}]");
            if list(&spec["volumes"]).iter().all(|volume| volume["name"] != mount["name"]) {
                causes.push(Cause::not_found(format!("{path}.name"), &mount["name"]));
            }
            for field in ["subPath", "subPathExpr"].into_iter().filter(|field| is_set(&mount[*field])) {
                causes.push(Cause::forbidden(format!("{path}.{field}"), cannot));
            }
        }
    }
    causes
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}
