//! AWS's answers about one identity, as far as the documents contain them.
//!
//! An answer counts for the identity that it names. One that names nobody, as the AWS CLI prints most, counts for the identity that
//! is asked about if there is nothing to confuse it with: it is the only one of its kind, and it is not from another account.

use super::answers::{Answer, Reply, ShownAssociation, ShownRole};
use super::store::Store;
use super::trail;
use crate::aws::arn::Arn;
use crate::derive::plan::Plan;
use crate::facts::aws::{Association, Aws, OtherAssociation, Provider, Role, RolePolicies, TrailEvent};
use crate::facts::{Fact, Grant, Listing, Sourced, Unknown, Why};

/// The role that answers are looked for.
#[derive(Clone, Copy)]
struct Wanted<'p> {
    arn: &'p str,
    account: Option<&'p str>,
    name: &'p str,
    /// The account whose credentials the other answers were asked with, if that is known and another one.
    elsewhere: Option<&'p str>,
}

impl<'p> Wanted<'p> {
    fn of(arn: &'p str, signed_in: Option<&'p str>) -> Self {
        let account = Arn::account_of(arn);
        Self {
            arn,
            account,
            name: arn.rsplit('/').next().unwrap_or(arn),
            elsewhere: signed_in.filter(|signed_in| account.is_some_and(|account| account != *signed_in)),
        }
    }
}

impl Store {
    /// AWS's answers about an identity, as far as the files contain them.
    pub fn aws(&self, plan: &Plan) -> Aws {
        let mut aws = Aws::unknown(&Why::NotInFiles);
        set(
            &mut aws.caller,
            self.newest(|answer| match &answer.said {
                Reply::Caller(caller) => Some(caller.clone()),
                _ => None,
            }),
        );
        set(
            &mut aws.cluster,
            self.newest(|answer| match &answer.said {
                Reply::Cluster(cluster) => Some(cluster.clone()),
                _ => None,
            }),
        );
        set(
            &mut aws.providers,
            self.newest(|answer| match &answer.said {
                Reply::Providers(providers) => Some(providers.clone()),
                _ => None,
            }),
        );
        let cluster = aws.cluster.known().map(|cluster| &cluster.value);
        let cluster_name = cluster.map(|cluster| cluster.name.as_str());
        set(&mut aws.associations, self.associations(plan, cluster_name));
        set(&mut aws.trail, self.trail(plan));
        let signed_in = aws.caller.known().map(|caller| caller.value.account.as_str());
        let association = aws.associations.known().map(|found| &found.value);
        if association.is_some_and(Vec::is_empty) && plan.role_arn.is_none() {
            set(&mut aws.other_associations, self.other_associations(cluster_name));
        }
        let association = association.and_then(|found| found.first());
        if plan.seeks_role && association.is_none() {
            set(&mut aws.federated_roles, self.federated_roles());
        }
        let associated = association.and_then(|found| found.role_arn.as_deref());
        let target = association.and_then(|found| found.target_role_arn.as_deref());
        if association.is_some() && target.is_none() {
            let what = "the target role of the EKS Pod Identity association";
            aws.target_role = Fact::not_asked(what, "the association names none");
        }
        for (arn, role) in [(associated, &mut aws.associated_role), (target, &mut aws.target_role)] {
            let Some(wanted) = arn.map(|arn| Wanted::of(arn, signed_in)) else { continue };
            // Where there are several roles, an answer that names none may be about any of them.
            let is_only = plan.role_arn.is_none() && target.is_none();
            set(role, if is_only { self.role(wanted) } else { self.named_role(wanted) });
        }
        // The role whose credentials the container gets.
        let own = plan.role_arn.as_deref();
        if let Some(arn) = own.or_else(|| association?.given_role()) {
            let wanted = Wanted::of(arn, signed_in);
            set(&mut aws.policies, self.policies(wanted));
            let simulated = |reply: &Reply| match reply {
                Reply::Simulation(results) => Some(results.clone()),
                _ => None,
            };
            set(&mut aws.simulation, self.about_role(wanted, "what the role is allowed to do", simulated));
        }
        if let Some(arn) = own {
            let wanted = Wanted::of(arn, signed_in);
            set(&mut aws.role, self.role(wanted));
            let issuer = cluster.and_then(|cluster| cluster.issuer.as_deref());
            set(&mut aws.provider, self.provider(plan, issuer, wanted));
        } else {
            // Of a role whose ARN is malformed, IAM knows the ARN.
            let namesake = self.newest(|answer| match &answer.said {
                Reply::Role(role) => role.whole().filter(|role| plan.role_name.as_ref() == Some(&role.name)),
                _ => None,
            });
            set(&mut aws.namesake, namesake);
        }
        aws
    }

