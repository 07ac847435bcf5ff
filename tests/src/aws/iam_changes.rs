//! IAM: what is written, to the caller's account.

use super::account::{Account, Decision, Provider, Role, policy_text, without_scheme};
use super::call::Call;
use super::failure::Failure;
use super::iam::{full, no_such};
use super::policy::like;
use super::serve::Server;
use super::stored_policy::{self, INLINE_QUOTA, length, limit};
use super::xml::Xml;
use serde_json::Value;

/// OIDC providers of an account, and audiences of a provider.
const QUOTA: usize = 100;

/// The operations that write; `None` for others.
pub fn answer(server: &Server, call: &Call, account: &Account) -> Option<Result<Xml, Failure>> {
    let edit = |edit: &dyn Fn(&mut Account) -> Result<Xml, Failure>| server.change(&account.account, edit);
    let nothing = Xml::fields([]);
    Some(match call.operation.as_str() {
        "UpdateAssumeRolePolicy" => stored_policy::trust(call.text("PolicyDocument"), &server.accounts())
            .and_then(|trust| {
                edit(&|account| {
                    role(account, call)?.trust = trust.clone();
                    Ok(nothing.clone())
                })
            }),
        "CreateRole" => create_role(server, call, account),
        "DeleteRole" => edit(&|account| {
            let role = role(account, call)?;
            if !role.attached.is_empty() || !role.inline.is_empty() {
                let message = "Cannot delete entity, must detach all policies first.";
                return Err(Failure::refused(409, "DeleteConflict", message));
            }
            let name = role.name.clone();
            account.roles.retain(|role| role.name != name);
            Ok(nothing.clone())
        }),
        "PutRolePolicy" => edit(&|account| put_policy(account, call)),
        "DeleteRolePolicy" => edit(&|account| {
            let name = call.text("PolicyName");
            match role(account, call)?.inline.remove(name) {
                Some(_) => Ok(nothing.clone()),
                None => Err(no_such(&format!("The role policy with name {name} cannot be found."))),
            }
        }),
        "CreateOpenIDConnectProvider" => create_provider(server, call, account),
        "DeleteOpenIDConnectProvider" => edit(&|account| {
            let arn = call.text("OpenIDConnectProviderArn");
            let number = provider(server, account, arn)?;
            account.oidc_providers.remove(number);
            Ok(nothing.clone())
        }),
        "AddClientIDToOpenIDConnectProvider" => edit(&|account| {
            let (arn, id) = (call.text("OpenIDConnectProviderArn"), call.text("ClientID"));
            let number = provider(server, account, arn)?;
            let ids = &mut account.oidc_providers[number].client_ids;
            // A second time it is no error.
            if !ids.iter().any(|known| known == id) {
                if ids.len() >= QUOTA {
                    return Err(limit(format!(
                        "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {QUOTA}"
                    )));
                }
                ids.push(id.to_owned());
            }
            Ok(nothing.clone())
        }),
        "RemoveClientIDFromOpenIDConnectProvider" => edit(&|account| {
            let (arn, id) = (call.text("OpenIDConnectProviderArn"), call.text("ClientID"));
            let number = provider(server, account, arn)?;
            account.oidc_providers[number].client_ids.retain(|known| known != id);
            Ok(nothing.clone())
        }),
        "UpdateOpenIDConnectProviderThumbprint" => edit(&|account| {
            let thumbprints = thumbprints(call)?;
            let number = provider(server, account, call.text("OpenIDConnectProviderArn"))?;
            account.oidc_providers[number].thumbprints = thumbprints;
            Ok(nothing.clone())
        }),
        _ => return None,
    })
}

fn role<'a>(account: &'a mut Account, call: &Call) -> Result<&'a mut Role, Failure> {
    let name = call.text("RoleName");
    let found = account.roles.iter_mut().find(|role| role.name == name);
    found.ok_or_else(|| no_such(&format!("The role with name {name} cannot be found.")))
}

/// The index of a provider.
fn provider(server: &Server, account: &Account, arn: &str) -> Result<usize, Failure> {
    let issuer = &server.header.issuer;
    let found = account.oidc_providers.iter().position(|it| account.provider_arn(it, issuer) == arn);
    found.ok_or_else(|| no_such(&format!("OpenIDConnect Provider not found for arn {arn}")))
}

fn invalid(message: String) -> Failure {
    Failure::refused(400, "ValidationError", message)
}

fn create_role(server: &Server, call: &Call, account: &Account) -> Result<Xml, Failure> {
    let (name, path) = (call.text("RoleName"), call.param("Path").unwrap_or("/"));
    let plain = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        return Err(invalid(format!(
            "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the \
             following: +=,.@_- ({name})"
        )));
    }
    if !path.starts_with('/') || !path.ends_with('/') || !path.chars().all(|c| ('!'..='~').contains(&c)) {
        return Err(invalid(format!(
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric \
             characters and/or / characters. ({path})"
        )));
    }
    let trust = stored_policy::trust(call.text("AssumeRolePolicyDocument"), &server.accounts())?;
    let seconds = match call.param("MaxSessionDuration").map(str::parse) {
        None => 3600,
        Some(Ok(seconds @ 3600..=43_200)) => seconds,
        Some(_) => return Err(invalid("Value at 'maxSessionDuration' failed to satisfy constraint".into())),
    };
    let role = Role {
        name: name.to_owned(),
        path: path.to_owned(),
        created: server.now(),
        settled: true,
        max_session_duration: seconds,
        trust,
        attached: Vec::new(),
        inline: std::collections::BTreeMap::new(),
        boundary: call.param("PermissionsBoundary").map(str::to_owned),
        last_used: None,
    };
    server.change(&account.account, |account| {
        // Names differ by more than their case.
        if account.roles.iter().any(|known| known.name.eq_ignore_ascii_case(name)) {
            let message = format!("Role with name {name} already exists.");
            return Err(Failure::refused(409, "EntityAlreadyExists", message));
        }
        account.roles.push(role.clone());
        Ok(Xml::fields([("Role", full(account, &role))]))
    })
}

