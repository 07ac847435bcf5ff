//! The AWS side of one identity: a service account and the role that it should assume. Asked once, however many pods
//! share it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;
use jsonwebtoken::jwk::JwkSet;

use super::Progress;
use super::aws::{Attempt, Chosen, Roles, Session};
use super::cluster::{Api, NoAnswer};
use super::logs;
use super::once::Once;
use super::probe::Probing;
use super::token::Token;
use super::web::Web;
use super::{issuer, signature};
use irsa::aws_error::{self, Kind};
use irsa::derive::Derived;
use irsa::derive::plan::Plan;
use irsa::facts::aws::{
    Association, Aws, EksCluster, OtherAssociation, Provider, Providers, Role, RolePolicies, Simulated,
    StsAnswer, StsAttempt, TrailEvent,
};
use irsa::facts::issuer::{Claims, Discovery, Issuer, Key, Published};
use irsa::facts::kubernetes::{Meta, Pod};
use irsa::facts::{Fact, Facts, Grant, Listing, Source, Sourced, Why};

/// The world outside the cluster, and what of it the user wants asked.
pub struct Cloud {
    /// The user's own credentials.
    pub session: Session,
    /// HTTPS.
    pub web: Web,
    /// For what must be said before it happens.
    pub progress: Progress,
    /// False with `--no-assume`: no credentials are requested.
    pub assume: bool,
    /// False with `--no-logs`.
    pub logs: bool,
    /// The probe; `None` with `--no-probe`.
    pub probing: Option<Probing>,
    /// `--action`.
    pub actions: Vec<String>,
    /// `--resource`.
    pub resources: Vec<String>,
}

/// What needs nothing of the target.
pub(super) struct AccountWide {
    providers: Fact<Providers>,
    cluster: Fact<EksCluster>,
    discovery: Fact<Discovery>,
    keys: Fact<Vec<Key>>,
}

/// What is asked as soon as the pods are known.
#[derive(Default)]
pub(super) struct Early {
    roles: BTreeMap<String, Roles>,
    tokens: BTreeMap<(String, String), Minted>,
    associations: BTreeMap<String, Fact<Vec<Association>>>,
}

/// What is asked about a role, an OIDC provider or an issuer: once, however many identities have it in common.
#[derive(Default)]
struct InCommon {
    roles: Once<String, Roles>,
    policies: Once<String, Fact<RolePolicies>>,
    providers: Once<String, Fact<Provider>>,
    federated_roles: Once<(), Fact<Listing<Role>>>,
    /// By region, role and subject.
    trails: Once<(String, String, String), Fact<Listing<TrailEvent>>>,
    simulations: Once<String, Fact<Vec<Simulated>>>,
    /// By issuer.
    published: Once<String, Issued>,
}

/// What an issuer publishes.
type Issued = (Fact<Published<Discovery>>, Fact<Published<Vec<Key>>>, JwkSet);

/// What is to be asked about one subject.
pub(super) struct Asked {
    /// Of AWS.
    plan: Plan,
    /// The containers whose logs are read.
    containers: Vec<String>,
}

/// A token made for this run, and its claims.
struct Minted {
    token: Option<Token>,
    claims: Fact<Claims>,
}

impl AccountWide {
    pub(super) async fn ask(cloud: &Cloud, api: &Api) -> Self {
        let (providers, cluster, discovery, keys, _) = tokio::join!(
            cloud.session.oidc_providers(),
            cloud.session.eks_cluster(),
            issuer::of_api(api),
            issuer::keys_of_api(api),
            cloud.session.caller(),
        );
        Self { providers, cluster, discovery, keys }
    }
}

impl Early {
    /// Asks for the roles that the pods' environment names, and makes tokens for the audiences that they mount.
    pub(super) async fn ask(
        cloud: &Cloud,
        api: &Api,
        namespace: &str,
        accounts: &BTreeSet<String>,
        pods: &[Sourced<Pod>],
    ) -> Self {
        let roles: BTreeSet<&str> = pods.iter().flat_map(|pod| pod.value.spec.literal_roles()).collect();
        let mounted: BTreeMap<(String, String), &Meta> = pods
            .iter()
            // Newest first: the newest running pod of each is the last to be put in.
            .rev()
            .filter_map(|pod| {
                let audience = pod.value.spec.web_identity_audience()?;
                let account = pod.value.spec.service_account().to_owned();
                Some(((account, audience.to_owned()), &pod.value.metadata))
            })
            .collect();
        let (roles, tokens, associations) = tokio::join!(
            join_all(
                roles.into_iter().map(|arn| async move { (arn.to_owned(), cloud.session.role(arn).await) })
            ),
            join_all(mounted.into_iter().map(|(key, pod)| async move {
                let minted = mint(cloud, api, namespace, &key.0, &key.1, Some(pod)).await;
                (key, minted)
            })),
            join_all(accounts.iter().map(|account| async move {
                (account.clone(), cloud.session.associations(namespace, account).await)
            })),
        );
        Self {
            roles: roles.into_iter().collect(),
            tokens: tokens.into_iter().collect(),
            associations: associations.into_iter().collect(),
        }
    }
}

