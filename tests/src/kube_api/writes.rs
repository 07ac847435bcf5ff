//! Objects that are created, patched and deleted, and what the API server refuses about them.

use super::patch;
use super::resources::{Resource, by_path};
use super::route::{ResourcePath, Route};
use super::schema;
use super::status::{self, Answer, Cause, bad_request, invalid_object, not_found};
use super::store::Store;
use crate::world::{Object, uid_of};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// What the handlers need.
pub struct Writes<'s> {
    /// The objects.
    pub store: &'s Store,
    /// The API server's clock.
    pub now: Timestamp,
}

/// An answer, and what was written: as it was before, if it was there, and as it is, if it still is.
pub struct Written {
    /// The answer.
    pub answer: Answer,
    /// Before.
    pub before: Option<Arc<Object>>,
    /// After.
    pub after: Option<Arc<Object>>,
}

impl Written {
    fn nothing(answer: Answer) -> Written {
        Written { answer, before: None, after: None }
    }
}

impl Writes<'_> {
    /// Answers POST.
    pub fn create(
        &self,
        resource: &'static Resource,
        at: &ResourcePath,
        route: &Route,
        body: &[u8],
    ) -> Result<Written, Answer> {
        let mut value: Value =
            serde_json::from_slice(body).map_err(|error| bad_request(&format!("error decoding: {error}")))?;
        if value["kind"] != resource.kind || value["apiVersion"] != resource.api_version() {
            return Err(bad_request("the API version in the data does not match the expected API version"));
        }
        let name = value["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        check_name(resource, &name)?;
        if resource.namespaced {
            match value["metadata"]["namespace"].as_str() {
                Some(other) if other != at.namespace => {
                    return Err(bad_request(
                        "the namespace of the provided object does not match the namespace sent on the request",
                    ));
                }
                _ => value["metadata"]["namespace"] = json!(at.namespace),
            }
            let namespaces = by_path("", "namespaces").expect("the table has namespaces");
            self.store
                .find(namespaces, "", &at.namespace)
                .ok_or_else(|| not_found("", "namespaces", &at.namespace))?;
        }
        let uid = uid_of(&format!("{} {name} at {}", resource.plural, self.store.revision()));
        value["metadata"]["uid"] = json!(uid);
        value["metadata"]["creationTimestamp"] = json!(self.now.to_string());
        fill_in(resource, &mut value);
        without_nulls(&mut value);
        check(resource, None, &mut value, route)?;
        let object = Object::new(value).map_err(|why| bad_request(&why))?;
        if dry_run(route)? {
            return Ok(Written::nothing(Answer::json(201, &object.value)));
        }
        if !self.store.add(object) {
            return Err(status::already_exists(resource.group, resource.plural, &name));
        }
        let namespace = if resource.namespaced { at.namespace.as_str() } else { "" };
        let after = self.store.find(resource, namespace, &name);
        let shown = after.as_ref().map_or(Value::Null, |object| object.value.clone());
        Ok(Written { answer: Answer::json(201, &shown), before: None, after })
    }

    /// Answers PATCH.
    pub fn patch(
        &self,
        resource: &'static Resource,
        at: &ResourcePath,
        route: &Route,
        media_type: &str,
        body: &[u8],
    ) -> Result<Written, Answer> {
        let namespace = if resource.namespaced { at.namespace.as_str() } else { "" };
        let missing = || not_found(resource.group, resource.plural, &at.name);
        let before = self.store.find(resource, namespace, &at.name).ok_or_else(missing)?;
        let edit = |value: &mut Value| {
            let mut patched = patch::apply(media_type, value.clone(), body)?;
            // What nobody can change.
            for field in ["name", "namespace", "uid", "creationTimestamp", "generation"] {
                let (old, new) = (&value["metadata"][field], &patched["metadata"][field]);
                if old != new && !new.is_null() {
                    let message = format!("Invalid value: {new}: field is immutable");
                    let cause = Cause::invalid(format!("metadata.{field}"), &message);
                    return Err(invalid_object(resource.kind, &at.name, &[cause]));
                }
                match old {
                    Value::Null => {}
                    old => patched["metadata"][field] = old.clone(),
                }
            }
            let wanted = &patched["metadata"]["resourceVersion"];
            if !wanted.is_null() && *wanted != value["metadata"]["resourceVersion"] {
                let why = "the object has been modified; please apply your changes to the latest version and try again";
                return Err(status::conflict(resource.group, resource.plural, &at.name, why));
            }
            fill_in(resource, &mut patched);
            without_nulls(&mut patched);
            check(resource, Some(value), &mut patched, route)?;
            if patched["spec"] != value["spec"] && !patched["spec"].is_null() {
                let generation = value["metadata"]["generation"].as_i64().unwrap_or(1);
                patched["metadata"]["generation"] = json!(generation + 1);
            }
            self.note_writer(value, &mut patched, route);
            *value = patched;
            Ok(())
        };
        if dry_run(route)? {
            let mut value = before.value.clone();
            edit(&mut value)?;
            return Ok(Written::nothing(Answer::json(200, &value)));
        }
        let after = self.store.edit(resource, namespace, &at.name, edit)?.ok_or_else(missing)?;
        Ok(Written { answer: Answer::json(200, &after.value), before: Some(before), after: Some(after) })
    }

    /// Who wrote which annotation last. An object without `managedFields` stays without, as on a real server.
    fn note_writer(&self, before: &Value, after: &mut Value, route: &Route) {
        let annotations =
            |value: &Value| value["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
        let (old, new) = (annotations(before), annotations(after));
        let changed: Vec<String> =
            old.keys().chain(new.keys()).filter(|key| old.get(*key) != new.get(*key)).cloned().collect();
        let version = after["apiVersion"].clone();
        let entries = after.pointer_mut("/metadata/managedFields").and_then(Value::as_array_mut);
        let Some(entries) = entries else { return };
        if changed.is_empty() || entries.is_empty() {
            return;
        }
        for entry in entries.iter_mut() {
            let owned = entry.pointer_mut("/fieldsV1/f:metadata/f:annotations");
            if let Some(owned) = owned.and_then(Value::as_object_mut) {
                owned.retain(|key, _| !changed.iter().any(|changed| *key == format!("f:{changed}")));
            }
        }
        let owned: serde_json::Map<String, Value> = changed
            .iter()
            .filter(|key| new.contains_key(*key))
            .map(|key| (format!("f:{key}"), json!({})))
            .collect();
        entries.push(json!({
            "manager": route.param("fieldManager").unwrap_or("kubectl"), "operation": "Update",
            "apiVersion": version, "time": self.now.to_string(), "fieldsType": "FieldsV1",
            "fieldsV1": {"f:metadata": {"f:annotations": owned}},
        }));
    }

    /// Answers DELETE of anything but a pod.
    pub fn delete(
        &self,
        resource: &'static Resource,
        at: &ResourcePath,
        route: &Route,
    ) -> Result<Written, Answer> {
        let namespace = if resource.namespaced { at.namespace.as_str() } else { "" };
        let missing = || not_found(resource.group, resource.plural, &at.name);
        let before = self.store.find(resource, namespace, &at.name).ok_or_else(missing)?;
        let answer =
            status::deleted(resource.group, resource.plural, &at.name, &before.value["metadata"]["uid"]);
        if dry_run(route)? {
            return Ok(Written::nothing(answer));
        }
        self.store.remove(resource, namespace, &at.name);
        Ok(Written { answer, before: Some(before), after: None })
    }
}

/// A real server has no fields without a value.
pub fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// The pod template of a workload, by its kind.
pub fn template<'v>(kind: &str, value: &'v Value) -> Option<&'v Value> {
    match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "ReplicationController" | "Job" => {
            Some(&value["spec"]["template"])
        }
        "CronJob" => Some(&value["spec"]["jobTemplate"]["spec"]["template"]),
        _ => None,
    }
}

