//! The permissions that a run lacked: one IAM policy and the Roles for all of it, ready to paste or to send to who can grant them.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnosis::Diagnosis;
use crate::facts::Grant;
use crate::policy::Json;
use crate::text::safe;

/// What the Roles are called.
const NAME: &str = "kubectl-irsa-debug";
/// Columns of the policy's lists.
const COLUMNS: usize = 100;

/// An IAM policy and RBAC Roles that grant what the diagnoses say is missing, and nothing else; who gets them is up to the reader.
/// Empty if nothing is missing.
pub fn permissions(diagnoses: &[Diagnosis]) -> String {
    let unknowns = diagnoses.iter().flat_map(|diagnosis| &diagnosis.unknowns);
    let grants: BTreeSet<&Grant> = unknowns.filter_map(|unknown| unknown.grant.as_ref()).collect();
    let parts = [policy(&grants), roles(&grants)];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// Actions on the same resource share a statement.
fn policy(grants: &BTreeSet<&Grant>) -> Option<String> {
    let mut actions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for grant in grants {
        if let Grant::Iam { action, resource } = grant {
            actions.entry(resource).or_default().push(action);
        }
    }
    let statement = |(resource, actions): (&str, Vec<&str>)| {
        Json::object([
            ("Effect", Json::text("Allow")),
            ("Action", Json::Array(actions.into_iter().map(Json::text).collect())),
            ("Resource", Json::text(resource)),
        ])
    };
    let statements: Vec<Json> = actions.into_iter().map(statement).collect();
    if statements.is_empty() {
        return None;
    }
    let document =
        Json::object([("Version", Json::text("2012-10-17")), ("Statement", Json::Array(statements))]);
    let lines: Vec<String> =
        document.lines(COLUMNS).iter().map(|line| safe::escape_in_strings(line)).collect();
    Some(format!("# IAM policy\n{}\n", lines.join("\n")))
}

/// A Role for each namespace, and a ClusterRole; verbs on the same resource share a rule.
fn roles(grants: &BTreeSet<&Grant>) -> Option<String> {
    let mut rules: BTreeMap<Option<&str>, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for grant in grants {
        if let Grant::Rbac { verb, resource, namespace } = grant {
            let of = rules.entry(namespace.as_deref()).or_default();
            of.entry(resource).or_default().push(verb);
        }
    }
    let role = |(namespace, rules): (Option<&str>, BTreeMap<&str, Vec<&str>>)| {
        let kind = if namespace.is_some() { "Role" } else { "ClusterRole" };
        let namespace = namespace.map_or_else(String::new, |name| format!("  namespace: {}\n", scalar(name)));
        let rules = rules.into_iter().map(|(resource, verbs)| {
            // `deployments.apps`, `pods/log`: the group is behind the first dot.
            let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
            let verbs: Vec<String> = verbs.into_iter().map(scalar).collect();
            format!(
                "- apiGroups: [{}]\n  resources: [{}]\n  verbs: [{}]\n",
                scalar(group),
                scalar(plural),
                verbs.join(", ")
            )
        });
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: {NAME}\n{namespace}rules:\n{}",
            rules.collect::<String>()
        )
    };
    let roles: Vec<String> = rules.into_iter().map(role).collect();
    (!roles.is_empty()).then(|| format!("# Kubernetes\n{}", roles.join("---\n")))
}

/// In double quotes, as JSON, which YAML reads.
fn scalar(text: &str) -> String {
    safe::escape_in_strings(&Json::text(text).line())
}

#[cfg(test)]
mod tests {
    use super::super::samples::{broken, denied, sound};
    use super::*;
    use crate::diagnosis::Unchecked;

    #[test]
    fn one_policy_and_a_role_for_each_namespace() {
        let mut diagnosis = denied();
        let role = "arn:aws:iam::111122223333:role/shop-checkout";
        for grant in [
            Grant::iam("iam:GetRole", role),
            Grant::iam("iam:ListRolePolicies", role),
            Grant::iam("iam:ListOpenIDConnectProviders", "*"),
            Grant::rbac("list", "deployments.apps", Some("shop")),
            Grant::rbac("get", "pods/log", Some("shop")),
            Grant::rbac("get", "nodes", None),
        ] {
            diagnosis.unknowns.push(Unchecked {
                what: String::from("x"),
                why: String::from("y"),
                grant: Some(grant),
                denied: true,
            });
        }
        insta::assert_snapshot!(permissions(&[diagnosis, broken()]));
    }

    #[test]
    fn nothing_is_missing() {
        assert_eq!(permissions(&[sound()]), "");
    }
}