impl Early {
    /// True if the role's trust policy is known and does not ask for the name of a session.
    fn takes_any_session(&self, plan: &Plan) -> bool {
        let role = plan.role_arn.as_ref().and_then(|arn| self.roles.get(arn)?.named.known());
        role.is_some_and(|role| !role.value.trust.to_ascii_lowercase().contains("sts:rolesessionname"))
    }
}

async fn mint(
    cloud: &Cloud,
    api: &Api,
    namespace: &str,
    account: &str,
    audience: &str,
    pod: Option<&Meta>,
) -> Minted {
    let what = format!("a token of service account {namespace}/{account}");
    let none = |claims| Minted { token: None, claims };
    if !cloud.assume {
        return none(Fact::unknown_because(what, Why::Excluded(NO_ASSUME.to_owned()), None));
    }
    match api.token(namespace, account, audience, pod).await {
        Ok(token) => match token.claims() {
            Some(claims) => Minted {
                claims: Fact::observed(claims, Source::Token { field: String::new() }),
                token: Some(token),
            },
            None => none(Fact::unknown_because(
                what,
                Why::Failed(String::from("what the API server issued is not a JSON Web Token")),
                None,
            )),
        },
        Err(error) => {
            let grant = Grant::rbac("create", "serviceaccounts/token", Some(namespace));
            let grant = Some(grant)
                .filter(|_| matches!(&error, NoAnswer::Status { code, .. } if code.as_u16() == 403));
            none(Fact::Unknown(api.unknown(what, &error, grant)))
        }
    }
}

const NO_ASSUME: &str = "--no-assume";
const NO_ROLE: &str = "no role is named that AWS could be asked about";

impl Cloud {
    /// What is to be asked about a subject.
    pub(super) fn asked(&self, derived: &Derived<'_>) -> Asked {
        let target = derived.target().map(|view| view.name().to_owned());
        // Its log may tell that this one is to be judged.
        let pod = derived.facts.subject.pod().filter(|_| derived.facts.request.container.is_none());
        let failed = pod.and_then(|pod| pod.value.status.failed_init_container()).map(str::to_owned);
        let failed = failed.filter(|failed| Some(failed) != target.as_ref());
        Asked {
            plan: Plan::of(derived, self.session.settings().region()),
            containers: target.into_iter().chain(failed).collect(),
        }
    }

    /// Asks about every distinct identity of the subjects, and gives each subject its answers.
    pub(super) async fn complete(
        &self,
        api: &Api,
        wide: &AccountWide,
        early: &Early,
        asked: &[Asked],
        subjects: &mut [Facts],
    ) {
        let mut distinct: BTreeMap<&Plan, Option<&Meta>> = BTreeMap::new();
        let mut by_any_session: BTreeMap<Plan, &Plan> = BTreeMap::new();
        let mut plans: Vec<&Plan> = Vec::new();
        for (Asked { plan, .. }, facts) in asked.iter().zip(subjects.iter()) {
            let pod = facts.subject.pod().map(|pod| &pod.value.metadata);
            // Sessions that have their pods' names are as many as the pods; the newest one's is tried for all.
            let own_session = pod.is_some_and(|pod| plan.session_name.contains(pod.name.as_str()));
            let plan = match own_session && early.takes_any_session(plan) {
                true => {
                    let any = Plan { session_name: String::new(), ..plan.clone() };
                    by_any_session.entry(any).or_insert(plan)
                }
                false => plan,
            };
            distinct.entry(plan).or_insert(pod);
            plans.push(plan);
        }
        let common = InCommon::default();
        let common = &common;
        // On the heap: its many questions at once are larger than a thread's stack should have to hold.
        let answers = join_all(distinct.into_iter().map(|(plan, pod)| async move {
            (plan, Box::pin(self.identity(api, wide, early, common, plan, pod)).await)
        }));
        let (answers, app_errors) = tokio::join!(
            answers,
            join_all(subjects.iter().zip(asked).enumerate().map(|(index, (facts, asked))| logs::of(
                api,
                facts,
                &asked.containers,
                self.logs,
                index
            )))
        );
        let answers: BTreeMap<&Plan, (Arc<Aws>, Arc<Issuer>)> = answers.into_iter().collect();
        let of_subject: Vec<_> = plans.into_iter().map(|plan| answers.get(plan).cloned()).collect();
        for ((facts, answer), app_errors) in subjects.iter_mut().zip(of_subject).zip(app_errors) {
            facts.app_errors = app_errors;
            if let Some((aws, issuer)) = answer {
                (facts.aws, facts.issuer) = (aws, issuer);
            }
        }
    }

