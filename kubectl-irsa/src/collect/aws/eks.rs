//! EKS: the cluster and its Pod Identity associations.

use super::session::{NoAnswer, Session, fact, incomplete};
use irsa::facts::Fact;
use irsa::facts::aws::{Association, EksCluster};

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
        let Some(id) = found.into_iter().find_map(|entry| entry.association_id) else {
            return fact(Ok(Vec::new()), what, action, name);
        };
        let action = "eks:DescribePodIdentityAssociation";
        let describe = client.describe_pod_identity_association().cluster_name(name).association_id(&id);
        let associations = self.ask(action, describe.send()).await.map(|answer| {
            let described = answer.association;
            let created = described.as_ref().and_then(|found| super::timestamp(found.created_at.as_ref()?));
            vec![Association { id, role_arn: described.and_then(|found| found.role_arn), created }]
        });
        fact(associations, what, action, name)
    }
}

const NO_NAME: &str = "the kubeconfig does not contain the cluster's name in EKS; set it with --cluster-name";
