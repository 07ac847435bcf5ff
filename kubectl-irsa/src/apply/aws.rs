//! Changes in AWS.

use aws_sdk_eks::config::Region;
use serde_json::Value;

use super::Refusal;
use super::undo::{AwsUndo, Back};
use crate::collect::aws::{NoAnswer, Session};
use irsa::facts::Why;
use irsa::policy::decoded;
use irsa::repair::{AwsCall, Given, PolicyChange};

/// What a call is made with.
pub(super) struct Call<'h> {
    pub(super) session: &'h Session,
    /// The account that it is for; `None` for the user's own.
    pub(super) account: Option<&'h str>,
}

impl Call<'_> {
    pub(super) async fn apply(&self, call: &AwsCall, policy: Option<&PolicyChange>) -> Result<Back, Refusal> {
        let account = self.is_of_account().await?;
        let (iam, session) = (self.session.iam(), self.session);
        let undo = match call {
            AwsCall::UpdateAssumeRolePolicy { role, document } => {
                if let Some((length, quota)) = policy.and_then(PolicyChange::over_quota) {
                    return Err(Refusal::OverQuota { length, quota });
                }
                let present = self.trust_policy(role).await?;
                let diagnosed = policy.and_then(PolicyChange::before);
                if diagnosed.is_none_or(|diagnosed| !is_same(&present, &diagnosed.line())) {
                    return Err(Refusal::Changed(format!("the trust policy of role {role}")));
                }
                self.put_trust_policy(role, &document.line()).await?;
                let (role, written) = (role.clone(), document.line());
                AwsUndo::UpdateAssumeRolePolicy { role, document: present, written }
            }
            AwsCall::CreateRole { role, path, document } => {
                let create = iam.create_role().role_name(role).path(path);
                let create = create.assume_role_policy_document(in_ascii(&document.line()));
                done("iam:CreateRole", session.ask("iam:CreateRole", create.send()).await)?;
                AwsUndo::DeleteRole { role: role.clone() }
            }
            AwsCall::PutRolePolicy { role, policy, document } => {
                let get = iam.get_role_policy().role_name(role).policy_name(policy);
                match session.ask("iam:GetRolePolicy", get.send()).await {
                    Err(NoAnswer::NotFound) => {}
                    Ok(_) => return Err(Refusal::Changed(format!("inline policy {policy} of role {role}"))),
                    Err(NoAnswer::Unknown(why)) => return Err(refused("iam:GetRolePolicy", why)),
                }
                let put = iam.put_role_policy().role_name(role).policy_name(policy);
                let put = put.policy_document(in_ascii(&document.line()));
                done("iam:PutRolePolicy", session.ask("iam:PutRolePolicy", put.send()).await)?;
                AwsUndo::DeleteRolePolicy { role: role.clone(), policy: policy.clone() }
            }
            AwsCall::CreateOpenIdConnectProvider { url, client_id } => {
                let create = iam.create_open_id_connect_provider().url(url).client_id_list(client_id);
                let action = "iam:CreateOpenIDConnectProvider";
                let made = done(action, session.ask(action, create.send()).await)?;
                let provider = made.open_id_connect_provider_arn.unwrap_or_default();
                AwsUndo::DeleteOpenIdConnectProvider { provider }
            }
            AwsCall::AddClientId { provider, client_id } => {
                let add = iam.add_client_id_to_open_id_connect_provider();
                let add = add.open_id_connect_provider_arn(provider).client_id(client_id);
                let action = "iam:AddClientIDToOpenIDConnectProvider";
                done(action, session.ask(action, add.send()).await)?;
                AwsUndo::RemoveClientId { provider: provider.clone(), client_id: client_id.clone() }
            }
            AwsCall::UpdateThumbprint { .. } => return Err(Refusal::Asks),
            AwsCall::CreatePodIdentityAssociation { cluster, namespace, service_account, role } => {
                let Given::Text(role) = role else { return Err(Refusal::Asks) };
                let create = self.eks(&cluster.region).create_pod_identity_association();
                let create = create.cluster_name(&cluster.name).namespace(namespace);
                let create = create.service_account(service_account).role_arn(role);
                let action = "eks:CreatePodIdentityAssociation";
                let made = done(action, session.ask(action, create.send()).await)?;
                let made = made.association.and_then(|association| association.association_id);
                AwsUndo::DeletePodIdentityAssociation {
                    region: cluster.region.clone(),
                    cluster: cluster.name.clone(),
                    association: made.unwrap_or_default(),
                }
            }
            AwsCall::SetSessionTags { cluster, association, enabled } => {
                self.set_session_tags(&cluster.region, &cluster.name, association, *enabled).await?;
                AwsUndo::SetSessionTags {
                    region: cluster.region.clone(),
                    cluster: cluster.name.clone(),
                    association: association.clone(),
                    enabled: !*enabled,
                }
            }
            AwsCall::CreateAddon { cluster, addon } => {
                let create = self.eks(&cluster.region).create_addon().cluster_name(&cluster.name);
                let create = create.addon_name(addon);
                done("eks:CreateAddon", session.ask("eks:CreateAddon", create.send()).await)?;
                AwsUndo::DeleteAddon {
                    region: cluster.region.clone(),
                    cluster: cluster.name.clone(),
                    addon: addon.clone(),
                }
            }
        };
        Ok(Back::Aws { account, undo })
    }

    pub(super) async fn go_back(&self, undo: &AwsUndo) -> Result<(), Refusal> {
        self.is_of_account().await?;
        let (iam, session) = (self.session.iam(), self.session);
        match undo {
            AwsUndo::UpdateAssumeRolePolicy { role, document, written } => {
                if !is_same(&self.trust_policy(role).await?, written) {
                    return Err(Refusal::Changed(format!("the trust policy of role {role}")));
                }
                self.put_trust_policy(role, document).await
            }
            AwsUndo::DeleteRole { role } => {
                let call = iam.delete_role().role_name(role).send();
                done("iam:DeleteRole", session.ask("iam:DeleteRole", call).await).map(drop)
            }
            AwsUndo::DeleteRolePolicy { role, policy } => {
                let call = iam.delete_role_policy().role_name(role).policy_name(policy).send();
                done("iam:DeleteRolePolicy", session.ask("iam:DeleteRolePolicy", call).await).map(drop)
            }
            AwsUndo::DeleteOpenIdConnectProvider { provider } => {
                let action = "iam:DeleteOpenIDConnectProvider";
                let call = iam.delete_open_id_connect_provider().open_id_connect_provider_arn(provider);
                done(action, session.ask(action, call.send()).await).map(drop)
            }
            AwsUndo::RemoveClientId { provider, client_id } => {
                let action = "iam:RemoveClientIDFromOpenIDConnectProvider";
                let call = iam.remove_client_id_from_open_id_connect_provider();
                let call = call.open_id_connect_provider_arn(provider).client_id(client_id);
                done(action, session.ask(action, call.send()).await).map(drop)
            }
            AwsUndo::DeletePodIdentityAssociation { region, cluster, association } => {
                let action = "eks:DeletePodIdentityAssociation";
                let call = self.eks(region).delete_pod_identity_association().cluster_name(cluster);
                done(action, session.ask(action, call.association_id(association).send()).await).map(drop)
            }
            AwsUndo::SetSessionTags { region, cluster, association, enabled } => {
                self.set_session_tags(region, cluster, association, *enabled).await
            }
            AwsUndo::DeleteAddon { region, cluster, addon } => {
                let call = self.eks(region).delete_addon().cluster_name(cluster).addon_name(addon);
                done("eks:DeleteAddon", session.ask("eks:DeleteAddon", call.send()).await).map(drop)
            }
        }
    }

    /// The account of the user's credentials, which must be the one that the call is for.
    async fn is_of_account(&self) -> Result<Option<String>, Refusal> {
        let caller = self.session.caller().await;
        let action = String::from("sts:GetCallerIdentity");
        let signed_in = match (caller.known(), caller.unknown()) {
            (Some(caller), _) => caller.value.account.clone(),
            (None, unknown) => {
                let why = unknown.map_or(Why::NotInFiles, |unknown| unknown.why.clone());
                return Err(Refusal::Aws { action, why });
            }
        };
        match self.account {
            Some(needed) if needed != signed_in => {
                Err(Refusal::OtherAccount { signed_in, needed: needed.to_owned() })
            }
            _ => Ok(Some(signed_in)),
        }
    }

    /// A client of EKS in the cluster's Region.
    fn eks(&self, region: &str) -> aws_sdk_eks::Client {
        self.session.eks_in(Some(Region::new(region.to_owned())).filter(|region| !region.as_ref().is_empty()))
    }

    async fn trust_policy(&self, role: &str) -> Result<String, Refusal> {
        let call = self.session.iam().get_role().role_name(role).send();
        let found = read("iam:GetRole", self.session.ask("iam:GetRole", call).await)?;
        let document = found.role.and_then(|role| role.assume_role_policy_document);
        Ok(document.as_deref().map(decoded).unwrap_or_default())
    }

    async fn put_trust_policy(&self, role: &str, document: &str) -> Result<(), Refusal> {
        let action = "iam:UpdateAssumeRolePolicy";
        let call = self.session.iam().update_assume_role_policy().role_name(role);
        let call = call.policy_document(in_ascii(document));
        done(action, self.session.ask(action, call.send()).await).map(drop)
    }

    async fn set_session_tags(
        &self,
        region: &str,
        cluster: &str,
        association: &str,
        enabled: bool,
    ) -> Result<(), Refusal> {
        let action = "eks:UpdatePodIdentityAssociation";
        let call = self.eks(region).update_pod_identity_association().cluster_name(cluster);
        let call = call.association_id(association).disable_session_tags(!enabled);
        done(action, self.session.ask(action, call.send()).await).map(drop)
    }
}

