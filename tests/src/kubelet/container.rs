//! One container, from the moment that it is added to its end.

use super::environment::Sources;
use super::network::{namespace, start};
use super::pod::{self, PROBE_IMAGE, containers, list};
use super::root::{CA_BUNDLE, Root};
use super::setup::Fate;
use super::status::{State, container_id};
use super::{Node, Sandbox};
use crate::kube_api::logs::ContainerLog;
use irsa_test_container::{Container, Order, User};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use tokio::process::Command;

const PROBE: &str = "/irsa-probe";
const APPLICATION: &str = "/app";
/// Of a process that SIGKILL has ended.
const KILLED: i32 = 137;

/// Runs a container that was added to a pod. Errors are those of the test's own machinery.
pub async fn run(node: &Arc<Node>, pod: &Value, name: &str) -> io::Result<()> {
    let Some(container) = containers(pod).find(|container| container["name"] == name) else { return Ok(()) };
    if pod["spec"]["shareProcessNamespace"] == true {
        return Err(io::Error::other("shareProcessNamespace is not modelled"));
    }
    node.report(pod, name, &State::Waiting { reason: "ContainerCreating", message: None });
    let environment = match obstacle(node, pod, container) {
        Ok(environment) => environment,
        Err((reason, message)) => {
            node.report(pod, name, &State::Waiting { reason, message: Some(message) });
            return Ok(());
        }
    };
    let user = pod::user(pod, container, PROBE_IMAGE);
    let seen = node.report(pod, name, &State::Running { user: user.clone() });
    let (exit, message, log) = match &node.setup.containers {
        Fate::Killed => (KILLED, Vec::new(), Vec::new()),
        Fate::Report(report) => {
            let text = report.message.repeat(report.times).into_bytes();
            (report.exit, text.clone(), text)
        }
        _ => probe(node, pod, container, user.clone(), environment).await?,
    };
    keep_log(node, pod, name, &log);
    // When the kubelet next looks after the volumes, it sees the new container too. Here it has done so before anybody
    // knows of the container's end, so that what a second one finds is no matter of luck.
    if let Some(pod) = seen {
        let sandbox = node.sandbox(&pod).await?;
        node.volumes(&pod).write(&sandbox.volumes)?;
    }
    node.report(pod, name, &State::Terminated { user, exit, message });
    Ok(())
}

/// The container's environment, or why it is not created.
fn obstacle(
    node: &Node,
    pod: &Value,
    container: &Value,
) -> Result<BTreeMap<String, String>, (&'static str, String)> {
    match &node.setup.containers {
        Fate::ImagePull(message) => return Err(("ErrImagePull", message.clone())),
        Fate::ConfigError(message) => return Err(("CreateContainerConfigError", message.clone())),
        _ => {}
    }
    let refused = |message| ("CreateContainerConfigError", message);
    if let Some(message) = pod::breaks_non_root(pod, container, PROBE_IMAGE) {
        return Err(refused(message));
    }
    let sources = Sources { store: &node.kube.store, pod };
    let environment = sources.environment(container).map_err(refused)?;
    match target_has_ended(pod, container) {
        Some(target) => Err((
            "CreateContainerError",
            format!(
                "failed to generate container \"{}\" spec: failed to generate spec opts: invalid target container: \
                 container \"{target}\" is not running - in state CONTAINER_EXITED",
                container_id(pod, container["name"].as_str().unwrap_or_default())
            ),
        )),
        None => Ok(environment),
    }
}

/// The id of the target, if its status says that it does not run.
fn target_has_ended(pod: &Value, container: &Value) -> Option<String> {
    let name = container["targetContainerName"].as_str().filter(|name| !name.is_empty())?;
    let statuses = ["initContainerStatuses", "containerStatuses"].map(|kind| list(&pod["status"][kind]));
    let status = statuses.into_iter().flatten().find(|status| status["name"] == name)?;
    let id = status["containerID"].as_str().and_then(|id| id.strip_prefix("containerd://"));
    let id = id.map_or_else(|| container_id(pod, name), str::to_owned);
    status["state"]["running"].is_null().then_some(id)
}

