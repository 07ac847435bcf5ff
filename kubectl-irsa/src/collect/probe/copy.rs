//! `--via pod`: a short-lived pod with the identity of another, for clusters that refuse ephemeral containers and for service
//! accounts that no pod uses. It proves nothing of the pod itself.

use std::time::Duration;

use http::StatusCode;
use k8s_openapi::api::core::v1::{Container, EnvVar, Pod, PodSpec, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::core::ObjectMeta;
use serde_json::{Value, json};

use super::calls::Change;
use super::container::{PULL, REPORT, Wanted, arguments, like, new_name};
use super::obstacle::{Obstacle, on_fargate};
use super::pod::{RawPod, items, with_copied};
use super::run::{deadline, read};
use super::watch::Watch;
use super::{Probing, security, settings};
use crate::collect::cluster::{Api, NoAnswer};
use irsa::facts::Fact;
use irsa::facts::probed::{Place, ProbeFacts};
use irsa::rounds::PROBED_CONTAINER;

/// How long the kubelet lets the pod live, in case this run cannot delete it.
const LIFETIME: Duration = Duration::from_secs(300);
/// The fields of the pod's spec that decide its identity and its network path.
const COPIED: [&str; 9] = [
    "dnsConfig",
    "dnsPolicy",
    "hostAliases",
    "hostNetwork",
    "imagePullSecrets",
    "nodeName",
    "runtimeClassName",
    "securityContext",
    "tolerations",
];

/// Whose identity the pod uses.
pub struct Like<'p> {
    /// Namespace.
    pub namespace: &'p str,
    /// Service account.
    pub account: &'p str,
    /// A pod and its container; `None` for the service account alone.
    pub pod: Option<(&'p str, &'p str)>,
}

/// Creates the pod, waits for its report, and deletes it.
pub async fn run(api: &Api, probing: &Probing, like: &Like<'_>) -> Fact<ProbeFacts> {
    let name = new_name();
    match look(api, probing, like, &name).await {
        Ok(report) => {
            let container = like.pod.map_or(name.as_str(), |(_, container)| container);
            Fact::Known(ProbeFacts::reported(report, Place::Copy, container, &format!("pod/{name}")))
        }
        Err(obstacle) => obstacle.into_fact(like.namespace),
    }
}

async fn look(
    api: &Api,
    probing: &Probing,
    like: &Like<'_>,
    name: &str,
) -> Result<irsa_probe::Report, Obstacle> {
    let wanted = Wanted {
        image: probing.image.as_str(),
        deadline: deadline(probing.until)?,
        assume: probing.assume,
        seen_user: None,
    };
    let manifest = match like.pod {
        Some((pod, container)) => {
            let pod = api.raw_pod(like.namespace, pod).await;
            let pod = pod.map_err(|error| Obstacle::of_answer("get", "pods", &error))?;
            if let Some(windows @ Obstacle::Windows) = Obstacle::before(&pod) {
                return Err(windows);
            }
            let target = pod.container(container);
            let target = target.ok_or_else(|| Obstacle::NoContainer(container.to_owned()))?;
            of_pod(&pod, target, name, like.account, wanted)
        }
        None => of_account(name, like.account, wanted),
    };
    let create = |change| api.create_pod(like.namespace, &manifest, change);
    let copied: Vec<Value> = items(&manifest["spec"]["containers"][0]["env"]).cloned().collect();
    let refused = |error: NoAnswer| {
        let error = error.with_words(|words| settings::without_secrets(words, &copied));
        Obstacle::of_answer("create", "pods", &error)
    };
    create(Change::DryRun).await.map_err(refused)?;
    may_delete(api, like.namespace, name).await?;
    // A pod that does not exist yet can be watched: its beginning is the first event.
    let mut watch = Watch::open(api, like.namespace, name, "", probing.until).await?;
    probing.progress.say(&announcement(probing, like, name));
    let making = probing.cleanup.pod(api, like.namespace, name);
    let report = match create(Change::Made).await {
        Ok(()) => match watch.end_of(name).await {
            Ok(end) => read(api, like.namespace, name, name, &end).await,
            Err(obstacle) => Err(obstacle),
        },
        Err(error) if error.is_refusal() => {
            making.refused();
            return Err(refused(error));
        }
        // It may have been created all the same.
        Err(error) => Err(refused(error)),
    };
    if let Err(error) = making.delete().await {
        let why = Obstacle::of_answer("delete", "pods", &error);
        probing.progress.say(&format!("pod/{name} could not be deleted: {why}; {}", probing.cleanup));
    }
    report
}

