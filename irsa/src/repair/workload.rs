//! The workload that owns the pods: its template, its restart, its service account.

use serde_json::{Value, json};

use super::{Act, Edit, Fix, Object, ObjectChange, ObjectKind, SYSTEM};
use crate::derive::Derived;

/// A change to the target's own workload, which in `kube-system` serves the whole cluster.
pub(crate) fn change(derived: &Derived<'_>, title: impl Into<String>, act: Act) -> Fix {
    if derived.facts.namespace_name == SYSTEM { Fix::shared(title, act) } else { Fix::own(title, act) }
}

/// The workload that such pods come from, if its template can be edited.
pub(super) fn editable(derived: &Derived<'_>) -> Option<Object> {
    let workload = derived.facts.workload();
    let by_facts = workload.map(|owner| (owner.value.kind.clone(), owner.value.meta.name.clone()));
    by_facts.into_iter().chain(derived.owner_key()).find_map(|(kind, name)| object(derived, &kind, name))
}

/// The workload, if a change of its template restarts its pods.
pub(super) fn rolling(derived: &Derived<'_>) -> Option<Object> {
    let (kind, name) = derived.owner_key()?;
    object(derived, &kind, name).filter(|object| object.kind.rolls())
}

/// `None` if it has no pod template that can be edited.
fn object(derived: &Derived<'_>, kind: &str, name: String) -> Option<Object> {
    let kind = ObjectKind::of(kind).filter(|kind| kind.template().is_some())?;
    Some(Object::of(kind, &derived.facts.namespace_name, name))
}

/// Merges a JSON value into the workload's pod template; `None` if the template cannot be edited.
pub(crate) fn patch(derived: &Derived<'_>, title: impl Into<String>, patch: &Value) -> Option<Fix> {
    let object = editable(derived)?;
    let path = object.kind.template()?;
    let patch = path.iter().rev().fold(patch.clone(), |inner, key| json!({*key: inner}));
    let act = Act::of(derived, ObjectChange { object, edit: Edit::Merge(patch) });
    Some(change(derived, title, act))
}

/// Restarts the workload's pods, so that the webhook sees them; `None` if no controller would recreate them.
pub(crate) fn restart(derived: &Derived<'_>) -> Option<Fix> {
    restart_titled(derived, None)
}

/// The same, with another title.
pub(crate) fn restart_as(derived: &Derived<'_>, title: &str) -> Option<Fix> {
    restart_titled(derived, Some(title))
}

/// The restart, or what to do if no controller recreates the pods.
pub(crate) fn restart_or_advice(derived: &Derived<'_>) -> Fix {
    restart(derived).unwrap_or_else(|| advice(derived))
}

/// The same if there is a pod; one that does not exist yet needs no advice.
pub(crate) fn restart_pod(derived: &Derived<'_>) -> Option<Fix> {
    restart(derived).or_else(|| derived.facts.subject.pod().map(|_| advice(derived)))
}

fn restart_titled(derived: &Derived<'_>, title: Option<&str>) -> Option<Fix> {
    let namespace = derived.facts.namespace_name.as_str();
    if let Some(object) = rolling(derived) {
        let title = title.unwrap_or("restart the workload, so that its new pods go through the webhook");
        let act = Act::of(derived, ObjectChange { object, edit: Edit::Restart });
        return Some(change(derived, title, act));
    }
    let (kind, _) = derived.owner_key()?;
    if kind != "ReplicaSet" && kind != "ReplicationController" {
        return None;
    }
    let pod = &derived.facts.subject.pod()?.value.metadata.name;
    let title =
        title.unwrap_or("delete the pod; its controller makes a new one, which goes through the webhook");
    let object = Object::of(ObjectKind::Pod, namespace, pod);
    Some(Fix::deletion(title, Act::of(derived, ObjectChange { object, edit: Edit::Delete })))
}

fn advice(derived: &Derived<'_>) -> Fix {
    Fix::advice(match derived.owner_key().map(|(kind, _)| kind).as_deref() {
        Some("Job" | "CronJob") => "run the job again: pods of a finished or running Job are not changed",
        Some(_) => "have the pod's controller recreate it",
        None => "recreate the pod from its manifest: it has no controller, and a running pod is not changed",
    })
}

/// Sets the workload's service account, which restarts its pods, or says where to set it.
pub(crate) fn use_service_account(derived: &Derived<'_>, service_account: &str) -> Fix {
    match rolling(derived) {
        Some(object) => {
            let title =
                format!("run {} as service account {service_account}; restarts its pods", object.target());
            let edit = Edit::SetServiceAccount(service_account.to_owned());
            change(derived, title, Act::of(derived, ObjectChange { object, edit }))
        }
        None => Fix::advice(format!(
            "set {} and recreate the pods",
            place_of_service_account(derived, service_account)
        )),
    }
}

/// Where the service account of such a pod is set, for pods that other programs create.
fn place_of_service_account(derived: &Derived<'_>, name: &str) -> String {
    let label = |key: &str| derived.spec().is_some_and(|(_, meta, ..)| meta.labels.contains_key(key));
    let role =
        derived.spec().and_then(|(_, meta, ..)| meta.labels.get("spark-role")).map(|role| role.as_str());
    match derived.owner_key().map(|(kind, _)| kind).as_deref() {
        _ if role == Some("executor") => {
            format!(
                "spark.kubernetes.authenticate.executor.serviceAccountName to {name} in the Spark application"
            )
        }
        _ if role == Some("driver") => {
            format!(
                "spark.kubernetes.authenticate.driver.serviceAccountName to {name} in the Spark application"
            )
        }
        Some("Pod") => format!(
            "serviceAccountName to {name} where the pod that owns this one describes it: the pod template or the settings of the \
             program that runs there"
        ),
        Some("Workflow") => format!("spec.serviceAccountName to {name} in the Workflow or its template"),
        _ if label("jenkins/label") => format!("serviceAccount to {name} in Jenkins' pod template"),
        Some(kind) => format!("serviceAccountName to {name} in the pod template of the {kind}"),
        None => format!("serviceAccountName to {name} in the pod's manifest"),
    }
}
