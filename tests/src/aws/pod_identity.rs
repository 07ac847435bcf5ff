//! EKS Auth: the sessions that EKS Pod Identity opens for pods.

use super::account::{Account, Association, Cluster, Role, policy_text};
use super::eks::{cluster_arn, external_id};
use super::keyring::Key;
use super::policy::{Caller, Decision, Request, evaluate};
use super::serve::Server;
use serde_json::Value;
use std::collections::BTreeMap;

/// Why a pod gets no credentials, in the words of EKS Auth.
pub const NONE: &str = "(ResourceNotFoundException): No association found";
/// The same if a trust policy does not let EKS in.
pub const DENIED: &str = "(AccessDeniedException): Unauthorized Exception! EKS does not have permissions to assume the \
    associated role., fault: client";

/// Credentials for the role that the pod's association gives: the last of its roles, each of which trusts the one before.
pub fn credentials(server: &Server, pod: &Value) -> Result<Key, &'static str> {
    let namespace = pod["metadata"]["namespace"].as_str().unwrap_or_default();
    let service_account = pod["spec"]["serviceAccountName"].as_str().unwrap_or("default");
    let associations = server.accounts.iter().flat_map(|account| {
        account.eks.iter().flat_map(move |cluster| {
            cluster.pod_identity_associations.iter().map(move |it| (account, cluster, it))
        })
    });
    let mut own =
        associations.filter(|(_, _, it)| it.namespace == namespace && it.service_account == service_account);
    let (account, cluster, association) = own.next().ok_or(NONE)?;
    let (holder, first) = find(server, &association.role_arn).ok_or(DENIED)?;
    let tags = tags(account, cluster, association, pod);
    let arn = cluster_arn(account, cluster);
    let source = [("aws:sourcearn", arn.as_str()), ("aws:sourceaccount", account.account.as_str())];
    admits(first, Caller::Service("pods.eks.amazonaws.com"), &tags, &source)?;
    let (holder, role) = match &association.target_role_arn {
        None => (holder, first),
        Some(target) => {
            let (holder, role) = find(server, target).ok_or(DENIED)?;
            let id = external_id(account, cluster, association);
            let of_first = [("aws:principalarn", association.role_arn.as_str()), ("sts:externalid", &id)];
            admits(role, Caller::Role(&association.role_arn), &tags, &of_first)?;
            (holder, role)
        }
    };
    let session = format!("eks-{}", pod["metadata"]["name"].as_str().unwrap_or_default());
    let user_id = format!("{}:{session}", holder.role_id(role));
    Ok(server.keys.issue(holder, &holder.session_arn(role, &session), &user_id))
}

fn find<'s>(server: &'s Server, arn: &str) -> Option<(&'s Account, &'s Role)> {
    server.accounts.iter().find_map(|account| {
        let role = account.roles.iter().find(|role| account.role_arn(role) == arn)?;
        Some((account, role))
    })
}

/// The session's tags (EKS user guide, `pod-id-abac`).
fn tags(
    account: &Account,
    cluster: &Cluster,
    association: &Association,
    pod: &Value,
) -> BTreeMap<String, String> {
    if association.disable_session_tags {
        return BTreeMap::new();
    }
    let text = |name: &str| pod["metadata"][name].as_str().unwrap_or_default().to_owned();
    let tags = [
        ("eks-cluster-arn", cluster_arn(account, cluster)),
        ("eks-cluster-name", cluster.name.clone()),
        ("kubernetes-namespace", association.namespace.clone()),
        ("kubernetes-service-account", association.service_account.clone()),
        ("kubernetes-pod-name", text("name")),
        ("kubernetes-pod-uid", text("uid")),
    ];
    tags.into_iter().map(|(tag, value)| (format!("aws:requesttag/{tag}"), value)).collect()
}

/// Whether the role's trust policy allows the session, and its tags if it has any.
fn admits(
    role: &Role,
    caller: Caller<'_>,
    tags: &BTreeMap<String, String>,
    more: &[(&str, &str)],
) -> Result<(), &'static str> {
    let mut context = tags.clone();
    context.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let actions =
        if tags.is_empty() { &["sts:AssumeRole"][..] } else { &["sts:AssumeRole", "sts:TagSession"] };
    for action in actions {
        let request = Request { action, caller, context: &context };
        let decision = evaluate(&policy_text(&role.trust), &request);
        match decision.unwrap_or_else(|unknown| panic!("trust policy of {}: {}", role.name, unknown.0)) {
            Decision::Allowed => {}
            Decision::NotAllowed | Decision::Denied => return Err(DENIED),
        }
    }
    Ok(())
}
