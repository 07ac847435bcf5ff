//! EKS: the cluster and its Pod Identity associations.

use super::session::{NoAnswer, Session, fact, incomplete};
use crate::facts::Fact;
use crate::facts::aws::{Association, EksCluster};

impl Session {
    /// The cluster, if its name is known.
    pub async fn eks_cluster(&self) -> Fact<EksCluster> {
        let Some(name) = self.settings().cluster() else {
            return Fact::not_asked("the EKS cluster", NO_NAME);
        };
        let action = "eks:DescribeCluster";
        let client = aws_sdk_eks::Client::new(&self.sdk);
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
        let client = aws_sdk_eks::Client::new(&self.sdk);
        // There is at most one: EKS refuses a second for the same service account.
        let call = client
            .list_pod_identity_associations()
            .cluster_name(name)
            .namespace(namespace)
            .service_account(service_account)
            .send();
        let associations = self.ask(action, call).await.map(|answer| {
            answer
                .associations
                .unwrap_or_default()
                .into_iter()
                .filter_map(|entry| {
                    Some(Association {
                        id: entry.association_id?,
                        namespace: entry.namespace?,
                        service_account: entry.service_account?,
                    })
                })
                .collect()
        });
        fact(associations, what, action, name)
    }
}

const NO_NAME: &str = "the kubeconfig does not tell the cluster's name in EKS; name it with --cluster-name";
