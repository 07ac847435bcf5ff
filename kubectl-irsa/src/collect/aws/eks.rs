//! EKS: the cluster and its Pod Identity associations.

use super::session::{NoAnswer, Session, fact, incomplete};
use aws_sdk_eks::types::PodIdentityAssociationSummary;
use irsa::facts::aws::{Association, EksCluster, OtherAssociation};
use irsa::facts::{Fact, Listing, Sourced, Unknown, Why};

impl Session {
    /// The cluster, if its name is known.
    pub async fn eks_cluster(&self) -> Fact<EksCluster> {
        let Some(name) = self.settings().cluster() else {
            return Fact::not_asked("the EKS cluster", NO_NAME);
        };
        let action = "eks:DescribeCluster";
        let client = self.eks();
        let cluster =
            self.ask(action, client.describe_cluster().name(name).send()).await.and_then(|answer| {
                let cluster = answer.cluster.ok_or_else(|| NoAnswer::Unknown(incomplete()))?;
                Ok(EksCluster {
                    name: name.to_owned(),
                    arn: cluster.arn.ok_or_else(|| NoAnswer::Unknown(incomplete()))?,
                    issuer: cluster.identity.and_then(|identity| identity.oidc?.issuer),
                })
            });
        fact(cluster, format!("EKS cluster {name}"), action, name)
    }

    /// The Pod Identity associations of a service account.
    pub async fn associations(&self, namespace: &str, service_account: &str) -> Fact<Vec<Association>> {
        let what = format!("EKS Pod Identity associations of {namespace}/{service_account}");
        let Some(name) = self.settings().cluster() else { return Fact::not_asked(what, NO_NAME) };
        let action = "eks:ListPodIdentityAssociations";
        let client = self.eks();
        let list = client
            .list_pod_identity_associations()
            .cluster_name(name)
            .namespace(namespace)
            .service_account(service_account);
        let found = match self.ask(action, list.send()).await {
            Ok(answer) => answer.associations.unwrap_or_default(),
            Err(error) => return fact(Err(error), what, action, name),
        };
        // There is at most one: EKS rejects a second for the same service account. Only the description contains its role.
        let Some(entry) = found.into_iter().next() else {
            return fact(Ok(Vec::new()), what, action, name);
        };
        let Some(id) = entry.association_id else {
            return fact(Err(NoAnswer::Unknown(incomplete())), what, action, name);
        };
        let action = "eks:DescribePodIdentityAssociation";
        let describe = client.describe_pod_identity_association().cluster_name(name).association_id(&id);
        let associations = self.ask(action, describe.send()).await.and_then(|answer| {
            let found = answer.association.ok_or_else(|| NoAnswer::Unknown(incomplete()))?;
            Ok(vec![Association {
                id,
                created: found.created_at.as_ref().and_then(super::timestamp),
                session_tags: found.disable_session_tags != Some(true),
                arn: found.association_arn,
                role_arn: found.role_arn,
                target_role_arn: found.target_role_arn,
                external_id: found.external_id,
            }])
        });
        fact(associations, what, action, name)
    }

    /// All Pod Identity associations of the cluster, or of a namespace, without their roles.
    pub async fn associations_of(&self, namespace: Option<&str>) -> Fact<Listing<OtherAssociation>> {
        let Some(name) = self.settings().cluster() else { return Fact::not_asked(OTHERS, NO_NAME) };
        let action = "eks:ListPodIdentityAssociations";
        let client = self.eks();
        let list = client.list_pod_identity_associations().cluster_name(name);
        let list = list.set_namespace(namespace.map(str::to_owned));
        let read = async {
            let mut pages = list.into_paginator().send();
            let (mut items, mut odd) = (Vec::new(), false);
            for _ in 0..PAGES {
                let Some(page) = pages.next().await else {
                    let unread = || Unknown { what: OTHERS.to_owned(), why: incomplete(), grant: None };
                    return Ok(Listing { items, cut: odd.then(unread) });
                };
                for entry in page?.associations.unwrap_or_default() {
                    match other(entry) {
                        Some(found) => items.push(found),
                        None => odd = true,
                    }
                }
            }
            let why = Why::Incomplete(format!("only the first {} were read", items.len()));
            Ok(Listing { items, cut: Some(Unknown { what: OTHERS.to_owned(), why, grant: None }) })
        };
        fact(self.ask(action, read).await, OTHERS, action, name)
    }
}

fn other(found: PodIdentityAssociationSummary) -> Option<Sourced<OtherAssociation>> {
    let value = OtherAssociation {
        id: found.association_id?,
        namespace: found.namespace?,
        service_account: found.service_account?,
    };
    let source = super::source("eks:ListPodIdentityAssociations", value.id.as_str());
    Some(Sourced { value, source })
}

/// Pages of 100 that are read to find a misspelt association.
const PAGES: usize = 10;

const OTHERS: &str = "EKS Pod Identity associations of other service accounts";

const NO_NAME: &str = "the kubeconfig does not contain the cluster's name in EKS; set it with --cluster-name";
