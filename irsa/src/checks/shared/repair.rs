//! What the checks of the service account have in common: when they apply, and how a role is given.

use crate::aws::arn::{RoleArn, repaired};
use crate::checks::prelude::*;
use crate::derive::no_role::{Lack, NoRole};
use crate::derive::provider::Missing;

/// The missing role, or the answer of a check where none is missing.
pub(in crate::checks) fn lack<'f>(derived: &Derived<'f>) -> Result<Lack<'f>, Outcome> {
    match derived.no_role() {
        NoRole::Yes(lack) => Ok(lack),
        NoRole::Unknown(whys) => Err(Outcome::Unknown(whys.into_iter().cloned().collect())),
        NoRole::No(_) if derived.annotation("role-arn").is_some_and(|(value, _)| !value.is_empty()) => {
            Err(Outcome::Pass)
        }
        NoRole::No(reason) => Err(Outcome::NotApplicable(reason)),
    }
}

/// Pods that are there keep working while only those to come are affected.
pub(in crate::checks) fn severity(lack: &Lack<'_>) -> Severity {
    if lack.lapsed { Severity::Warning } else { Severity::Error }
}

/// Adds the commands that give the subject's service account its role and make the pods anew.
///
/// `default` is shared by every pod of the namespace that names no other, so a role on it would reach further than asked:
/// there the workload gets a service account of its own.
pub(in crate::checks) fn give_role(derived: &Derived<'_>, finding: Finding, role: Option<&str>) -> Finding {
    if derived.facts.service_account_name == "default" {
        return own_account(derived, finding, role);
    }
    restart(derived, annotate(derived, finding, &derived.facts.service_account_name, role))
}

/// Adds the command that writes the annotation: with the role where it is known, for the user to fill in where not.
pub(in crate::checks) fn annotate(
    derived: &Derived<'_>,
    finding: Finding,
    account: &str,
    role: Option<&str>,
) -> Finding {
    let key = format!("{}/role-arn", derived.settings.annotation_prefix);
    let namespace = derived.facts.namespace_name.as_str();
    let command = |assignment: &str| {
        derived.kubectl(&["annotate", "serviceaccount", account, "-n", namespace, "--overwrite", assignment])
    };
    let title = format!("give service account {account} its role");
    match role
        .and_then(|role| if RoleArn::parse(role).is_ok() { Some(role.to_owned()) } else { repaired(role) })
    {
        Some(arn) => finding.fix(title, command(&format!("{key}={arn}"))),
        // The shell refuses the command while the variable is not set.
        None => finding.fix(
            format!("{title} (set ROLE_ARN first)"),
            format!("{}\"${{ROLE_ARN:?}}\"", command(&format!("{key}="))),
        ),
    }
}

/// Adds the command that makes the pods anew, or says what to do where there is none.
pub(in crate::checks) fn restart(derived: &Derived<'_>, finding: Finding) -> Finding {
    match derived.restart() {
        Some((title, command)) => finding.fix(title, command),
        None if derived.facts.subject.pod().is_some() => finding.advice(derived.restart_advice()),
        None => finding,
    }
}

/// Adds the commands that name another role where the present one is named, and make the pods anew.
pub(in crate::checks) fn rename_role(derived: &Derived<'_>, finding: Finding, arn: &str) -> Finding {
    match &derived.intent.role {
        Some(role) if role.is(arn) => restart(derived, finding),
        Some(role) if role.origin == RoleOrigin::Annotation => {
            let account = &derived.facts.service_account_name;
            restart(derived, annotate(derived, finding, account, Some(arn)))
        }
        Some(role) => finding.advice(format!("write {arn} where the present role is named: {}", role.source)),
        None => finding.advice(format!("write {arn} where the present role is named")),
    }
}

/// Adds the command that makes the OIDC provider.
pub(in crate::checks) fn create_provider(
    derived: &Derived<'_>,
    finding: Finding,
    missing: &Missing<'_>,
) -> Finding {
    let plan = derived.plan();
    let words = [
        "iam",
        "create-open-id-connect-provider",
        "--url",
        missing.issuer.url,
        "--client-id-list",
        &plan.audience,
    ];
    let (command, first) = derived.aws_in(&missing.account, &words);
    finding.fix(format!("create the provider in account {}{first}", missing.account), command)
}

/// The workload, where `kubectl set serviceaccount` can change it: `deployment/checkout`.
pub(in crate::checks) fn settable(derived: &Derived<'_>) -> Option<(String, String)> {
    let (kind, name) = derived.owner_key()?;
    matches!(kind.as_str(), "Deployment" | "StatefulSet" | "DaemonSet")
        .then(|| (format!("{}/{name}", kind.to_lowercase()), name))
}

/// Adds the command that lets the workload use a service account, which makes its pods anew, or says where to write it.
pub(in crate::checks) fn use_account(derived: &Derived<'_>, finding: Finding, account: &str) -> Finding {
    match settable(derived) {
        Some((workload, _)) => finding.fix(
            format!("let {workload} use service account {account}; its pods are made anew"),
            derived.kubectl(&[
                "set",
                "serviceaccount",
                &workload,
                account,
                "-n",
                &derived.facts.namespace_name,
            ]),
        ),
        None => finding.advice(format!("set {} and make the pods anew", place_of_account(derived, account))),
    }
}

/// Where the service account of such a pod is written, for pods that other programs make.
fn place_of_account(derived: &Derived<'_>, account: &str) -> String {
    let label = |key: &str| derived.spec().is_some_and(|(_, meta, ..)| meta.labels.contains_key(key));
    let role = derived.spec().and_then(|(_, meta, ..)| meta.labels.get("spark-role")).map(String::as_str);
    match derived.owner_key().map(|(kind, _)| kind).as_deref() {
        _ if role == Some("executor") => {
            format!(
                "spark.kubernetes.authenticate.executor.serviceAccountName to {account} in the Spark application"
            )
        }
        _ if role == Some("driver") => {
            format!(
                "spark.kubernetes.authenticate.driver.serviceAccountName to {account} in the Spark application"
            )
        }
        Some("Workflow") => format!("spec.serviceAccountName to {account} in the Workflow or its template"),
        _ if label("jenkins/label") => format!("serviceAccount to {account} in Jenkins' pod template"),
        Some(kind) => format!("serviceAccountName to {account} in the pod template of the {kind}"),
        None => format!("serviceAccountName to {account} in the pod's manifest"),
    }
}

fn own_account(derived: &Derived<'_>, finding: Finding, role: Option<&str>) -> Finding {
    let namespace = derived.facts.namespace_name.as_str();
    let Some((_, name)) = settable(derived) else {
        return finding.advice(
            "create a service account for this workload, annotate it with the role and name it in the pod's manifest; a \
             role on `default` would go to every pod of the namespace that names no other",
        );
    };
    let exists =
        derived.facts.service_accounts.known().is_some_and(|listing| {
            listing.value.items.iter().any(|account| account.value.metadata.name == name)
        });
    let finding = if exists {
        finding
    } else {
        finding.fix(
            "make a service account for this workload alone; a role on `default` would go to others too",
            derived.kubectl(&["create", "serviceaccount", &name, "-n", namespace]),
        )
    };
    let finding = annotate(derived, finding, &name, role);
    use_account(derived, finding, &name)
}
