//! What the API server holds, and reading it: get, list with selectors and pages, metadata only.

use super::accept::{Form, negotiate, wrong_form};
use super::resources::Resource;
use super::route::{ResourcePath, Route};
use super::select::Selector;
use super::status::{Answer, bad_request, continue_expired, not_found};
use crate::world::{Object, World};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The objects, what happened to them, and the revision of the whole store.
#[derive(Debug)]
pub struct Store {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    objects: Vec<Arc<Object>>,
    /// The objects that the store started with, for watches from before their revision.
    first: Vec<Arc<Object>>,
    changes: Vec<Change>,
    watchers: Vec<UnboundedSender<Change>>,
    revision: i64,
    /// Continue tokens of earlier revisions are expired.
    compacted: i64,
}

/// Something that happened to an object.
#[derive(Debug, Clone)]
pub struct Change {
    /// What.
    pub kind: ChangeKind,
    /// The object afterwards; a deleted one as it was last.
    pub object: Arc<Object>,
}

/// What happens to objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is another.
    Modified,
    /// It is gone.
    Deleted,
}

impl ChangeKind {
    /// As events of a watch name it.
    pub fn name(self) -> &'static str {
        match self {
            ChangeKind::Added => "ADDED",
            ChangeKind::Modified => "MODIFIED",
            ChangeKind::Deleted => "DELETED",
        }
    }
}

/// What a watcher gets: everything up to now, and a channel for the rest. Nothing is lost in between.
#[derive(Debug)]
pub struct Subscription {
    /// The changes since the version that was asked for.
    pub changes: Vec<Change>,
    /// What happens from now on.
    pub rest: UnboundedReceiver<Change>,
}