    /// The role itself, or its trust policy alone.
    fn role(&self, wanted: Wanted<'_>) -> Option<Fact<Role>> {
        let shown = |reply: &Reply| shown_role(reply, wanted);
        let unnamed = || self.naming_none(wanted, &format!("IAM role {}", wanted.arn), shown);
        match self.named_role(wanted) {
            Some(Fact::Unknown(refused)) => unnamed().or(Some(Fact::Unknown(refused))),
            None => unnamed(),
            found => found,
        }
    }

    /// The role, or why AWS does not show it.
    fn named_role(&self, wanted: Wanted<'_>) -> Option<Fact<Role>> {
        let what = format!("IAM role {}", wanted.arn);
        self.naming_role(wanted, |reply| shown_role(reply, wanted))
            .or_else(|| self.error("iam:GetRole", &what, wanted.arn, wanted.account))
    }

    /// Attached and inline policies are two answers.
    fn policies(&self, wanted: Wanted<'_>) -> Option<Fact<RolePolicies>> {
        let what = "the role's policies";
        let list = |pick: fn(&Reply) -> Option<&Vec<String>>| {
            self.about_role(wanted, what, |reply| pick(reply).cloned())
        };
        let attached = list(|reply| match reply {
            Reply::Attached(arns) => Some(arns),
            _ => None,
        });
        let inline = list(|reply| match reply {
            Reply::Inline(names) => Some(names),
            _ => None,
        });
        let only = |found, missing| {
            let words = format!(
                "the files contain its {found} policies only; add `aws iam {missing} --role-name {}`",
                wanted.name
            );
            Some(Fact::unknown_because(what, Why::Incomplete(words), None))
        };
        match (attached, inline) {
            (Some(Fact::Known(attached)), Some(Fact::Known(inline))) => {
                let value = RolePolicies { attached: attached.value, inline: inline.value };
                Some(Fact::observed(value, attached.source))
            }
            (Some(Fact::Unknown(unknown)), _) | (_, Some(Fact::Unknown(unknown))) => {
                Some(Fact::Unknown(unknown))
            }
            (Some(_), _) => only("attached", "list-role-policies"),
            (_, Some(_)) => only("inline", "list-attached-role-policies"),
            (None, None) => None,
        }
    }

    /// The provider of the cluster's issuer in the role's account. IAM does not print its ARN.
    fn provider(&self, plan: &Plan, issuer: Option<&str>, wanted: Wanted<'_>) -> Option<Fact<Provider>> {
        self.newest(|answer| {
            let Reply::Provider(shown) = &answer.said else { return None };
            let url = shown.url.trim_start_matches("https://");
            let arn = plan.provider_arn(&format!("https://{url}"))?;
            let of_account = match &answer.about.provider {
                Some(named) => *named == arn,
                None => answer.about.is_of(wanted.account) && wanted.elsewhere.is_none(),
            };
            let of_issuer = issuer.is_none_or(|issuer| issuer.trim_start_matches("https://") == url);
            (of_account && of_issuer).then(|| shown.of_arn(&arn))
        })
    }

