//! IAM: the role, its policies, the OIDC providers, the policy simulator.

use super::session::{NoAnswer, Session, fact, incomplete, unknown};
use super::{account_of, timestamp};
use aws_sdk_iam::types::{self, EvaluationResult, PolicyEvaluationDecisionType};
use irsa::facts::aws::{Provider, Providers, Role, RolePolicies, Simulated};
use irsa::facts::{Fact, Listing, Sourced, Unknown, Why};
use irsa::policy::decoded;

/// Pages read of a list of policies: a role has at most 20 managed ones.
const PAGES: usize = 5;

/// Pages read of the roles of an account, and how many each has: 5,000 roles are the highest quota.
const ROLE_PAGES: usize = 10;
const ROLES_PER_PAGE: i32 = 1000;

/// What IAM says of the role that an ARN names.
#[derive(Clone)]
pub struct Roles {
    /// The role itself.
    pub named: Fact<Role>,
    /// One of the same name in the user's account, where the ARN names another account.
    pub namesake: Fact<Role>,
}

impl Roles {
    fn named(named: Fact<Role>) -> Self {
        Self { named, namesake: Fact::not_asked(NAMESAKE, "the ARN is in the account that was asked") }
    }

    /// Nothing was asked, and why.
    pub fn not_asked(why: &str) -> Self {
        Self { named: Fact::not_asked("the IAM role", why), namesake: Fact::not_asked(NAMESAKE, why) }
    }
}

const NAMESAKE: &str = "a role of the same name in your account";

impl Session {
    /// The role. IAM looks in the user's own account; what is found there under the name of a role of another account is
    /// not that role.
    pub async fn role(&self, arn: &str) -> Roles {
        let action = "iam:GetRole";
        let (name, account) = (role_name(arn), account_of(arn).unwrap_or_default());
        let what = format!("IAM role {name}");
        let (elsewhere, answer) = tokio::join!(self.elsewhere(account), self.get_role(name));
        if let Err(NoAnswer::NotFound) = answer
            && self.caller().await.known().is_none()
        {
            let why = Why::Failed(String::from(
                "it is not in the account that was asked, and that account is not known",
            ));
            return Roles::named(unknown(what, why, action, arn));
        }
        match elsewhere {
            Some(why) => Roles {
                named: unknown(what, why, action, arn),
                namesake: fact(answer, format!("role {name} in your account"), action, name),
            },
            None => Roles::named(fact(answer, what, action, arn)),
        }
    }

    /// The role of that name in the user's account, where no ARN says more.
    pub async fn role_of_name(&self, name: &str) -> Roles {
        let namesake =
            fact(self.get_role(name).await, format!("role {name} in your account"), "iam:GetRole", name);
        Roles { namesake, ..Roles::not_asked("its ARN is malformed") }
    }

    async fn get_role(&self, name: &str) -> Result<Role, NoAnswer> {
        let client = self.iam();
        let answer = self.ask("iam:GetRole", client.get_role().role_name(name).send()).await?;
        // IAM finds a role by its name in any case.
        let is_it = |role: &types::Role| role.role_name.eq_ignore_ascii_case(name);
        answer.role.filter(is_it).and_then(of_answer).ok_or_else(cut_short)
    }

    /// The roles of the user's account that trust an OIDC provider. Lists show trust policies, but no permissions boundaries.
    pub async fn federated_roles(&self) -> Fact<Listing<Role>> {
        let action = "iam:ListRoles";
        let client = self.iam();
        let read = async {
            let mut pages = client.list_roles().max_items(ROLES_PER_PAGE).into_paginator().send();
            let (mut items, mut odd) = (Vec::new(), false);
            for _ in 0..ROLE_PAGES {
                let Some(page) = pages.next().await else {
                    return Ok(Listing { items, cut: odd.then(|| unlisted(incomplete())) });
                };
                for role in page?.roles.into_iter().map(of_answer) {
                    match role {
                        Some(role) if role.is_federated() => {
                            let source = super::source(action, role.name.as_str());
                            items.push(Sourced { value: role, source });
                        }
                        Some(_) => {}
                        None => odd = true,
                    }
                }
            }
            let why = Why::Incomplete(format!(
                "only the first {ROLE_PAGES} pages of the account's roles were read"
            ));
            Ok(Listing { items, cut: Some(unlisted(why)) })
        };
        fact(self.ask(action, read).await, FEDERATED, action, "*")
    }

    /// The policies that hang on the role.
    pub async fn role_policies(&self, arn: &str) -> Fact<RolePolicies> {
        let what = format!("policies of role {}", role_name(arn));
        if let Some(why) = self.elsewhere(account_of(arn).unwrap_or_default()).await {
            return unknown(what, why, "iam:ListAttachedRolePolicies", arn);
        }
        let client = self.iam();
        let name = role_name(arn);
        let attached = async {
            let mut pages = client.list_attached_role_policies().role_name(name).into_paginator().send();
            let mut arns = Vec::new();
            for _ in 0..PAGES {
                let Some(page) = pages.next().await else { break };
                let policies = page?.attached_policies.unwrap_or_default();
                arns.extend(policies.into_iter().map(|policy| policy.policy_arn));
            }
            Ok(arns)
        };
        let inline = async {
            let mut pages = client.list_role_policies().role_name(name).into_paginator().send();
            let mut names = Vec::new();
            for _ in 0..PAGES {
                let Some(page) = pages.next().await else { break };
                names.extend(page?.policy_names);
            }
            Ok(names)
        };
        let (attached, inline) = tokio::join!(
            self.ask("iam:ListAttachedRolePolicies", attached),
            self.ask("iam:ListRolePolicies", inline)
        );
        // An entry without a name is no entry, and the list not known.
        let attached =
            attached.and_then(|all| all.into_iter().collect::<Option<Vec<_>>>().ok_or_else(cut_short));
        match (attached, inline) {
            (Ok(attached), Ok(inline)) => {
                fact(Ok(RolePolicies { attached, inline }), what, "iam:ListAttachedRolePolicies", arn)
            }
            (Err(error), _) => fact(Err(error), what, "iam:ListAttachedRolePolicies", arn),
            (_, Err(error)) => fact(Err(error), what, "iam:ListRolePolicies", arn),
        }
    }

