//! Names from the cluster and the kubeconfig, while someone waits for the tab key.

use std::time::Duration;

use kube::config::Kubeconfig;

use crate::collect::cluster::{Access, Api};
use crate::collect::{Deadline, Progress, aws};
use irsa::facts::Fact;
use irsa::facts::kubernetes::resource::Resource;
use irsa::facts::kubernetes::{
    CronJob, DaemonSet, Deployment, Job, Namespace, Pod, PodSpec, ReplicaSet, ServiceAccount, StatefulSet,
};
use irsa::rounds::Objects;
use irsa::target::{Kind, Target};

/// How long the API server may take.
const ANSWER: Duration = Duration::from_secs(1);
/// How long everything may take: an exec plugin such as `aws eks get-token` takes a second by itself.
const DEADLINE: Duration = Duration::from_secs(3);

/// What to list the names of.
#[derive(Debug, Clone)]
pub enum Listed {
    /// Objects of the namespace.
    Targets(Kind),
    /// Containers of an object.
    Containers(Target),
    /// Namespaces.
    Namespaces,
    /// Contexts of the kubeconfig.
    Contexts,
    /// Clusters of the kubeconfig.
    Clusters,
    /// Users of the kubeconfig.
    Users,
}

/// The names; none if they do not arrive in time.
pub fn names(listed: Listed, access: &Access) -> Vec<String> {
    ask(listed, access).unwrap_or_default()
}

fn ask(listed: Listed, access: &Access) -> Option<Vec<String>> {
    let in_kubeconfig =
        |names: fn(Kubeconfig) -> Vec<String>| within(async { Some(names(read(access).await?)) });
    match listed {
        Listed::Contexts => in_kubeconfig(|read| read.contexts.into_iter().map(|one| one.name).collect()),
        Listed::Clusters => in_kubeconfig(|read| read.clusters.into_iter().map(|one| one.name).collect()),
        Listed::Users => in_kubeconfig(|read| read.auth_infos.into_iter().map(|one| one.name).collect()),
        Listed::Namespaces => of_cluster::<Namespace>(access),
        Listed::Containers(Target { kind, name }) => match kind {
            Kind::Pod => containers::<Pod>(access, &name, |pod| &pod.spec),
            Kind::Deployment => containers::<Deployment>(access, &name, |it| &it.spec.template.spec),
            Kind::StatefulSet => containers::<StatefulSet>(access, &name, |it| &it.spec.template.spec),
            Kind::DaemonSet => containers::<DaemonSet>(access, &name, |it| &it.spec.template.spec),
            Kind::ReplicaSet => containers::<ReplicaSet>(access, &name, |it| &it.spec.template.spec),
            Kind::Job => containers::<Job>(access, &name, |it| &it.spec.template.spec),
            Kind::CronJob => {
                containers::<CronJob>(access, &name, |it| &it.spec.job_template.spec.template.spec)
            }
            Kind::ServiceAccount => None,
        },
        Listed::Targets(kind) => match kind {
            Kind::Pod => of_cluster::<Pod>(access),
            Kind::Deployment => of_cluster::<Deployment>(access),
            Kind::StatefulSet => of_cluster::<StatefulSet>(access),
            Kind::DaemonSet => of_cluster::<DaemonSet>(access),
            Kind::ReplicaSet => of_cluster::<ReplicaSet>(access),
            Kind::Job => of_cluster::<Job>(access),
            Kind::CronJob => of_cluster::<CronJob>(access),
            Kind::ServiceAccount => of_cluster::<ServiceAccount>(access),
        },
    }
}

async fn read(access: &Access) -> Option<Kubeconfig> {
    crate::cli::kubeconfig(access, &Deadline::beyond(DEADLINE)).await.ok()
}

/// The AWS profiles of this machine.
pub fn profiles() -> Vec<String> {
    within(aws::profiles()).unwrap_or_default()
}

fn of_cluster<T: Resource>(access: &Access) -> Option<Vec<String>> {
    within(async {
        let (api, namespace) = connected(access).await?;
        api.names::<T>(Some(&namespace)).await.ok()
    })
}

fn containers<T: Resource>(access: &Access, name: &str, spec: fn(&T) -> &PodSpec) -> Option<Vec<String>> {
    within(async {
        let (api, namespace) = connected(access).await?;
        let object: Fact<T> = api.get(Some(&namespace), name).await;
        let spec = spec(&object.known()?.value);
        let all = spec.containers.iter().chain(&spec.init_containers);
        Some(all.map(|container| container.name.clone()).collect())
    })
}

async fn connected(access: &Access) -> Option<(Api, String)> {
    let server = access.server(&read(access).await?).ok()?;
    let namespace = server.namespace.clone();
    let api = Api::open(server, ANSWER, Deadline::beyond(DEADLINE), Progress::silent()).await.ok()?;
    Some((api, namespace))
}

fn within(names: impl Future<Output = Option<Vec<String>>>) -> Option<Vec<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let names = runtime.block_on(async { tokio::time::timeout(DEADLINE, names).await.ok().flatten() });
    // The system's resolver and file reads cannot be interrupted; what is late ends with the process.
    runtime.shutdown_background();
    names
}