fn put_policy(account: &mut Account, call: &Call) -> Result<Xml, Failure> {
    let (name, text) = (call.text("PolicyName"), call.text("PolicyDocument"));
    let plain = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if name.is_empty() || name.len() > 128 || !name.chars().all(plain) {
        return Err(invalid(format!("The specified value for policyName is invalid. ({name})")));
    }
    let policy = stored_policy::identity(text)?;
    let role = role(account, call)?;
    role.inline.insert(name.to_owned(), policy.clone());
    if role.inline.values().map(|policy| length(&policy_text(policy))).sum::<usize>() > INLINE_QUOTA {
        let message = format!("Maximum policy size of {INLINE_QUOTA} bytes exceeded for role {}", role.name);
        return Err(limit(message));
    }
    let name = role.name.clone();
    allow(account, &name, &policy);
    Ok(Xml::fields([]))
}

/// The simulator sees the new policy: what no statement allowed, and one now does without a condition, is allowed.
fn allow(account: &mut Account, role: &str, policy: &Value) {
    let list = |value: &Value| -> Vec<String> {
        let items = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let statements =
        policy["Statement"].as_array().cloned().unwrap_or_else(|| vec![policy["Statement"].clone()]);
    for simulation in &mut account.simulate {
        let of_role = simulation.role.as_ref().is_none_or(|name| name == role);
        let allows = |statement: &Value| {
            statement["Effect"] == "Allow"
                && statement["Condition"].is_null()
                && list(&statement["Action"])
                    .iter()
                    .any(|action| like(&action.to_lowercase(), &simulation.action.to_lowercase()))
                && list(&statement["Resource"]).iter().any(|resource| like(resource, &simulation.resource))
        };
        let else_allowed =
            simulation.boundary_allows != Some(false) && simulation.organization_allows != Some(false);
        if of_role
            && else_allowed
            && simulation.decision == Decision::ImplicitDeny
            && statements.iter().any(allows)
        {
            simulation.decision = Decision::Allowed;
        }
    }
}

/// Without thumbprints IAM asks the issuer for its certificate.
fn create_provider(server: &Server, call: &Call, account: &Account) -> Result<Xml, Failure> {
    let url = call.text("Url");
    let stored = without_scheme(url);
    if !url.starts_with("https://")
        || stored.is_empty()
        || stored.contains(['?', '#', ' '])
        || url.len() > 255
    {
        return Err(invalid(format!("Invalid Open ID Connect Provider URL ({url})")));
    }
    let host = stored.split('/').next().unwrap_or_default();
    let mut thumbprints = thumbprints(call)?;
    if thumbprints.is_empty() {
        if !server.issuers.live_on(host) {
            let message = format!("Please check if the URL {url} is reachable");
            return Err(Failure::refused(400, "OpenIdIdpCommunicationError", message));
        }
        let word =
            if server.is_private(url) { "issuer-ca" } else { "9e99a48a9960b14926bb7f3b02e22da2b0ab7280" };
        thumbprints.push(word.to_owned());
    }
    let new = Provider {
        url: Some(stored.to_owned()),
        client_ids: call.list("ClientIDList").into_iter().map(str::to_owned).collect(),
        thumbprints,
        created: server.now(),
        settled: true,
    };
    let issuer = &server.header.issuer;
    server.change(&account.account, |account| {
        if account.oidc_providers.iter().any(|known| known.url(issuer).eq_ignore_ascii_case(stored)) {
            let message = format!("Provider with url {url} already exists.");
            return Err(Failure::refused(409, "EntityAlreadyExists", message));
        }
        if account.oidc_providers.len() >= QUOTA {
            return Err(limit(format!("Cannot exceed quota for OpenIdConnectProvidersPerAccount: {QUOTA}")));
        }
        let arn = account.provider_arn(&new, issuer);
        account.oidc_providers.push(new.clone());
        Ok(Xml::fields([("OpenIDConnectProviderArn", arn.into())]))
    })
}

fn thumbprints(call: &Call) -> Result<Vec<String>, Failure> {
    let given = call.list("ThumbprintList");
    let odd = |text: &&&str| text.len() != 40 || !text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(odd) = given.iter().find(odd) {
        return Err(invalid(format!(
            "Value '[{odd}]' at 'thumbprintList' failed to satisfy constraint: Member must have length 40"
        )));
    }
    Ok(given.into_iter().map(str::to_owned).collect())
}
