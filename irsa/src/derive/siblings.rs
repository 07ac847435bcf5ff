//! Pods of the same workload: what differs between them tells timing from configuration.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::container::{CREDENTIALS_URI, ROLE_ARN, TOKEN_FILE};
use crate::facts::kubernetes::{Container, Meta, Pod};
use crate::facts::{Facts, Unknown, Why, of_listing};

/// The other pods of the subject's workload.
#[derive(Debug, Default)]
pub(crate) struct Siblings<'f> {
    /// Pods whose container of the same name carries the IRSA variables.
    pub injected: Vec<&'f Pod>,
    /// Pods whose container of the same name carries neither IRSA nor Pod Identity variables.
    pub bare: Vec<&'f Pod>,
    /// Why there may be more of them.
    pub unknown: Option<&'f Unknown>,
}

impl<'f> Siblings<'f> {
    /// Sorts the siblings by what their container of the same name carries.
    pub(crate) fn of(facts: &'f Facts, target: Option<&Container>) -> Self {
        let Some(target) = target else { return Self::default() };
        let mut siblings = Self {
            unknown: of_listing(&facts.siblings).filter(|unknown| !matches!(unknown.why, Why::NotAsked(_))),
            ..Self::default()
        };
        let me = facts.subject.pod().map(|pod| &pod.value.metadata);
        let key = me.and_then(owner_key);
        for pod in facts.siblings.known().into_iter().flat_map(|listing| &listing.value.items) {
            let pod = &pod.value;
            if me.is_some_and(|me| me.name == pod.metadata.name)
                || (me.is_some() && owner_key(&pod.metadata) != key)
            {
                continue;
            }
            let containers = pod.spec.containers.iter().chain(&pod.spec.init_containers);
            let Some(same) = containers.into_iter().find(|container| container.name == target.name) else {
                continue;
            };
            let has = |name| same.env.iter().any(|variable| variable.name == name);
            if has(ROLE_ARN) && has(TOKEN_FILE) {
                siblings.injected.push(pod);
            } else if !has(ROLE_ARN) && !has(TOKEN_FILE) && !has(CREDENTIALS_URI) {
                siblings.bare.push(pod);
            }
        }
        siblings
    }

    /// A sibling that was created later and is injected.
    pub(crate) fn younger_injected(&self, created: Timestamp) -> Option<&'f str> {
        let younger = |pod: &&&Pod| pod.metadata.creation_timestamp.is_some_and(|time| time > created);
        self.injected.iter().find(younger).map(|pod| pod.metadata.name.as_str())
    }

    /// A sibling that was created after that moment and is bare.
    pub(crate) fn bare_after(&self, moment: Timestamp) -> Option<&'f Pod> {
        let after = |pod: &&&Pod| pod.metadata.creation_timestamp.is_some_and(|time| time > moment);
        self.bare.iter().find(after).copied()
    }

    /// The newest of the siblings with that service account that were created earlier and are injected.
    pub(crate) fn injected_before(&self, created: Timestamp, account: &str) -> Option<&'f Pod> {
        let of_account = self.injected.iter().filter(|pod| pod.spec.service_account() == account);
        let older =
            of_account.filter(|pod| pod.metadata.creation_timestamp.is_some_and(|time| time < created));
        older.max_by_key(|pod| pod.metadata.creation_timestamp).copied()
    }

    /// The oldest of those that were created later.
    pub(crate) fn injected_after(&self, created: Timestamp, account: &str) -> Option<&'f Pod> {
        let of_account = self.injected.iter().filter(|pod| pod.spec.service_account() == account);
        let younger =
            of_account.filter(|pod| pod.metadata.creation_timestamp.is_some_and(|time| time > created));
        younger.min_by_key(|pod| pod.metadata.creation_timestamp).copied()
    }
}

/// Kind and name of the workload that people work with: a Deployment's pods belong to ReplicaSets, which are named after the
/// Deployment and the pod template hash.
pub(crate) fn owner_key(pod: &Meta) -> Option<(String, String)> {
    let owner = pod.controller()?;
    if owner.kind == "ReplicaSet"
        && let Some(hash) = pod.labels.get("pod-template-hash")
        && let Some(deployment) =
            owner.name.strip_suffix(hash.as_str()).and_then(|name| name.strip_suffix('-'))
    {
        return Some((String::from("Deployment"), deployment.to_owned()));
    }
    Some((owner.kind.clone(), owner.name.clone()))
}

/// The labels by which pods of the same workload are found from one of them: those that name the application, or else all
/// but the ones that differ between the pods or the revisions of a workload.
pub(crate) fn sibling_labels(pod: &Meta) -> BTreeMap<String, String> {
    const NAMES: [&str; 4] = ["app.kubernetes.io/instance", "app.kubernetes.io/name", "app", "k8s-app"];
    const DIFFER: [&str; 6] = [
        "pod-template-hash",
        "controller-revision-hash",
        "pod-template-generation",
        "version",
        "controller-uid",
        "job-name",
    ];
    let named: BTreeMap<String, String> = pod
        .labels
        .iter()
        .filter(|(key, _)| NAMES.contains(&key.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    if !named.is_empty() {
        return named;
    }
    let differs = |key: &str| {
        DIFFER.contains(&key)
            || [
                "statefulset.kubernetes.io/",
                "apps.kubernetes.io/",
                "batch.kubernetes.io/",
                "topology.kubernetes.io/",
                "helm.sh/",
                "app.kubernetes.io/",
                "eks.amazonaws.com/",
            ]
            .iter()
            .any(|prefix| key.starts_with(prefix))
    };
    pod.labels.iter().filter(|(key, _)| !differs(key)).map(|(k, v)| (k.clone(), v.clone())).collect()
}
