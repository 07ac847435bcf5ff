//! IAM: what the caller's account holds.

use super::account::{Account, Role, Simulation, policy_text, without_scheme};
use super::call::Call;
use super::failure::Failure;
use super::iam_changes;
use super::serve::Server;
use super::xml::Xml;
use crate::query::percent_encode;

/// IAM's operations, on the caller's account.
pub fn answer(server: &Server, call: &Call, account: &Account) -> Result<Xml, Failure> {
    if let Some(answer) = iam_changes::answer(server, call, account) {
        return answer;
    }
    match call.operation.as_str() {
        "GetRole" => Ok(Xml::fields([("Role", full(account, role(account, call)?))])),
        "ListRoles" => {
            let roles = account.roles.iter().map(|role| summary(account, role));
            page(call, "Roles", roles.collect())
        }
        "ListAttachedRolePolicies" => {
            let policies = role(account, call)?.attached.iter().map(|arn| {
                let name = arn.rsplit('/').next().unwrap_or_default();
                Xml::fields([("PolicyName", name.into()), ("PolicyArn", arn.as_str().into())])
            });
            page(call, "AttachedPolicies", policies.collect())
        }
        "ListRolePolicies" => {
            let names = role(account, call)?.inline.keys().map(|name| name.as_str().into());
            page(call, "PolicyNames", names.collect())
        }
        "GetRolePolicy" => inline_policy(account, call),
        "ListOpenIDConnectProviders" => {
            let arns = account.oidc_providers.iter().map(|p| account.provider_arn(p, &server.header.issuer));
            let list = arns.map(|arn| Xml::fields([("Arn", arn.into())]));
            Ok(Xml::fields([("OpenIDConnectProviderList", Xml::members(list))]))
        }
        "GetOpenIDConnectProvider" => provider(server, account, call),
        "SimulatePrincipalPolicy" => simulate(account, call),
        other => Err(Failure::NotModelled(format!("iam:{other}"))),
    }
}

/// How a denial names what the call is about.
pub fn resource(account: &Account, call: &Call) -> String {
    match call.operation.as_str() {
        "ListRoles" => account.iam_arn("role/"),
        "ListOpenIDConnectProviders" => account.iam_arn("oidc-provider/*"),
        "CreateOpenIDConnectProvider" => {
            account.iam_arn(&format!("oidc-provider/{}", without_scheme(call.text("Url"))))
        }
        operation
            if operation.ends_with("OpenIDConnectProvider")
                || operation.ends_with("OpenIDConnectProviderThumbprint") =>
        {
            call.text("OpenIDConnectProviderArn").to_owned()
        }
        "SimulatePrincipalPolicy" => call.text("PolicySourceArn").to_owned(),
        _ => format!("role {}", call.text("RoleName")),
    }
}

fn role<'a>(account: &'a Account, call: &Call) -> Result<&'a Role, Failure> {
    let name = call.text("RoleName");
    account.role(name).ok_or_else(|| no_such(&format!("The role with name {name} cannot be found.")))
}

pub(super) fn no_such(message: &str) -> Failure {
    Failure::refused(404, "NoSuchEntity", message)
}

/// What lists show of a role.
fn summary(account: &Account, role: &Role) -> Xml {
    Xml::fields([
        ("Path", role.path.as_str().into()),
        ("RoleName", role.name.as_str().into()),
        ("RoleId", account.role_id(role).into()),
        ("Arn", account.role_arn(role).into()),
        ("CreateDate", role.created.to_string().into()),
        ("AssumeRolePolicyDocument", percent_encode(&policy_text(&role.trust)).into()),
        ("MaxSessionDuration", role.max_session_duration.to_string().into()),
    ])
}

pub(super) fn full(account: &Account, role: &Role) -> Xml {
    let boundary = role.boundary.as_deref().map(|arn| {
        Xml::fields([("PermissionsBoundaryType", "Policy".into()), ("PermissionsBoundaryArn", arn.into())])
    });
    let last_used = role.last_used.as_ref().map_or(Xml::fields([]), |used| {
        Xml::fields([("LastUsedDate", used.date.to_string().into()), ("Region", used.region.as_str().into())])
    });
    summary(account, role).and("PermissionsBoundary", boundary).and("RoleLastUsed", Some(last_used))
}