/// Runs the probe to its end: exit code, termination message, log.
async fn probe(
    node: &Arc<Node>,
    pod: &Value,
    container: &Value,
    user: User,
    environment: BTreeMap<String, String>,
) -> io::Result<(i32, Vec<u8>, Vec<u8>)> {
    let sandbox = node.sandbox(pod).await?;
    let name = container["name"].as_str().unwrap_or_default();
    let target = container["targetContainerName"].as_str().filter(|name| !name.is_empty());
    let processes = match target {
        Some(target) => Some(application(node, &sandbox, pod, target).await?),
        None => None,
    };
    let root = make_root(node, &sandbox, pod, container, (&node.programs.probe, PROBE))?;
    let args = list(&container["args"]).iter().filter_map(Value::as_str).map(str::to_owned);
    let mut env = complete(node, pod, user.uid, environment);
    let clock = node.setup.clock.unwrap_or(node.kube.header.now);
    let offset = clock.as_second() - Timestamp::now().as_second();
    env.push(("IRSA_TEST_CLOCK".to_owned(), offset.to_string()));
    let order = Order::Run(Container {
        network: sandbox.network.path(),
        processes,
        root: root.path.clone(),
        mounts: root.mounts.clone(),
        user,
        env,
        command: [PROBE.to_owned()].into_iter().chain(args).collect(),
    });
    let output = Command::new(&node.programs.runtime)
        .arg(serde_json::to_string(&order)?)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    match output.status.code() {
        Some(125) | None => {
            let why = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
            Err(io::Error::other(format!("{name}: {why}")))
        }
        Some(code) => {
            let log = [output.stdout, output.stderr].concat();
            Ok((code, root.termination_message(container)?, log))
        }
    }
}

/// The PID namespace of an application, which is started when somebody first looks at it.
async fn application(node: &Arc<Node>, sandbox: &Sandbox, pod: &Value, name: &str) -> io::Result<PathBuf> {
    const NAMESPACE: &str = "pid_for_children";
    let mut all = sandbox.applications.lock().await;
    if let Some(running) = all.get(name) {
        return Ok(namespace(running, NAMESPACE));
    }
    let container = containers(pod).find(|container| container["name"] == name);
    let container = container.ok_or_else(|| io::Error::other(format!("no container {name}")))?;
    let image = &node.setup.image;
    let user = pod::application_user(pod, container, image.user);
    let sources = Sources { store: &node.kube.store, pod };
    let mut environment = image.env.clone();
    environment.extend(sources.environment(container).map_err(io::Error::other)?);
    let root = make_root(node, sandbox, pod, container, (&node.programs.runtime, APPLICATION))?;
    let root = root.with_home_of_root()?;
    let order = Order::Run(Container {
        network: sandbox.network.path(),
        processes: None,
        root: root.path,
        mounts: root.mounts,
        env: complete(node, pod, user.uid, environment),
        user,
        command: vec![APPLICATION.to_owned(), serde_json::to_string(&Order::Application)?],
    });
    let process = start(node, &order).await?;
    let path = namespace(&process, NAMESPACE);
    all.insert(name.to_owned(), process);
    Ok(path)
}

fn make_root(
    node: &Node,
    sandbox: &Sandbox,
    pod: &Value,
    container: &Value,
    program: (&std::path::Path, &str),
) -> io::Result<Root> {
    let (uid, name) = (&pod["metadata"]["uid"], &container["name"]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let path = node.directory.path().join(text(uid)).join("roots").join(text(name));
    Root::make(path, pod, container, &sandbox.volumes, program)
}

/// Adds what images and the runtime set.
fn complete(
    node: &Node,
    pod: &Value,
    uid: u32,
    mut environment: BTreeMap<String, String>,
) -> Vec<(String, String)> {
    let mut default = |name: &str, value: &str| {
        environment.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    };
    default("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    default("HOSTNAME", pod["metadata"]["name"].as_str().unwrap_or_default());
    default("HOME", if uid == 0 { "/root" } else { "/" });
    if !node.setup.trusts_no_public_ca && !environment.contains_key("AWS_CA_BUNDLE") {
        environment.entry("SSL_CERT_FILE".to_owned()).or_insert_with(|| CA_BUNDLE.to_owned());
    }
    environment.into_iter().collect()
}

/// Every line with its time, as the runtime writes it.
fn keep_log(node: &Node, pod: &Value, name: &str, log: &[u8]) {
    let text = String::from_utf8_lossy(log);
    let now = node.kube.header.now;
    let lines: String = text.split_inclusive('\n').map(|line| format!("{now} {line}")).collect();
    let metadata = &pod["metadata"];
    let part = |key: &str| metadata[key].as_str().unwrap_or_default();
    let key = format!("{}/{}/{name}", part("namespace"), part("name"));
    let mut logs = node.kube.logs.lock().expect("no thread panics while it holds the logs");
    logs.insert(key, ContainerLog { current: Some(lines), previous: None });
}