/// The defaults that the plugin could miss.
fn fill_in(resource: &Resource, value: &mut Value) {
    if resource.kind != "MutatingWebhookConfiguration" {
        return;
    }
    for webhook in value["webhooks"].as_array_mut().into_iter().flatten() {
        for (field, default) in [
            ("failurePolicy", json!("Fail")),
            ("matchPolicy", json!("Equivalent")),
            ("namespaceSelector", json!({})),
            ("objectSelector", json!({})),
            ("reinvocationPolicy", json!("Never")),
            ("timeoutSeconds", json!(10)),
        ] {
            if webhook[field].is_null() {
                webhook[field] = default;
            }
        }
        for rule in webhook["rules"].as_array_mut().into_iter().flatten() {
            if rule["scope"].is_null() {
                rule["scope"] = json!("*");
            }
        }
    }
}

fn check_name(resource: &Resource, name: &str) -> Result<(), Answer> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if name.len() <= 253 && name.chars().all(plain) && ends(name.chars().next()) && ends(name.chars().last())
    {
        return Ok(());
    }
    let message = format!(
        "Invalid value: {name:?}: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' \
         or '.', and must start and end with an alphanumeric character"
    );
    Err(invalid_object(resource.kind, name, &[Cause::invalid("metadata.name".to_owned(), &message)]))
}

