//! EKS Pod Identity: associations, the agent, and what the node's role must be allowed.

use super::permissions::inline_policy;
use super::service_account::change;
use super::{Act, AwsCall, AwsChange, Command, Fix, Given, InEks, Placeholder, trust_policy};
use crate::aws::arn::Arn;
use crate::derive::Derived;
use crate::derive::trust::QUOTA;
use crate::derive::trust::pod_identity::{Hop, HopJudgement, How};
use crate::facts::aws::{Association, EksCluster, OtherAssociation};
use crate::policy::Json;

/// Creates the association for the subject's service account: with the role of `like`, which was meant to be it.
pub(crate) fn associate(derived: &Derived<'_>, like: Option<&OtherAssociation>) -> Fix {
    let facts = derived.facts;
    let Some(cluster) = facts.aws.cluster.known() else {
        return Fix::advice("create the association with aws eks create-pod-identity-association");
    };
    let cluster = in_eks(&cluster.value);
    let (region, name) = (cluster.region.clone(), cluster.name.clone());
    let call = AwsCall::CreatePodIdentityAssociation {
        cluster,
        namespace: facts.namespace_name.clone(),
        service_account: facts.service_account_name.clone(),
        role: Given::Asked(Placeholder::RoleArn),
    };
    let act = Act::of(derived, AwsChange { account: None, call: call.clone() });
    let Some(like) = like else {
        let title = format!("create the association{}", act.first());
        return change(derived, &facts.service_account_name, title, act);
    };
    let describe = ["eks", "describe-pod-identity-association", "--region", &region, "--cluster-name", &name];
    let of_it = ["--association-id", &like.id, "--query", "association.roleArn", "--output", "text"];
    let role = Command::aws(derived, &[&describe[..], &of_it].concat());
    let title = format!(
        "if {}/{} is a mistake for it: create the association with the same role",
        like.namespace, like.service_account
    );
    let create = [
        "eks",
        "create-pod-identity-association",
        "--region",
        &region,
        "--cluster-name",
        &name,
        "--namespace",
        &facts.namespace_name,
        "--service-account",
        &facts.service_account_name,
    ];
    let command = Command::aws(derived, &create).words(["--role-arn"]).output_of(role);
    Fix::shared(title, Act::by(command, Some(AwsChange { account: None, call }.into())))
}

/// Has the association's role trust whoever assumes it. What it trusts already stays.
pub(crate) fn trust(derived: &Derived<'_>, hop: &Hop<'_>, judged: &HopJudgement<'_>) -> Fix {
    let name = &judged.role.name;
    let Some(repair) = &judged.repair else {
        return Fix::advice(format!(
            "remove the Deny from the trust policy of role {name}, or exempt this session from it"
        ));
    };
    let facts = derived.facts;
    let whose = format!("{}/{}", facts.namespace_name, facts.service_account_name);
    let who = if hop.is_target { "the association's first role" } else { "EKS Pod Identity" };
    let what = match repair.how {
        How::TagSession => String::from("add sts:TagSession to the statement that allows sts:AssumeRole"),
        How::Pinned => format!("add a statement that lets {who} in for {whose} of this cluster only"),
        How::Open => {
            format!("add a statement that lets {who} in; other associations may use the role as well")
        }
    };
    let length = repair.corrected.line().chars().filter(|c| !c.is_whitespace()).count();
    let size = if length > QUOTA {
        format!(" ({length} characters; IAM's quota is {QUOTA} unless it was raised)")
    } else {
        String::new()
    };
    let (act, change) = trust_policy::replace(derived, judged.role, &judged.document, &repair.corrected);
    Fix::shared(format!("in the trust policy of role {name}: {what}{size}{}", act.first()), act)
        .changing(change)
}

/// Has EKS set no session tags; `None` if it sets none, or if the cluster is not known.
pub(crate) fn disable_session_tags(derived: &Derived<'_>, association: &Association) -> Option<Fix> {
    let act = set_session_tags(derived, association, false)?;
    Some(
        Fix::shared("or have EKS Pod Identity set no session tags, if no policy uses them", act)
            .alternative(),
    )
}

/// Has EKS set session tags again; `None` if it does, or if the cluster is not known.
pub(crate) fn enable_session_tags(derived: &Derived<'_>, association: &Association) -> Option<Fix> {
    let act = set_session_tags(derived, association, true)?;
    Some(Fix::shared("have EKS Pod Identity set session tags, which the trust policy asks for", act))
}

/// `None` if it is so already, or if the cluster is not known.
fn set_session_tags(derived: &Derived<'_>, association: &Association, enabled: bool) -> Option<Act> {
    let cluster = derived.facts.aws.cluster.known().filter(|_| association.session_tags != enabled)?;
    let (cluster, association) = (in_eks(&cluster.value), association.id.clone());
    let call = AwsCall::SetSessionTags { cluster, association, enabled };
    Some(Act::of(derived, AwsChange { account: None, call }))
}

/// Installs the agent, on every node of the cluster.
pub(crate) fn install_agent(derived: &Derived<'_>) -> Fix {
    match derived.facts.aws.cluster.known() {
        Some(cluster) => {
            let (cluster, addon) = (in_eks(&cluster.value), String::from("eks-pod-identity-agent"));
            let call = AwsCall::CreateAddon { cluster, addon };
            Fix::shared("install the add-on", Act::of(derived, AwsChange { account: None, call }))
        }
        None => Fix::advice("install the EKS add-on eks-pod-identity-agent"),
    }
}

/// Allows the node's role to request credentials for pods.
pub(crate) fn allow_node(derived: &Derived<'_>, account: &str, role: &str) -> Fix {
    let statement = Json::object([
        ("Effect", Json::text("Allow")),
        ("Action", Json::text("eks-auth:AssumeRoleForPodIdentity")),
        ("Resource", Json::text("*")),
    ]);
    let (act, change) = inline_policy(derived, account, role, "eks-pod-identity", statement);
    Fix::shared(format!("allow it for the node's role {role}{}", act.first()), act).changing(change)
}

/// The cluster; its Region is in its ARN.
fn in_eks(cluster: &EksCluster) -> InEks {
    let region = Arn::split(&cluster.arn).map(|arn| arn.region).unwrap_or_default();
    InEks { region: region.to_owned(), name: cluster.name.clone() }
}
