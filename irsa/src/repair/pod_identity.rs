//! EKS Pod Identity: associations, the agent, and what the node's role must be allowed.

use super::service_account::change;
use super::{Command, Fix, Placeholder};
use crate::aws::arn::Arn;
use crate::derive::Derived;
use crate::facts::aws::EksCluster;

/// Creates the association for the subject's service account.
pub(crate) fn associate(derived: &Derived<'_>) -> Fix {
    let facts = derived.facts;
    let Some(cluster) = facts.aws.cluster.known() else {
        return Fix::advice("create the association with aws eks create-pod-identity-association");
    };
    let words = [
        "eks",
        "create-pod-identity-association",
        "--region",
        region(&cluster.value),
        "--cluster-name",
        &cluster.value.name,
        "--namespace",
        &facts.namespace_name,
        "--service-account",
        &facts.service_account_name,
    ];
    let command = Command::aws(derived, &words).ask("--role-arn", Placeholder::RoleArn);
    let title = format!("create the association{}", command.first());
    change(derived, &facts.service_account_name, title, command)
}

/// Installs the agent, on every node of the cluster.
pub(crate) fn install_agent(derived: &Derived<'_>) -> Fix {
    match derived.facts.aws.cluster.known() {
        Some(cluster) => {
            let words = [
                "eks",
                "create-addon",
                "--region",
                region(&cluster.value),
                "--cluster-name",
                &cluster.value.name,
                "--addon-name",
                "eks-pod-identity-agent",
            ];
            Fix::shared("install the add-on", Command::aws(derived, &words))
        }
        None => Fix::advice("install the EKS add-on eks-pod-identity-agent"),
    }
}

/// Allows the node's role to request credentials for pods.
pub(crate) fn allow_node(derived: &Derived<'_>, account: &str, role: &str) -> Fix {
    let policy = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "eks-auth:AssumeRoleForPodIdentity", "Resource": "*" }],
    });
    let words = [
        "iam",
        "put-role-policy",
        "--role-name",
        role,
        "--policy-name",
        "eks-pod-identity",
        "--policy-document",
        &policy.to_string(),
    ];
    let command = Command::aws_in(derived, account, &words);
    Fix::shared(format!("allow it for the node's role {role}{}", command.first()), command)
}

/// The region of an EKS cluster, from its ARN.
fn region(cluster: &EksCluster) -> &str {
    Arn::split(&cluster.arn).map(|arn| arn.region).unwrap_or_default()
}