/// What validation refuses of an object that is to be stored.
fn check(
    resource: &Resource,
    before: Option<&Value>,
    after: &mut Value,
    route: &Route,
) -> Result<(), Answer> {
    schema::check(resource.kind, after, route.param("fieldValidation") == Some("Strict"))?;
    let after = &*after;
    let name = after["metadata"]["name"].as_str().unwrap_or_default();
    let mut causes = metadata(&after["metadata"], "metadata");
    if let Some(template) = template(resource.kind, after) {
        causes.extend(metadata(&template["metadata"], "spec.template.metadata"));
        causes.extend(pod_spec(&template["spec"], "spec.template.spec"));
        let selector = &after["spec"]["selector"];
        if let Some(labels) = selector["matchLabels"].as_object()
            && labels.iter().any(|(key, value)| template["metadata"]["labels"][key] != *value)
        {
            let message = format!(
                "Invalid value: {}: `selector` does not match template `labels`",
                template["metadata"]["labels"]
            );
            causes.push(Cause::invalid("spec.template.metadata.labels".to_owned(), &message));
        }
        if before.is_some_and(|before| before["spec"]["selector"] != *selector) {
            let message = format!("Invalid value: {selector}: field is immutable");
            causes.push(Cause::invalid("spec.selector".to_owned(), &message));
        }
    }
    if resource.kind == "Pod"
        && let Some(before) = before
        && before["spec"] != after["spec"]
    {
        let message = "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,\
                       `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to \
                       existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was \
                       previously negative)";
        causes.push(Cause::invalid("spec".to_owned(), message));
    }
    if resource.kind == "MutatingWebhookConfiguration" {
        for (index, webhook) in after["webhooks"].as_array().into_iter().flatten().enumerate() {
            causes.extend(webhook_causes(webhook, &format!("webhooks[{index}]")));
        }
    }
    if causes.is_empty() {
        return Ok(());
    }
    Err(status::invalid_in(resource.group, resource.kind, name, &causes))
}

fn webhook_causes(webhook: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    let versions = webhook["admissionReviewVersions"].as_array().map_or(&[][..], Vec::as_slice);
    if !versions.iter().any(|version| version == "v1" || version == "v1beta1") {
        let message = "Invalid value: must include at least one of v1, v1beta1";
        causes.push(Cause::invalid(format!("{path}.admissionReviewVersions"), message));
    }
    if !matches!(webhook["sideEffects"].as_str(), Some("None" | "NoneOnDryRun")) {
        let message = "Required value: must specify one of None, NoneOnDryRun";
        causes.push(Cause::invalid(format!("{path}.sideEffects"), message));
    }
    let bundle = &webhook["clientConfig"]["caBundle"];
    let is_pem = |text: &str| {
        STANDARD.decode(text).is_ok_and(|bytes| {
            bytes.is_empty() || String::from_utf8_lossy(&bytes).contains("-----BEGIN CERTIFICATE-----")
        })
    };
    if bundle.as_str().is_some_and(|text| !is_pem(text)) {
        let message =
            "Invalid value: \"...\": unable to load root certificates: unable to parse bytes as PEM block";
        causes.push(Cause::invalid(format!("{path}.clientConfig.caBundle"), message));
    }
    causes
}