/// The same document in ASCII: IAM takes no other characters, but their escapes, which only stand within strings.
fn in_ascii(document: &str) -> String {
    let mut ascii = String::with_capacity(document.len());
    for c in document.chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| ascii.push_str(&format!("\\u{unit:04x}")));
        }
    }
    ascii
}

/// True if two texts are the same document, however they are laid out.
fn is_same(one: &str, other: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    let (one, other) = (read(one), read(other));
    one.is_some() && one == other
}

fn refused(action: &str, why: Why) -> Refusal {
    Refusal::Aws { action: action.to_owned(), why }
}

/// The answer to what only reads.
fn read<T>(action: &str, answer: Result<T, NoAnswer>) -> Result<T, Refusal> {
    answer.map_err(|error| match error {
        NoAnswer::NotFound => refused(action, Why::Failed(String::from("AWS says that it does not exist"))),
        NoAnswer::Unknown(why) => refused(action, why),
    })
}

/// The answer to a change.
fn done<T>(action: &str, answer: Result<T, NoAnswer>) -> Result<T, Refusal> {
    match answer {
        Err(error) if !error.is_refusal() => match read::<T>(action, Err(error)) {
            Err(Refusal::Aws { action, why }) => Err(Refusal::Open { what: action, why }),
            other => other,
        },
        answer => read(action, answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_answer_it_may_have_been_done() {
        let after = |why| done::<()>("iam:CreateRole", Err(NoAnswer::Unknown(why))).unwrap_err().is_open();
        assert!(after(Why::TimedOut(10)) && after(Why::Interrupted));
        assert!(after(Why::Failed(String::from("Connection reset by peer"))));
        assert!(!after(Why::Failed(String::from("AWS answered EntityAlreadyExists: it exists"))));
        assert!(!after(Why::Denied(String::from("no"))));
        assert!(!done::<()>("iam:DeleteRole", Err(NoAnswer::NotFound)).unwrap_err().is_open());
    }

    #[test]
    fn iam_is_sent_ascii() {
        let document = "{\"a\": \"checkout\u{200b} \u{1f600}\"}";
        assert_eq!(in_ascii(document), r#"{"a": "checkout\u200b \ud83d\ude00"}"#);
        assert!(is_same(document, &in_ascii(document)));
    }

    #[test]
    fn documents_are_the_same_however_they_are_laid_out() {
        assert!(is_same(r#"{"a": 1, "b": [1]}"#, r#"{"b":[1],"a":1}"#));
        assert!(!is_same(r#"{"a": 1}"#, r#"{"a": 2}"#));
        assert!(!is_same("", ""), "what cannot be read is no document");
    }
}
