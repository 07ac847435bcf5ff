//! A kubelet for tests: it runs the real probe, in namespaces of its own, in pods that look from inside as they do on a
//! node. It watches the fake API server's store, starts what is added there and writes back what becomes of it.
//!
//! It needs root, and says so. What it does not have: cgroups (so no `shareProcessNamespace`), seccomp, init containers of
//! pods that are created, and read-only roots.

mod container;
mod dns;
mod environment;
mod network;
mod pod;
mod programs;
mod root;
mod services;
pub mod setup;
mod status;
mod volumes;

#[cfg(test)]
mod tests;

use crate::aws::{self, FakeAws};
use crate::fault::Faults;
use crate::kube_api::resources::{Resource, by_path};
use crate::kube_api::{self, Change, ChangeKind, FakeKube};
use crate::world::World;
use container::run;
use irsa_test_container::Order;
use network::Network;
use pod::{Ownership, list};
use programs::{Programs, programs};
use serde_json::{Value, json};
use setup::{Fate, Setup};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use tempfile::TempDir;
use tokio::process::Child;
use tokio::sync::{mpsc::UnboundedReceiver, oneshot};
use tokio::task::AbortHandle;
use volumes::ownerships;

/// The nodes of a world at work. They stop when dropped, and everything that runs on them.
pub struct Kubelet {
    node: Arc<Node>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Everything that the tasks share. One node stands for all of the cluster.
struct Node {
    setup: Setup,
    programs: &'static Programs,
    kube: Arc<kube_api::Server>,
    aws: Option<Arc<aws::Server>>,
    directory: TempDir,
    sandboxes: tokio::sync::Mutex<HashMap<String, Arc<Sandbox>>>,
    problems: Mutex<Vec<String>>,
}

/// What the containers of a pod share.
struct Sandbox {
    network: Network,
    /// Its volumes, by name.
    volumes: PathBuf,
    /// The volumes' files before any container was added.
    files: BTreeMap<PathBuf, Ownership>,
    /// The applications that run in it, by container.
    applications: tokio::sync::Mutex<HashMap<String, Child>>,
}

impl Kubelet {
    /// Starts the nodes of a world, if it has any.
    pub fn start(world: &World, kube: &FakeKube, aws: Option<&FakeAws>) -> Option<Kubelet> {
        let setup = world.header.kubelet.clone()?;
        let node = Arc::new(Node {
            setup,
            programs: programs(),
            kube: kube.server(),
            aws: aws.map(FakeAws::server),
            directory: tempfile::tempdir().expect("a directory can be made"),
            sandboxes: tokio::sync::Mutex::default(),
            problems: Mutex::default(),
        });
        let store = &node.kube.store;
        let changes = store.subscribe(pods(), "", store.revision()).rest;
        let (stop, stopped) = oneshot::channel();
        let shared = node.clone();
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be built").block_on(async {
                tokio::select! {
                    () = watch(shared.clone(), changes) => {}
                    _ = stopped => {}
                }
                // With them end the processes.
                shared.sandboxes.lock().await.clear();
            });
        };
        let thread = std::thread::Builder::new().name("fake-kubelet".to_owned()).spawn(work);
        let kubelet =
            Kubelet { node, stop: Some(stop), thread: Some(thread.expect("a thread can be started")) };
        can_isolate(&kubelet.node);
        Some(kubelet)
    }

    /// What went wrong in the test's own machinery, or is not modelled. It must stay empty.
    pub fn problems(&self) -> Vec<String> {
        self.node.problems.lock().expect("no thread panics while it holds the problems").clone()
    }

    /// The files of volumes whose owner or mode is no longer what it was before any container was added: what the
    /// observer has done to the application.
    pub fn altered_files(&self) -> Vec<String> {
        let sandboxes = self.node.sandboxes.blocking_lock();
        let all = sandboxes.values().map(|sandbox| sandbox.altered_files());
        all.flat_map(|altered| altered.unwrap_or_else(|error| vec![error.to_string()])).collect()
    }
}

impl Sandbox {
    fn altered_files(&self) -> io::Result<Vec<String>> {
        let now = ownerships(&self.volumes)?;
        let altered = self.files.iter().filter(|(path, before)| now.get(*path) != Some(before));
        let told = altered
            .map(|(path, before)| format!("{}: {before:?} has become {:?}", path.display(), now.get(path)));
        Ok(told.collect())
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The receiver is gone when the thread has ended already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A panic of the thread must not turn into a second one while a test unwinds.
            let _ = thread.join();
        }
    }
}

