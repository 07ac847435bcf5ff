//! From a target to facts: which objects are asked for, in which round.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;

use super::api::Api;
use super::identity::{AccountWide, Cloud, Early};
use super::{CollectError, Reader, probe};
use irsa::derive::Derived;
use irsa::derive::plan::Plan;
use irsa::derive::siblings::{owner_key, sibling_labels};
use irsa::facts::aws::Aws;
use irsa::facts::inside::Inside;
use irsa::facts::issuer::Issuer;
use irsa::facts::kubernetes::resource::{Query, Resource};
use irsa::facts::kubernetes::{
    ConfigMap, Container, CronJob, DaemonSet, Deployment, EndpointSlice, EnvValue, Event, Job, LabelSelector,
    Meta, MutatingWebhookConfiguration, Namespace, NetworkPolicy, Node, Pod, PodTemplate, ReplicaSet, Secret,
    SelectorRequirement, ServerVersion, ServiceAccount, ServiceRef, StatefulSet, WorkloadSpec,
};
use irsa::facts::{
    Cluster, Fact, Facts, Listing, Owner, Request, Source, Sourced, Subject, Unknown, Why, of_listing,
};
use irsa::target::{Kind, Target};

/// Distinct nodes that are asked for one by one; for more of them the list is cheaper.
const NODES: usize = 4;
/// Pods whose events are read; those of the other pods of a workload say the same.
const EVENTFUL_PODS: usize = 3;

/// Reads everything about a target: one [`Facts`] for each of its pods, newest first; for a workload or a service account
/// without pods, one. Where AWS is not asked, `cloud` says why.
pub async fn gather(
    reader: &Reader,
    cloud: Result<&Cloud, Why>,
    namespace: &str,
    target: &Target,
    container: Option<&str>,
    kubectl_flags: &[String],
) -> Result<Vec<Facts>, CollectError> {
    let request = Request {
        kind: target.kind.word().to_owned(),
        name: target.name.clone(),
        container: container.map(str::to_owned),
        kubectl_flags: kubectl_flags.to_vec(),
        aws_flags: cloud.as_ref().map_or_else(|_| Vec::new(), |cloud| cloud.session.settings().cli_flags()),
    };
    let (Reader::Api(api), Ok(cloud)) = (reader, &cloud) else {
        let why = cloud.err().unwrap_or(Why::NotInFiles);
        let (mut subjects, _) = of_cluster(reader, None, namespace, target, request, &why).await?;
        if let Reader::Files(store) = reader {
            for facts in &mut subjects {
                let plan = Plan::of(&Derived::of(facts), None);
                facts.aws = Arc::new(store.aws(&plan));
                facts.inside = inside_of(facts, &why);
            }
        }
        return Ok(subjects);
    };
    let pending = Why::NotAsked(String::from("it is asked once the cluster has answered"));
    // What AWS is slow to answer must not hold up the cluster's answers.
    let (wide, subjects) = tokio::join!(
        AccountWide::ask(cloud, api),
        of_cluster(reader, Some((cloud, api)), namespace, target, request, &pending)
    );
    let (mut subjects, early) = subjects?;
    // The probe takes longest: it starts while AWS is asked.
    let choice = cloud.probing.as_ref().map(|probing| (probing, probing.choose(&subjects)));
    let probe = async {
        match choice {
            Some((probing, choice)) => Some(probing.look(api, choice).await),
            None => None,
        }
    };
    let ((), looked) = tokio::join!(cloud.complete(api, &wide, &early, &mut subjects), probe);
    let excluded = Why::Excluded(String::from("--no-probe"));
    let inside: Vec<Fact<Inside>> = match looked {
        Some(inside) => inside,
        None => subjects.iter().map(|facts| inside_of(facts, &excluded)).collect(),
    };
    for (facts, inside) in subjects.iter_mut().zip(inside) {
        facts.inside = inside;
    }
    Ok(subjects)
}

/// What is known of a pod's inside where no probe is to be started in it, and why none is.
fn inside_of(facts: &Facts, why: &Why) -> Fact<Inside> {
    probe::earlier(facts).unwrap_or_else(|| match &facts.subject {
        Subject::Pod(_) => Fact::unknown_because(Inside::WHAT, why.clone(), None),
        Subject::Template(_) | Subject::ServiceAccount => Fact::not_asked(Inside::WHAT, "there is no pod"),
    })
}

