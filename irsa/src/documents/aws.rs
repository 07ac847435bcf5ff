//! AWS's answers about one identity, as far as the documents contain them.

use super::answers::{Answer, Reply};
use super::store::Store;
use crate::aws::arn::Arn;
use crate::derive::plan::Plan;
use crate::facts::aws::{Aws, Role};
use crate::facts::{Fact, Grant, Why};

impl Store {
    /// AWS's answers about an identity, as far as the files contain them.
    pub fn aws(&self, plan: &Plan) -> Aws {
        let mut aws = Aws::unknown(&Why::NotInFiles);
        if let Some(found) = self.answer(|said| match said {
            Reply::Caller(caller) => Some(caller.clone()),
            _ => None,
        }) {
            aws.caller = found;
        }
        if let Some(found) = self.answer(|said| match said {
            Reply::Cluster(cluster) => Some(cluster.clone()),
            _ => None,
        }) {
            aws.cluster = found;
        }
        if let Some(found) = self.answer(|said| match said {
            Reply::Providers(providers) => Some(providers.clone()),
            _ => None,
        }) {
            aws.providers = found;
        }
        let Some(arn) = plan.role_arn.as_deref() else {
            let named = self.answer(|said| match said {
                Reply::Role(role) => {
                    Some(role).filter(|role| plan.role_name.as_ref() == Some(&role.name)).cloned()
                }
                _ => None,
            });
            aws.namesake = named.unwrap_or(aws.namesake);
            return aws;
        };
        let (account, name) = (Arn::account_of(arn), arn.rsplit('/').next());
        let same = |role: &&Role| Arn::account_of(&role.arn) == account && Some(role.name.as_str()) == name;
        let role = self.answer(|said| match said {
            Reply::Role(role) => Some(role).filter(same).cloned(),
            _ => None,
        });
        let error = || self.error("iam:GetRole", &format!("IAM role {arn}"), arn, account);
        if let Some(found) = role.or_else(error) {
            aws.role = found;
        }
        let provider = self.answer(|said| match said {
            Reply::Provider(provider)
                if plan.provider_arn(&format!("https://{}", provider.url)).as_ref()
                    == Some(&provider.arn) =>
            {
                Some(provider.clone())
            }
            _ => None,
        });
        if let Some(found) = provider {
            aws.provider = found;
        }
        aws
    }

    fn answer<T>(&self, pick: impl Fn(&Reply) -> Option<T>) -> Option<Fact<T>> {
        // Of two answers to one question the later counts.
        let found =
            |answer: &Answer| pick(&answer.said).map(|value| Fact::observed(value, answer.source.clone()));
        self.answers.iter().rev().find_map(found)
    }

    fn error<T>(&self, asked: &str, what: &str, object: &str, needed: Option<&str>) -> Option<Fact<T>> {
        self.answers.iter().rev().find_map(|answer| {
            let Reply::Error { action, account, code, message } = &answer.said else { return None };
            if action != asked {
                return None;
            }
            let grant = Some(Grant::iam(asked, object));
            Some(match code.as_str() {
                // Only the account that was asked can say that something does not exist.
                "NoSuchEntity" if account.is_some() && account.as_deref() == needed => {
                    Fact::Absent { source: answer.source.clone() }
                }
                "AccessDenied" => Fact::unknown_because(what, Why::Denied(message.clone()), grant),
                _ => {
                    Fact::unknown_because(what, Why::Failed(format!("AWS answered {code}: {message}")), grant)
                }
            })
        })
    }
}