    /// Asks everything about one identity; `pod` is the one that a token is bound to.
    async fn identity(
        &self,
        api: &Api,
        shared: &AccountWide,
        early: &Early,
        common: &InCommon,
        plan: &Plan,
        pod: Option<&Meta>,
    ) -> (Arc<Aws>, Arc<Issuer>) {
        let key = (plan.service_account.clone(), plan.audience.clone());
        let late;
        let minted = match early.tokens.get(&key) {
            Some(minted) => minted,
            None if plan.role_arn.is_none() => {
                late = Minted { token: None, claims: Fact::not_asked(TRIAL, NO_ROLE) };
                &late
            }
            None => {
                late = mint(self, api, &plan.namespace, &key.0, &key.1, pod).await;
                &late
            }
        };
        let issuer = minted
            .claims
            .known()
            .and_then(|claims| claims.value.iss.clone())
            .or_else(|| shared.discovery.known().map(|discovery| discovery.value.issuer.clone()))
            .or_else(|| shared.cluster.known().and_then(|cluster| cluster.value.issuer.clone()));

        let associations = early.associations.get(&plan.service_account).cloned().unwrap_or_else(|| {
            Fact::not_asked("EKS Pod Identity associations", "the service account was not known in time")
        });
        let association = associations.known().and_then(|found| found.value.first());
        let arn = plan.role_arn.as_deref();
        // The role whose credentials the container gets.
        let given = arn.or_else(|| association?.given_role());
        let role = async {
            match arn {
                Some(arn) if early.roles.contains_key(arn) => early.roles[arn].clone(),
                Some(arn) => common.roles.answer(arn.to_owned(), self.session.role(arn)).await,
                None => match &plan.role_name {
                    Some(name) => common.roles.answer(name.clone(), self.session.role_of_name(name)).await,
                    None => Roles::not_asked(NO_ROLE),
                },
            }
        };
        let policies = async {
            match given {
                Some(arn) => common.policies.answer(arn.to_owned(), self.session.role_policies(arn)).await,
                None => Fact::not_asked("the role's policies", NO_ROLE),
            }
        };
        let provider = async {
            match issuer.as_deref().and_then(|issuer| plan.provider_arn(issuer)) {
                Some(arn) => common.providers.answer(arn.clone(), self.session.oidc_provider(&arn)).await,
                None => Fact::not_asked("the OIDC provider", "the issuer or the role's account is not known"),
            }
        };
        let trail = async {
            match arn {
                Some(arn) => {
                    let subject = plan.subject();
                    let question = (plan.region.clone(), arn.to_owned(), subject.clone());
                    let ask = self.session.refusals(&plan.region, arn, &subject);
                    common.trails.answer(question, ask).await
                }
                None => Fact::not_asked("denied calls in CloudTrail", NO_ROLE),
            }
        };
        let simulation = async {
            match given {
                Some(arn) if !self.actions.is_empty() => {
                    let ask = self.session.simulate(arn, &self.actions, &self.resources);
                    common.simulations.answer(arn.to_owned(), ask).await
                }
                _ => Fact::not_asked("what the role is allowed to do", "no --action was given"),
            }
        };
        let of_association = Box::pin(self.of_association(&associations, arn.is_some()));
        let federated_roles = async {
            if plan.seeks_role && association.is_none() {
                common.federated_roles.answer((), self.session.federated_roles()).await
            } else {
                Fact::not_asked("roles that trust this service account", "a role is named")
            }
        };
        let (role, policies, provider, federated_roles, trail, of_association, simulation, trials, published) = tokio::join!(
            role,
            policies,
            provider,
            federated_roles,
            trail,
            of_association,
            simulation,
            Box::pin(self.trials(minted, plan)),
            // Without a role to assume, no issuer is needed.
            Box::pin(self.published(common, issuer.as_deref().filter(|_| arn.is_some()))),
        );
        let (other_associations, associated_role, target_role) = of_association;
        let aws = Aws {
            caller: self.session.caller().await.clone(),
            role: role.named,
            namesake: role.namesake,
            policies,
            providers: shared.providers.clone(),
            provider,
            cluster: shared.cluster.clone(),
            associations,
            other_associations,
            associated_role,
            target_role,
            federated_roles,
            trail,
            simulation,
            sts_answer: trials.0,
            second_sts_answer: trials.1,
        };
        let (published, published_keys, verifying) = published;
        let issuer = Issuer {
            signature: signature::fact(minted.token.as_ref(), &minted.claims, &published_keys, &verifying),
            api: shared.discovery.clone(),
            api_keys: shared.keys.clone(),
            minted: minted.claims.clone(),
            published,
            published_keys,
        };
        (Arc::new(aws), Arc::new(issuer))
    }