/// The cluster's side of [`gather`], and of AWS what can be asked as soon as the pods are known.
async fn of_cluster(
    reader: &Reader,
    cloud: Option<(&Cloud, &Api)>,
    namespace: &str,
    target: &Target,
    request: Request,
    no_aws: &Why,
) -> Result<(Vec<Facts>, Early), CollectError> {
    // Round one: the target, and all that needs only the namespace.
    let (first, shared) =
        tokio::join!(First::find(reader, namespace, target), Shared::read(reader, namespace));
    // A workload's pods take a round of their own.
    let mut found = first?.with_pods(reader, namespace).await;
    if target.kind == Kind::ServiceAccount {
        found.account = Some(target.name.clone());
    }
    check_container(&found, request.container.as_deref())?;

    // Everything that the pods refer to, at once.
    let refers = References::of(&found);
    let here = Some(namespace);
    let early = async {
        match cloud {
            Some((cloud, api)) => {
                Early::ask(cloud, api, namespace, &refers.service_accounts, &found.pods).await
            }
            None => Early::default(),
        }
    };
    let (accounts, nodes, config_maps, secrets, behind, agents, siblings, owners, events, early) = tokio::join!(
        get_all::<ServiceAccount>(reader, here, &refers.service_accounts),
        get_nodes(reader, &refers.nodes),
        get_all::<ConfigMap>(reader, here, &refers.config_maps),
        get_all::<Secret>(reader, here, &refers.secrets),
        BehindWebhook::read(reader, &shared.webhooks),
        Agents::read(reader, &found),
        siblings_of(reader, namespace, &found),
        owners_of(reader, namespace, &found),
        events_of(reader, namespace, &refers.events),
        early,
    );

    // Round three: the same names elsewhere, only where a service account here names no role.
    let bare = accounts.iter().filter(|(_, account)| is_bare(account)).map(|(name, _)| name.clone());
    let bare: BTreeSet<String> = bare.collect();
    let namesakes = namesakes_of(reader, namespace, &bare).await;
    let secrets: BTreeMap<String, Fact<Secret>> =
        secrets.into_iter().map(|(name, secret)| (name.clone(), keys_or_unknown(&name, secret))).collect();

    let cluster = Arc::new(Cluster {
        server_clock: reader.clock(),
        version: shared.version,
        webhooks: shared.webhooks,
        root_ca: shared.root_ca,
        webhook_config_map: behind.config_map,
        webhook_workload: behind.workload,
        webhook_endpoints: behind.endpoints,
        agents: agents.sets,
        agent_pods: agents.pods,
    });
    let (service_accounts, network_policies) =
        (Arc::new(shared.service_accounts), Arc::new(shared.network_policies));
    let (siblings, events) = (Arc::new(siblings), Arc::new(events));
    let (aws, issuer) = (Arc::new(Aws::unknown(no_aws)), Arc::new(Issuer::unknown(no_aws)));
    let facts = |subject: Subject, account: &str, node: Fact<Node>, owner: Fact<Owner>| Facts {
        request: request.clone(),
        service_account: accounts.get(account).cloned().unwrap_or_else(|| {
            Fact::not_asked(format!("serviceaccount {namespace}/{account}"), "its name was not known in time")
        }),
        service_account_name: account.to_owned(),
        namespace_name: namespace.to_owned(),
        namespace: shared.namespace.clone(),
        service_accounts: Arc::clone(&service_accounts),
        network_policies: Arc::clone(&network_policies),
        namesakes: namesakes.get(account).cloned().unwrap_or_else(|| {
            Fact::not_asked(
                "service accounts of that name elsewhere",
                "the one here names a role, or could not be read",
            )
        }),
        owner,
        siblings: Arc::clone(&siblings),
        events: Arc::clone(&events),
        node,
        config_maps: config_maps.clone(),
        secrets: secrets.clone(),
        cluster: Arc::clone(&cluster),
        aws: Arc::clone(&aws),
        issuer: Arc::clone(&issuer),
        heard: Fact::unknown_because("the application's log", no_aws.clone(), None),
        inside: Fact::unknown_because(Inside::WHAT, no_aws.clone(), None),
        subject,
    };
    let no_owner = || Fact::not_asked("the workload", "the pod belongs to none");
    let no_node = || Fact::not_asked("the node", "there is no pod that runs on one");
    if found.pods.is_empty() {
        let subject = match found.workload {
            Some(workload) => {
                let account = workload.value.template_spec.service_account().to_owned();
                facts(Subject::Template(workload.clone()), &account, no_node(), Fact::Known(workload))
            }
            None => facts(Subject::ServiceAccount, &target.name, no_node(), no_owner()),
        };
        return Ok((vec![subject], early));
    }
    let subjects = found
        .pods
        .into_iter()
        .map(|pod| {
            let account = pod.value.spec.service_account().to_owned();
            let node = nodes.get(&pod.value.spec.node_name).cloned().unwrap_or_else(no_node);
            let key = owner_key(&pod.value.metadata);
            let owner = key.and_then(|key| owners.get(&key).cloned()).unwrap_or_else(no_owner);
            facts(Subject::Pod(pod), &account, node, owner)
        })
        .collect();
    Ok((subjects, early))
}

