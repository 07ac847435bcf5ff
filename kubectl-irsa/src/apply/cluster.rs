//! Changes of the cluster's objects.

use http::{Method, Request, StatusCode, header};
use jiff::Timestamp;
use kube::core::request;
use serde_json::{Value, json};

use super::Refusal;
use super::undo::{Back, ObjectRef};
use crate::collect::cluster::{Answer, Api, Asked, NoAnswer, Type, encode};
use irsa::repair::{Edit, Object, ObjectChange, PatchType};

/// Who writes, in `metadata.managedFields`.
const MANAGER: &str = "kubectl-irsa";
/// How often a change is tried again that another writer came before.
const TRIES: usize = 5;

/// The object as it is; `None` if there is none.
pub(super) async fn present(api: &Api, object: &Object) -> Result<Option<Value>, Refusal> {
    let what = format!("get {}", object.target());
    match read(api, object, request(Method::GET, &path(object), None)).await {
        Ok(found) => Ok(Some(found)),
        Err(NoAnswer::Status { code: StatusCode::NOT_FOUND, about_object: true, .. }) => Ok(None),
        Err(cause) => Err(Refusal::unread(what, &cause)),
    }
}

pub(super) async fn apply(api: &Api, change: &ObjectChange) -> Result<Back, Refusal> {
    let object = &change.object;
    match &change.edit {
        Edit::Create => create(api, change).await,
        Edit::Delete => {
            delete(api, object, None).await?;
            Ok(Back::Nothing { why: String::from("stays: its controller has made another pod") })
        }
        Edit::Restart => {
            restart(api, object).await?;
            Ok(Back::Restart { object: ObjectRef::of(object) })
        }
        Edit::Annotate(_)
        | Edit::Label(_)
        | Edit::SetEnv { .. }
        | Edit::SetServiceAccount(_)
        | Edit::Merge(_)
        | Edit::Json(_) => {
            let wanted = change.patch().ok_or_else(|| no_template(object))?;
            let (before, after) = patch(api, object, wanted).await?;
            Ok(Back::Patch { object: ObjectRef::of(object), patch: way_back(&before, &after) })
        }
    }
}

/// Has a workload replace its pods, as `kubectl rollout restart` does.
pub(super) async fn restart(api: &Api, object: &impl Named) -> Result<(), Refusal> {
    let object = object.named()?;
    // With its fraction, so that no second restart is the same as the first.
    let now = Timestamp::now().to_string();
    let change = ObjectChange { object: object.clone(), edit: Edit::Restart };
    let restart = change.restart_at(&now).ok_or_else(|| no_template(&object))?;
    patch(api, &object, restart).await.map(drop)
}

/// Applies a patch of the kind that a way back is.
pub(super) async fn restore(api: &Api, object: &ObjectRef, back: &[Value]) -> Result<(), Refusal> {
    let object = object.named()?;
    let body = json!(back);
    let what = format!("patch {}", object.target());
    match read(api, &object, request(Method::PATCH, &path(&object), Some((PatchType::Json, &body)))).await {
        Ok(_) => Ok(()),
        // A test that fails, or a path that is gone.
        Err(NoAnswer::Status { code: StatusCode::UNPROCESSABLE_ENTITY, .. }) => {
            Err(Refusal::Changed(object.target()))
        }
        Err(cause) => Err(Refusal::unchanged(what, &cause)),
    }
}

/// Deletes an object, if it is still the one with that uid.
pub(super) async fn delete(api: &Api, object: &impl Named, uid: Option<&str>) -> Result<(), Refusal> {
    let object = object.named()?;
    let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": uid.map(|uid| json!({"uid": uid}))});
    let what = format!("delete {}", object.target());
    let asked = Request::delete(path(&object))
        .header(header::CONTENT_TYPE, "application/json")
        .body(options.to_string().into_bytes())
        .map_err(request::Error::BuildRequest);
    // The object, while it ends; else that it is gone.
    let types = [kind_of(&object), Type::status()];
    match api.read::<Value>(Answer::Object, &types, asked).await {
        Ok(_) => Ok(()),
        Err(NoAnswer::Status { code: StatusCode::CONFLICT, .. }) if uid.is_some() => {
            Err(Refusal::Changed(object.target()))
        }
        Err(cause) => Err(Refusal::unchanged(what, &cause)),
    }
}

/// What names an object.
pub(super) trait Named {
    /// It.
    fn named(&self) -> Result<Object, Refusal>;
}