/// A pod that could not be deleted again is not created: asks first. The pod does not exist yet, which only someone who may delete
/// it is told.
async fn may_delete(api: &Api, namespace: &str, name: &str) -> Result<(), Obstacle> {
    match api.delete_pod(namespace, name, Change::DryRun).await {
        Ok(()) | Err(NoAnswer::Status { code: StatusCode::NOT_FOUND, .. }) => Ok(()),
        Err(error) => Err(Obstacle::of_answer("delete", "pods", &error)),
    }
}

fn announcement(probing: &Probing, like: &Like<'_>, name: &str) -> String {
    let of = match like.pod {
        Some((pod, container)) => format!("like pod/{pod}, container {container}"),
        None => format!("with service account {}", like.account),
    };
    let sts = if probing.assume { "; the credentials that STS issues are discarded" } else { "" };
    format!(
        "creating pod/{name} -n {} ({}), {of}{sts}; the pod is deleted once it has reported (--no-probe skips this)",
        like.namespace, probing.image
    )
}

/// A copy of a pod. What the webhook injected into that one is copied, so that it adds nothing to this one.
pub(super) fn of_pod(pod: &RawPod, target: &Value, name: &str, account: &str, wanted: Wanted<'_>) -> Value {
    let container = with_copied(&container(name, wanted), like(pod, target, None));
    let used =
        |volume: &&Value| items(&container["volumeMounts"]).any(|mount| mount["name"] == volume["name"]);
    let volumes: Vec<&Value> = items(pod.spec("volumes")).filter(used).collect();
    // A Fargate node runs only one pod, and it already has one.
    let copied = COPIED.into_iter().filter(|field| *field != "nodeName" || !on_fargate(pod));
    let mut manifest = manifest(name, account);
    let copied = copied.map(|field| (field, pod.spec(field).clone())).chain([("volumes", json!(volumes))]);
    manifest["spec"] = with_copied(&manifest["spec"], copied);
    manifest["spec"]["containers"] = json!([container]);
    manifest
}

/// A pod with a service account, which the webhook is expected to complete.
pub(super) fn of_account(name: &str, account: &str, wanted: Wanted<'_>) -> Value {
    let env = EnvVar { name: PROBED_CONTAINER.to_owned(), value: Some(name.to_owned()), ..EnvVar::default() };
    let mut container = container(name, wanted);
    container.env = Some(vec![env]);
    container.security_context = Some(security::restricted());
    let mut manifest = manifest(name, account);
    manifest["spec"]["containers"] = json!([container]);
    manifest
}

fn container(name: &str, wanted: Wanted<'_>) -> Container {
    let amounts = |cpu: &str, memory: &str| {
        let amounts = [("cpu", cpu), ("memory", memory)];
        Some(amounts.map(|(name, amount)| (name.to_owned(), Quantity(amount.to_owned()))).into())
    };
    Container {
        name: name.to_owned(),
        image: Some(wanted.image.to_owned()),
        image_pull_policy: Some(String::from(PULL)),
        args: Some(arguments(wanted, 1, None)),
        termination_message_policy: Some(String::from(REPORT)),
        // Quotas may require them.
        resources: Some(ResourceRequirements {
            requests: amounts("10m", "16Mi"),
            limits: amounts("100m", "64Mi"),
            ..ResourceRequirements::default()
        }),
        ..Container::default()
    }
}

