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
    let accounts = server.accounts();
    let associations = accounts.iter().flat_map(|account| {
        account.eks.iter().flat_map(move |cluster| {
            cluster.pod_identity_associations.iter().map(move |it| (account, cluster, it))
        })
    });
    let mut own =
        associations.filter(|(_, _, it)| it.namespace == namespace && it.service_account == service_account);
    let (account, cluster, association) = own.next().ok_or(NONE)?;
    let (holder, first) = find(&accounts, &association.role_arn).ok_or(DENIED)?;
    let tags = tags(account, cluster, association, pod);
    let arn = cluster_arn(account, cluster);
    let source = [("aws:sourcearn", arn.as_str()), ("aws:sourceaccount", account.account.as_str())];
    admits(first, Caller::Service("pods.eks.amazonaws.com"), &tags, &source)?;
    let (holder, role) = match &association.target_role_arn {
        None => (holder, first),
        Some(target) => {
            let (holder, role) = find(&accounts, target).ok_or(DENIED)?;
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

fn find<'a>(accounts: &'a [Account], arn: &str) -> Option<(&'a Account, &'a Role)> {
    accounts.iter().find_map(|account| {
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

/// Which of the two roles of an association a trust policy belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hop {
    /// The one that EKS assumes.
    First,
    /// The one that is assumed from it.
    Target,
}

/// What is wrong with a change of the trust policy of one of an association's roles: its sessions are not let in, those of another
/// service account, cluster or role are, or somebody loses the role.
pub fn problems(
    (account, cluster, association): (&Account, &Cluster, &Association),
    hop: Hop,
    before: &str,
    after: &str,
) -> Vec<String> {
    let pod = serde_json::json!({"metadata": {"name": "checkout-x", "uid": "5c3f9ce5"}});
    let allowed = |policy: &str, cluster: &Cluster, association: &Association, actions: &[&str]| {
        let mut context = tags(account, cluster, association, &pod);
        let (arn, id) = (cluster_arn(account, cluster), external_id(account, cluster, association));
        let (caller, more) = match hop {
            Hop::First => (
                Caller::Service("pods.eks.amazonaws.com"),
                [("aws:sourcearn", arn), ("aws:sourceaccount", account.account.clone())],
            ),
            Hop::Target => (
                Caller::Role(&association.role_arn),
                [("aws:principalarn", association.role_arn.clone()), ("sts:externalid", id)],
            ),
        };
        context.extend(more.map(|(key, value)| (key.to_owned(), value)));
        actions.iter().all(|action| {
            let request = Request { action, caller, context: &context };
            evaluate(policy, &request).is_ok_and(|decision| decision == Decision::Allowed)
        })
    };
    let both: &[&str] = &["sts:AssumeRole", "sts:TagSession"];
    let opens = |policy: &str, cluster: &Cluster, association: &Association| {
        allowed(
            policy,
            cluster,
            association,
            if association.disable_session_tags { &both[..1] } else { both },
        )
    };
    let mut problems = Vec::new();
    if !opens(after, cluster, association) {
        problems.push(String::from("the association's sessions are not let in"));
    }
    let beside = |change: &dyn Fn(&mut Cluster, &mut Association)| {
        let (mut cluster, mut association) = (cluster.clone(), association.clone());
        change(&mut cluster, &mut association);
        (cluster, association)
    };
    let neighbours = match hop {
        Hop::First => vec![
            beside(&|_, it| it.service_account.push_str("-x")),
            beside(&|_, it| it.service_account = String::from("another")),
            beside(&|_, it| it.namespace = String::from("another")),
            beside(&|cluster, _| cluster.name = String::from("another")),
        ],
        Hop::Target => vec![beside(&|_, it| it.role_arn.push_str("-x"))],
    };
    for (cluster, association) in neighbours {
        // Whom a statement trusts already may tag its sessions, too.
        let was = allowed(before, &cluster, &association, &both[..1]);
        let is = opens(after, &cluster, &association);
        let who = format!("{}/{} of {}", association.namespace, association.service_account, cluster.name);
        if is && !was {
            problems.push(format!("{who} is let in"));
        }
        if !is && opens(before, &cluster, &association) {
            problems.push(format!("{who} loses the role"));
        }
    }
    problems
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
