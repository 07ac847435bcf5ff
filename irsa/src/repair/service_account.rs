//! The service account: how it is created, annotated, and given its role.

use super::workload::{self, restart_pod};
use super::{Act, Assignment, Command, Edit, Fix, Object, ObjectChange, ObjectKind, Placeholder, SYSTEM};
use crate::aws::arn::{RoleArn, repaired};
use crate::derive::{Derived, RoleOrigin};

/// Every pod that names no service account runs as this one.
const DEFAULT: &str = "default";

/// A change to a service account of the target's namespace. `default` is also that of every pod that names none, and those of
/// `kube-system` belong to the cluster.
pub(crate) fn change(
    derived: &Derived<'_>,
    service_account: &str,
    title: impl Into<String>,
    act: Act,
) -> Fix {
    if is_own(&derived.facts.namespace_name, service_account) {
        Fix::own(title, act)
    } else {
        Fix::shared(title, act)
    }
}

fn is_own(namespace: &str, service_account: &str) -> bool {
    service_account != DEFAULT && namespace != SYSTEM
}

/// Sets an annotation on the subject's service account, or removes it.
pub(crate) fn annotate(derived: &Derived<'_>, title: impl Into<String>, assignment: Assignment) -> Fix {
    let name = &derived.facts.service_account_name;
    change(derived, name, title, annotation(derived, name, assignment))
}

/// Sets the annotation to a role that only the user knows.
pub(crate) fn annotate_unknown_role(derived: &Derived<'_>, title: &str) -> Fix {
    let name = &derived.facts.service_account_name;
    ask_role(derived, name, title)
}

/// Creates a service account.
pub(crate) fn create(derived: &Derived<'_>, name: &str, title: &str) -> Fix {
    let object = Object::of(ObjectKind::ServiceAccount, &derived.facts.namespace_name, name);
    change(derived, name, title, Act::of(derived, ObjectChange { object, edit: Edit::Create }))
}

/// Gives the subject's service account its role and restarts the pods.
///
/// `default` is shared by every pod of the namespace that names no other, so a role on it would reach further than asked:
/// there the workload gets a service account of its own.
pub(crate) fn give_role(derived: &Derived<'_>, role: Option<&str>) -> Vec<Fix> {
    let name = derived.facts.service_account_name.as_str();
    if name == DEFAULT {
        return give_own(derived, role);
    }
    std::iter::once(name_role(derived, name, role)).chain(restart_pod(derived)).collect()
}

/// Sets the annotation: to the role if it is known, otherwise for the user to fill in.
pub(crate) fn name_role(derived: &Derived<'_>, service_account: &str, role: Option<&str>) -> Fix {
    let title = format!("annotate service account {service_account} with its role");
    let role = role
        .and_then(|role| if RoleArn::parse(role).is_ok() { Some(role.to_owned()) } else { repaired(role) });
    match role {
        Some(arn) => {
            let act = annotation(derived, service_account, Assignment::set(key(derived), arn));
            change(derived, service_account, title, act)
        }
        None => ask_role(derived, service_account, &title),
    }
}

/// Replaces the role where it is set, and restarts the pods.
pub(crate) fn rename_role(derived: &Derived<'_>, arn: &str) -> Vec<Fix> {
    match &derived.intent.role {
        Some(role) if role.is(arn) => restart_pod(derived).into_iter().collect(),
        Some(role) if role.origin == RoleOrigin::Annotation => {
            let name = &derived.facts.service_account_name;
            std::iter::once(name_role(derived, name, Some(arn))).chain(restart_pod(derived)).collect()
        }
        Some(role) => {
            vec![Fix::advice(format!("replace the present role with {arn}: {}", role.source))]
        }
        None => vec![Fix::advice(format!("replace the present role with {arn} where it is set"))],
    }
}

/// Prints which role eksctl created for it.
pub(crate) fn look_into_eksctl(derived: &Derived<'_>) -> Fix {
    let (name, namespace) = (&derived.facts.service_account_name, &derived.facts.namespace_name);
    let command =
        Command::new(["eksctl", "get", "iamserviceaccount", "--namespace", namespace, "--name", name]);
    let node = derived.facts.node.known();
    let cluster = node.and_then(|node| node.value.metadata.labels.get("alpha.eksctl.io/cluster-name"));
    let command = match cluster {
        Some(cluster) => command.words(["--cluster", cluster]),
        None => command.ask("--cluster", Placeholder::Cluster),
    };
    Fix::inspect("check which role eksctl's stack created for it", command)
}

fn key(derived: &Derived<'_>) -> String {
    format!("{}/role-arn", derived.settings.annotation_prefix)
}

fn annotation(derived: &Derived<'_>, service_account: &str, assignment: Assignment) -> Act {
    let object = Object::of(ObjectKind::ServiceAccount, &derived.facts.namespace_name, service_account);
    Act::of(derived, ObjectChange { object, edit: Edit::Annotate(vec![assignment]) })
}

fn ask_role(derived: &Derived<'_>, service_account: &str, title: &str) -> Fix {
    let act = annotation(derived, service_account, Assignment::ask(key(derived), Placeholder::RoleArn));
    let title = format!("{title}{}", act.first());
    change(derived, service_account, title, act)
}

fn give_own(derived: &Derived<'_>, role: Option<&str>) -> Vec<Fix> {
    let Some(name) = workload::rolling(derived).map(|workload| workload.name) else {
        return vec![Fix::advice(
            "create a service account for this workload, annotate it with the role and name it in the pod's manifest; a \
             role on `default` would apply to every pod of the namespace that names no other",
        )];
    };
    let exists =
        derived.facts.service_accounts.known().is_some_and(|listing| {
            listing.value.items.iter().any(|account| account.value.metadata.name == name)
        });
    let created = (!exists).then(|| {
        let title =
            "create a service account for this workload alone; a role on `default` would apply to other pods too";
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
