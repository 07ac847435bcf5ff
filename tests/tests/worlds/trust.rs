//! What the commands that write a trust policy would change: they let in the target's service account, and nobody else.

use std::fmt::Write;

use irsa_tests::aws::account::{Account, Association, Cluster, Role, policy_text};
use irsa_tests::aws::pod_identity::{self, Hop};
use irsa_tests::aws::trust_change::{self, Asker, Meant};
use irsa_tests::world::World;
use serde_json::Value;

/// What is wrong with them.
pub fn problems(world: &World, diagnosis: &Value) -> String {
    let mut problems = String::new();
    let findings = diagnosis["findings"].as_array().into_iter().flatten();
    for fix in findings.flat_map(|finding| finding["fixes"].as_array().into_iter().flatten()) {
        let Some(command) = fix["command"].as_str() else { continue };
        let Some(after) = option(command, "-policy-document") else { continue };
        let name = option(command, "--role-name").unwrap_or_default();
        // A trust policy names principals.
        if command.contains("put-role-policy") || !after.contains("\"Principal\"") {
            continue;
        }
        let before = match role(world, name) {
            Some((_, role)) if command.contains("update-assume-role-policy") => policy_text(&role.trust),
            _ => String::from(r#"{"Version": "2012-10-17", "Statement": []}"#),
        };
        let title = fix["title"].as_str().unwrap_or_default();
        let meant =
            if title.starts_with("or, if other service accounts") { Meant::Namespace } else { Meant::Alone };
        if meant == Meant::Namespace && fix["kind"] != "shared" {
            let _ = writeln!(problems, "a namespace is let in unasked: {fix}");
        }
        for problem in of_change(world, &diagnosis["target"], name, &before, after, meant) {
            let _ = writeln!(problems, "{problem}: {fix}");
        }
    }
    problems
}

/// What is wrong with a change of a role's trust policy, for a diagnosis' target.
pub fn of_change(
    world: &World,
    target: &Value,
    role: &str,
    before: &str,
    after: &str,
    meant: Meant,
) -> Vec<String> {
    let [namespace, service_account] =
        ["namespace", "serviceAccount"].map(|field| target[field].as_str().unwrap_or_default());
    if let Some((own, hop)) = hop(world, namespace, service_account, role, after) {
        return pod_identity::problems(own, hop, before, after);
    }
    let subject = format!("system:serviceaccount:{namespace}:{service_account}");
    let Some(provider) = provider_of(after, &subject) else {
        return vec![format!("no statement names {subject}, or a pattern")];
    };
    let (_, issuer) = provider.split_once(":oidc-provider/").unwrap_or_default();
    let vacant = vacant(world, namespace, before);
    let asker = Asker { issuer, provider: &provider, namespace, name: service_account, vacant: &vacant };
    trust_change::problems(before, after, asker, meant)
}

/// The subjects of a namespace that a policy names and no service account has.
fn vacant(world: &World, namespace: &str, policy: &str) -> Vec<String> {
    let exists = |name: &str| {
        world.objects.iter().any(|object| {
            object.resource.kind == "ServiceAccount"
                && object.value["metadata"]["namespace"] == namespace
                && object.value["metadata"]["name"] == name
        })
    };
    let prefix = format!("system:serviceaccount:{namespace}:");
    let subjects = trust_change::subjects_in(policy).into_iter();
    subjects.filter(|sub| sub.strip_prefix(&prefix).is_some_and(|name| !exists(name))).collect()
}

/// The association that the change is for, and which of its roles it changes; `None` if it is about a web identity.
fn hop<'w>(
    world: &'w World,
    namespace: &str,
    service_account: &str,
    role: &str,
    after: &str,
) -> Option<((&'w Account, &'w Cluster, &'w Association), Hop)> {
    let of = |account: &'w Account| {
        let clusters = account.eks.iter();
        clusters.flat_map(move |cluster| {
            cluster.pod_identity_associations.iter().map(move |association| (account, cluster, association))
        })
    };
    let mut associations = world.accounts.iter().flat_map(of);
    let own = associations.find(|(_, _, association)| {
        (association.namespace.as_str(), association.service_account.as_str()) == (namespace, service_account)
    })?;
    let ends = |arn: &str| arn.ends_with(&format!("/{role}"));
    if own.2.target_role_arn.as_deref().is_some_and(ends) {
        return Some((own, Hop::Target));
    }
    (ends(&own.2.role_arn) && after.contains("pods.eks.amazonaws.com")).then_some((own, Hop::First))
}

/// The value of an option: in quotes, or up to the next space.
fn option<'c>(command: &'c str, name: &str) -> Option<&'c str> {
    let (_, rest) = command.split_once(&format!("{name} "))?;
    match rest.strip_prefix('\'') {
        Some(quoted) => quoted.split('\'').next(),
        None => rest.split(' ').next(),
    }
}

fn role<'w>(world: &'w World, name: &str) -> Option<(&'w Account, &'w Role)> {
    let of = |account: &'w Account| account.roles.iter().map(move |role| (account, role));
    world.accounts.iter().flat_map(of).find(|(_, role)| role.name == name)
}

/// The provider of the statement that names the subject, or covers its namespace.
fn provider_of(policy: &str, subject: &str) -> Option<String> {
    let policy: Value = serde_json::from_str(policy).ok()?;
    let (namespace, _) = subject.rsplit_once(':')?;
    let statements = match &policy["Statement"] {
        Value::Array(statements) => statements.clone(),
        single => vec![single.clone()],
    };
    let names = |wanted: &str| {
        let named = statements.iter().rev().find(|statement| {
            statement["Effect"] == "Allow" && statement["Condition"].to_string().contains(wanted)
        })?;
        let keys = named["Condition"].to_string();
        let federated = match &named["Principal"]["Federated"] {
            Value::Array(several) => several.clone(),
            single => vec![single.clone()],
        };
        // Of several, the one whose claims are asked for.
        let is_asked =
            |arn: &&str| arn.split_once(":oidc-provider/").is_some_and(|(_, issuer)| keys.contains(issuer));
        federated.iter().filter_map(Value::as_str).find(is_asked).map(str::to_owned)
    };
    names(&format!("\"{subject}\"")).or_else(|| names(namespace))
}
