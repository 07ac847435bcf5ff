//! The EKS Pod Identity agent.

use super::objects::Objects;
use super::owners::shared;
use super::target::Found;
use crate::derive::agent::{Likeness, NAMES};
use crate::facts::kubernetes::resource::Query;
use crate::facts::kubernetes::{DaemonSet, LabelSelector, Pod, SelectorRequirement};
use crate::facts::{Fact, Listing, Sourced, Unknown, Why};
use futures_util::future::join_all;
use futures_util::join;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Up to this many nodes are asked for their pods one by one; for more, the pods with the agent's labels are listed.
const NODES: usize = 4;

/// The EKS Pod Identity agent.
pub(super) struct Agents {
    pub(super) sets: Fact<Listing<DaemonSet>>,
    /// By node.
    pods: BTreeMap<String, Arc<Fact<Listing<Pod>>>>,
    not_asked: Arc<Fact<Listing<Pod>>>,
}

impl Agents {
    /// It may be in any namespace, and under another name; so what runs on the pods' own nodes is looked at.
    pub(super) async fn read(reader: &impl Objects, found: &Found) -> Self {
        let not_asked = Arc::new(Fact::not_asked(
            "pods of the EKS Pod Identity agent",
            "no pod on the node is wired for it",
        ));
        let wired = found.pods.iter().map(|pod| &pod.value.spec).filter(|spec| spec.has_pod_identity());
        let mut wired = wired.peekable();
        if wired.peek().is_none() {
            let why = "no pod is wired for it";
            let sets = Fact::not_asked("the EKS Pod Identity agent", why);
            return Self { sets, pods: BTreeMap::new(), not_asked };
        }
        let nodes: BTreeSet<&str> =
            wired.map(|spec| spec.node_name.unjudged().as_str()).filter(|node| !node.is_empty()).collect();
        let all = Query::default();
        let (sets, pods) = join!(reader.list::<DaemonSet>(None, &all), pods_on(reader, &nodes));
        let may_be = |set: &DaemonSet| {
            let template = &set.spec.template;
            Likeness::of(&template.metadata, &template.spec) != Likeness::None
        };
        Self { sets: retained(sets, may_be), pods: shared(pods), not_asked }
    }

    /// Those on a node.
    pub(super) fn on_node(&self, node: &str) -> Arc<Fact<Listing<Pod>>> {
        Arc::clone(self.pods.get(node).unwrap_or(&self.not_asked))
    }
}

async fn pods_on(reader: &impl Objects, nodes: &BTreeSet<&str>) -> BTreeMap<String, Fact<Listing<Pod>>> {
    let may_be = |pod: &Pod| Likeness::of(&pod.metadata, &pod.spec) != Likeness::None;
    if nodes.len() <= NODES {
        let lists = nodes.iter().map(|node| async move {
            let query = Query { fields: vec![("spec.nodeName", (*node).to_owned())], ..Query::default() };
            ((*node).to_owned(), retained(reader.list::<Pod>(None, &query).await, may_be))
        });
        return join_all(lists).await.into_iter().collect();
    }
    let named = SelectorRequirement {
        key: String::from("app.kubernetes.io/name"),
        operator: String::from("In"),
        values: NAMES.map(String::from).into(),
    };
    let labels = LabelSelector { match_expressions: vec![named], ..LabelSelector::default() };
    let listing = reader.list::<Pod>(None, &Query { labels: Some(labels), ..Query::default() }).await;
    let mut by_node: BTreeMap<&str, Vec<Sourced<Pod>>> = BTreeMap::new();
    for pod in listing.known().into_iter().flat_map(|listing| &listing.value.items) {
        by_node.entry(pod.value.spec.node_name.unjudged()).or_default().push(pod.clone());
    }
    let on = |node: &str| {
        let Fact::Known(all) = &listing else { return listing.clone() };
        let items = by_node.get(node).cloned().unwrap_or_default();
        let mut cut = all.value.cut.clone();
        if items.is_empty() {
            cut.get_or_insert_with(|| Unknown {
                what: format!("pods of node {node} without the labels of the EKS Pod Identity agent"),
                why: Why::Incomplete(String::from(
                    "the pods are on too many nodes; run debug on one of them",
                )),
                grant: None,
            });
        }
        Fact::Known(Sourced { value: Listing { items, cut }, source: all.source.clone() })
    };
    nodes.iter().map(|node| ((*node).to_owned(), on(node))).collect()
}

fn retained<T>(listing: Fact<Listing<T>>, keep: impl Fn(&T) -> bool) -> Fact<Listing<T>> {
    match listing {
        Fact::Known(mut listing) => {
            listing.value.items.retain(|item| keep(&item.value));
            Fact::Known(listing)
        }
        other => other,
    }
}
