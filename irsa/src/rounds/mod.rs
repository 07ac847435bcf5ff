//! From a target to facts: which objects are read, in which round.
//!
//! What a user notices is how many round trips follow each other. Everything whose inputs are known is requested at once: three
//! rounds for a pod (the pod; what it refers to; what that refers to), four for a workload.
//!
//! [`Objects`] hides who answers: an API server, whose answers the plugin fetches, or documents.

mod accounts;
mod agents;
mod earlier;
mod error;
mod objects;
mod owners;
mod references;
mod target;
mod webhook;
mod with_role;
mod workload;

pub use earlier::PROBED_CONTAINER;
pub use error::CollectError;
pub use objects::Objects;
pub use with_role::with_role;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_util::join;

use crate::bundle;
use crate::derive::Derived;
use crate::derive::plan::Plan;
use crate::documents::Store;
use crate::facts::aws::Aws;
use crate::facts::issuer::Issuer;
use crate::facts::kubernetes::resource::Query;
use crate::facts::kubernetes::{
    ConfigMap, MutatingWebhookConfiguration, Namespace, NetworkPolicy, Node, Pod, Secret, ServerVersion,
    ServiceAccount,
};
use crate::facts::probed::ProbeFacts;
use crate::facts::{Cluster, Fact, Facts, Listing, Request, Sourced, Subject, Why};
use crate::target::{Kind, Target};
use accounts::{keys_or_unknown, names_no_role, namesakes_of};
use agents::Agents;
use owners::{Above, Owners, shared, siblings_of};
use references::{References, events_of, get_all, get_nodes};
use target::{First, check_container};
use webhook::BehindWebhook;

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
    async fn read(reader: &impl Objects, namespace: &str) -> Self {
        let all = Query::default();
        let (webhooks, version, root_ca, namespace, service_accounts, network_policies) = join!(
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

/// Reads everything that the cluster knows about a target: one [`Facts`] for each of its pods, newest first; for a workload or
/// a service account without pods, one. `no_aws` is the reason for what AWS has not been asked; `early` is what AWS may be asked
/// as soon as the service accounts and pods are known, in parallel with the second round.
///
/// # Errors
/// The target cannot be read.
pub async fn of_cluster<E>(
    reader: &impl Objects,
    namespace: &str,
    target: &Target,
    request: Request,
    no_aws: &Why,
    early: impl AsyncFnOnce(&BTreeSet<String>, &[Sourced<Pod>]) -> E,
) -> Result<(Vec<Facts>, E), CollectError> {
    // Round one: the target, and all that needs only the namespace.
    let (first, shared_by_all) =
        join!(First::find(reader, namespace, target), Shared::read(reader, namespace));
    // A workload's pods take a round of their own.
    let mut found = first?.with_pods(reader, namespace).await;
    if target.kind == Kind::ServiceAccount {
        found.account = Some(target.name.clone());
    }
    check_container(&found, request.container.as_deref())?;

    // Everything that the pods refer to, at once.
    let refers = References::of(&found);
    let here = Some(namespace);
    let early = early(&refers.service_accounts, &found.pods);
    let (accounts, nodes, config_maps, secrets, behind, agents, siblings, owners, events, early) = join!(
        get_all::<ServiceAccount>(reader, here, &refers.service_accounts),
        get_nodes(reader, &refers.nodes),
        get_all::<ConfigMap>(reader, here, &refers.config_maps),
        get_all::<Secret>(reader, here, &refers.secrets),
        BehindWebhook::read(reader, &shared_by_all.webhooks),
        Agents::read(reader, &found),
        siblings_of(reader, namespace, &found),
        Owners::read(reader, namespace, &found),
        events_of(reader, namespace, &refers.events),
        early,
    );

    // Round three: the same names elsewhere, only where a service account here names no role.
    let without_role =
        accounts.iter().filter(|(_, account)| names_no_role(account)).map(|(name, _)| name.clone());
    let without_role: BTreeSet<String> = without_role.collect();
    let namesakes = namesakes_of(reader, namespace, &without_role).await;
    let secrets: BTreeMap<String, Fact<Secret>> =
        secrets.into_iter().map(|(name, secret)| (name.clone(), keys_or_unknown(&name, secret))).collect();
    // What is the same for several subjects is there once.
    let (accounts, namesakes, nodes) = (shared(accounts), shared(namesakes), shared(nodes));
    let (config_maps, secrets) = (Arc::new(config_maps), Arc::new(secrets));
    let (request, in_namespace) = (Arc::new(request), Arc::new(shared_by_all.namespace));
    let no_account = |name: &str| {
        let what = format!("serviceaccount {namespace}/{name}");
        Arc::new(Fact::not_asked(what, "its name was not known in time"))
    };
    let no_namesakes = Arc::new(Fact::not_asked(
        "service accounts of that name in other namespaces",
        "the one here names a role, or could not be read",
    ));

    let cluster = Arc::new(Cluster {
        server_clock: reader.clock(),
        version: shared_by_all.version,
        webhooks: shared_by_all.webhooks,
        root_ca: shared_by_all.root_ca,
        webhook_config_map: behind.config_map,
        webhook_workload: behind.workload,
        webhook_endpoints: behind.endpoints,
        agents: agents.sets.clone(),
    });
    let (service_accounts, network_policies) =
        (Arc::new(shared_by_all.service_accounts), Arc::new(shared_by_all.network_policies));
    let (siblings, events) = (Arc::new(siblings), Arc::new(events));
    let (aws, issuer) = (Arc::new(Aws::unknown(no_aws)), Arc::new(Issuer::unknown(no_aws)));
    let facts = |subject: Subject, account: &str, node: Arc<Fact<Node>>, above: Above| Facts {
        request: Arc::clone(&request),
        service_account: accounts.get(account).cloned().unwrap_or_else(|| no_account(account)),
        service_account_name: account.to_owned(),
        namespace_name: namespace.to_owned(),
        namespace: Arc::clone(&in_namespace),
        service_accounts: Arc::clone(&service_accounts),
        network_policies: Arc::clone(&network_policies),
        namesakes: Arc::clone(namesakes.get(account).unwrap_or(&no_namesakes)),
        owner: above.workload,
        owner_pod: above.pod,
        replica_set: above.replica_set,
        siblings: Arc::clone(&siblings),
        events: Arc::clone(&events),
        agent_pods: agents.on_node(subject.spec().map_or("", |(spec, ..)| spec.node_name.unjudged())),
        node,
        config_maps: Arc::clone(&config_maps),
        secrets: Arc::clone(&secrets),
        cluster: Arc::clone(&cluster),
        aws: Arc::clone(&aws),
        issuer: Arc::clone(&issuer),
        app_errors: Fact::unknown_because("the application's log", no_aws.clone(), None),
        probed: Fact::unknown_because(ProbeFacts::WHAT, no_aws.clone(), None),
        subject,
    };
    let no_node = Arc::new(Fact::not_asked("the node", "no pod runs on a node"));
    if found.pods.is_empty() {
        let subject = match found.workload {
            Some(workload) => {
                let account = workload.value.template_spec.service_account().to_owned();
                facts(
                    Subject::Template(Box::new(workload.clone())),
                    &account,
                    no_node,
                    Above { workload: Arc::new(Fact::Known(workload)), ..Above::nothing() },
                )
            }
            None => facts(Subject::ServiceAccount, &target.name, no_node, Above::nothing()),
        };
        return Ok((vec![subject], early));
    }
    let subjects = found
        .pods
        .into_iter()
        .map(|pod| {
            let account = pod.value.spec.service_account().to_owned();
            let node = Arc::clone(nodes.get(pod.value.spec.node_name.unjudged()).unwrap_or(&no_node));
            let above = owners.above(&pod.value);
            facts(Subject::Pod(pod), &account, node, above)
        })
        .collect();
    Ok((subjects, early))
}

/// What documents say about a target. Never waits.
///
/// # Errors
/// The target is not in them.
pub fn of_documents(
    store: &Store,
    namespace: &str,
    target: &Target,
    container: Option<&str>,
) -> Result<Vec<Facts>, CollectError> {
    if let Some(facts) = bundle::read(store, namespace, target, container)? {
        return Ok(facts);
    }
    let request = Request {
        kind: target.kind.word().to_owned(),
        name: target.name.clone(),
        container: container.map(str::to_owned),
        kubectl_flags: Vec::new(),
        aws_flags: Vec::new(),
        own_flags: Vec::new(),
        live: false,
    };
    let why = Why::NotInFiles;
    let read = of_cluster(store, namespace, target, request, &why, async |_, _| ());
    let (mut subjects, ()) = at_once(read)?;
    let mut answers: BTreeMap<Plan, Arc<Aws>> = BTreeMap::new();
    for facts in &mut subjects {
        let derived = Derived::of(facts);
        let (plan, probed) = (Plan::of(&derived, None), without_probe(&derived, &why));
        let answer = |plan: &Plan| Arc::new(store.aws(plan));
        facts.aws = match answers.get(&plan) {
            Some(known) => Arc::clone(known),
            None => Arc::clone(answers.entry(plan).or_insert_with_key(answer)),
        };
        facts.probed = probed;
    }
    Ok(subjects)
}

/// What is known about the inside of a pod in which no probe is started, and why none is.
pub fn without_probe(derived: &Derived<'_>, why: &Why) -> Fact<ProbeFacts> {
    earlier::report(derived).unwrap_or_else(|| match &derived.facts.subject {
        Subject::Pod(_) => Fact::unknown_because(ProbeFacts::WHAT, why.clone(), None),
        Subject::Template(_) | Subject::ServiceAccount => {
            Fact::not_asked(ProbeFacts::WHAT, "there is no pod")
        }
    })
}

/// Runs a future that never waits: every poll makes progress.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}
