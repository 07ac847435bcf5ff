//! The ephemeral container in which the probe runs. It inherits nothing from the target, so all that counts is copied.

use std::time::Duration;

use irsa_probe::Options;
use k8s_openapi::api::core::v1::EphemeralContainer;
use serde_json::Value;

use super::pod::{RawPod, with_copied};
use super::{security, settings};
use irsa::facts::kubernetes::PROBE_PREFIX;

/// The kubelet's limits on termination messages, in bytes: of one container, and of all of a pod together
/// (pkg/kubelet/kuberuntime, `MaxPodTerminationMessageLogLength`).
const MESSAGE: usize = 4096;
const MESSAGES: usize = 12 * 1024;
/// When the image is pulled, and where the report is read.
pub const PULL: &str = "IfNotPresent";
pub const REPORT: &str = "File";
/// The characters of a name's random end.
const RANDOM: usize = 5;

/// What the user decides about the probe's container.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'w> {
    /// The image.
    pub image: &'w str,
    /// After which time the probe reports whatever it has seen.
    pub deadline: Duration,
    /// False with `--no-assume`.
    pub assume: bool,
    /// The target's user and group as an earlier probe saw them, where nothing else tells.
    pub seen_user: Option<(u32, u32)>,
}

/// A name that no container of the pod has: those of earlier runs stay.
pub fn new_name() -> String {
    let random = std::iter::repeat_with(|| char::from_digit(fastrand::u32(..36), 36));
    PROBE_PREFIX.chars().chain(random.flatten().take(RANDOM)).collect()
}

/// The container that looks at `target` of a pod. `beside` says whether it shares the target's processes, which the target
/// must be running for.
pub fn ephemeral(pod: &RawPod, target: &Value, name: &str, beside: bool, wanted: Wanted<'_>) -> Value {
    let target_name = target["name"].as_str().unwrap_or_default();
    // Where the processes of several containers are seen, the first is not the target's.
    let one_of_many = pod.spec("shareProcessNamespace") == true || pod.spec("hostPID") == true;
    let id = pod.container_id(target_name).filter(|_| beside && one_of_many);
    let own = EphemeralContainer {
        name: name.to_owned(),
        image: Some(wanted.image.to_owned()),
        image_pull_policy: Some(String::from(PULL)),
        args: Some(arguments(wanted, pod.containers().count() + 1, id)),
        target_container_name: beside.then(|| target_name.to_owned()),
        termination_message_policy: Some(String::from(REPORT)),
        ..EphemeralContainer::default()
    };
    with_copied(&own, like(pod, target, wanted.seen_user))
}

/// What a container has from another, so that it sees the same.
pub fn like(pod: &RawPod, target: &Value, seen_user: Option<(u32, u32)>) -> [(&'static str, Value); 4] {
    [
        ("env", settings::environment(target).into()),
        ("envFrom", target["envFrom"].clone()),
        ("volumeMounts", settings::mounts(target).into()),
        ("securityContext", security::context(pod, target, seen_user)),
    ]
}

/// The probe's arguments in a pod of so many containers.
pub fn arguments(wanted: Wanted<'_>, containers: usize, container_id: Option<&str>) -> Vec<String> {
    let options = Options {
        budget: MESSAGE.min(MESSAGES / containers.max(1)),
        deadline: u64::try_from(wanted.deadline.as_millis()).unwrap_or(u64::MAX),
        container_id: container_id.map(str::to_owned),
        no_assume: !wanted.assume,
        ..Options::default()
    };
    options.to_args()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const WANTED: Wanted<'_> = Wanted {
        image: "registry.example/irsa-probe:1",
        deadline: Duration::from_secs(9),
        assume: true,
        seen_user: None,
    };

    fn pod() -> Value {
        json!({
            "spec": {
                "containers": [
                    {"name": "app", "image": "app:1", "resources": {"limits": {"cpu": "1"}}, "ports": [{"containerPort": 80}],
                     "envFrom": [{"secretRef": {"name": "settings"}}],
                     "env": [{"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/token/token"}],
                     "volumeMounts": [{"name": "token", "mountPath": "/token"}]},
                    {"name": "sidecar"}]
            },
            "status": {"containerStatuses": [
                {"name": "app", "containerID": "containerd://0123abcd", "state": {"running": {}},
                 "user": {"linux": {"uid": 1000, "gid": 1000}}}]}
        })
    }

    fn of(pod: Value, beside: bool, wanted: Wanted<'_>) -> Value {
        let pod = RawPod::new(pod);
        ephemeral(&pod, pod.container("app").unwrap(), "irsa-probe-a1b2c", beside, wanted)
    }

    #[test]
    fn all_that_counts_is_copied_and_nothing_that_is_forbidden() {
        let mut found = of(pod(), true, WANTED);
        assert_eq!(found["securityContext"]["runAsUser"], 1000);
        found.as_object_mut().unwrap().remove("securityContext");
        assert_eq!(
            found,
            json!({
                "name": "irsa-probe-a1b2c",
                "image": "registry.example/irsa-probe:1",
                "imagePullPolicy": "IfNotPresent",
                "args": ["--budget", "4096", "--deadline", "9000"],
                "targetContainerName": "app",
                "env": [
                    {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/token/token"},
                    {"name": "KUBECTL_IRSA_CONTAINER", "value": "app"}],
                "envFrom": [{"secretRef": {"name": "settings"}}],
                "volumeMounts": [{"name": "token", "mountPath": "/token", "readOnly": true}],
                "terminationMessagePolicy": "File",
            })
        );
    }

    #[test]
    fn beside_a_target_that_does_not_run_only_the_variable_names_it() {
        let found = of(pod(), false, Wanted { assume: false, ..WANTED });
        assert_eq!(found.get("targetContainerName"), None);
        assert_eq!(found["env"][1]["value"], "app");
        assert_eq!(found["args"], json!(["--budget", "4096", "--deadline", "9000", "--no-assume"]));
    }

    #[test]
    fn among_shared_processes_the_target_is_found_by_its_id() {
        for shared in ["shareProcessNamespace", "hostPID"] {
            let mut pod = pod();
            pod["spec"][shared] = json!(true);
            let found = of(pod, true, WANTED);
            assert_eq!(found["args"].as_array().unwrap().last(), Some(&json!("0123abcd")));
        }
    }

    #[test]
    fn the_messages_of_all_containers_share_one_budget() {
        let mut pod = pod();
        pod["spec"]["initContainers"] = json!([{"name": "first"}]);
        assert_eq!(of(pod.clone(), true, WANTED)["args"][1], "3072");
        pod["spec"]["ephemeralContainers"] = json!([{"name": "irsa-probe-00000"}]);
        assert_eq!(of(pod, true, WANTED)["args"][1], "2457");
    }

    #[test]
    fn names_are_new() {
        let name = new_name();
        let random = name.strip_prefix(PROBE_PREFIX).unwrap();
        assert_eq!(random.len(), RANDOM);
        assert!(random.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
        assert_ne!(new_name(), name);
    }
}
