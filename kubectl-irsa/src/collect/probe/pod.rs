//! A pod as the API server has it. Values of its environment must be copied as they are, a proxy's password among them, so
//! the slim facts do not do. The whole object stays in here: it cannot print itself.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Containers of every kind, as a pod's spec has them.
const KINDS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];
/// Where their statuses stand.
const STATUSES: [&str; 3] = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"];

/// A whole pod. No `Debug`: it may hold secrets.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct RawPod(Value);

impl RawPod {
    /// Takes a pod over.
    #[cfg(test)]
    pub(super) fn new(pod: Value) -> Self {
        Self(pod)
    }

    /// A field of the spec; `null` where there is none.
    pub fn spec(&self, field: &str) -> &Value {
        &self.0["spec"][field]
    }

    /// A text anywhere in the pod, by JSON pointer; empty where there is none.
    pub fn text(&self, pointer: &str) -> &str {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// True if anything stands at the JSON pointer.
    pub fn has(&self, pointer: &str) -> bool {
        self.0.pointer(pointer).is_some_and(|value| !value.is_null())
    }

    /// The version to begin watching at.
    pub fn resource_version(&self) -> &str {
        self.text("/metadata/resourceVersion")
    }

    /// Init, regular and ephemeral containers.
    pub fn containers(&self) -> impl Iterator<Item = &Value> {
        KINDS.iter().flat_map(|kind| items(self.spec(kind)))
    }

    /// A container, of whatever kind.
    pub fn container(&self, name: &str) -> Option<&Value> {
        self.containers().find(|container| container["name"] == name)
    }

    /// A container's status.
    pub fn status(&self, name: &str) -> &Value {
        let mut all = STATUSES.iter().flat_map(|field| items(&self.0["status"][field]));
        all.find(|status| status["name"] == name).unwrap_or(&Value::Null)
    }

    /// True if a container runs now.
    pub fn runs(&self, name: &str) -> bool {
        self.status(name)["state"]["running"].is_object()
    }

    /// A container's id without the runtime's prefix (`containerd://`).
    pub fn container_id(&self, name: &str) -> Option<&str> {
        let (_, id) = self.status(name)["containerID"].as_str()?.split_once("://")?;
        Some(id)
    }

    /// The user that a container's spec names, else the one that the pod's names.
    pub fn user_in_spec(&self, container: &Value) -> Option<i64> {
        self.number_in_spec(container, "runAsUser")
    }

    /// The same for the group.
    pub fn group_in_spec(&self, container: &Value) -> Option<i64> {
        self.number_in_spec(container, "runAsGroup")
    }

    fn number_in_spec(&self, container: &Value, field: &str) -> Option<i64> {
        let own = container["securityContext"][field].as_i64();
        own.or_else(|| self.spec("securityContext")[field].as_i64())
    }
}

/// An object of ours with what is copied into it from a live pod. That stays as it is, for it may have fields that are newer
/// than the typed objects.
pub fn with_copied(own: &impl Serialize, copied: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let mut object = json!(own);
    for (field, value) in copied.into_iter().filter(|(_, value)| !value.is_null()) {
        object[field] = value;
    }
    object
}

/// The items of an array; none where it is none.
pub fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