/// The pod without its container.
fn manifest(name: &str, account: &str) -> Value {
    // Only labels of its own: no workload and no service must select it.
    let labels = [("app.kubernetes.io/name", "irsa-probe"), ("app.kubernetes.io/managed-by", "kubectl-irsa")];
    json!(Pod {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into()),
            ..ObjectMeta::default()
        },
        spec: Some(PodSpec {
            service_account_name: Some(account.to_owned()),
            automount_service_account_token: Some(false),
            restart_policy: Some(String::from("Never")),
            active_deadline_seconds: i64::try_from(LIFETIME.as_secs()).ok(),
            ..PodSpec::default()
        }),
        ..Pod::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Wanted<'_> = Wanted {
        image: "registry.example/irsa-probe:1",
        deadline: Duration::from_secs(9),
        assume: true,
        seen_user: None,
    };

    fn like_checkout(node: &str) -> Value {
        let pod = RawPod::new(json!({
            "metadata": {"name": "checkout", "labels": {"app": "checkout"}},
            "spec": {
                "nodeName": node, "hostNetwork": true, "serviceAccountName": "checkout", "priority": 0,
                "securityContext": {"fsGroup": 2000, "runAsUser": 1000},
                "containers": [
                    {"name": "app", "env": [{"name": "AWS_ROLE_ARN", "value": "arn"}], "volumeMounts": [
                        {"name": "aws-iam-token", "mountPath": "/token"}, {"name": "data", "mountPath": "/data"}]},
                    {"name": "sidecar"}],
                "volumes": [{"name": "data", "emptyDir": {}}, {"name": "aws-iam-token", "projected": {"sources": []}}]}}));
        of_pod(&pod, pod.container("app").unwrap(), "irsa-probe-a1b2c", "checkout", WANTED)
    }

    #[test]
    fn it_is_like_the_pod_in_what_counts() {
        let found = like_checkout("node-1");
        assert_eq!(
            found["metadata"],
            json!({"name": "irsa-probe-a1b2c", "labels": {
                "app.kubernetes.io/name": "irsa-probe", "app.kubernetes.io/managed-by": "kubectl-irsa"}})
        );
        let spec = &found["spec"];
        let container = &spec["containers"][0];
        assert_eq!(
            (&spec["nodeName"], &spec["hostNetwork"], &spec["priority"]),
            (&json!("node-1"), &json!(true), &json!(null))
        );
        assert_eq!(spec["securityContext"], json!({"fsGroup": 2000, "runAsUser": 1000}));
        assert_eq!(spec["volumes"], json!([{"name": "aws-iam-token", "projected": {"sources": []}}]));
        assert_eq!(
            (&spec["restartPolicy"], &spec["automountServiceAccountToken"]),
            (&json!("Never"), &json!(false))
        );
        assert_eq!(container["securityContext"]["runAsUser"], 1000);
        assert_eq!(container["env"][1], json!({"name": "KUBECTL_IRSA_CONTAINER", "value": "app"}));
        assert_eq!(spec["containers"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn fargate_gives_it_a_node_of_its_own() {
        assert_eq!(like_checkout("fargate-ip-10-0-0-1")["spec"]["nodeName"], Value::Null);
    }

    #[test]
    fn that_of_a_service_account_is_left_to_the_webhook() {
        let found = of_account("irsa-probe-a1b2c", "checkout", WANTED);
        let spec = &found["spec"];
        assert_eq!((&spec["serviceAccountName"], &spec["nodeName"]), (&json!("checkout"), &json!(null)));
        assert_eq!(spec["volumes"], Value::Null);
        assert_eq!(spec["containers"][0]["securityContext"]["runAsNonRoot"], true);
    }
}