    /// The association of the service account, or that there is none.
    fn associations(&self, plan: &Plan, cluster: Option<&str>) -> Option<Fact<Vec<Association>>> {
        let is_ours = |shown: &&ShownAssociation| {
            shown.namespace == plan.namespace
                && shown.service_account == plan.service_account
                && is_of_cluster(shown, cluster)
        };
        let described = self.newest(|answer| match &answer.said {
            Reply::Association(shown) => Some(shown).filter(is_ours).map(|shown| vec![shown.association()]),
            _ => None,
        });
        // Only the description shows the role; without it nothing can be said of the association.
        let listed = || {
            let id = self.answers.iter().rev().find_map(|answer| match &answer.said {
                Reply::Associations(list) => list.iter().find(is_ours).map(|shown| shown.association().id),
                _ => None,
            })?;
            let what = format!("the role of EKS Pod Identity association {id}");
            let words = format!(
                "a list does not show it; add `aws eks describe-pod-identity-association --association-id {id}`"
            );
            Some(Fact::unknown_because(what, Why::Incomplete(words), None))
        };
        // What is not in a list does not exist if the list would contain it.
        let absent = || {
            self.newest(|answer| {
                let Reply::Associations(list) = &answer.said else { return None };
                let asked = &answer.about;
                let covers = |asked: Option<&str>, ours: &str, of: fn(&ShownAssociation) -> &str| match asked
                {
                    Some(asked) => asked == ours,
                    // With a filter, all that is in it is alike.
                    None => list.first().is_none_or(|first| {
                        list.iter().any(|shown| of(shown) == ours || of(shown) != of(first))
                    }),
                };
                let covered = covers(asked.namespace.as_deref(), &plan.namespace, |shown| &shown.namespace)
                    && covers(asked.service_account.as_deref(), &plan.service_account, |shown| {
                        &shown.service_account
                    });
                (answer.whole && covered && list.iter().all(|shown| is_of_cluster(shown, cluster)))
                    .then(Vec::new)
            })
        };
        described.or_else(listed).or_else(absent)
    }

    /// The roles of an account that trust an OIDC provider.
    fn federated_roles(&self) -> Option<Fact<Listing<Role>>> {
        self.newest(|answer| {
            let Reply::Roles(list) = &answer.said else { return None };
            let sourced = |(index, shown): (usize, &ShownRole)| {
                let source = answer.source.at(format!("Roles[{index}]"));
                shown.whole().map(|value| Sourced { value, source })
            };
            let items = list.iter().enumerate().filter_map(sourced).filter(|role| role.value.is_federated());
            let what = String::from("other roles that trust this service account");
            let cut = (!answer.whole).then_some(Unknown { what, why: Why::NotInFiles, grant: None });
            Some(Listing { items: items.collect(), cut })
        })
    }

    /// The associations of other service accounts, where this one has none.
    fn other_associations(&self, cluster: Option<&str>) -> Option<Fact<Listing<OtherAssociation>>> {
        self.newest(|answer| {
            let Reply::Associations(list) = &answer.said else { return None };
            let of_cluster = |shown: &&ShownAssociation| is_of_cluster(shown, cluster);
            let sourced =
                |shown: &ShownAssociation| Sourced { value: shown.other(), source: answer.source.clone() };
            let items = list.iter().filter(of_cluster).map(sourced).collect();
            let what = String::from("other EKS Pod Identity associations");
            let cut = (!answer.whole).then_some(Unknown { what, why: Why::NotInFiles, grant: None });
            Some(Listing { items, cut })
        })
    }

    /// The refused attempts of the service account, or for its role. Files never contain all of them.
    fn trail(&self, plan: &Plan) -> Option<Fact<Listing<TrailEvent>>> {
        let saved = || {
            self.answers.iter().filter_map(|answer| match &answer.said {
                Reply::Trail(events) => Some((events, &answer.source)),
                _ => None,
            })
        };
        let (_, source) = saved().next_back()?;
        let (role, subject) = (plan.role_arn.as_deref(), plan.subject());
        let items = saved().flat_map(|(events, source)| {
            events.iter().enumerate().filter_map(move |(index, event)| {
                Some(Sourced { value: trail::refusal(event)?, source: source.at(format!("Events[{index}]")) })
            })
        });
        let items = items.filter(|event| event.value.is_about(role, &subject)).collect();
        let what = String::from("other denied calls in CloudTrail");
        let cut = Some(Unknown { what, why: Why::NotInFiles, grant: None });
        Some(Fact::observed(Listing { items, cut }, source.clone()))
    }