/// What needs only the namespace.
struct Shared {
    webhooks: Fact<Listing<MutatingWebhookConfiguration>>,
    version: Fact<ServerVersion>,
    root_ca: Fact<ConfigMap>,
    namespace: Fact<Namespace>,
    service_accounts: Fact<Listing<ServiceAccount>>,
    network_policies: Fact<Listing<NetworkPolicy>>,
}

impl Shared {
    async fn read(reader: &Reader, namespace: &str) -> Self {
        let all = Query::default();
        let (webhooks, version, root_ca, namespace, service_accounts, network_policies) = tokio::join!(
            reader.list(None, &all),
            reader.version(),
            reader.get(Some(namespace), "kube-root-ca.crt"),
            reader.get(None, namespace),
            reader.list(Some(namespace), &all),
            reader.list(Some(namespace), &all),
        );
        Self { webhooks, version, root_ca, namespace, service_accounts, network_policies }
    }
}

/// The target as round one finds it.
enum First {
    Pod(Box<Sourced<Pod>>),
    Workload(Box<Sourced<Owner>>, PodsOf),
    Account(Box<Fact<Listing<Pod>>>),
}

/// How to list a workload's pods.
enum PodsOf {
    Selector(Option<LabelSelector>),
    /// A CronJob's pods belong to its Jobs.
    CronJob(String),
}

/// The target with its pods.
struct Found {
    /// Newest first.
    pods: Vec<Sourced<Pod>>,
    workload: Option<Sourced<Owner>>,
    /// The list that the pods came from.
    listing: Option<Fact<Listing<Pod>>>,
    /// The service account that was asked for by name.
    account: Option<String>,
}

impl First {
    async fn find(reader: &Reader, namespace: &str, target: &Target) -> Result<Self, CollectError> {
        match target.kind {
            Kind::Pod => Ok(Self::Pod(Box::new(reader.require(namespace, target).await?))),
            Kind::Deployment => workload::<Deployment>(reader, namespace, target).await,
            Kind::StatefulSet => workload::<StatefulSet>(reader, namespace, target).await,
            Kind::DaemonSet => workload::<DaemonSet>(reader, namespace, target).await,
            Kind::ReplicaSet => workload::<ReplicaSet>(reader, namespace, target).await,
            Kind::Job => workload::<Job>(reader, namespace, target).await,
            Kind::CronJob => {
                let cron_job: Sourced<CronJob> = reader.require(namespace, target).await?;
                let owner = owner(
                    "CronJob",
                    &cron_job.value.metadata,
                    &cron_job.value.spec.job_template.spec.template,
                );
                let pods = PodsOf::CronJob(target.name.clone());
                Ok(Self::Workload(Box::new(Sourced { value: owner, source: cron_job.source }), pods))
            }
            Kind::ServiceAccount => {
                let query = Query {
                    fields: vec![("spec.serviceAccountName", target.name.clone())],
                    ..Query::default()
                };
                let (account, pods) = tokio::join!(
                    reader.require_unless_used::<ServiceAccount>(namespace, target),
                    reader.list::<Pod>(Some(namespace), &query)
                );
                // A service account that is gone may still be used: that is a diagnosis and not a mistake.
                let used = pods.known().is_some_and(|listing| !listing.value.items.is_empty());
                match account {
                    Err(error @ CollectError::NotFound { .. }) if !used => Err(error),
                    Err(CollectError::NotFound { .. }) | Ok(()) => Ok(Self::Account(Box::new(pods))),
                    Err(error) => Err(error),
                }
            }
        }
    }

    async fn with_pods(self, reader: &Reader, namespace: &str) -> Found {
        match self {
            Self::Pod(pod) => Found { pods: vec![*pod], workload: None, listing: None, account: None },
            Self::Account(listing) => {
                Found { pods: newest_first(&listing), workload: None, listing: Some(*listing), account: None }
            }
            Self::Workload(workload, pods_of) => {
                let listing = list_pods(reader, namespace, &workload.value, pods_of).await;
                Found {
                    pods: newest_first(&listing),
                    workload: Some(*workload),
                    listing: Some(listing),
                    account: None,
                }
            }
        }
    }
}

