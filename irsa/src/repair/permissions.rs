//! Permissions of a role.

use super::{Act, AwsCall, AwsChange, Command, Fix, PolicyChange};
use crate::aws::arn::Arn;
use crate::aws_error::Layer;
use crate::derive::Derived;
use crate::derive::denial::Denial;
use crate::policy::Json;

/// True for a resource that a policy can name as it is: a single resource, not a pattern.
pub(crate) fn is_exact(resource: &str) -> bool {
    resource.starts_with("arn:") && !resource.contains(['*', '?', '$'])
}

/// How to allow a role one action on one resource.
pub(crate) enum Allow {
    /// By this, which writes an inline policy for nothing else. A permission is more than the role had, and goes to all who
    /// may assume it: make it a [`Fix::shared`].
    Act(Box<(Act, PolicyChange)>),
    /// Already done: the role has the policy of this name that the command would write.
    Done(String),
    /// It would be a guess, or more than was requested.
    Ask,
}

/// Decides how to allow it.
pub(crate) fn allow(derived: &Derived<'_>, denial: &Denial<'_>) -> Allow {
    // What grants permissions is not for a command that is ready to paste.
    const POWERFUL: [&str; 4] = ["iam:", "sts:", "organizations:", "sso:"];
    let (Some(action), Some(resource)) = (denial.action, denial.resource) else { return Allow::Ask };
    let Some(role) = denial.role.name.as_deref().filter(|_| denial.role.expected) else { return Allow::Ask };
    // Another kind of policy may be missing, or AWS did not say which.
    if denial.because.is_none_or(|because| because.layer != Layer::IdentityPolicy) {
        return Allow::Ask;
    }
    if POWERFUL.iter().any(|service| action.starts_with(service)) || !is_exact(resource) {
        return Allow::Ask;
    }
    let name = policy_name(action, resource);
    if derived.facts.aws.policies.known().is_some_and(|policies| policies.value.inline.contains(&name)) {
        return Allow::Done(name);
    }
    let statement = Json::object([
        ("Effect", Json::text("Allow")),
        ("Action", Json::text(action)),
        ("Resource", Json::text(resource)),
    ]);
    let account = derived.expected_role().and_then(Arn::account_of).unwrap_or_default();
    Allow::Act(Box::new(inline_policy(derived, account, role, &name, statement)))
}

/// What gives a role an inline policy of one statement, and the policy.
pub(super) fn inline_policy(
    derived: &Derived<'_>,
    account: &str,
    role: &str,
    name: &str,
    statement: Json,
) -> (Act, PolicyChange) {
    let version = ("Version", Json::text("2012-10-17"));
    let document = Json::object([version, ("Statement", Json::Array(vec![statement]))]);
    let (of, policy) = (role.to_owned(), name.to_owned());
    let call = AwsCall::PutRolePolicy { role: of, policy, document: document.clone() };
    let act = Act::of(derived, AwsChange { account: Some(account.to_owned()), call });
    (act, PolicyChange::new(format!("a new inline policy of role {role}"), document))
}

/// Asks IAM whether the role's own policies allow it, where AWS did not name the policy.
pub(crate) fn ask_simulator(derived: &Derived<'_>, denial: &Denial<'_>) -> Option<Fix> {
    let role = derived.expected_role().filter(|_| denial.role.expected && denial.because.is_none())?;
    let words = [
        "iam",
        "simulate-principal-policy",
        "--policy-source-arn",
        role,
        "--action-names",
        denial.action?,
        "--resource-arns",
        denial.resource?,
        "--query",
        "EvaluationResults[].EvalDecision",
    ];
    let title = "ask IAM whether the role's own policies allow it; if they do, check the resource's policy";
    Some(Fix::inspect(title, Command::aws(derived, &words)))
}

/// Lists the policies that an organization attaches to an account.
pub(crate) fn policies_of(derived: &Derived<'_>, account: &str, kind: &str) -> Command {
    let words = ["organizations", "list-policies-for-target", "--target-id", account, "--filter", kind];
    Command::aws(derived, &words)
}

/// `allow-s3-GetObject-shop-orders-2026.json`: IAM takes 128 characters of `\w+=,.@-`.
fn policy_name(action: &str, resource: &str) -> String {
    let thing = Arn::split(resource).map_or(resource, |arn| arn.resource);
    let name = format!("allow-{action}-{thing}");
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    name.chars().map(|c| if allowed(c) { c } else { '-' }).take(128).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_policies_are_what_iam_takes() {
        assert_eq!(
            policy_name("s3:GetObject", "arn:aws:s3:::shop-orders/2026/11.json"),
            "allow-s3-GetObject-shop-orders-2026-11.json"
        );
        assert_eq!(policy_name("s3:GetObject", &format!("arn:aws:s3:::{}", "b".repeat(300))).len(), 128);
    }

    #[test]
    fn patterns_are_not_exact() {
        assert!(is_exact("arn:aws:s3:::shop-orders/a.json"));
        assert!(!is_exact("arn:aws:s3:::*"));
        assert!(!is_exact("*"));
    }
}
