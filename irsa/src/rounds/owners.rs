//! The workloads that own the pods, and their other pods.

use super::objects::Objects;
use super::references::get_all;
use super::target::Found;
use super::workload::Workload;
use crate::derive::siblings::{owner_key, sibling_labels};
use crate::facts::kubernetes::resource::Query;
use crate::facts::kubernetes::{DaemonSet, Deployment, Job, LabelSelector, Pod, ReplicaSet, StatefulSet};
use crate::facts::{Fact, Listing, Owner, Sourced};
use futures_util::future::join_all;
use futures_util::join;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) async fn siblings_of(reader: &impl Objects, namespace: &str, found: &Found) -> Fact<Listing<Pod>> {
    if let Some(listing) = &found.listing {
        return listing.clone();
    }
    let Some(pod) = found.pods.first().filter(|pod| pod.value.metadata.controller().is_some()) else {
        return Fact::not_asked("pods of the same workload", "the pod belongs to no workload");
    };
    let labels =
        LabelSelector { match_labels: sibling_labels(&pod.value.metadata), ..LabelSelector::default() };
    reader.list(Some(namespace), &Query { labels: Some(labels), ..Query::default() }).await
}

/// Kind and name of a workload, as [`owner_key`] tells them from a pod.
type OwnerKey = (String, String);

/// Everything that owns one of the pods: the pods of one service account may belong to several workloads.
pub(super) struct Owners {
    workloads: BTreeMap<OwnerKey, Arc<Fact<Owner>>>,
    /// By name: those between Deployments and their pods.
    replica_sets: BTreeMap<String, Arc<Fact<ReplicaSet>>>,
    /// By name.
    pods: BTreeMap<String, Arc<Fact<Pod>>>,
    nothing: Above,
}

/// What owns one pod.
#[derive(Clone)]
pub(super) struct Above {
    pub(super) workload: Arc<Fact<Owner>>,
    pub(super) replica_set: Arc<Fact<ReplicaSet>>,
    pub(super) pod: Arc<Fact<Pod>>,
}

impl Above {
    pub(super) fn nothing() -> Self {
        Self {
            workload: Arc::new(Fact::not_asked("the workload", "the pod belongs to no workload")),
            replica_set: Arc::new(Fact::not_asked("the ReplicaSet", "the pod belongs to no Deployment")),
            pod: Arc::new(Fact::not_asked("the owner pod", "no pod owns the pod")),
        }
    }
}

impl Owners {
    pub(super) async fn read(reader: &impl Objects, namespace: &str, found: &Found) -> Self {
        let here = Some(namespace);
        let named = |kind: &str| -> BTreeSet<String> {
            let controllers = found.pods.iter().filter_map(|pod| pod.value.metadata.controller());
            controllers.filter(|owner| owner.kind == kind).map(|owner| owner.name.clone()).collect()
        };
        let (replica_sets, pods) = (named("ReplicaSet"), named("Pod"));
        let (workloads, replica_sets, pods) = join!(
            workloads_of(reader, namespace, found),
            get_all(reader, here, &replica_sets),
            get_all(reader, here, &pods),
        );
        Self {
            workloads: shared(workloads),
            replica_sets: shared(replica_sets),
            pods: shared(pods),
            nothing: Above::nothing(),
        }
    }

    pub(super) fn above(&self, pod: &Pod) -> Above {
        let nothing = self.nothing.clone();
        let workload = owner_key(&pod.metadata).and_then(|key| self.workloads.get(&key).cloned());
        let workload = workload.unwrap_or(nothing.workload);
        let Some(controller) = pod.metadata.controller() else { return Above { workload, ..nothing } };
        let of = |kind: &str| Some(&controller.name).filter(|_| controller.kind == kind);
        let replica_set = of("ReplicaSet").and_then(|name| self.replica_sets.get(name).cloned());
        let owner_pod = of("Pod").and_then(|name| self.pods.get(name).cloned());
        Above {
            workload,
            replica_set: replica_set.unwrap_or(nothing.replica_set),
            pod: owner_pod.unwrap_or(nothing.pod),
        }
    }
}

/// The same, to be handed to many subjects.
pub(super) fn shared<K: Ord, T>(facts: BTreeMap<K, T>) -> BTreeMap<K, Arc<T>> {
    facts.into_iter().map(|(key, fact)| (key, Arc::new(fact))).collect()
}

async fn workloads_of(
    reader: &impl Objects,
    namespace: &str,
    found: &Found,
) -> BTreeMap<OwnerKey, Fact<Owner>> {
    let keys: BTreeSet<OwnerKey> =
        found.pods.iter().filter_map(|pod| owner_key(&pod.value.metadata)).collect();
    let one = |key: OwnerKey| async move {
        let known = found
            .workload
            .as_ref()
            .filter(|workload| workload.value.meta.name == key.1 && workload.value.kind == key.0);
        let owner = match (known, &found.workload) {
            (Some(workload), _) => Fact::Known(workload.clone()),
            // The Jobs of a CronJob are made from its template.
            (None, Some(workload)) if workload.value.kind == "CronJob" => Fact::Known(workload.clone()),
            _ => owner_named(reader, namespace, &key.0, &key.1).await,
        };
        (key, owner)
    };
    join_all(keys.into_iter().map(one)).await.into_iter().collect()
}

async fn owner_named(reader: &impl Objects, namespace: &str, kind: &str, name: &str) -> Fact<Owner> {
    match kind {
        "Deployment" => owner_fact::<Deployment>(reader, namespace, name).await,
        "StatefulSet" => owner_fact::<StatefulSet>(reader, namespace, name).await,
        "DaemonSet" => owner_fact::<DaemonSet>(reader, namespace, name).await,
        "ReplicaSet" => owner_fact::<ReplicaSet>(reader, namespace, name).await,
        "Job" => owner_fact::<Job>(reader, namespace, name).await,
        _ => Fact::not_asked(
            format!("{kind} {namespace}/{name}"),
            "an owner of this kind has no pod template to compare",
        ),
    }
}

async fn owner_fact<T: Workload>(reader: &impl Objects, namespace: &str, name: &str) -> Fact<Owner> {
    match reader.get::<T>(Some(namespace), name).await {
        Fact::Known(found) => Fact::Known(Sourced { value: Owner::from(&found.value), source: found.source }),
        Fact::Absent { source } => Fact::Absent { source },
        Fact::Unknown(unknown) => Fact::Unknown(unknown),
    }
}