async fn workload<T: Workload>(
    reader: &Reader,
    namespace: &str,
    target: &Target,
) -> Result<First, CollectError> {
    let found: Sourced<T> = reader.require(namespace, target).await?;
    let selector = found.value.spec().selector.clone();
    let owner = owner(T::KIND, found.value.meta(), &found.value.spec().template);
    Ok(First::Workload(Box::new(Sourced { value: owner, source: found.source }), PodsOf::Selector(selector)))
}

fn owner(kind: &str, meta: &Meta, template: &PodTemplate) -> Owner {
    Owner {
        kind: kind.to_owned(),
        meta: meta.clone(),
        template_meta: template.metadata.clone(),
        template_spec: template.spec.clone(),
    }
}

/// The workloads with a selector and a template.
trait Workload: Resource {
    fn spec(&self) -> &WorkloadSpec;
}
macro_rules! workloads {
    ($($type:ty),*) => {
        $(impl Workload for $type {
            fn spec(&self) -> &WorkloadSpec {
                &self.spec
            }
        })*
    };
}
workloads!(Deployment, StatefulSet, DaemonSet, ReplicaSet, Job);

async fn list_pods(reader: &Reader, namespace: &str, owner: &Owner, pods_of: PodsOf) -> Fact<Listing<Pod>> {
    let (query, jobs) = match pods_of {
        PodsOf::Selector(selector) => {
            let labels = selector.or_else(|| {
                Some(LabelSelector {
                    match_labels: owner.template_meta.labels.clone(),
                    ..LabelSelector::default()
                })
            });
            let query = Query { labels, ..Query::default() };
            return filtered(reader.list::<Pod>(Some(namespace), &query).await, |pod| {
                // Selectors of different workloads may overlap; the controller reference tells whose pod it is.
                pod.metadata.controller().is_none_or(|controller| {
                    controller.name == owner.meta.name
                        || owner_key(&pod.metadata).is_some_and(|(_, name)| name == owner.meta.name)
                })
            });
        }
        PodsOf::CronJob(name) => {
            let made_by_a_job = LabelSelector {
                match_expressions: vec![SelectorRequirement {
                    key: String::from("batch.kubernetes.io/job-name"),
                    operator: String::from("Exists"),
                    values: Vec::new(),
                }],
                ..LabelSelector::default()
            };
            (Query { labels: Some(made_by_a_job), ..Query::default() }, name)
        }
    };
    let all = Query::default();
    let (pods, all_jobs) =
        tokio::join!(reader.list::<Pod>(Some(namespace), &query), reader.list::<Job>(Some(namespace), &all));
    let own: BTreeSet<String> = match &all_jobs {
        Fact::Known(listing) => listing
            .value
            .items
            .iter()
            .filter(|job| {
                job.value
                    .metadata
                    .controller()
                    .is_some_and(|owner| owner.kind == "CronJob" && owner.name == jobs)
            })
            .map(|job| job.value.metadata.name.clone())
            .collect(),
        // Without the Jobs, their names tell: the CronJob's name and a number.
        Fact::Absent { .. } | Fact::Unknown(_) => {
            let names = pods.known().into_iter().flat_map(|listing| &listing.value.items);
            let names =
                names.filter_map(|pod| pod.value.metadata.controller().map(|owner| owner.name.clone()));
            let numbered = |name: &String| {
                name.strip_prefix(&jobs)
                    .and_then(|rest| rest.strip_prefix('-'))
                    .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
            };
            names.filter(numbered).collect()
        }
    };
    let mut pods =
        filtered(pods, |pod| pod.metadata.controller().is_some_and(|owner| own.contains(&owner.name)));
    // Without all of its Jobs, these may not be all of its pods.
    if let (Fact::Known(listing), Some(cut)) = (&mut pods, of_listing(&all_jobs).cloned()) {
        listing.value.cut.get_or_insert(cut);
    }
    pods
}

fn filtered(listing: Fact<Listing<Pod>>, keep: impl Fn(&Pod) -> bool) -> Fact<Listing<Pod>> {
    match listing {
        Fact::Known(mut known) => {
            known.value.items.retain(|pod| keep(&pod.value));
            Fact::Known(known)
        }
        other => other,
    }
}

fn newest_first(listing: &Fact<Listing<Pod>>) -> Vec<Sourced<Pod>> {
    let mut pods = listing.known().map(|listing| listing.value.items.clone()).unwrap_or_default();
    pods.sort_by_key(|pod| std::cmp::Reverse(pod.value.metadata.creation_timestamp));
    pods
}

