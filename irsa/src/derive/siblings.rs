//! Pods of the same workload: what differs between them tells timing from configuration.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::container::{CREDENTIALS_URI, ROLE_ARN, TOKEN_FILE};
use crate::facts::alike::Moment;
use crate::facts::kubernetes::{Container, Meta, Pod};
use crate::facts::{Fact, Facts, Listing, Sourced, Unknown, Why, of_listing};

/// A pod of a list.
pub(crate) type Listed = Sourced<Pod>;

/// The pods of a list by workload and container: put in order once, however many of them are subjects.
#[derive(Debug, Default)]
pub struct SiblingIndex<'f> {
    /// The list; another one is not in it.
    listing: Option<&'f Fact<Listing<Pod>>>,
    crews: HashMap<Option<OwnerKey>, HashMap<&'f str, Arc<Crew<'f>>>>,
}

/// The pods of a workload, by what their container of one name carries.
#[derive(Debug, Default)]
struct Crew<'f> {
    /// Carries the IRSA variables: by service account, each in the order of creation.
    injected: BTreeMap<&'f str, Vec<&'f Listed>>,
    /// Carries neither IRSA nor Pod Identity variables: when the newest was created.
    newest_bare: Option<Timestamp>,
}

impl<'f> SiblingIndex<'f> {
    /// Of the list of these subjects, if it is one list.
    pub fn of(subjects: &'f [Facts]) -> Self {
        let Some(listing) = subjects.first().map(|facts| &facts.siblings) else { return Self::default() };
        let mut crews: HashMap<_, HashMap<_, Crew<'f>>> = HashMap::new();
        for pod in pods(listing) {
            let crews = crews.entry(owner_key(&pod.value.metadata)).or_default();
            for (index, container) in containers(&pod.value).enumerate() {
                // Of two of one name, the first counts.
                if containers(&pod.value).position(|other| other.name == container.name) == Some(index) {
                    crews.entry(container.name.as_str()).or_default().add(pod, container);
                }
            }
        }
        let sorted = |crews: HashMap<_, Crew<'f>>| {
            crews.into_iter().map(|(name, crew)| (name, Arc::new(crew.sorted()))).collect()
        };
        let crews = crews.into_iter().map(|(key, crews)| (key, sorted(crews)));
        Self { listing: Some(listing), crews: crews.collect() }
    }

    fn crew(&self, facts: &Facts, key: &Option<OwnerKey>, container: &Container) -> Option<Arc<Crew<'f>>> {
        self.listing.filter(|listing| std::ptr::eq(*listing, &raw const *facts.siblings))?;
        let crew = self.crews.get(key).and_then(|crews| crews.get(container.name.as_str()));
        Some(crew.map(Arc::clone).unwrap_or_default())
    }
}

impl<'f> Crew<'f> {
    fn add(&mut self, pod: &'f Listed, container: &Container) {
        let has = |name| container.env.iter().any(|variable| variable.name == name);
        if has(ROLE_ARN) && has(TOKEN_FILE) {
            self.injected.entry(pod.value.spec.service_account()).or_default().push(pod);
        } else if !has(ROLE_ARN) && !has(TOKEN_FILE) && !has(CREDENTIALS_URI) {
            self.newest_bare = self.newest_bare.max(created(pod));
        }
    }

    fn sorted(mut self) -> Self {
        self.injected.values_mut().for_each(|pods| pods.sort_by_key(|pod| created(pod)));
        self
    }
}

/// The other pods of the subject's workload.
#[derive(Debug, Default)]
pub(crate) struct Siblings<'f> {
    crew: Arc<Crew<'f>>,
    me: Option<&'f Pod>,
    /// Why there may be more of them.
    pub unknown: Option<&'f Unknown>,
}