impl Named for Object {
    fn named(&self) -> Result<Object, Refusal> {
        Ok(self.clone())
    }
}

impl Named for ObjectRef {
    fn named(&self) -> Result<Object, Refusal> {
        self.object().ok_or_else(|| Refusal::Malformed(format!("no kind {}", self.kind)))
    }
}

async fn create(api: &Api, change: &ObjectChange) -> Result<Back, Refusal> {
    let object = &change.object;
    let manifest = change.manifest();
    let asked = Request::post(format!("{}?fieldManager={MANAGER}", collection(object)))
        .header(header::CONTENT_TYPE, "application/json")
        .body(manifest.to_string().into_bytes())
        .map_err(request::Error::BuildRequest);
    let what = format!("create {}", object.target());
    let made = read(api, object, asked).await.map_err(|cause| Refusal::unchanged(what, &cause))?;
    let uid = made["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    Ok(Back::Delete { object: ObjectRef::of(object), uid })
}

/// Patches the object as it is now, and again if somebody else wrote in between; what it was, and what it is.
async fn patch(
    api: &Api,
    object: &Object,
    (form, patch): (PatchType, Value),
) -> Result<(Value, Value), Refusal> {
    let what = format!("patch {}", object.target());
    let mut tries = TRIES;
    loop {
        let before = present(api, object).await?.ok_or_else(|| Refusal::Changed(object.target()))?;
        let body = guarded(form, &patch, &before);
        tries -= 1;
        match read(api, object, request(Method::PATCH, &path(object), Some((form, &body)))).await {
            Ok(after) => return Ok((before, after)),
            Err(NoAnswer::Status { code: StatusCode::CONFLICT, .. }) if tries > 0 => {}
            Err(NoAnswer::Status { code: StatusCode::UNPROCESSABLE_ENTITY, .. })
                if form == PatchType::Json && tries > 0 && is_stale(api, object, &before).await => {}
            Err(cause) => return Err(Refusal::unchanged(what, &cause)),
        }
    }
}

async fn is_stale(api: &Api, object: &Object, before: &Value) -> bool {
    let now = present(api, object).await.ok().flatten();
    now.is_some_and(|now| now["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"])
}

/// The patch, for this state of the object only.
fn guarded(form: PatchType, patch: &Value, before: &Value) -> Value {
    let version = &before["metadata"]["resourceVersion"];
    match form {
        PatchType::Json => {
            let test = json!({"op": "test", "path": "/metadata/resourceVersion", "value": version});
            json!([&[test], patch.as_array().map(Vec::as_slice).unwrap_or_default()].concat())
        }
        PatchType::Merge | PatchType::Strategic => {
            let mut guarded = patch.clone();
            json_patch::merge(&mut guarded, &json!({"metadata": {"resourceVersion": version}}));
            guarded
        }
    }
}

/// The JSON patch that leads from `after` back to `before`. It tests what it replaces, so that nothing that was changed since is
/// lost.
fn way_back(before: &Value, after: &Value) -> Vec<Value> {
    let (before, after) = (written(before), written(after));
    // The tests stand first: what an operation has changed is not what was there.
    let (mut tests, mut changes) = (Vec::new(), Vec::new());
    for operation in json_patch::diff(&after, &before).0 {
        let operation = json!(operation);
        let place = operation["path"].as_str().unwrap_or_default();
        // That something is not there cannot be tested, but what it stands in can.
        let tested = match operation["op"] == "add" {
            true => {
                place.rsplit_once('/').map(|(parent, _)| parent).filter(|parent| !has_servers_own(parent))
            }
            false => Some(place),
        };
        if let Some((tested, present)) = tested.and_then(|tested| Some((tested, after.pointer(tested)?))) {
            let test = json!({"op": "test", "path": tested, "value": present});
            tests.extend(Some(test).filter(|test| !tests.contains(test)));
        }
        changes.push(operation);
    }
    [tests, changes].concat()
}

/// True for what holds fields that the server writes, and that are never the same again.
fn has_servers_own(place: &str) -> bool {
    matches!(place, "" | "/metadata")
}

/// The object without what the server writes.
fn written(object: &Value) -> Value {
    let mut written = object.clone();
    if let Some(fields) = written.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = written.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in ["resourceVersion", "generation", "managedFields", "creationTimestamp", "uid"] {
            metadata.remove(field);
        }
    }
    written
}

