//! The EKS Pod Identity agent.

use super::objects::Objects;
use super::target::Found;
use crate::facts::kubernetes::resource::Query;
use crate::facts::kubernetes::{DaemonSet, LabelSelector, Pod, SelectorRequirement};
use crate::facts::{Fact, Listing};
use futures_util::join;

/// The EKS Pod Identity agent.
pub(super) struct Agents {
    pub(super) sets: Fact<Listing<DaemonSet>>,
    pub(super) pods: Fact<Listing<Pod>>,
}

impl Agents {
    /// It may be in any namespace; the name is that of its chart, which the EKS add-on is made from.
    pub(super) async fn read(reader: &impl Objects, found: &Found) -> Self {
        if !found.pods.iter().any(|pod| pod.value.spec.has_pod_identity()) {
            let why = "no pod is wired for it";
            return Self {
                sets: Fact::not_asked("the EKS Pod Identity agent", why),
                pods: Fact::not_asked("pods of the EKS Pod Identity agent", why),
            };
        }
        let named = SelectorRequirement {
            key: String::from("app.kubernetes.io/name"),
            operator: String::from("In"),
            values: ["", "-hybrid", "-hybrid-bottlerocket"]
                .map(|kind| format!("eks-pod-identity-agent{kind}"))
                .into(),
        };
        let labels = LabelSelector { match_expressions: vec![named], ..LabelSelector::default() };
        let query = Query { labels: Some(labels), ..Query::default() };
        let (sets, pods) = join!(reader.list(None, &query), reader.list(None, &query));
        Self { sets, pods }
    }
}