fn check_container(found: &Found, container: Option<&str>) -> Result<(), CollectError> {
    let Some(name) = container else { return Ok(()) };
    let specs = found.pods.iter().map(|pod| (&pod.value.metadata.name, &pod.value.spec));
    let templates =
        found.workload.iter().map(|workload| (&workload.value.meta.name, &workload.value.template_spec));
    let mut candidates = specs.chain(templates);
    let names = |containers: &[Container]| {
        containers.iter().map(|container| container.name.clone()).collect::<Vec<_>>()
    };
    let Some((pod, spec)) = candidates.next() else { return Ok(()) };
    let there: Vec<String> =
        names(&spec.containers).into_iter().chain(names(&spec.init_containers)).collect();
    let anywhere = there.iter().any(|known| known == name)
        || candidates.any(|(_, spec)| {
            spec.containers.iter().chain(&spec.init_containers).any(|known| known.name == name)
        });
    if anywhere {
        Ok(())
    } else {
        Err(CollectError::NoContainer { pod: pod.clone(), name: name.to_owned(), there })
    }
}

/// The names that the pods refer to.
#[derive(Default)]
struct References {
    service_accounts: BTreeSet<String>,
    nodes: BTreeSet<String>,
    config_maps: BTreeSet<String>,
    secrets: BTreeSet<String>,
    events: Vec<EventsOf>,
}

enum EventsOf {
    /// Events about an object of that name.
    Name(String),
    /// Refusals to make pods: their ReplicaSet's name is not known.
    FailedCreate,
}

impl References {
    fn of(found: &Found) -> Self {
        let mut refers = Self::default();
        refers.service_accounts.extend(found.account.clone());
        let templates = found.workload.iter().filter(|_| found.pods.is_empty());
        let specs = found
            .pods
            .iter()
            .map(|pod| &pod.value.spec)
            .chain(templates.map(|owner| &owner.value.template_spec));
        for spec in specs {
            refers.service_accounts.insert(spec.service_account().to_owned());
            if !spec.node_name.is_empty() {
                refers.nodes.insert(spec.node_name.clone());
            }
            for container in spec.containers.iter().chain(&spec.init_containers) {
                for from in &container.env_from {
                    refers
                        .config_maps
                        .extend(from.config_map_ref.iter().map(|reference| reference.name.clone()));
                    refers.secrets.extend(from.secret_ref.iter().map(|reference| reference.name.clone()));
                }
                let keys = container.env.iter().filter(|variable| EnvValue::is_read(&variable.name));
                for variable in keys {
                    if let EnvValue::From(source) = &variable.value {
                        refers
                            .config_maps
                            .extend(source.config_map_key_ref.iter().map(|key| key.name.clone()));
                    }
                }
                // Only the Secret's key names tell whether an optional key becomes a variable at all.
                let keys = container.env.iter().filter(|variable| variable.name.starts_with("AWS_"));
                for variable in keys {
                    if let EnvValue::From(source) = &variable.value {
                        let optional = source.secret_key_ref.iter().filter(|key| key.optional == Some(true));
                        refers.secrets.extend(optional.map(|key| key.name.clone()));
                    }
                }
            }
        }
        let pods = found.pods.iter().take(EVENTFUL_PODS).map(|pod| pod.value.metadata.name.clone());
        let controllers = found.pods.iter().filter_map(|pod| pod.value.metadata.controller());
        let mut names: BTreeSet<String> =
            pods.chain(controllers.map(|controller| controller.name.clone())).collect();
        names.extend(found.workload.iter().map(|workload| workload.value.meta.name.clone()));
        refers.events = names.into_iter().map(EventsOf::Name).collect();
        if found.pods.is_empty() {
            refers.events.push(EventsOf::FailedCreate);
        }
        refers
    }
}

async fn get_all<T: Resource>(
    reader: &Reader,
    namespace: Option<&str>,
    names: &BTreeSet<String>,
) -> BTreeMap<String, Fact<T>> {
    join_all(names.iter().map(|name| async move { (name.clone(), reader.get(namespace, name).await) }))
        .await
        .into_iter()
        .collect()
}

async fn get_nodes(reader: &Reader, names: &BTreeSet<String>) -> BTreeMap<String, Fact<Node>> {
    if names.len() <= NODES {
        return get_all(reader, None, names).await;
    }
    let listing = reader.list::<Node>(None, &Query::default()).await;
    let fact = |name: &String| match &listing {
        Fact::Known(listing) => {
            let node = listing.value.items.iter().find(|node| &node.value.metadata.name == name);
            match (node, &listing.value.cut) {
                (Some(node), _) => Fact::Known(node.clone()),
                (None, None) => Fact::Absent { source: listing.source.clone() },
                (None, Some(cut)) => Fact::Unknown(cut.clone()),
            }
        }
        Fact::Absent { source } => Fact::Absent { source: source.clone() },
        Fact::Unknown(unknown) => Fact::Unknown(unknown.clone()),
    };
    names.iter().map(|name| (name.clone(), fact(name))).collect()
}