fn inline_policy(account: &Account, call: &Call) -> Result<Xml, Failure> {
    let (role, name) = (role(account, call)?, call.text("PolicyName"));
    let document = role
        .inline
        .get(name)
        .ok_or_else(|| no_such(&format!("The role policy with name {name} cannot be found.")))?;
    Ok(Xml::fields([
        ("RoleName", role.name.as_str().into()),
        ("PolicyName", name.into()),
        ("PolicyDocument", percent_encode(&policy_text(document)).into()),
    ]))
}

fn provider(server: &Server, account: &Account, call: &Call) -> Result<Xml, Failure> {
    let (arn, issuer) = (call.text("OpenIDConnectProviderArn"), &server.header.issuer);
    if !arn.starts_with(&account.iam_arn("oidc-provider/")) {
        return Err(Failure::NotModelled(format!("GetOpenIDConnectProvider across accounts: {arn}")));
    }
    let found = account.oidc_providers.iter().find(|provider| account.provider_arn(provider, issuer) == arn);
    let found = found.ok_or_else(|| no_such(&format!("OpenIDConnect Provider not found for arn {arn}")))?;
    Ok(Xml::fields([
        ("Url", found.url(issuer).into()),
        ("ClientIDList", Xml::members(found.client_ids.iter().map(String::as_str))),
        ("ThumbprintList", Xml::members(found.stored_thumbprints())),
        ("CreateDate", found.created.to_string().into()),
    ]))
}

/// A list in pages: 100 entries unless the call names another number.
fn page(call: &Call, name: &'static str, items: Vec<Xml>) -> Result<Xml, Failure> {
    let page = call.page("Marker", "MaxItems", 100, items)?;
    let truncated = page.next.is_some().to_string();
    Ok(Xml::fields([(name, Xml::Members(page.items)), ("IsTruncated", truncated.into())])
        .and("Marker", page.next))
}

/// The simulator answers what the world says, and nothing else.
fn simulate(account: &Account, call: &Call) -> Result<Xml, Failure> {
    let arn = call.text("PolicySourceArn");
    let Some(role) = account.roles.iter().find(|role| account.role_arn(role) == arn) else {
        return Err(no_such(&format!(
            "The role with name {} cannot be found.",
            arn.rsplit('/').next().unwrap_or_default()
        )));
    };
    let resources = match call.list("ResourceArns") {
        given if given.is_empty() => vec!["*"],
        given => given,
    };
    let mut results = Vec::new();
    for action in call.list("ActionNames") {
        for resource in &resources {
            let fits = |s: &&Simulation| {
                s.action == action
                    && s.resource == *resource
                    && s.role.as_ref().is_none_or(|r| *r == role.name)
            };
            let found = account.simulate.iter().find(fits);
            let missing =
                || format!("the world has no entry in simulate for {action} on {resource} by {}", role.name);
            results.push(simulated(found.ok_or_else(|| Failure::NotModelled(missing()))?));
        }
    }
    page(call, "EvaluationResults", results)
}

fn simulated(answer: &Simulation) -> Xml {
    let flag = |name, value: Option<bool>| value.map(|value| Xml::fields([(name, value.to_string().into())]));
    let statements = answer.matched.iter().map(|policy| {
        Xml::fields([("SourcePolicyId", policy.as_str().into()), ("SourcePolicyType", "IAM Policy".into())])
    });
    Xml::fields([
        ("EvalActionName", answer.action.as_str().into()),
        ("EvalResourceName", answer.resource.as_str().into()),
        ("EvalDecision", answer.decision.name().into()),
        ("MatchedStatements", Xml::members(statements)),
        ("MissingContextValues", Xml::members(answer.missing_context.iter().map(String::as_str))),
    ])
    .and("OrganizationsDecisionDetail", flag("AllowedByOrganizations", answer.organization_allows))
    .and("PermissionsBoundaryDecisionDetail", flag("AllowedByPermissionsBoundary", answer.boundary_allows))
}
