//! What serves a self-hosted webhook.

use super::objects::Objects;
use super::workload::owner;
use crate::derive::webhook::self_hosted_service;
use crate::facts::kubernetes::resource::Query;
use crate::facts::kubernetes::{
    ConfigMap, Deployment, EndpointSlice, LabelSelector, MutatingWebhookConfiguration, ServiceRef,
};
use crate::facts::{Fact, Listing, Owner, Sourced};
use futures_util::join;
use std::collections::BTreeMap;

/// The ConfigMap that the webhook reads with `--watch-config-map` (webhook `main.go`).
const WEBHOOK_CONFIG_MAP: &str = "pod-identity-webhook";

/// What serves a self-hosted webhook.
pub(super) struct BehindWebhook {
    pub(super) workload: Fact<Owner>,
    pub(super) endpoints: Fact<Listing<EndpointSlice>>,
    pub(super) config_map: Fact<ConfigMap>,
}

impl BehindWebhook {
    pub(super) async fn read<R: Objects>(
        reader: &R,
        webhooks: &Fact<Listing<MutatingWebhookConfiguration>>,
    ) -> Self {
        let Some(service) = self_hosted_service(webhooks) else {
            let why = "as far as is known, the webhook does not run in the cluster";
            return Self {
                workload: Fact::not_asked("the webhook's workload", why),
                endpoints: Fact::not_asked("the webhook's endpoints", why),
                // In files, the ConfigMap may stand alone.
                config_map: if R::AT_HAND {
                    reader.get(Some("kube-system"), WEBHOOK_CONFIG_MAP).await
                } else {
                    Fact::not_asked("the webhook's ConfigMap", why)
                },
            };
        };
        let namespace = Some(service.namespace.as_str());
        let of_service = LabelSelector {
            match_labels: BTreeMap::from([(
                String::from("kubernetes.io/service-name"),
                service.name.clone(),
            )]),
            ..LabelSelector::default()
        };
        let (all, slices) = (Query::default(), Query { labels: Some(of_service), ..Query::default() });
        let (deployments, endpoints, config_map) = join!(
            reader.list::<Deployment>(namespace, &all),
            reader.list(namespace, &slices),
            reader.get(namespace, WEBHOOK_CONFIG_MAP),
        );
        Self { workload: serving(deployments, &service), endpoints, config_map }
    }
}

/// The Deployment of the service's name, or the one that carries flags of the webhook.
fn serving(deployments: Fact<Listing<Deployment>>, service: &ServiceRef) -> Fact<Owner> {
    let listing = match deployments {
        Fact::Known(listing) => listing,
        Fact::Absent { source } => return Fact::Absent { source },
        Fact::Unknown(unknown) => return Fact::Unknown(unknown),
    };
    let flags = |deployment: &&Sourced<Deployment>| {
        let containers = &deployment.value.spec.template.spec.containers;
        containers.iter().any(|container| container.args.len() + container.command.len() > 0)
    };
    let items = &listing.value.items;
    let by_name = items.iter().find(|deployment| deployment.value.metadata.name == service.name);
    match (by_name.or_else(|| items.iter().find(flags)), listing.value.cut) {
        (Some(found), _) => Fact::Known(Sourced {
            value: owner("Deployment", &found.value.metadata, &found.value.spec.template),
            source: found.source.clone(),
        }),
        (None, Some(cut)) => Fact::Unknown(cut),
        (None, None) => Fact::Absent { source: listing.source },
    }
}
