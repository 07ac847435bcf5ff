//! The trust policy that one service account needs, and that trusts nobody else.

use crate::policy::{
    AssumeRole, Decision, Document, Json, Principal, Repair, Request, WebIdentity, evaluate, nearest,
};

/// The service that assumes the roles of EKS Pod Identity associations.
pub const SERVICE: &str = "pods.eks.amazonaws.com";

/// Who is to be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// Partition of the role: `aws`.
    pub partition: String,
    /// The role's account.
    pub account: String,
    /// Namespace of the service account.
    pub namespace: String,
    /// The service account.
    pub service_account: String,
    /// How it gets its credentials.
    pub by: By,
}

/// How a service account gets its credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// IAM roles for service accounts.
    Irsa {
        /// URL of the tokens' issuer: `https://…`.
        issuer: String,
        /// Their audience.
        audience: String,
    },
    /// EKS Pod Identity.
    PodIdentity {
        /// ARN of the cluster; without it, the same service account of every cluster of the account is trusted.
        cluster: Option<String>,
    },
}

impl Trusted {
    /// `sub` of its tokens.
    pub fn subject(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace, self.service_account)
    }

    /// The statement that trusts it alone; `None` if the issuer is no `https` URL.
    pub fn statement(&self) -> Option<Json> {
        match &self.by {
            By::Irsa { .. } => {
                let nothing = Document::parse(r#"{"Version":"2012-10-17","Statement":[]}"#).ok()?;
                match nearest(&evaluate(&nothing, &self.requests().pop()?))?.change.repair {
                    Repair::Append(statement) => Some(statement),
                    Repair::Edit(_) => None,
                }
            }
            By::PodIdentity { .. } => {
                let pins = self
                    .tags()
                    .into_iter()
                    .filter_map(|(tag, value)| Some((format!("aws:RequestTag/{tag}"), Json::text(value?))));
                let actions = ACTIONS.map(Json::text).to_vec();
                Some(Json::object([
                    ("Effect", Json::text("Allow")),
                    ("Principal", Json::object([("Service", Json::text(SERVICE))])),
                    ("Action", Json::Array(actions)),
                    ("Condition", Json::object([("StringEquals", Json::Object(pins.collect()))])),
                ]))
            }
        }
    }

    /// The trust policy of a role that is for it alone.
    pub fn document(&self) -> Option<Document> {
        let nothing = Document::parse(r#"{"Version":"2012-10-17","Statement":[]}"#).ok()?;
        nothing.with_statement(self.statement()?)
    }

    /// A policy with the statement beside those that it has; `None` if it has no place for one.
    pub fn added_to(&self, present: &Document) -> Option<Document> {
        present.with_statement(self.statement()?)
    }

    /// Whether a policy lets it assume the role: of several calls, the answer that is in the way.
    pub fn decision(&self, document: &Document) -> Option<Decision> {
        let decisions = self.requests().into_iter().map(|request| evaluate(document, &request).decision);
        decisions.min_by_key(|decision| match decision {
            Decision::ExplicitDeny { .. } => 0,
            Decision::NoMatch => 1,
            Decision::Unknown { .. } => 2,
            Decision::Allow { .. } => 3,
        })
    }

    /// The calls that are made on its behalf; none if the issuer is no `https` URL.
    fn requests(&self) -> Vec<Request> {
        match &self.by {
            By::Irsa { issuer, audience } => {
                let Some(issuer) = issuer.strip_prefix("https://") else { return Vec::new() };
                let provider_arn =
                    format!("arn:{}:iam::{}:oidc-provider/{issuer}", self.partition, self.account);
                vec![Request::web_identity(WebIdentity {
                    provider_arn: &provider_arn,
                    issuer,
                    sub: &self.subject(),
                    aud: &[audience],
                })]
            }
            By::PodIdentity { cluster } => {
                let assume = AssumeRole {
                    principal: Principal::Service(SERVICE.to_owned()),
                    tags: self.tags().to_vec(),
                    external_id: None,
                    source_arn: cluster.as_deref(),
                };
                ACTIONS.map(|action| assume.request(action)).to_vec()
            }
        }
    }

    fn tags(&self) -> [(&'static str, Option<String>); 3] {
        let cluster = match &self.by {
            By::PodIdentity { cluster } => cluster.clone(),
            By::Irsa { .. } => None,
        };
        [
            (NAMESPACE, Some(self.namespace.clone())),
            (SERVICE_ACCOUNT, Some(self.service_account.clone())),
            (CLUSTER_ARN, cluster),
        ]
    }
}

pub(crate) const ASSUME: &str = "sts:AssumeRole";
pub(crate) const TAG: &str = "sts:TagSession";
/// What EKS calls: it opens the session, with tags.
const ACTIONS: [&str; 2] = [ASSUME, TAG];

/// Session tags that EKS sets (EKS user guide, `pod-id-abac`), in the order in which a trust policy pins them.
pub(crate) const NAMESPACE: &str = "kubernetes-namespace";
pub(crate) const SERVICE_ACCOUNT: &str = "kubernetes-service-account";
pub(crate) const CLUSTER_ARN: &str = "eks-cluster-arn";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trusted(name: &str, by: By) -> Trusted {
        Trusted {
            partition: String::from("aws"),
            account: String::from("111122223333"),
            namespace: String::from("shop"),
            service_account: name.to_owned(),
            by,
        }
    }

    fn irsa() -> By {
        By::Irsa {
            issuer: String::from("https://oidc.eks.eu-west-1.amazonaws.com/id/A"),
            audience: String::from("sts.amazonaws.com"),
        }
    }

    fn pod_identity() -> By {
        By::PodIdentity { cluster: Some(String::from("arn:aws:eks:eu-west-1:111122223333:cluster/prod")) }
    }

    #[test]
    fn what_it_writes() {
        insta::assert_snapshot!(trusted("checkout", irsa()).document().unwrap().json().lines(100).join("\n"), @r#"
        {
          "Version": "2012-10-17",
          "Statement": [{
            "Effect": "Allow",
            "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {
              "oidc.eks.eu-west-1.amazonaws.com/id/A:aud": "sts.amazonaws.com",
              "oidc.eks.eu-west-1.amazonaws.com/id/A:sub": "system:serviceaccount:shop:checkout"
            }}
          }]
        }
        "#);
        insta::assert_snapshot!(trusted("checkout", pod_identity()).statement().unwrap().lines(100).join("\n"), @r#"
        {
          "Effect": "Allow",
          "Principal": {"Service": "pods.eks.amazonaws.com"},
          "Action": ["sts:AssumeRole", "sts:TagSession"],
          "Condition": {"StringEquals": {
            "aws:RequestTag/kubernetes-namespace": "shop",
            "aws:RequestTag/kubernetes-service-account": "checkout",
            "aws:RequestTag/eks-cluster-arn": "arn:aws:eks:eu-west-1:111122223333:cluster/prod"
          }}
        }
        "#);
    }

    #[test]
    fn an_issuer_that_aws_cannot_use_has_no_policy() {
        let by = By::Irsa { issuer: String::from("http://issuer"), audience: String::from("x") };
        assert_eq!(trusted("checkout", by).statement(), None);
    }

    proptest! {
        /// The service account is let in, and one of any other name, namespace, issuer, audience or cluster is not.
        #[test]
        fn it_admits_its_subject_alone(
            name in "[a-z][a-z0-9.-]{0,20}", other in "[a-z*?$][a-z0-9.*?-]{0,20}", by_tags in any::<bool>()
        ) {
            let by = if by_tags { pod_identity() } else { irsa() };
            let own = trusted(&name, by.clone());
            let document = own.document().unwrap();
            prop_assert_eq!(own.decision(&document), Some(Decision::Allow { statement: 0 }));
            let elsewhere = match by {
                By::Irsa { ref audience, .. } => vec![
                    By::Irsa { issuer: String::from("https://issuer.example/id/B"), audience: audience.clone() },
                    By::Irsa {
                        issuer: String::from("https://oidc.eks.eu-west-1.amazonaws.com/id/A"), audience: other.clone() },
                ],
                By::PodIdentity { .. } => vec![By::PodIdentity { cluster: Some(other.clone()) }],
            };
            let mut strangers: Vec<Trusted> =
                elsewhere.into_iter().map(|by| Trusted { by, ..own.clone() }).collect();
            if other != name {
                strangers.push(Trusted { service_account: other.clone(), ..own.clone() });
            }
            if other != "shop" {
                strangers.push(Trusted { namespace: other, ..own.clone() });
            }
            for stranger in strangers {
                prop_assert_eq!(stranger.decision(&document), Some(Decision::NoMatch), "{:?}", stranger);
            }
            let twice = own.added_to(&document).unwrap();
            prop_assert_eq!(twice.statements.len(), 2);
        }
    }
}