    /// What follows from the service account's EKS Pod Identity association: its roles; or, where there is none and `has_role`
    /// is false, the associations of others, one of which may have been meant to be it.
    async fn of_association(
        &self,
        associations: &Fact<Vec<Association>>,
        has_role: bool,
    ) -> (Fact<Listing<OtherAssociation>>, Fact<Role>, Fact<Role>) {
        let (own, target) = (
            "the role of the EKS Pod Identity association",
            "the target role of the EKS Pod Identity association",
        );
        let not_asked = |what, why| Fact::not_asked(what, why);
        let association = associations.known().and_then(|found| found.value.first());
        let Some(association) = association else {
            let listed = associations.known().is_some();
            let others = if listed && !has_role {
                self.session.associations_of(None).await
            } else {
                Fact::not_asked(OTHERS, "the service account names a role, or its own could not be listed")
            };
            let why = "no association is known";
            return (others, not_asked(own, why), not_asked(target, why));
        };
        let role = async |what, arn: &Option<String>| match arn {
            Some(arn) => self.session.role(arn).await.named,
            None => not_asked(what, "the association names none"),
        };
        let (role, target) =
            tokio::join!(role(own, &association.role_arn), role(target, &association.target_role_arn));
        (Fact::not_asked(OTHERS, "the service account has an association"), role, target)
    }

    async fn published(&self, common: &InCommon, issuer: Option<&str>) -> Issued {
        let Some(issuer) = issuer else {
            let why = "no role is named, or the cluster's issuer is not known";
            return (
                Fact::not_asked("the published discovery document", why),
                Fact::not_asked("the published signing keys", why),
                JwkSet::default(),
            );
        };
        let ask = Box::pin(async {
            let published = issuer::published(&self.web, issuer).await;
            let (keys, verifying) = issuer::published_keys(&self.web, &published).await;
            (published, keys, verifying)
        });
        common.published.answer(issuer.to_owned(), ask).await
    }

    /// Tries the token; and where the answer may be the masquerade of an inactive region (failures.md, 80), once more at an
    /// endpoint that cannot be inactive.
    async fn trials(&self, minted: &Minted, plan: &Plan) -> (Fact<StsAttempt>, Fact<StsAttempt>) {
        let Some(arn) = plan.role_arn.as_deref() else {
            return (Fact::not_asked(TRIAL, NO_ROLE), Fact::not_asked(TRIAL, NO_ROLE));
        };
        let Some(token) = &minted.token else {
            let why = match minted.claims.unknown() {
                Some(unknown) if matches!(unknown.why, Why::Excluded(_)) => unknown.why.clone(),
                Some(unknown) => Why::Failed(format!("there is no token to try: {}", unknown.why)),
                None => Why::Failed(String::from("there is no token to try")),
            };
            let grant = minted.claims.unknown().and_then(|unknown| unknown.grant.clone());
            return (
                Fact::unknown_because(TRIAL, why, grant),
                Fact::not_asked(TRIAL, "the first attempt was not made either"),
            );
        };
        let chosen = self.session.chosen_sts();
        // A token that leaves for anywhere else is not what is expected of it.
        let place = match &chosen {
            Some(Chosen { url, by }) => {
                format!("{}, your own {by}", irsa::aws::endpoint::host_of_url(url).unwrap_or_default())
            }
            None => String::from("STS"),
        };
        self.progress.say(&format!(
            "testing a fresh token of {}/{} at {place} (--no-assume to skip)",
            plan.namespace, plan.service_account
        ));
        let attempt = Attempt {
            role_arn: arn.to_owned(),
            host: plan.host.clone(),
            session_name: plan.session_name.clone(),
        };
        let first = self.session.try_token(token, &attempt).await;
        let no_provider = first.known().is_some_and(|attempt| {
            matches!(&attempt.value.answer, StsAnswer::Refused { code, message, .. }
                if aws_error::sts(code, message) == Kind::NoProvider)
        });
        // An endpoint of the user's own choice is the same for both.
        let second = match plan.second_host.clone().filter(|_| no_provider && chosen.is_none()) {
            Some(host) => self.session.try_token(token, &Attempt { host, ..attempt }).await,
            None => Fact::not_asked(TRIAL, "the first answer leaves no doubt about the region"),
        };
        (first, second)
    }
}

const OTHERS: &str = "EKS Pod Identity associations of other service accounts";

const TRIAL: &str = "STS's answer to a fresh token";
