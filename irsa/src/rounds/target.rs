//! The target: what the user named, with its pods.

use super::error::CollectError;
use super::objects::{Objects, require, require_unless_used};
use super::workload::{Workload, owner};
use crate::derive::siblings::owner_key;
use crate::facts::kubernetes::resource::Query;
use crate::facts::kubernetes::{
    Container, CronJob, DaemonSet, Deployment, Job, LabelSelector, Pod, ReplicaSet, SelectorRequirement,
    ServiceAccount, StatefulSet,
};
use crate::facts::{Fact, Listing, Owner, Sourced, of_listing};
use crate::target::{Kind, Target};
use futures_util::join;
use std::collections::BTreeSet;
/// The target, as found in round one.
pub(super) enum First {
    Pod(Box<Sourced<Pod>>),
    Workload(Box<Sourced<Owner>>, PodsOf),
    Account(Box<Fact<Listing<Pod>>>),
}

/// How to list a workload's pods.
pub(super) enum PodsOf {
    Selector(Option<LabelSelector>),
    /// A CronJob's pods belong to its Jobs.
    CronJob(String),
}

/// The target with its pods.
pub(super) struct Found {
    /// Newest first.
    pub(super) pods: Vec<Sourced<Pod>>,
    pub(super) workload: Option<Sourced<Owner>>,
    /// The list that the pods came from.
    pub(super) listing: Option<Fact<Listing<Pod>>>,
    /// The service account that was asked for by name.
    pub(super) account: Option<String>,
}

impl First {
    pub(super) async fn find(
        reader: &impl Objects,
        namespace: &str,
        target: &Target,
    ) -> Result<Self, CollectError> {
        match target.kind {
            Kind::Pod => Ok(Self::Pod(Box::new(require(reader, namespace, target).await?))),
            Kind::Deployment => workload::<Deployment>(reader, namespace, target).await,
            Kind::StatefulSet => workload::<StatefulSet>(reader, namespace, target).await,
            Kind::DaemonSet => workload::<DaemonSet>(reader, namespace, target).await,
            Kind::ReplicaSet => workload::<ReplicaSet>(reader, namespace, target).await,
            Kind::Job => workload::<Job>(reader, namespace, target).await,
            Kind::CronJob => {
                let cron_job: Sourced<CronJob> = require(reader, namespace, target).await?;
                let owner = owner(
                    "CronJob",
                    &cron_job.value.metadata,
                    &cron_job.value.spec.job_template.spec.template,
                );
                let pods = PodsOf::CronJob(target.name.clone());
                Ok(Self::Workload(Box::new(Sourced { value: owner, source: cron_job.source }), pods))
            }
            Kind::ServiceAccount => {
                let query = Query {
                    fields: vec![("spec.serviceAccountName", target.name.clone())],
                    ..Query::default()
                };
                let (account, pods) = join!(
                    require_unless_used::<ServiceAccount>(reader, namespace, target),
                    reader.list::<Pod>(Some(namespace), &query)
                );
                // A deleted service account may still be in use: that is a diagnosis, not a usage error.
                let used = pods.known().is_some_and(|listing| !listing.value.items.is_empty());
                match account {
                    Err(error @ CollectError::NotFound { .. }) if !used => Err(error),
                    Err(CollectError::NotFound { .. }) | Ok(()) => Ok(Self::Account(Box::new(pods))),
                    Err(error) => Err(error),
                }
            }
        }
    }

    pub(super) async fn with_pods(self, reader: &impl Objects, namespace: &str) -> Found {
        match self {
            Self::Pod(pod) => Found { pods: vec![*pod], workload: None, listing: None, account: None },
            Self::Account(listing) => {
                Found { pods: newest_first(&listing), workload: None, listing: Some(*listing), account: None }
            }
            Self::Workload(workload, pods_of) => {
                let listing = list_pods(reader, namespace, &workload.value, pods_of).await;
                Found {
                    pods: newest_first(&listing),
                    workload: Some(*workload),
                    listing: Some(listing),
                    account: None,
                }
            }
        }
    }
}

async fn workload<T: Workload>(
    reader: &impl Objects,
    namespace: &str,
    target: &Target,
) -> Result<First, CollectError> {
    let found: Sourced<T> = require(reader, namespace, target).await?;
    let selector = found.value.spec().selector.clone();
    let owner = Owner::from(&found.value);
    Ok(First::Workload(Box::new(Sourced { value: owner, source: found.source }), PodsOf::Selector(selector)))
}

