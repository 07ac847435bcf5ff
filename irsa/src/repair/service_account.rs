//! The service account: how it is made, annotated, and given its role.

use super::workload::{self, restart_pod};
use super::{Command, Fix, Placeholder, SYSTEM};
use crate::aws::arn::{RoleArn, repaired};
use crate::derive::{Derived, RoleOrigin};

/// Every pod of a namespace that names no other runs as this one.
const DEFAULT: &str = "default";

/// A change of a service account of the target's namespace. `default` is also the account of every pod that names none, and
/// those of `kube-system` belong to the cluster.
pub fn change(
    derived: &Derived<'_>,
    service_account: &str,
    title: impl Into<String>,
    command: Command,
) -> Fix {
    if is_own(&derived.facts.namespace_name, service_account) {
        Fix::own(title, command)
    } else {
        Fix::shared(title, command)
    }
}

fn is_own(namespace: &str, service_account: &str) -> bool {
    service_account != DEFAULT && namespace != SYSTEM
}

/// Writes an annotation of the subject's service account (`KEY=VALUE`), or takes it off (`KEY-`).
pub fn annotate(derived: &Derived<'_>, title: impl Into<String>, assignment: &str) -> Fix {
    let name = &derived.facts.service_account_name;
    change(derived, name, title, annotation(derived, name).words([assignment]))
}

/// Writes a role that only the user knows.
pub fn annotate_unknown_role(derived: &Derived<'_>, title: &str) -> Fix {
    let name = &derived.facts.service_account_name;
    ask_role(derived, name, title)
}

/// Makes a service account.
pub fn create(derived: &Derived<'_>, name: &str, title: &str) -> Fix {
    let words = ["create", "serviceaccount", name, "-n", &derived.facts.namespace_name];
    change(derived, name, title, Command::kubectl(derived, &words))
}

/// Gives the subject's service account its role and makes the pods anew.
///
/// `default` is shared by every pod of the namespace that names no other, so a role on it would reach further than asked:
/// there the workload gets a service account of its own.
pub fn give_role(derived: &Derived<'_>, role: Option<&str>) -> Vec<Fix> {
    let name = derived.facts.service_account_name.as_str();
    if name == DEFAULT {
        return give_own(derived, role);
    }
    std::iter::once(name_role(derived, name, role)).chain(restart_pod(derived)).collect()
}

/// Writes the annotation: with the role where it is known, for the user to fill in where not.
pub fn name_role(derived: &Derived<'_>, service_account: &str, role: Option<&str>) -> Fix {
    let title = format!("give service account {service_account} its role");
    let role = role
        .and_then(|role| if RoleArn::parse(role).is_ok() { Some(role.to_owned()) } else { repaired(role) });
    match role {
        Some(arn) => {
            let assignment = format!("{}={arn}", key(derived));
            let command = annotation(derived, service_account).words([assignment]);
            change(derived, service_account, title, command)
        }
        None => ask_role(derived, service_account, &title),
    }
}

/// Names another role where the present one is named, and makes the pods anew.
pub fn rename_role(derived: &Derived<'_>, arn: &str) -> Vec<Fix> {
    match &derived.intent.role {
        Some(role) if role.is(arn) => restart_pod(derived).into_iter().collect(),
        Some(role) if role.origin == RoleOrigin::Annotation => {
            let name = &derived.facts.service_account_name;
            std::iter::once(name_role(derived, name, Some(arn))).chain(restart_pod(derived)).collect()
        }
        Some(role) => {
            vec![Fix::advice(format!("write {arn} where the present role is named: {}", role.source))]
        }
        None => vec![Fix::advice(format!("write {arn} where the present role is named"))],
    }
}

/// Shows which role eksctl made for it.
pub fn look_into_eksctl(derived: &Derived<'_>) -> Fix {
    let (name, namespace) = (&derived.facts.service_account_name, &derived.facts.namespace_name);
    let command =
        Command::new(["eksctl", "get", "iamserviceaccount", "--namespace", namespace, "--name", name]);
    let node = derived.facts.node.known();
    let cluster = node.and_then(|node| node.value.metadata.labels.get("alpha.eksctl.io/cluster-name"));
    let command = match cluster {
        Some(cluster) => command.words(["--cluster", cluster]),
        None => command.ask("--cluster", Placeholder::Cluster),
    };
    Fix::inspect("see which role eksctl's stack made for it", command)
}

fn key(derived: &Derived<'_>) -> String {
    format!("{}/role-arn", derived.settings.annotation_prefix)
}

fn annotation(derived: &Derived<'_>, service_account: &str) -> Command {
    let namespace = &derived.facts.namespace_name;
    Command::kubectl(
        derived,
        &["annotate", "serviceaccount", service_account, "-n", namespace, "--overwrite"],
    )
}

fn ask_role(derived: &Derived<'_>, service_account: &str, title: &str) -> Fix {
    let command =
        annotation(derived, service_account).ask_after(format!("{}=", key(derived)), Placeholder::RoleArn);
    let title = format!("{title}{}", command.first());
    change(derived, service_account, title, command)
}

fn give_own(derived: &Derived<'_>, role: Option<&str>) -> Vec<Fix> {
    let Some((_, name)) = workload::rolling(derived) else {
        return vec![Fix::advice(
            "create a service account for this workload, annotate it with the role and name it in the pod's manifest; a \
             role on `default` would go to every pod of the namespace that names no other",
        )];
    };
    let exists =
        derived.facts.service_accounts.known().is_some_and(|listing| {
            listing.value.items.iter().any(|account| account.value.metadata.name == name)
        });
    let created = (!exists).then(|| {
        let title =
            "make a service account for this workload alone; a role on `default` would go to others too";
        create(derived, &name, title)
    });
    created
        .into_iter()
        .chain([name_role(derived, &name, role), workload::use_service_account(derived, &name)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_run_as_is_not_the_targets_own() {
        assert!(is_own("shop", "checkout"));
        assert!(!is_own("shop", "default"));
        assert!(!is_own("kube-system", "ebs-csi-controller-sa"));
    }
}
