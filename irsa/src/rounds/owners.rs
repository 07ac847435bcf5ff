//! The workloads that own the pods, and their other pods.

use super::objects::Objects;
use super::target::Found;
use super::workload::{Workload, owner};
use crate::derive::siblings::{owner_key, sibling_labels};
use crate::facts::kubernetes::resource::Query;
use crate::facts::kubernetes::{DaemonSet, Deployment, Job, LabelSelector, Pod, ReplicaSet, StatefulSet};
use crate::facts::{Fact, Listing, Owner, Sourced};
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

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
pub(super) type OwnerKey = (String, String);

/// The workload of every pod: the pods of one service account may have several.
pub(super) async fn owners_of(
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
        Fact::Known(found) => Fact::Known(Sourced {
            value: owner(T::KIND, found.value.meta(), &found.value.spec().template),
            source: found.source,
        }),
        Fact::Absent { source } => Fact::Absent { source },
        Fact::Unknown(unknown) => Fact::Unknown(unknown),
    }
}
