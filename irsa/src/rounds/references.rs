//! What the pods refer to by name.

use super::objects::Objects;
use super::target::Found;
use crate::facts::kubernetes::resource::{Query, Resource};
use crate::facts::kubernetes::{EnvValue, Event, Node};
use crate::facts::{Fact, Listing, Sourced};
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

/// Up to this many nodes are read one by one; for more, the list is cheaper.
const NODES: usize = 4;

/// Events are read for this many pods; those of a workload's other pods say the same.
const EVENTFUL_PODS: usize = 3;

/// The names that the pods refer to.
#[derive(Default)]
pub(super) struct References {
    pub(super) service_accounts: BTreeSet<String>,
    pub(super) nodes: BTreeSet<String>,
    pub(super) config_maps: BTreeSet<String>,
    pub(super) secrets: BTreeSet<String>,
    pub(super) events: Vec<EventsOf>,
}

pub(super) enum EventsOf {
    /// Events about an object of that name.
    Name(String),
    /// Failures to create pods: their ReplicaSet's name is not known.
    FailedCreate,
}

impl References {
    pub(super) fn of(found: &Found) -> Self {
        let mut refers = Self::default();
        refers.service_accounts.extend(found.account.clone());
        let templates = found.workload.iter().filter(|_| found.pods.is_empty());
        let specs = found
            .pods
            .iter()
            .map(|pod| &pod.value.spec)
            .chain(templates.map(|owner| &owner.value.template_spec));
        for spec in specs {
            refers.service_accounts.insert(spec.service_account().to_owned());
            if !spec.node_name.is_empty() {
                refers.nodes.insert(spec.node_name.unjudged().clone());
            }
            for container in spec.containers.iter().chain(&spec.init_containers) {
                for from in &container.env_from {
                    refers
                        .config_maps
                        .extend(from.config_map_ref.iter().map(|reference| reference.name.clone()));
                    refers.secrets.extend(from.secret_ref.iter().map(|reference| reference.name.clone()));
                }
                let keys = container.env.iter().filter(|variable| EnvValue::is_read(&variable.name));
                for variable in keys {
                    if let EnvValue::From(source) = &variable.value {
                        refers
                            .config_maps
                            .extend(source.config_map_key_ref.iter().map(|key| key.name.clone()));
                    }
                }
                // Only the Secret's key names tell whether an optional key becomes a variable at all.
                let keys = container.env.iter().filter(|variable| variable.name.starts_with("AWS_"));
                for variable in keys {
                    if let EnvValue::From(source) = &variable.value {
                        let optional = source.secret_key_ref.iter().filter(|key| key.optional == Some(true));
                        refers.secrets.extend(optional.map(|key| key.name.clone()));
                    }
                }
            }
        }
        let pods = found.pods.iter().take(EVENTFUL_PODS).map(|pod| pod.value.metadata.name.clone());
        let controllers = found.pods.iter().filter_map(|pod| pod.value.metadata.controller());
        let mut names: BTreeSet<String> =
            pods.chain(controllers.map(|controller| controller.name.clone())).collect();
        names.extend(found.workload.iter().map(|workload| workload.value.meta.name.clone()));
        refers.events = names.into_iter().map(EventsOf::Name).collect();
        // Pods of another revision than these may be the ones that are rejected.
        if found.pods.is_empty() || found.pods.iter().any(|pod| pod.value.metadata.controller().is_some()) {
            refers.events.push(EventsOf::FailedCreate);
        }
        refers
    }
}

pub(super) async fn get_all<T: Resource>(
    reader: &impl Objects,
    namespace: Option<&str>,
    names: &BTreeSet<String>,
) -> BTreeMap<String, Fact<T>> {
    join_all(names.iter().map(|name| async move { (name.clone(), reader.get(namespace, name).await) }))
        .await
        .into_iter()
        .collect()
}

pub(super) async fn get_nodes(
    reader: &impl Objects,
    names: &BTreeSet<String>,
) -> BTreeMap<String, Fact<Node>> {
    if names.len() <= NODES {
        return get_all(reader, None, names).await;
    }
    let listing = reader.list::<Node>(None, &Query::default()).await;
    let known = listing.known().into_iter().flat_map(|listing| &listing.value.items);
    let known: BTreeMap<&str, &Sourced<Node>> =
        known.map(|node| (node.value.metadata.name.as_str(), node)).collect();
    let fact = |name: &String| match &listing {
        Fact::Known(listing) => match (known.get(name.as_str()).copied(), &listing.value.cut) {
            (Some(node), _) => Fact::Known(node.clone()),
            (None, None) => Fact::Absent { source: listing.source.clone() },
            (None, Some(cut)) => Fact::Unknown(cut.clone()),
        },
        Fact::Absent { source } => Fact::Absent { source: source.clone() },
        Fact::Unknown(unknown) => Fact::Unknown(unknown.clone()),
    };
    names.iter().map(|name| (name.clone(), fact(name))).collect()
}

fn name_of(event: &Sourced<Event>) -> String {
    event.value.metadata.name.clone()
}

pub(super) async fn events_of(
    reader: &impl Objects,
    namespace: &str,
    wanted: &[EventsOf],
) -> Fact<Listing<Event>> {
    let queries = wanted.iter().map(|events| {
        let field = match events {
            EventsOf::Name(name) => ("involvedObject.name", name.clone()),
            EventsOf::FailedCreate => ("reason", String::from("FailedCreate")),
        };
        Query { fields: vec![field], ..Query::default() }
    });
    let answers =
        join_all(queries.map(|query| async move { reader.list::<Event>(Some(namespace), &query).await }))
            .await;
    let mut merged: Option<Sourced<Listing<Event>>> = None;
    // What failed for one of the names is in both lists.
    let mut known: BTreeSet<String> = BTreeSet::new();
    for answer in answers {
        match (answer, &mut merged) {
            (Fact::Known(listing), None) => {
                known.extend(listing.value.items.iter().map(name_of));
                merged = Some(listing);
            }
            (Fact::Known(listing), Some(merged)) => {
                let new = listing.value.items.into_iter().filter(|event| known.insert(name_of(event)));
                merged.value.items.extend(new);
                merged.value.cut = merged.value.cut.take().or(listing.value.cut);
            }
            // One permission covers all of them: if one read fails, the link cannot be checked.
            (failed, _) => return failed,
        }
    }
    merged.map_or_else(|| Fact::not_asked("events", "there is no object to read events of"), Fact::Known)
}