/// A test that cannot have namespaces fails; it would mean nothing without them.
fn can_isolate(node: &Node) {
    static RESULT: OnceLock<Result<(), String>> = OnceLock::new();
    let result = RESULT.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let attempt = async { network::start(node, &Order::Network(Vec::new())).await.map(drop) };
        runtime.and_then(|runtime| runtime.block_on(attempt)).map_err(|error| error.to_string())
    });
    if let Err(why) = result {
        panic!("the fake kubelet needs root and the right to make namespaces (CAP_SYS_ADMIN): {why}");
    }
}

fn pods() -> &'static Resource {
    by_path("", "pods").expect("the table has pods")
}

async fn watch(node: Arc<Node>, mut changes: UnboundedReceiver<Change>) {
    let mut seen: HashSet<(String, String)> = HashSet::new();
    let mut running: HashMap<String, Vec<AbortHandle>> = HashMap::new();
    while let Some(Change { kind, object }) = changes.recv().await {
        if object.resource != pods() {
            continue;
        }
        let pod = &object.value;
        let uid = pod["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        let added = match kind {
            ChangeKind::Deleted => {
                for task in running.remove(&uid).unwrap_or_default() {
                    task.abort();
                }
                node.sandboxes.lock().await.remove(&uid);
                continue;
            }
            ChangeKind::Added => list(&pod["spec"]["containers"]),
            ChangeKind::Modified => list(&pod["spec"]["ephemeralContainers"]),
        };
        // On a node they start even while the pod's own containers wait.
        let waits = pod["status"]["phase"] == "Pending" && !pod["spec"]["nodeName"].is_null();
        let runs = kind == ChangeKind::Added || pod["status"]["phase"] == "Running" || waits;
        for container in added.iter().filter(|_| runs && node.setup.containers != Fate::Never) {
            let name = container["name"].as_str().unwrap_or_default().to_owned();
            if is_known(pod, &name) || !seen.insert((uid.clone(), name.clone())) {
                continue;
            }
            let (node, object) = (node.clone(), object.clone());
            let task = tokio::spawn(async move {
                if let Err(error) = run(&node, &object.value, &name).await {
                    node.problem(format!("container {name}: {error}"));
                }
            });
            running.entry(uid.clone()).or_default().push(task.abort_handle());
        }
    }
}

/// Whether the world itself says what has become of a container.
fn is_known(pod: &Value, name: &str) -> bool {
    list(&pod["status"]["ephemeralContainerStatuses"]).iter().any(|status| status["name"] == name)
}

impl Node {
    /// What goes wrong with the answers that pods get.
    fn faults(&self) -> Option<&Faults> {
        self.aws.as_ref().map(|aws| &aws.faults)
    }

    fn problem(&self, problem: String) {
        self.problems.lock().expect("no thread panics while it holds the problems").push(problem);
    }

    /// The pod's shared part, made when it is first needed.
    async fn sandbox(self: &Arc<Node>, pod: &Value) -> io::Result<Arc<Sandbox>> {
        let uid = pod["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        let mut all = self.sandboxes.lock().await;
        if let Some(sandbox) = all.get(&uid) {
            return Ok(sandbox.clone());
        }
        let volumes = self.directory.path().join(&uid).join("volumes");
        let network = Network::start(self, pod).await?;
        // The volumes are from before any container was added.
        let mut before = pod.clone();
        before["spec"]["ephemeralContainers"] = match &pod["spec"]["ephemeralContainers"] {
            Value::Array(all) => all
                .iter()
                .filter(|c| is_known(pod, c["name"].as_str().unwrap_or_default()))
                .cloned()
                .collect(),
            _ => json!([]),
        };
        self.volumes(&before).write(&volumes)?;
        let files = ownerships(&volumes)?;
        let sandbox =
            Arc::new(Sandbox { network, volumes, files, applications: tokio::sync::Mutex::default() });
        all.insert(uid, sandbox.clone());
        Ok(sandbox)
    }

    fn volumes<'s>(&'s self, pod: &'s Value) -> volumes::Volumes<'s> {
        let sources = environment::Sources { store: &self.kube.store, pod };
        volumes::Volumes { sources, issuer: &self.kube.issuer, now: self.kube.header.now }
    }

    /// Writes a state of a container into the API server's pod; it may have been deleted.
    fn report(&self, pod: &Value, name: &str, state: &status::State) -> Option<Value> {
        let text = |key: &str| pod["metadata"][key].as_str().unwrap_or_default();
        let edit = |pod: &mut Value| {
            if pod["status"]["startTime"].is_null() {
                pod["status"]["startTime"] = json!(self.kube.header.now.to_string());
            }
            status::write(pod, name, state, self.kube.header.now);
            Ok::<(), Infallible>(())
        };
        let Ok(object) = self.kube.store.edit(pods(), text("namespace"), text("name"), edit);
        object.map(|object| object.value.clone())
    }
}