/// Keys of labels and annotations, and values of labels.
fn metadata(metadata: &Value, path: &str) -> Vec<Cause> {
    let alphanumeric = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let word = |text: &str| {
        text.len() <= 63
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            && alphanumeric(text.chars().next())
            && alphanumeric(text.chars().last())
    };
    let host = |text: &str| {
        !text.is_empty()
            && text.split('.').all(|part| {
                !part.is_empty()
                    && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            })
    };
    let is_key = |key: &str| match key.split_once('/') {
        Some((prefix, name)) => host(prefix) && word(name),
        None => word(key),
    };
    let mut causes = Vec::new();
    for field in ["labels", "annotations"] {
        for (key, value) in metadata[field].as_object().into_iter().flatten() {
            // Keys of annotations have no case.
            let key = if field == "annotations" { key.to_lowercase() } else { key.clone() };
            if !is_key(&key) {
                let message =
                    format!("Invalid value: {key:?}: name part must consist of alphanumeric characters");
                causes.push(Cause::invalid(format!("{path}.{field}"), &message));
            }
            let value = value.as_str().unwrap_or_default();
            if field == "labels" && !value.is_empty() && !word(value) {
                let message = format!(
                    "Invalid value: {value:?}: a valid label must be an empty string or consist of \
                                       alphanumeric characters, '-', '_' or '.'"
                );
                causes.push(Cause::invalid(format!("{path}.{field}"), &message));
            }
        }
    }
    causes
}

/// Names that occur twice, and mounts of volumes that do not exist.
pub fn pod_spec(spec: &Value, path: &str) -> Vec<Cause> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut causes = Vec::new();
    let volumes = list(&spec["volumes"]);
    let mut names: Vec<Value> = Vec::new();
    for kind in ["initContainers", "containers"] {
        for (index, container) in list(&spec[kind]).into_iter().enumerate() {
            let path = format!("{path}.{kind}[{index}]");
            if names.contains(&container["name"]) {
                causes.push(Cause::duplicate(format!("{path}.name"), &container["name"]));
            }
            names.push(container["name"].clone());
            let mut paths: Vec<Value> = Vec::new();
            for (index, mount) in list(&container["volumeMounts"]).into_iter().enumerate() {
                if volumes.iter().all(|volume| volume["name"] != mount["name"]) {
                    causes
                        .push(Cause::not_found(format!("{path}.volumeMounts[{index}].name"), &mount["name"]));
                }
                if paths.contains(&mount["mountPath"]) {
                    let message = format!("Invalid value: {}: must be unique", mount["mountPath"]);
                    causes.push(Cause::invalid(format!("{path}.volumeMounts[{index}].mountPath"), &message));
                }
                paths.push(mount["mountPath"].clone());
            }
            for (index, variable) in list(&container["env"]).into_iter().enumerate() {
                let name = variable["name"].as_str().unwrap_or_default();
                if name.is_empty() || name.contains('=') {
                    let message = format!(
                        "Invalid value: {name:?}: a valid environment variable name must consist only of \
                                           printable ASCII characters other than '='"
                    );
                    causes.push(Cause::invalid(format!("{path}.env[{index}].name"), &message));
                }
            }
        }
    }
    causes
}

fn dry_run(route: &Route) -> Result<bool, Answer> {
    match route.param("dryRun") {
        None => Ok(false),
        Some("All") => Ok(true),
        Some(other) => {
            Err(bad_request(&format!("Invalid value: {other:?}: dryRun: supported values: \"All\"")))
        }
    }
}