impl<'f> Siblings<'f> {
    /// Sorts the siblings by what their container of the same name carries.
    pub(crate) fn of(facts: &'f Facts, target: Option<&Container>, index: &SiblingIndex<'f>) -> Self {
        let Some(target) = target else { return Self::default() };
        let me = facts.subject.pod().map(|pod| &pod.value);
        let key = me.and_then(|me| owner_key(&me.metadata));
        let indexed = me.and_then(|_| index.crew(facts, &key, target));
        let crew = indexed.unwrap_or_else(|| {
            let mut crew = Crew::default();
            let own = |pod: &&Listed| me.is_none() || owner_key(&pod.value.metadata) == key;
            for pod in pods(&facts.siblings).filter(own) {
                if let Some(same) = containers(&pod.value).find(|container| container.name == target.name) {
                    crew.add(pod, same);
                }
            }
            Arc::new(crew.sorted())
        });
        let unknown = of_listing(&facts.siblings).filter(|unknown| !matches!(unknown.why, Why::NotAsked(_)));
        Self { crew, me, unknown }
    }

    /// True if one carries the IRSA variables.
    pub(crate) fn any_injected(&self) -> bool {
        self.injected().any(|pod| self.me.is_none_or(|me| me.metadata.name != pod.value.metadata.name))
    }

    /// Those that carry the IRSA variables, by their service accounts. The subject itself is among them if it does.
    pub(crate) fn injected(&self) -> impl Iterator<Item = &'f Listed> {
        self.crew.injected.values().flatten().copied()
    }

    /// The oldest of each service account that carries the IRSA variables.
    pub(crate) fn oldest_injected(&self) -> impl Iterator<Item = &'f Listed> {
        self.crew.injected.values().filter_map(|pods| pods.first().copied())
    }

    /// The newest sibling, if it was created later and is injected.
    pub(crate) fn younger_injected(&self, made: &Moment) -> Option<&'f Listed> {
        let newest = self.crew.injected.values().filter_map(|pods| pods.last().copied());
        newest
            .max_by_key(|pod| created(pod))
            .filter(|pod| created(pod).is_some_and(|time| made.is_before(time)))
    }

    /// True if a pod of the workload that was created after that moment is bare; perhaps the subject itself.
    pub(crate) fn bare_after(&self, moment: Timestamp) -> bool {
        self.crew.newest_bare.is_some_and(|newest| newest > moment)
    }

    /// Those of a service account that are injected and were created earlier, the newest last, and those that were created later.
    pub(crate) fn injected_around(&self, made: &Moment, account: &str) -> (&[&'f Listed], &[&'f Listed]) {
        let all = self.crew.injected.get(account).map_or(&[][..], Vec::as_slice);
        let before = all.partition_point(|pod| created(pod).is_none_or(|time| made.is_after(time)));
        let (before, rest) = all.split_at(before);
        let dated = before.partition_point(|pod| created(pod).is_none());
        let same = rest.partition_point(|pod| created(pod).is_some_and(|time| !made.is_before(time)));
        (before.get(dated..).unwrap_or_default(), rest.get(same..).unwrap_or_default())
    }
}

fn pods(listing: &Fact<Listing<Pod>>) -> impl Iterator<Item = &Listed> {
    listing.known().into_iter().flat_map(|listing| &listing.value.items)
}

fn containers(pod: &Pod) -> impl Iterator<Item = &Container> {
    pod.spec.containers.iter().chain(&pod.spec.init_containers)
}

fn created(pod: &Listed) -> Option<Timestamp> {
    // It is another pod's: what it says of the subject is only which of them came first.
    pod.value.metadata.creation_timestamp.unjudged()
}

/// Kind and name of a workload.
pub(crate) type OwnerKey = (String, String);

/// Kind and name of the workload that people work with: a Deployment's pods belong to ReplicaSets, which are named after the
/// Deployment and the pod template hash.
pub(crate) fn owner_key(pod: &Meta) -> Option<OwnerKey> {
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
        .map(|(k, v)| (k.clone(), v.into()))
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
    pod.labels.iter().filter(|(key, _)| !differs(key)).map(|(k, v)| (k.clone(), v.into())).collect()
}