async fn list_pods(
    reader: &impl Objects,
    namespace: &str,
    owner: &Owner,
    pods_of: PodsOf,
) -> Fact<Listing<Pod>> {
    let (query, jobs) = match pods_of {
        PodsOf::Selector(selector) => {
            let labels = selector.or_else(|| {
                Some(LabelSelector {
                    match_labels: owner
                        .template_meta
                        .labels
                        .iter()
                        .map(|(key, value)| (key.clone(), value.into()))
                        .collect(),
                    ..LabelSelector::default()
                })
            });
            let query = Query { labels, ..Query::default() };
            return filtered(reader.list::<Pod>(Some(namespace), &query).await, |pod| {
                // Selectors of different workloads may overlap; the controller reference says whose pod it is.
                pod.metadata.controller().is_none_or(|controller| {
                    controller.name == owner.meta.name
                        || owner_key(&pod.metadata).is_some_and(|(_, name)| name == owner.meta.name)
                })
            });
        }
        PodsOf::CronJob(name) => {
            let made_by_a_job = LabelSelector {
                match_expressions: vec![SelectorRequirement {
                    key: String::from("batch.kubernetes.io/job-name"),
                    operator: String::from("Exists"),
                    values: Vec::new(),
                }],
                ..LabelSelector::default()
            };
            (Query { labels: Some(made_by_a_job), ..Query::default() }, name)
        }
    };
    let all = Query::default();
    let (pods, all_jobs) =
        join!(reader.list::<Pod>(Some(namespace), &query), reader.list::<Job>(Some(namespace), &all));
    let own: BTreeSet<String> = match &all_jobs {
        Fact::Known(listing) => listing
            .value
            .items
            .iter()
            .filter(|job| {
                job.value
                    .metadata
                    .controller()
                    .is_some_and(|owner| owner.kind == "CronJob" && owner.name == jobs)
            })
            .map(|job| job.value.metadata.name.clone())
            .collect(),
        // Without the Jobs, go by their names: the CronJob's name and a number.
        Fact::Absent { .. } | Fact::Unknown(_) => {
            let names = pods.known().into_iter().flat_map(|listing| &listing.value.items);
            let names =
                names.filter_map(|pod| pod.value.metadata.controller().map(|owner| owner.name.clone()));
            let numbered = |name: &String| {
                name.strip_prefix(&jobs)
                    .and_then(|rest| rest.strip_prefix('-'))
                    .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
            };
            names.filter(numbered).collect()
        }
    };
    let mut pods =
        filtered(pods, |pod| pod.metadata.controller().is_some_and(|owner| own.contains(&owner.name)));
    // Without all of its Jobs, these may not be all of its pods.
    if let (Fact::Known(listing), Some(cut)) = (&mut pods, of_listing(&all_jobs).cloned()) {
        listing.value.cut.get_or_insert(cut);
    }
    pods
}

fn filtered(listing: Fact<Listing<Pod>>, keep: impl Fn(&Pod) -> bool) -> Fact<Listing<Pod>> {
    match listing {
        Fact::Known(mut known) => {
            known.value.items.retain(|pod| keep(&pod.value));
            Fact::Known(known)
        }
        other => other,
    }
}

fn newest_first(listing: &Fact<Listing<Pod>>) -> Vec<Sourced<Pod>> {
    let mut pods = listing.known().map(|listing| listing.value.items.clone()).unwrap_or_default();
    pods.sort_by_key(|pod| std::cmp::Reverse(pod.value.metadata.creation_timestamp.unjudged()));
    pods
}

pub(super) fn check_container(found: &Found, container: Option<&str>) -> Result<(), CollectError> {
    let Some(name) = container else { return Ok(()) };
    let specs = found.pods.iter().map(|pod| (&pod.value.metadata.name, &pod.value.spec));
    let templates =
        found.workload.iter().map(|workload| (&workload.value.meta.name, &workload.value.template_spec));
    let mut candidates = specs.chain(templates);
    let names = |containers: &[Container]| {
        containers.iter().map(|container| container.name.clone()).collect::<Vec<_>>()
    };
    let Some((pod, spec)) = candidates.next() else { return Ok(()) };
    let there: Vec<String> =
        names(&spec.containers).into_iter().chain(names(&spec.init_containers)).collect();
    let anywhere = there.iter().any(|known| known == name)
        || candidates.any(|(_, spec)| {
            spec.containers.iter().chain(&spec.init_containers).any(|known| known.name == name)
        });
    if anywhere {
        Ok(())
    } else {
        Err(CollectError::NoContainer { pod: pod.clone(), name: name.to_owned(), there })
    }
}