/// What serves a self-hosted webhook.
struct BehindWebhook {
    workload: Fact<Owner>,
    endpoints: Fact<Listing<EndpointSlice>>,
    config_map: Fact<ConfigMap>,
}

impl BehindWebhook {
    async fn read(reader: &Reader, webhooks: &Fact<Listing<MutatingWebhookConfiguration>>) -> Self {
        let Some(service) = irsa::derive::webhook::self_hosted_service(webhooks) else {
            let why = "the webhook is not served from within the cluster, as far as is known";
            return Self {
                workload: Fact::not_asked("the webhook's workload", why),
                endpoints: Fact::not_asked("the webhook's endpoints", why),
                // In files, the ConfigMap may stand alone.
                config_map: match reader {
                    Reader::Files(store) => store.get(Some("kube-system"), WEBHOOK_CONFIG_MAP),
                    Reader::Api(_) => Fact::not_asked("the webhook's ConfigMap", why),
                },
            };
        };
        let namespace = Some(service.namespace.as_str());
        let of_service = LabelSelector {
            match_labels: BTreeMap::from([(
                String::from("kubernetes.io/service-name"),
                service.name.clone(),
            )]),
            ..LabelSelector::default()
        };
        let (all, slices) = (Query::default(), Query { labels: Some(of_service), ..Query::default() });
        let (deployments, endpoints, config_map) = tokio::join!(
            reader.list::<Deployment>(namespace, &all),
            reader.list(namespace, &slices),
            reader.get(namespace, WEBHOOK_CONFIG_MAP),
        );
        Self { workload: serving(deployments, &service), endpoints, config_map }
    }
}

/// The EKS Pod Identity agent.
struct Agents {
    sets: Fact<Listing<DaemonSet>>,
    pods: Fact<Listing<Pod>>,
}

impl Agents {
    /// It may be in any namespace; the name is that of its chart, which the EKS add-on is made from.
    async fn read(reader: &Reader, found: &Found) -> Self {
        if !found.pods.iter().any(|pod| pod.value.spec.has_pod_identity()) {
            let why = "no pod is wired for it";
            return Self {
                sets: Fact::not_asked("the EKS Pod Identity agent", why),
                pods: Fact::not_asked("pods of the EKS Pod Identity agent", why),
            };
        }
        let named = SelectorRequirement {
            key: String::from("app.kubernetes.io/name"),
            operator: String::from("In"),
            values: ["", "-hybrid", "-hybrid-bottlerocket"]
                .map(|kind| format!("eks-pod-identity-agent{kind}"))
                .into(),
        };
        let labels = LabelSelector { match_expressions: vec![named], ..LabelSelector::default() };
        let query = Query { labels: Some(labels), ..Query::default() };
        let (sets, pods) = tokio::join!(reader.list(None, &query), reader.list(None, &query));
        Self { sets, pods }
    }
}

/// The ConfigMap that the webhook reads with `--watch-config-map` (webhook `main.go`).
const WEBHOOK_CONFIG_MAP: &str = "pod-identity-webhook";

/// The Deployment of the service's name, or the one that carries flags of the webhook.
fn serving(deployments: Fact<Listing<Deployment>>, service: &ServiceRef) -> Fact<Owner> {
    let listing = match deployments {
        Fact::Known(listing) => listing,
        Fact::Absent { source } => return Fact::Absent { source },
        Fact::Unknown(unknown) => return Fact::Unknown(unknown),
    };
    let flags = |deployment: &&Sourced<Deployment>| {
        let containers = &deployment.value.spec.template.spec.containers;
        containers.iter().any(|container| container.args.len() + container.command.len() > 0)
    };
    let items = &listing.value.items;
    let by_name = items.iter().find(|deployment| deployment.value.metadata.name == service.name);
    match (by_name.or_else(|| items.iter().find(flags)), listing.value.cut) {
        (Some(found), _) => Fact::Known(Sourced {
            value: owner("Deployment", &found.value.metadata, &found.value.spec.template),
            source: found.source.clone(),
        }),
        (None, Some(cut)) => Fact::Unknown(cut),
        (None, None) => Fact::Absent { source: listing.source },
    }
}

