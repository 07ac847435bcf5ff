//! The roles of the account that trust the service account already, where nothing names one: the role was made, and the annotation
//! forgotten.

use super::Derived;
use super::issuer::Issuer;
use crate::aws::arn::RoleArn;
use crate::facts::Sourced;
use crate::facts::aws::Role;
use crate::policy::{Decision, Document, Request, Statement, WebIdentity, evaluate};

/// A role that trusts the service account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trusting<'f> {
    /// The role.
    pub(crate) role: &'f Sourced<Role>,
    /// True if it names the service account; false if a pattern, or no condition, covers it among others.
    pub(crate) by_name: bool,
}

/// Those that trust it for certain, those by name first.
pub(crate) fn roles<'f>(derived: &Derived<'f>) -> Vec<Trusting<'f>> {
    let (Some(listing), Ok(issuer)) = (derived.facts.aws.federated_roles.known(), Issuer::of(derived)) else {
        return Vec::new();
    };
    let Some(issuer) = issuer.url.strip_prefix("https://") else { return Vec::new() };
    let plan = derived.plan();
    let (sub, audience) = (plan.subject(), plan.audience.as_str());
    let mut trusting: Vec<Trusting<'f>> = listing
        .value
        .items
        .iter()
        .filter_map(|role| {
            let by_name = names(&role.value, issuer, &sub, audience)?;
            Some(Trusting { role, by_name })
        })
        .collect();
    trusting.sort_by_key(|trusting| !trusting.by_name);
    trusting
}

/// The one role that is meant, if no other names the service account.
pub(crate) fn only_by_name<'f>(trusting: &[Trusting<'f>]) -> Option<&'f Sourced<Role>> {
    let mut by_name = trusting.iter().filter(|trusting| trusting.by_name);
    by_name.next().filter(|_| by_name.next().is_none()).map(|trusting| trusting.role)
}

/// Whether the statement that trusts the subject names it; `None` if none certainly trusts it.
fn names(role: &Role, issuer: &str, sub: &str, audience: &str) -> Option<bool> {
    let arn = RoleArn::parse(&role.arn).ok()?;
    let provider_arn = format!("arn:{}:iam::{}:oidc-provider/{issuer}", arn.partition, arn.account);
    let document = Document::parse(&role.trust).ok()?;
    let request =
        Request::web_identity(WebIdentity { provider_arn: &provider_arn, issuer, sub, aud: &[audience] });
    let Decision::Allow { statement } = evaluate(&document, &request).decision else { return None };
    document.statements.get(statement).map(|statement| is_named(statement, sub))
}

fn is_named(statement: &Statement, sub: &str) -> bool {
    statement.conditions.iter().flat_map(|condition| &condition.values).any(|value| value == sub)
}