impl Store {
    /// The objects of a world; the revision is that of the newest object.
    pub fn new(world: &World) -> Store {
        let revision = world.objects.iter().map(|o| revision_of(&o.value)).max().unwrap_or(1);
        let objects: Vec<Arc<Object>> = world.objects.iter().cloned().map(Arc::new).collect();
        let first = objects.clone();
        let (changes, watchers) = (Vec::new(), Vec::new());
        Store { state: Mutex::new(State { objects, first, changes, watchers, revision, compacted: 0 }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics while it holds the store")
    }

    /// The objects are these from now on.
    pub fn set_objects(&self, objects: &[Object]) {
        let mut state = self.state();
        state.objects = objects.iter().cloned().map(Arc::new).collect();
        state.revision += 1;
    }

    /// The current revision.
    pub fn revision(&self) -> i64 {
        self.state().revision
    }

    /// Moves on as if the history had been compacted: continue tokens handed out before are expired.
    pub fn compact(&self) {
        let mut state = self.state();
        state.revision += 1;
        state.compacted = state.revision;
    }

    /// Whether a continue token of this revision is of no use any more.
    fn is_expired(&self, revision: i64) -> bool {
        let state = self.state();
        revision < state.compacted || revision > state.revision
    }

    /// One object.
    pub fn find(&self, resource: &Resource, namespace: &str, name: &str) -> Option<Arc<Object>> {
        let state = self.state();
        state.position(resource, namespace, name).map(|at| state.objects[at].clone())
    }

    /// The objects in a namespace (empty: in all of them), in the order of their keys.
    pub fn all(&self, resource: &Resource, namespace: &str) -> Vec<Arc<Object>> {
        let wanted =
            |o: &&Arc<Object>| o.resource == resource && (namespace.is_empty() || o.namespace == namespace);
        self.state().objects.iter().filter(wanted).cloned().collect()
    }

    /// Every object.
    pub fn everything(&self) -> Vec<Arc<Object>> {
        self.state().objects.clone()
    }

    /// Everything that happens to objects of this sort, from after a version on; from 0 on it is the state as it is,
    /// as objects that were added.
    pub fn subscribe(&self, resource: &Resource, namespace: &str, since: i64) -> Subscription {
        let (sender, rest) = unbounded_channel();
        let mut state = self.state();
        let added = |object: &Arc<Object>| Change { kind: ChangeKind::Added, object: object.clone() };
        let all: Vec<Change> = match since {
            0 => state.objects.iter().map(added).collect(),
            _ => state.first.iter().map(added).chain(state.changes.iter().cloned()).collect(),
        };
        let wanted = |change: &Change| {
            let object = &change.object;
            object.resource == resource
                && (namespace.is_empty() || object.namespace == namespace)
                && (since == 0 || revision_of(&object.value) > since)
        };
        state.watchers.push(sender);
        Subscription { changes: all.into_iter().filter(wanted).collect(), rest }
    }

    /// Adds an object; `false` if there is one of its name.
    pub fn add(&self, object: Object) -> bool {
        let mut state = self.state();
        if state.position(object.resource, &object.namespace, &object.name).is_some() {
            return false;
        }
        let object = state.commit(ChangeKind::Added, object);
        state.objects.push(object);
        state.objects.sort_by_cached_key(|object| object.identity());
        true
    }

    /// Changes an object, if it is still there and `edit` lets it.
    pub fn edit<E>(
        &self,
        resource: &Resource,
        namespace: &str,
        name: &str,
        edit: impl FnOnce(&mut Value) -> Result<(), E>,
    ) -> Result<Option<Arc<Object>>, E> {
        let mut state = self.state();
        let Some(at) = state.position(resource, namespace, name) else { return Ok(None) };
        let mut object = Object::clone(&state.objects[at]);
        edit(&mut object.value)?;
        if object != *state.objects[at] {
            state.objects[at] = state.commit(ChangeKind::Modified, object);
        }
        Ok(Some(state.objects[at].clone()))
    }

    /// Removes an object.
    pub fn remove(&self, resource: &Resource, namespace: &str, name: &str) -> Option<Arc<Object>> {
        let mut state = self.state();
        let at = state.position(resource, namespace, name)?;
        let object = Object::clone(&state.objects.remove(at));
        Some(state.commit(ChangeKind::Deleted, object))
    }
}

impl State {
    fn position(&self, resource: &Resource, namespace: &str, name: &str) -> Option<usize> {
        let is = |o: &Arc<Object>| o.resource == resource && o.name == name && o.namespace == namespace;
        self.objects.iter().position(is)
    }

    /// Gives the object a revision of its own and tells everybody.
    fn commit(&mut self, kind: ChangeKind, mut object: Object) -> Arc<Object> {
        self.revision += 1;
        object.value["metadata"]["resourceVersion"] = json!(self.revision.to_string());
        let object = Arc::new(object);
        let change = Change { kind, object: object.clone() };
        self.watchers.retain(|watcher| watcher.send(change.clone()).is_ok());
        self.changes.push(change);
        object
    }
}

/// The revision of an object; worlds may carry anything, then it is old.
pub fn revision_of(object: &Value) -> i64 {
    object["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Answers `get`.
pub fn get(store: &Store, resource: &Resource, at: &ResourcePath, accept: &str) -> Result<Answer, Answer> {
    let form = negotiate(accept)?;
    // A namespace lies "in" itself for RBAC, but not in the store.
    let namespace = if resource.namespaced { at.namespace.as_str() } else { "" };
    let object = store
        .find(resource, namespace, &at.name)
        .ok_or_else(|| not_found(resource.group, resource.plural, &at.name))?;
    match form {
        Form::Full => Ok(Answer::json(200, &object.value)),
        Form::Partial => Ok(Answer::json(200, &partial(&object.value))),
        Form::PartialList => Err(wrong_form(form, resource.kind)),
    }
}

/// `PartialObjectMetadata` of an object.
pub fn partial(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}

/// Answers `list`.
pub fn list(
    store: &Store,
    resource: &Resource,
    at: &ResourcePath,
    route: &Route,
    accept: &str,
) -> Result<Answer, Answer> {
    let form = negotiate(accept)?;
    if form == Form::Partial {
        return Err(wrong_form(form, &format!("{}List", resource.kind)));
    }
    let selector = selector(resource, route)?;
    let page = page(store, resource, at, route, &selector)?;
    let (kind, api_version) = match form {
        Form::PartialList => ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1".to_owned()),
        _ => (format!("{}List", resource.kind), resource.api_version()),
    };
    let items: Vec<Value> = page.objects.iter().map(|object| item(&object.value, form)).collect();
    let body = json!({"kind": kind, "apiVersion": api_version, "metadata": page.metadata, "items": items});
    Ok(Answer::json(200, &body))
}

/// The selectors of a list or watch.
pub fn selector(resource: &Resource, route: &Route) -> Result<Selector, Answer> {
    Selector::parse(resource.kind, route.param("labelSelector"), route.param("fieldSelector"))
        .map_err(|message| bad_request(&message))
}

/// Items of a list carry neither kind nor apiVersion (recording `pods-list-paged`); partial ones do.
fn item(object: &Value, form: Form) -> Value {
    if form == Form::PartialList {
        return partial(object);
    }
    let fields = object.as_object().into_iter().flatten();
    fields
        .filter(|(key, _)| *key != "kind" && *key != "apiVersion")
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

struct Page {
    objects: Vec<Arc<Object>>,
    metadata: Value,
}

fn page(
    store: &Store,
    resource: &Resource,
    at: &ResourcePath,
    route: &Route,
    selector: &Selector,
) -> Result<Page, Answer> {
    let revision = store.revision();
    let key = |object: &Object| if at.namespace.is_empty() { full_key(object) } else { object.name.clone() };
    let start = route.param("continue").map(|token| read_continue(token, store)).transpose()?;
    let mut objects: Vec<Arc<Object>> = store
        .all(resource, &at.namespace)
        .into_iter()
        .filter(|object| selector.matches(&object.value))
        .filter(|object| start.as_ref().is_none_or(|start| key(object) >= *start))
        .collect();
    let mut metadata = json!({ "resourceVersion": revision.to_string() });
    let limit = limit(route)?;
    if let Some(last) =
        limit.checked_sub(1).and_then(|last| objects.get(last)).filter(|_| objects.len() > limit)
    {
        metadata["continue"] = json!(write_continue(&format!("{}\0", key(last)), revision));
        if selector.is_empty() {
            metadata["remainingItemCount"] = json!(objects.len() - limit);
        }
        objects.truncate(limit);
    }
    Ok(Page { objects, metadata })
}

fn full_key(object: &Object) -> String {
    if object.namespace.is_empty() {
        object.name.clone()
    } else {
        format!("{}/{}", object.namespace, object.name)
    }
}

/// 0 is no limit.
fn limit(route: &Route) -> Result<usize, Answer> {
    let text = route.param("limit").unwrap_or("0");
    text.parse().map_err(|_| bad_request(&format!("strconv.ParseInt: parsing {text:?}: invalid syntax")))
}

/// As recorded in `pods-list-paged`: the key after the last one, without padding.
fn write_continue(start: &str, revision: i64) -> String {
    let token = json!({"v": "meta.k8s.io/v1", "rv": revision, "start": start});
    URL_SAFE_NO_PAD.encode(token.to_string())
}

/// Go reads base64 without looking at the unused bits of the last character.
const GO_BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

fn read_continue(token: &str, store: &Store) -> Result<String, Answer> {
    let invalid = |why: &str| bad_request(&format!("invalid continue token: continue key is not valid{why}"));
    let bytes =
        GO_BASE64.decode(token).map_err(|error| invalid(&format!(": {}", go_base64_error(&error))))?;
    let json: Value =
        serde_json::from_slice(&bytes).map_err(|_| invalid(&format!(": {}", go_json_error(&bytes))))?;
    if json["v"] != "meta.k8s.io/v1" {
        let version = json["v"].as_str().unwrap_or_default();
        return Err(invalid(&format!(": server does not recognize this encoded version {version}")));
    }
    let start = json["start"].as_str().unwrap_or_default().trim_start_matches('/').to_owned();
    match json["rv"].as_i64() {
        None | Some(0) => Err(invalid(": incorrect encoded start resourceVersion (version meta.k8s.io/v1)")),
        _ if start.is_empty() => Err(invalid(": encoded start key empty (version meta.k8s.io/v1)")),
        // -1 is what a 410 answer offers: go on with whatever is there now.
        Some(-1) => Ok(start),
        Some(old) if store.is_expired(old) => Err(continue_expired(&write_continue(&start, -1))),
        Some(_) => Ok(start),
    }
}

fn go_base64_error(error: &base64::DecodeError) -> String {
    match error {
        base64::DecodeError::InvalidByte(at, _)
        | base64::DecodeError::InvalidLastSymbol { offset: at, .. } => {
            format!("illegal base64 data at input byte {at}")
        }
        _ => "illegal base64 data at input byte 0".to_owned(),
    }
}

/// Go's words for garbage in the first byte, recording `pods-list-bad-continue`.
fn go_json_error(bytes: &[u8]) -> String {
    match bytes.first().map(|byte| char::from(*byte)) {
        Some(first) if !"{[\"-0123456789tfn".contains(first) => {
            format!("invalid character '{first}' looking for beginning of value")
        }
        _ => "unexpected end of JSON input".to_owned(),
    }
}