    /// What the answers say about the role.
    fn about_role<T: Clone + PartialEq>(
        &self,
        wanted: Wanted<'_>,
        what: &str,
        pick: impl Fn(&Reply) -> Option<T>,
    ) -> Option<Fact<T>> {
        self.naming_role(wanted, &pick).or_else(|| self.naming_none(wanted, what, &pick))
    }

    /// The answers that name the role.
    fn naming_role<T>(&self, wanted: Wanted<'_>, pick: impl Fn(&Reply) -> Option<T>) -> Option<Fact<T>> {
        self.newest(|answer| {
            let about = &answer.about;
            let is_named = about.role.as_deref() == Some(wanted.name) && about.is_of(wanted.account);
            if is_named && answer.whole { pick(&answer.said) } else { None }
        })
    }

    /// The answers that name no role: of which one they are cannot be told if they differ.
    fn naming_none<T: PartialEq>(
        &self,
        wanted: Wanted<'_>,
        what: &str,
        pick: impl Fn(&Reply) -> Option<T>,
    ) -> Option<Fact<T>> {
        let mut found = self.answers.iter().rev().filter_map(|answer| {
            let fits = answer.about.role.is_none() && answer.about.is_of(wanted.account);
            Some((pick(&answer.said).filter(|_| fits)?, answer))
        });
        let (value, answer) = found.next()?;
        let unknown = |words| Some(Fact::unknown_because(what, Why::Incomplete(words), None));
        if let Some(account) = wanted.elsewhere.filter(|_| answer.about.account.is_none()) {
            return unknown(format!(
                "the answer in {} does not say of which account it is; `aws sts get-caller-identity` says {account}",
                answer.source
            ));
        }
        if found.any(|(other, _)| other != value) {
            return unknown(String::from(
                "the files contain several such answers, and none says of which role it is",
            ));
        }
        if !answer.whole {
            return unknown(format!("{} is only the first page of the answer", answer.source));
        }
        Some(Fact::observed(value, answer.source.clone()))
    }

    /// The newest answer: of two to one question the later counts.
    fn newest<T>(&self, pick: impl Fn(&Answer) -> Option<T>) -> Option<Fact<T>> {
        let found = |answer: &Answer| pick(answer).map(|value| Fact::observed(value, answer.source.clone()));
        self.answers.iter().rev().find_map(found)
    }

    fn error<T>(&self, asked: &str, what: &str, object: &str, needed: Option<&str>) -> Option<Fact<T>> {
        self.answers.iter().rev().find_map(|answer| {
            let Reply::Error { action, code, message } = &answer.said else { return None };
            if action != asked {
                return None;
            }
            Some(match &**code {
                // Only the account that was asked can say that something does not exist.
                "NoSuchEntity" if answer.about.account.is_some() && answer.about.is_of(needed) => {
                    Fact::Absent { source: answer.source.clone() }
                }
                "AccessDenied" => {
                    let grant = Some(Grant::iam(asked, object));
                    Fact::unknown_because(what, Why::Denied(message.to_string()), grant)
                }
                _ => {
                    Fact::unknown_because(what, Why::Failed(format!("AWS answered {code}: {message}")), None)
                }
            })
        })
    }
}

/// False for an association of another cluster than the one that the files describe.
fn is_of_cluster(shown: &ShownAssociation, cluster: Option<&str>) -> bool {
    cluster.zip(shown.cluster_name.as_deref()).is_none_or(|(cluster, of)| cluster == of)
}

fn shown_role(reply: &Reply, wanted: Wanted<'_>) -> Option<Role> {
    match reply {
        Reply::Role(role) => Some(role.of_arn(wanted.arn)),
        _ => None,
    }
}

fn set<T>(fact: &mut Fact<T>, found: Option<Fact<T>>) {
    if let Some(found) = found {
        *fact = found;
    }
}