    /// The OIDC providers of the user's account; IAM gives them in one answer.
    pub async fn oidc_providers(&self) -> Fact<Providers> {
        let action = "iam:ListOpenIDConnectProviders";
        let client = self.iam();
        let answer = self.ask(action, client.list_open_id_connect_providers().send()).await;
        let providers = answer.and_then(|answer| {
            let entries = answer.open_id_connect_provider_list.unwrap_or_default().into_iter();
            let arns = entries.map(|entry| entry.arn).collect::<Option<_>>();
            Ok(Providers { arns: arns.ok_or_else(cut_short)? })
        });
        fact(providers, "OIDC providers of your account", action, "")
    }

    /// One OIDC provider.
    pub async fn oidc_provider(&self, arn: &str) -> Fact<Provider> {
        let what = "the OIDC provider of the cluster's issuer";
        let action = "iam:GetOpenIDConnectProvider";
        if let Some(why) = self.elsewhere(account_of(arn).unwrap_or_default()).await {
            return unknown(what, why, action, arn);
        }
        let client = self.iam();
        let call = client.get_open_id_connect_provider().open_id_connect_provider_arn(arn).send();
        let provider = self.ask(action, call).await.and_then(|answer| {
            Ok(Provider {
                arn: arn.to_owned(),
                url: answer.url.ok_or_else(cut_short)?,
                client_ids: answer.client_id_list.unwrap_or_default(),
                thumbprints: answer.thumbprint_list.unwrap_or_default(),
                created: answer.create_date.as_ref().and_then(timestamp),
            })
        });
        fact(provider, what, action, arn)
    }

    /// What the role may do, by IAM's own simulator.
    pub async fn simulate(
        &self,
        arn: &str,
        actions: &[String],
        resources: &[String],
    ) -> Fact<Vec<Simulated>> {
        let what = format!("what role {} is allowed to do", role_name(arn));
        let action = "iam:SimulatePrincipalPolicy";
        if let Some(why) = self.elsewhere(account_of(arn).unwrap_or_default()).await {
            return unknown(what, why, action, arn);
        }
        let client = self.iam();
        let call = client
            .simulate_principal_policy()
            .policy_source_arn(arn)
            .set_action_names(Some(actions.to_vec()))
            .set_resource_arns(Some(resources.to_vec()).filter(|resources| !resources.is_empty()))
            .send();
        let results = self.ask(action, call).await.and_then(|answer| {
            let results = answer.evaluation_results.unwrap_or_default();
            let is_known = |result: &EvaluationResult| {
                use PolicyEvaluationDecisionType::{Allowed, ExplicitDeny, ImplicitDeny};
                let decided = matches!(result.eval_decision, Allowed | ExplicitDeny | ImplicitDeny);
                decided && !result.eval_action_name.is_empty()
            };
            // One for each action and resource that was asked about.
            if !results.iter().all(is_known) || results.len() < actions.len() {
                return Err(cut_short());
            }
            Ok(results
                .into_iter()
                .map(|result| Simulated {
                    action: result.eval_action_name,
                    resource: result.eval_resource_name.unwrap_or_else(|| String::from("*")),
                    decision: result.eval_decision.as_str().to_owned(),
                    matched: result
                        .matched_statements
                        .unwrap_or_default()
                        .into_iter()
                        .filter_map(|statement| statement.source_policy_id)
                        .collect(),
                    boundary_allows: result
                        .permissions_boundary_decision_detail
                        .map(|detail| detail.allowed_by_permissions_boundary),
                    organization_allows: result
                        .organizations_decision_detail
                        .map(|detail| detail.allowed_by_organizations),
                    missing_context: result.missing_context_values.unwrap_or_default(),
                })
                .collect())
        });
        fact(results, what, action, arn)
    }
}

fn unlisted(why: Why) -> Unknown {
    Unknown { what: FEDERATED.to_owned(), why, grant: None }
}

const FEDERATED: &str = "roles of your account that trust this service account";

/// `None` if the answer lacks what a role always has.
fn of_answer(role: types::Role) -> Option<Role> {
    Some(Role {
        trust: role.assume_role_policy_document.as_deref().map(decoded)?,
        name: Some(role.role_name).filter(|name| !name.is_empty())?,
        arn: Some(role.arn).filter(|arn| !arn.is_empty())?,
        created: timestamp(&role.create_date),
        max_session: role.max_session_duration,
        boundary: role.permissions_boundary.and_then(|boundary| boundary.permissions_boundary_arn),
    })
}

fn cut_short() -> NoAnswer {
    NoAnswer::Unknown(incomplete())
}

/// The name of a role: IAM asks for it without its path.
fn role_name(arn: &str) -> &str {
    arn.rsplit(['/', ':']).next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_roles() {
        assert_eq!(role_name("arn:aws:iam::111122223333:role/team/app/checkout"), "checkout");
        assert_eq!(role_name("checkout"), "checkout");
    }
}
