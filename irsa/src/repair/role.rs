//! The IAM role itself.

use super::{Act, AwsCall, AwsChange, Command, Fix, PolicyChange};
use crate::derive::Derived;
use crate::derive::issuer::Issuer;
use crate::derive::provider::Provider;
use crate::derive::trust;
use crate::derive::trust::pod_identity::{self, Hop};
use crate::policy::Document;

/// Creates the role, which trusts nobody but this service account; it has no permissions yet, and IAM refuses the command if a
/// role of that name exists.
pub(crate) fn create(derived: &Derived<'_>, account: &str, path: &str, name: &str) -> Vec<Fix> {
    let plan = derived.plan();
    let arn = match derived.provider() {
        Provider::Found(arn) => Some(arn),
        Provider::Missing(missing) => Some(&missing.arn),
        Provider::Unknown(_) => None,
    };
    let Some(policy) = arn.and_then(|arn| trust::of_new_role(derived, arn)) else {
        return vec![Fix::advice("create the role, with a trust policy for this service account")];
    };
    create_with(derived, &policy, &plan.subject(), account, path, name)
}

/// The same for a role of the service account's EKS Pod Identity association.
pub(crate) fn create_for_pod_identity(
    derived: &Derived<'_>,
    hop: &Hop<'_>,
    account: &str,
    path: &str,
    name: &str,
) -> Vec<Fix> {
    let Some(policy) = pod_identity::of_new_role(derived, hop.is_target) else { return Vec::new() };
    create_with(derived, &policy, "the association's sessions", account, path, name)
}

fn create_with(
    derived: &Derived<'_>,
    policy: &Document,
    whom: &str,
    account: &str,
    path: &str,
    name: &str,
) -> Vec<Fix> {
    let path = if path.is_empty() { String::from("/") } else { format!("/{path}/") };
    let call = AwsCall::CreateRole { role: name.to_owned(), path, document: policy.json().clone() };
    let act = Act::of(derived, AwsChange { account: Some(account.to_owned()), call });
    let change = PolicyChange::new(format!("the new role {name}'s trust policy"), policy.json().clone());
    let title = format!("create the role, trusting only {whom}{}", act.first());
    vec![
        Fix::own(title, act).changing(change),
        Fix::advice("attach the policies that the application needs: without them the role may do nothing"),
    ]
}

/// The statement that the trust policy of a role must have which cannot be read, for whoever owns it. `None` if the token's claims are
/// not known.
pub(crate) fn ask_owner(derived: &Derived<'_>, name: &str, request_id: Option<&str>) -> Option<Fix> {
    let issuer = Issuer::of(derived).ok()?;
    let provider = derived.plan().provider_arn(issuer.url)?;
    let policy = trust::of_new_role(derived, &provider)?;
    let refused = request_id.map_or_else(String::new, |id| format!("; STS refused it in request {id}"));
    let title =
        format!("or send the role's owner what its trust policy must have, as one statement{refused}");
    let change = PolicyChange::new(format!("role {name}'s trust policy"), policy.json().clone());
    Some(Fix::advice(title).changing(change))
}

/// Prints a field of a role of the user's account.
pub(crate) fn look(derived: &Derived<'_>, name: &str, field: &str) -> Command {
    Command::aws(derived, &get(name, field))
}

/// Prints a field of a role of that account.
pub(crate) fn look_in(derived: &Derived<'_>, account: &str, name: &str, field: &str) -> Command {
    Command::aws_in(derived, account, &get(name, field))
}

fn get<'w>(name: &'w str, field: &'w str) -> [&'w str; 6] {
    ["iam", "get-role", "--role-name", name, "--query", field]
}