fn no_template(object: &Object) -> Refusal {
    Refusal::Malformed(format!("{} has no pod template", object.target()))
}

async fn read(api: &Api, object: &Object, asked: Asked) -> Result<Value, NoAnswer> {
    api.read(Answer::Object, &[kind_of(object)], asked).await
}

fn kind_of(object: &Object) -> Type {
    Type::named(object.kind.api_version(), object.kind.name())
}

fn request(method: Method, path: &str, patch: Option<(PatchType, &Value)>) -> Asked {
    let request = match patch {
        Some((form, patch)) => Request::builder()
            .method(method)
            .uri(format!("{path}?fieldManager={MANAGER}"))
            .header(header::CONTENT_TYPE, form.media_type())
            .body(patch.to_string().into_bytes()),
        None => Request::builder().method(method).uri(path).body(Vec::new()),
    };
    request.map_err(request::Error::BuildRequest)
}

fn path(object: &Object) -> String {
    format!("{}/{}", collection(object), encode(&object.name))
}

fn collection(object: &Object) -> String {
    let (group, version) = object.kind.group_version();
    let root = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    let namespace = object.namespace.as_deref().map(|namespace| format!("/namespaces/{}", encode(namespace)));
    format!("{root}{}/{}", namespace.unwrap_or_default(), object.kind.plural())
}

#[cfg(test)]
mod tests {
    use irsa::repair::ObjectKind;

    use super::*;

    #[test]
    fn where_objects_are() {
        let of = |kind, namespace: Option<&str>, name: &str| {
            path(&Object { kind, namespace: namespace.map(str::to_owned), name: name.to_owned() })
        };
        assert_eq!(
            of(ObjectKind::ServiceAccount, Some("shop"), "checkout"),
            "/api/v1/namespaces/shop/serviceaccounts/checkout"
        );
        assert_eq!(
            of(ObjectKind::Deployment, Some("shop"), "a/b"),
            "/apis/apps/v1/namespaces/shop/deployments/a%2Fb"
        );
        assert_eq!(of(ObjectKind::Namespace, None, "shop"), "/api/v1/namespaces/shop");
    }

    #[test]
    fn the_way_back_tests_what_it_replaces() {
        let before =
            json!({"metadata": {"resourceVersion": "1", "annotations": {"a": "1"}}, "spec": {"x": [1, 2]}});
        let after = json!({
            "metadata": {"resourceVersion": "2", "annotations": {"a": "2", "b": "3"}}, "spec": {"x": [1]},
            "status": {"y": 1}});
        let back = way_back(&before, &after);
        let apply = |object: &Value| {
            let mut object = object.clone();
            let patch: json_patch::Patch = serde_json::from_value(json!(back)).unwrap();
            json_patch::patch(&mut object, &patch).map(|()| object)
        };
        assert_eq!(written(&apply(&after).unwrap()), written(&before));
        let changed_since = json!({"metadata": {"annotations": {"a": "9", "b": "3"}}, "spec": {"x": [1]}});
        assert!(apply(&changed_since).is_err());
        // What was removed, and has been set to something else since, is not written over.
        let without = json!({"metadata": {"annotations": {"b": "3"}}, "spec": {"x": [1, 2]}});
        let back = way_back(
            &json!({"metadata": {"annotations": {"a": "1", "b": "3"}}, "spec": {"x": [1, 2]}}),
            &without,
        );
        let patch: json_patch::Patch = serde_json::from_value(json!(back)).unwrap();
        assert!(json_patch::patch(&mut without.clone(), &patch).is_ok());
        let mut set_since = json!({"metadata": {"annotations": {"a": "9", "b": "3"}}, "spec": {"x": [1, 2]}});
        assert!(json_patch::patch(&mut set_since, &patch).is_err());
    }

    #[test]
    fn a_patch_is_for_the_state_that_was_read() {
        let before = json!({"metadata": {"resourceVersion": "7"}});
        let merged = guarded(PatchType::Merge, &json!({"metadata": {"labels": {"a": null}}}), &before);
        assert_eq!(merged, json!({"metadata": {"labels": {"a": null}, "resourceVersion": "7"}}));
        let listed = guarded(PatchType::Json, &json!([{"op": "remove", "path": "/a"}]), &before);
        assert_eq!(listed[0], json!({"op": "test", "path": "/metadata/resourceVersion", "value": "7"}));
        assert_eq!(listed[1], json!({"op": "remove", "path": "/a"}));
    }
}