async fn siblings_of(reader: &Reader, namespace: &str, found: &Found) -> Fact<Listing<Pod>> {
    if let Some(listing) = &found.listing {
        return listing.clone();
    }
    let Some(pod) = found.pods.first().filter(|pod| pod.value.metadata.controller().is_some()) else {
        return Fact::not_asked("pods of the same workload", "the pod belongs to no workload");
    };
    let labels =
        LabelSelector { match_labels: sibling_labels(&pod.value.metadata), ..LabelSelector::default() };
    reader.list(Some(namespace), &Query { labels: Some(labels), ..Query::default() }).await
}

/// Kind and name of a workload, as [`owner_key`] tells them from a pod.
type OwnerKey = (String, String);

/// The workload of every pod: the pods of one service account may have several.
async fn owners_of(reader: &Reader, namespace: &str, found: &Found) -> BTreeMap<OwnerKey, Fact<Owner>> {
    let keys: BTreeSet<OwnerKey> =
        found.pods.iter().filter_map(|pod| owner_key(&pod.value.metadata)).collect();
    let one = |key: OwnerKey| async move {
        let known = found
            .workload
            .as_ref()
            .filter(|workload| workload.value.meta.name == key.1 && workload.value.kind == key.0);
        let owner = match (known, &found.workload) {
            (Some(workload), _) => Fact::Known(workload.clone()),
            // The Jobs of a CronJob are made from its template.
            (None, Some(workload)) if workload.value.kind == "CronJob" => Fact::Known(workload.clone()),
            _ => owner_named(reader, namespace, &key.0, &key.1).await,
        };
        (key, owner)
    };
    join_all(keys.into_iter().map(one)).await.into_iter().collect()
}

async fn owner_named(reader: &Reader, namespace: &str, kind: &str, name: &str) -> Fact<Owner> {
    match kind {
        "Deployment" => owner_fact::<Deployment>(reader, namespace, name).await,
        "StatefulSet" => owner_fact::<StatefulSet>(reader, namespace, name).await,
        "DaemonSet" => owner_fact::<DaemonSet>(reader, namespace, name).await,
        "ReplicaSet" => owner_fact::<ReplicaSet>(reader, namespace, name).await,
        "Job" => owner_fact::<Job>(reader, namespace, name).await,
        _ => Fact::not_asked(
            format!("{kind} {namespace}/{name}"),
            "pods of this kind of owner carry no template to compare",
        ),
    }
}

async fn owner_fact<T: Workload>(reader: &Reader, namespace: &str, name: &str) -> Fact<Owner> {
    match reader.get::<T>(Some(namespace), name).await {
        Fact::Known(found) => Fact::Known(Sourced {
            value: owner(T::KIND, found.value.meta(), &found.value.spec().template),
            source: found.source,
        }),
        Fact::Absent { source } => Fact::Absent { source },
        Fact::Unknown(unknown) => Fact::Unknown(unknown),
    }
}

async fn events_of(reader: &Reader, namespace: &str, wanted: &[EventsOf]) -> Fact<Listing<Event>> {
    let queries = wanted.iter().map(|events| {
        let field = match events {
            EventsOf::Name(name) => ("involvedObject.name", name.clone()),
            EventsOf::FailedCreate => ("reason", String::from("FailedCreate")),
        };
        Query { fields: vec![field], ..Query::default() }
    });
    let answers =
        join_all(queries.map(|query| async move { reader.list::<Event>(Some(namespace), &query).await }))
            .await;
    let mut merged: Option<Sourced<Listing<Event>>> = None;
    for answer in answers {
        match (answer, &mut merged) {
            (Fact::Known(listing), None) => merged = Some(listing),
            (Fact::Known(listing), Some(merged)) => {
                merged.value.items.extend(listing.value.items);
                merged.value.cut = merged.value.cut.take().or(listing.value.cut);
            }
            // One permission covers all of them: what fails for one fails for the link.
            (failed, _) => return failed,
        }
    }
    merged.map_or_else(|| Fact::not_asked("events", "there is no object to have any"), Fact::Known)
}

fn is_bare(account: &Fact<ServiceAccount>) -> bool {
    match account {
        Fact::Known(account) => {
            let role = |key: &String| key.ends_with("/role-arn");
            !account.value.metadata.annotations.iter().any(|(key, value)| role(key) && !value.is_empty())
        }
        Fact::Absent { .. } => true,
        Fact::Unknown(_) => false,
    }
}

async fn namesakes_of(
    reader: &Reader,
    namespace: &str,
    names: &BTreeSet<String>,
) -> BTreeMap<String, Fact<Listing<ServiceAccount>>> {
    let lists = names.iter().map(|name| async move {
        let query = Query { fields: vec![("metadata.name", name.clone())], ..Query::default() };
        let listing = match reader.list::<ServiceAccount>(None, &query).await {
            Fact::Known(mut listing) => {
                listing.value.items.retain(|account| account.value.metadata.namespace != namespace);
                Fact::Known(listing)
            }
            other => other,
        };
        (name.clone(), listing)
    });
    join_all(lists).await.into_iter().collect()
}

impl Reader {
    /// The object without which there is nothing to say.
    async fn require<T: Resource>(
        &self,
        namespace: &str,
        target: &Target,
    ) -> Result<Sourced<T>, CollectError> {
        let fact = match self {
            Self::Api(api) => api
                .try_get::<T>(Some(namespace), &target.name)
                .await
                .map_err(|error| unreadable::<T>(api, &error, namespace, &target.name))?,
            Self::Files(store) => store.get::<T>(Some(namespace), &target.name),
        };
        match fact {
            Fact::Known(found) => Ok(found),
            Fact::Absent { .. } => Err(self.not_found::<T>(namespace, target).await),
            Fact::Unknown(unknown) if unknown.why == Why::NotInFiles => {
                Err(self.not_found::<T>(namespace, target).await)
            }
            Fact::Unknown(unknown) => Err(CollectError::Unreadable {
                what: unknown.what,
                why: unknown.why.to_string(),
                grant: unknown.grant.map(|grant| grant.to_string()),
            }),
        }
    }

    /// The same, for an object that is read again among the facts.
    async fn require_unless_used<T: Resource>(
        &self,
        namespace: &str,
        target: &Target,
    ) -> Result<(), CollectError> {
        match self.require::<T>(namespace, target).await {
            Ok(_) => Ok(()),
            // The pods alone may tell enough; the refusal is among the facts.
            Err(CollectError::Unreadable { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn not_found<T: Resource>(&self, namespace: &str, target: &Target) -> CollectError {
        let near = match self.list::<T>(Some(namespace), &Query::default()).await {
            Fact::Known(listing) => near_names(
                &target.name,
                listing.value.items.iter().map(|item| item.value.meta().name.as_str()),
            ),
            Fact::Absent { .. } | Fact::Unknown(_) => Vec::new(),
        };
        CollectError::NotFound {
            kind: target.kind.word(),
            name: target.name.clone(),
            namespace: namespace.to_owned(),
            near,
        }
    }
}

/// Up to three names that may have been meant: a few letters off, or the name of a workload whose pods begin with it.
fn near_names<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut near: Vec<(usize, String)> = names
        .filter_map(|name| {
            let distance = strsim::damerau_levenshtein(wanted, name);
            let close = distance <= 2 + wanted.len() / 8;
            (!name.is_empty() && (close || name.starts_with(wanted))).then(|| (distance, name.to_owned()))
        })
        .collect();
    near.sort();
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

fn unreadable<T: Resource>(
    api: &super::api::Api,
    error: &super::api::NoAnswer,
    namespace: &str,
    name: &str,
) -> CollectError {
    use super::api::NoAnswer;
    let what = format!("{} {namespace}/{name}", T::SINGULAR);
    match error {
        NoAnswer::TimedOut => CollectError::Unreachable {
            address: api.address().to_owned(),
            cause: format!("no answer within {} s (--request-timeout)", api.timeout().as_secs()),
        },
        NoAnswer::Unreachable(cause) => {
            CollectError::Unreachable { address: api.address().to_owned(), cause: cause.clone() }
        }
        NoAnswer::Unreadable(why) => CollectError::Unreadable { what, why: why.clone(), grant: None },
        NoAnswer::Status { code, message, .. } => CollectError::Unreadable {
            what,
            why: if message.is_empty() { code.to_string() } else { format!("{message} ({code})") },
            grant: (code.as_u16() == 403).then(|| T::grant("get", Some(namespace)).to_string()),
        },
    }
}

/// A secret's keys are known only through `managedFields`; without them, they are not known.
fn keys_or_unknown(name: &str, secret: Fact<Secret>) -> Fact<Secret> {
    match secret {
        Fact::Known(secret)
            if secret.value.keys.is_empty()
                && secret.value.metadata.managed_fields.iter().all(|entry| entry.data_keys.is_empty())
                && matches!(secret.source, Source::Api { .. }) =>
        {
            Fact::Unknown(Unknown {
                what: format!("key names of Secret {name}"),
                why: Why::Failed(String::from("its managedFields name none, and its values are never read")),
                grant: None,
            })
        }
        other => other,
    }
}
