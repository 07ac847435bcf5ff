//! Kubernetes objects, cut down to the fields that the checks read.
//!
//! The same types read the API server's answers and the user's files, so that both go the same way. Values that may be
//! secret are dropped while they are read (see [`EnvValue`]): what is not in memory cannot be printed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// Kubernetes writes `null` where a list or a map is empty; serde's `default` covers only a missing field.
fn null_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

macro_rules! object {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident : $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            $($(#[$field_doc])* #[serde(deserialize_with = "null_default")] pub $field: $type,)*
        }
    };
}

mod network_policy;

pub use network_policy::{EgressRule, IpBlock, NetworkPolicy, NetworkPolicySpec, Peer, PolicyPort, PortRef};

/// A top-level object that can be fetched or read from a file.
pub trait Object: for<'de> Deserialize<'de> + Clone {
    /// `Pod`.
    const KIND: &'static str;
    /// The object's metadata.
    fn meta(&self) -> &Meta;
}

macro_rules! top_level {
    ($($name:ident),*) => {
        $(impl Object for $name {
            const KIND: &'static str = stringify!($name);
            fn meta(&self) -> &Meta {
                &self.metadata
            }
        })*
    };
}

top_level!(
    ConfigMap,
    CronJob,
    DaemonSet,
    Deployment,
    EndpointSlice,
    Event,
    Job,
    MutatingWebhookConfiguration,
    Namespace,
    NetworkPolicy,
    Node,
    Pod,
    ReplicaSet,
    Secret,
    ServiceAccount,
    StatefulSet
);

/// `metadata`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Meta {
    /// Name.
    #[serde(deserialize_with = "null_default")]
    pub name: String,
    /// Namespace; empty for cluster-wide objects.
    #[serde(deserialize_with = "null_default")]
    pub namespace: String,
    /// UID.
    #[serde(deserialize_with = "null_default")]
    pub uid: String,
    /// When the API server created it (its clock).
    #[serde(deserialize_with = "null_default")]
    pub creation_timestamp: Option<Timestamp>,
    /// When its deletion was asked for.
    #[serde(deserialize_with = "null_default")]
    pub deletion_timestamp: Option<Timestamp>,
    /// Labels.
    #[serde(deserialize_with = "null_default")]
    pub labels: BTreeMap<String, String>,
    /// Annotations, without `last-applied-configuration`: it repeats the object, a Secret's values included.
    #[serde(deserialize_with = "annotations")]
    pub annotations: BTreeMap<String, String>,
    /// Owners.
    #[serde(deserialize_with = "null_default")]
    pub owner_references: Vec<OwnerReference>,
    /// Who wrote which field, and when.
    #[serde(deserialize_with = "null_default")]
    pub managed_fields: Vec<ManagedFields>,
}

impl Meta {
    /// The controller that owns the object.
    pub fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references.iter().find(|owner| owner.controller).or_else(|| self.owner_references.first())
    }

    /// The last writer of an annotation, by `managedFields`. Supporting evidence only: `time` moves with any later
    /// write of the same manager.
    pub fn annotation_writer(&self, key: &str) -> Option<&ManagedFields> {
        self.managed_fields
            .iter()
            .filter(|entry| entry.annotations.contains(key))
            .max_by_key(|entry| entry.time)
    }
}

fn annotations<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let mut all: BTreeMap<String, String> = null_default(deserializer)?;
    all.remove("kubectl.kubernetes.io/last-applied-configuration");
    Ok(all)
}

object!(
    /// `metadata.ownerReferences[]`.
    OwnerReference {
        /// API version.
        api_version: String,
        /// Kind.
        kind: String,
        /// Name.
        name: String,
        /// UID.
        uid: String,
        /// True for the one that manages the object.
        controller: bool,
    }
);

/// `metadata.managedFields[]`, cut down to what is asked of it: who owns which annotation, which keys a Secret has.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "RawManagedFields")]
pub struct ManagedFields {
    /// Name of the writer: `helm`, `kubectl-annotate`, …
    pub manager: String,
    /// When it last wrote anything to the object.
    pub time: Option<Timestamp>,
    /// Annotation keys that it owns.
    pub annotations: BTreeSet<String>,
    /// Keys under `data` and `stringData` that it owns: the only way to learn a Secret's keys without its values.
    pub data_keys: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct RawManagedFields {
    manager: String,
    time: Option<Timestamp>,
    fields_v1: Value,
}

impl From<RawManagedFields> for ManagedFields {
    fn from(raw: RawManagedFields) -> Self {
        let owned = |path: &[&str]| -> BTreeSet<String> {
            let node = path.iter().try_fold(&raw.fields_v1, |node, step| node.get(step));
            let keys = node.and_then(Value::as_object).into_iter().flat_map(|map| map.keys());
            keys.filter_map(|key| key.strip_prefix("f:")).map(str::to_owned).collect()
        };
        Self {
            annotations: owned(&["f:metadata", "f:annotations"]),
            data_keys: owned(&["f:data"]).into_iter().chain(owned(&["f:stringData"])).collect(),
            manager: raw.manager,
            time: raw.time,
        }
    }
}

object!(
    /// A pod.
    Pod {
        /// Metadata.
        metadata: Meta,
        /// What was asked for, after admission.
        spec: PodSpec,
        /// What is.
        status: PodStatus,
    }
);

object!(
    /// `spec` of a pod or of a pod template.
    PodSpec {
        /// Service account; empty in a template means `default`.
        service_account_name: String,
        /// The node it runs on; empty while it is not scheduled.
        node_name: String,
        /// Uses the node's network.
        host_network: bool,
        /// Regular containers.
        containers: Vec<Container>,
        /// Init containers; with `restartPolicy: Always` a native sidecar.
        init_containers: Vec<Container>,
        /// Ephemeral containers (`kubectl debug`).
        ephemeral_containers: Vec<Container>,
        /// Volumes.
        volumes: Vec<Volume>,
        /// Labels that a node must have.
        node_selector: BTreeMap<String, String>,
        /// `os.name`.
        os: Option<PodOs>,
        /// `securityContext`, as far as it decides who may read the token.
        security_context: PodSecurity,
        /// How names are resolved: `ClusterFirst`, `Default`, …
        dns_policy: String,
    }
);

object!(
    /// `spec.securityContext`.
    PodSecurity {
        /// The group that owns the files of volumes.
        fs_group: Option<i64>,
        /// The user of containers that name none.
        run_as_user: Option<i64>,
        /// The group of containers that name none.
        run_as_group: Option<i64>,
    }
);

object!(
    /// `securityContext` of a container, as far as it decides who may read the token.
    ContainerSecurity {
        /// Its user.
        run_as_user: Option<i64>,
        /// Its group.
        run_as_group: Option<i64>,
    }
);

impl PodSpec {
    /// The service account's name, `default` where none is given.
    pub fn service_account(&self) -> &str {
        if self.service_account_name.is_empty() { "default" } else { &self.service_account_name }
    }

    /// The volume of that name, with its index.
    pub fn volume(&self, name: &str) -> Option<(usize, &Volume)> {
        self.volumes.iter().enumerate().find(|(_, volume)| volume.name == name)
    }

    /// True if the webhook has wired the pod for the EKS Pod Identity agent.
    pub fn has_pod_identity(&self) -> bool {
        self.volume("eks-pod-identity-token").is_some()
    }

    /// The audience of the token that the webhook mounts (volume `aws-iam-token`).
    pub fn web_identity_audience(&self) -> Option<&str> {
        let (_, volume) = self.volume("aws-iam-token")?;
        volume
            .tokens()
            .next()
            .map(|(_, token)| token.audience.as_str())
            .filter(|audience| !audience.is_empty())
    }

    /// The roles that `AWS_ROLE_ARN` names in the containers, where it is written out.
    pub fn literal_roles(&self) -> impl Iterator<Item = &str> {
        let variables = self.containers.iter().flat_map(|container| &container.env);
        variables.filter_map(|variable| match &variable.value {
            EnvValue::Literal(value) if variable.name == "AWS_ROLE_ARN" && value.starts_with("arn:") => {
                Some(value.as_str())
            }
            _ => None,
        })
    }
}

object!(
    /// `spec.os`.
    PodOs {
        /// `linux` or `windows`.
        name: String,
    }
);

/// `status` of a pod.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodStatus {
    /// `Pending`, `Running`, …
    #[serde(deserialize_with = "null_default")]
    pub phase: String,
    /// Why, in one word, where the kubelet says it.
    #[serde(deserialize_with = "null_default")]
    pub reason: String,
    /// Its address; of two, the one of the cluster's first family.
    #[serde(rename = "podIP", deserialize_with = "null_default")]
    pub pod_ip: String,
    /// When the kubelet first saw the pod.
    #[serde(deserialize_with = "null_default")]
    pub start_time: Option<Timestamp>,
    /// Regular containers.
    #[serde(deserialize_with = "null_default")]
    pub container_statuses: Vec<ContainerStatus>,
    /// Init containers.
    #[serde(deserialize_with = "null_default")]
    pub init_container_statuses: Vec<ContainerStatus>,
    /// This project's own ephemeral containers; those of others may have written anything into their messages.
    #[serde(rename = "ephemeralContainerStatuses", deserialize_with = "probes")]
    pub probes: Vec<ProbeStatus>,
}

/// How the names of the probe's containers begin.
pub const PROBE_PREFIX: &str = "irsa-probe-";

fn probes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ProbeStatus>, D::Error> {
    let all: Vec<ProbeStatus> = null_default(deserializer)?;
    Ok(all.into_iter().filter(|status| status.name.starts_with(PROBE_PREFIX)).collect())
}

object!(
    /// The status of a container in which the probe runs.
    ProbeStatus {
        /// The container's name.
        name: String,
        /// What it does now.
        state: ProbeState,
    }
);

object!(
    /// `state` of such a container.
    ProbeState {
        /// Present while it does not run yet.
        waiting: Option<Waiting>,
        /// Present while it runs.
        running: Option<Running>,
        /// Present once it has ended.
        terminated: Option<ProbeEnd>,
    }
);

object!(
    /// `state.waiting`.
    Waiting {
        /// `ContainerCreating`, `ErrImagePull`, …
        reason: String,
        /// The kubelet's words.
        message: String,
    }
);

object!(
    /// `state.terminated` of such a container.
    ProbeEnd {
        /// Exit code.
        exit_code: i64,
        /// `Completed`, `Error`, …
        reason: String,
        /// The termination message: the report.
        message: String,
        /// When it ended.
        finished_at: Option<Timestamp>,
    }
);

/// `status.containerStatuses[]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerStatus {
    /// The container's name.
    #[serde(deserialize_with = "null_default")]
    pub name: String,
    /// What it does now.
    #[serde(deserialize_with = "null_default")]
    pub state: ContainerState,
    /// If it passes its readiness probe.
    #[serde(deserialize_with = "null_default")]
    pub ready: bool,
    /// How often it was started again.
    #[serde(deserialize_with = "null_default")]
    pub restart_count: u32,
    /// As whom its first process was started, where the kubelet says it.
    #[serde(deserialize_with = "null_default")]
    pub user: Option<ContainerUser>,
}

object!(
    /// `status.containerStatuses[].user`.
    ContainerUser {
        /// On Linux.
        linux: Option<LinuxUser>,
    }
);

object!(
    /// `user.linux`.
    LinuxUser {
        /// User id.
        uid: i64,
        /// Group id.
        gid: i64,
        /// Supplementary groups.
        supplemental_groups: Vec<i64>,
    }
);

impl PodStatus {
    /// Regular and init containers.
    pub fn all_container_statuses(&self) -> impl Iterator<Item = &ContainerStatus> {
        self.container_statuses.iter().chain(&self.init_container_statuses)
    }
}

object!(
    /// `state`.
    ContainerState {
        /// Present while it does not run yet, or not again.
        waiting: Option<Waiting>,
        /// Present while it runs.
        running: Option<Running>,
        /// Present once it has ended.
        terminated: Option<Terminated>,
    }
);

object!(
    /// `state.running`.
    Running {
        /// When it was last started.
        started_at: Option<Timestamp>,
    }
);

object!(
    /// `state.terminated`.
    Terminated {
        /// When it ended.
        finished_at: Option<Timestamp>,
    }
);

/// A container.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Container {
    /// Name.
    #[serde(deserialize_with = "null_default")]
    pub name: String,
    /// Environment variables, in order.
    #[serde(deserialize_with = "null_default")]
    pub env: Vec<EnvVar>,
    /// Whole ConfigMaps and Secrets taken as environment.
    #[serde(deserialize_with = "null_default")]
    pub env_from: Vec<EnvFrom>,
    /// Mounts.
    #[serde(deserialize_with = "null_default")]
    pub volume_mounts: Vec<VolumeMount>,
    /// `Always` makes an init container a native sidecar.
    #[serde(deserialize_with = "null_default")]
    pub restart_policy: String,
    /// As whom it runs, and what it may.
    #[serde(deserialize_with = "null_default")]
    pub security_context: ContainerSecurity,
    /// Of an ephemeral container: whose processes it sees.
    #[serde(deserialize_with = "null_default")]
    pub target_container_name: String,
    /// Flags of the pod identity webhook among the arguments; every other argument is dropped.
    #[serde(deserialize_with = "webhook_flags")]
    pub args: Vec<String>,
    /// The same for `command`.
    #[serde(deserialize_with = "webhook_flags")]
    pub command: Vec<String>,
}

/// Flags of aws/amazon-eks-pod-identity-webhook `main.go` that change what it injects. Arguments of any other program
/// may hold passwords, so they are not kept.
const WEBHOOK_FLAGS: [&str; 10] = [
    "annotation-prefix",
    "aws-default-region",
    "compose-role-arn",
    "in-cluster",
    "service-account-lookup-grace-period",
    "service-name",
    "sts-regional-endpoint",
    "token-audience",
    "token-expiration",
    "watch-config-map",
];

/// Those among them that are true without a value.
const SWITCHES: [&str; 4] = ["compose-role-arn", "in-cluster", "sts-regional-endpoint", "watch-config-map"];

fn webhook_flags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let words: Vec<String> = null_default(deserializer)?;
    let mut all: Vec<String> = Vec::new();
    for word in words {
        // `--flag value` is the same as `--flag=value`, but for switches, which take no word of their own.
        let takes_word =
            |flag: &String| flag.starts_with("--") && !flag.contains('=') && !SWITCHES.contains(&&flag[2..]);
        match all.last_mut().filter(|last| takes_word(last) && !word.starts_with('-')) {
            Some(flag) => *flag = format!("{flag}={word}"),
            None => all.push(word),
        }
    }
    let kept = all.into_iter().filter(|argument| {
        let name = argument.trim_start_matches('-').split('=').next().unwrap_or_default();
        argument.starts_with('-') && WEBHOOK_FLAGS.contains(&name)
    });
    Ok(kept.collect())
}

/// One environment variable. A value that may be secret is dropped while it is read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "RawEnvVar")]
pub struct EnvVar {
    /// Name.
    pub name: String,
    /// Value, or where it comes from.
    pub value: EnvValue,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawEnvVar {
    name: String,
    value: Option<String>,
    value_from: Option<EnvVarSource>,
}

impl From<RawEnvVar> for EnvVar {
    fn from(raw: RawEnvVar) -> Self {
        let value = match raw.value_from {
            Some(source) => EnvValue::From(source),
            None => EnvValue::literal(&raw.name, raw.value.unwrap_or_default()),
        };
        Self { name: raw.name, value }
    }
}

/// The value of an environment variable, as far as it may be known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnvValue {
    /// A value that is no secret.
    Literal(String),
    /// A value that was dropped because it may be a secret.
    Withheld {
        /// Most SDKs treat an empty variable as unset.
        empty: bool,
    },
    /// Taken from elsewhere (`valueFrom`).
    From(EnvVarSource),
    /// The key exists in a ConfigMap or Secret whose value was not read.
    Unread,
}

impl EnvValue {
    /// Keeps the value only if the variable's name says that it is no secret.
    pub fn literal(name: &str, value: String) -> Self {
        if is_public(name) {
            let is_url = ["PROXY", "ENDPOINT"].iter().any(|part| name.to_ascii_uppercase().contains(part));
            Self::Literal(if is_url { without_password(value) } else { value })
        } else {
            Self::Withheld { empty: value.is_empty() }
        }
    }

    /// True if values of variables of that name are kept.
    pub fn is_read(name: &str) -> bool {
        is_public(name)
    }

    /// The literal value, if it is known.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Withheld { .. } | Self::From(_) | Self::Unread => None,
        }
    }

    /// True if it is known to be the empty string.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Literal(text) => text.is_empty(),
            Self::Withheld { empty } => *empty,
            Self::From(_) | Self::Unread => false,
        }
    }
}

/// The variables whose values are read: those that the probe shows as well, and what only a spec tells. Everything else, keys
/// above all, is not kept in memory.
fn is_public(name: &str) -> bool {
    const READ: [&str; 2] = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "KUBECTL_IRSA_CONTAINER"];
    irsa_probe::is_public(name) || READ.contains(&name.to_ascii_uppercase().as_str())
}

/// A proxy or endpoint URL may carry `user:password@`.
fn without_password(value: String) -> String {
    // All before the last `@`: a password may itself hold `/`, `#` or `@`, and the scheme may be missing.
    let Some((_, rest)) = value.rsplit_once('@') else { return value };
    let scheme = value.split_once("://").map_or(String::new(), |(scheme, _)| format!("{scheme}://"));
    format!("{scheme}[withheld]@{rest}")
}

/// `valueFrom`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvVarSource {
    /// A key of a Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<KeyRef>,
    /// A key of a ConfigMap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_key_ref: Option<KeyRef>,
    /// A field of the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_ref: Option<FieldRef>,
}

/// A key of a ConfigMap or Secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KeyRef {
    /// The object.
    pub name: String,
    /// The key.
    pub key: String,
    /// If the container starts without it.
    pub optional: Option<bool>,
}

/// A field of the pod, by path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FieldRef {
    /// `metadata.name`, …
    pub field_path: String,
}

object!(
    /// `envFrom[]`.
    EnvFrom {
        /// Put before every key.
        prefix: String,
        /// A ConfigMap.
        config_map_ref: Option<NameRef>,
        /// A Secret.
        secret_ref: Option<NameRef>,
    }
);

object!(
    /// A reference by name in the pod's namespace.
    NameRef {
        /// Name.
        name: String,
        /// If it may be missing.
        optional: Option<bool>,
    }
);

object!(
    /// `volumeMounts[]`.
    VolumeMount {
        /// The volume's name.
        name: String,
        /// Where.
        mount_path: String,
        /// A path within the volume: such a mount never sees a refreshed token.
        sub_path: String,
        /// The same with variables.
        sub_path_expr: String,
    }
);

object!(
    /// `volumes[]`.
    Volume {
        /// Name.
        name: String,
        /// A projected volume.
        projected: Option<Projected>,
        /// A Secret.
        secret: Option<SecretVolume>,
        /// A ConfigMap.
        config_map: Option<NameRef>,
        /// Scratch space.
        empty_dir: Option<Value>,
        /// A directory of the node.
        host_path: Option<Value>,
        /// A CSI driver.
        csi: Option<CsiVolume>,
    }
);

impl Volume {
    /// The projected service account tokens in it, with the index of each source.
    pub fn tokens(&self) -> impl Iterator<Item = (usize, &ServiceAccountToken)> {
        let sources = self.projected.iter().flat_map(|projected| &projected.sources);
        sources
            .enumerate()
            .filter_map(|(index, source)| source.service_account_token.as_ref().map(|token| (index, token)))
    }

    /// What kind of volume it is, as a manifest names it.
    pub fn kind(&self) -> &'static str {
        if self.projected.is_some() {
            "projected"
        } else if self.secret.is_some() {
            "secret"
        } else if self.config_map.is_some() {
            "configMap"
        } else if self.empty_dir.is_some() {
            "emptyDir"
        } else if self.host_path.is_some() {
            "hostPath"
        } else if self.csi.is_some() {
            "csi"
        } else {
            "another kind of volume"
        }
    }
}

object!(
    /// `csi`.
    CsiVolume {
        /// The driver's name.
        driver: String,
    }
);

object!(
    /// `secret` of a volume.
    SecretVolume {
        /// The Secret's name.
        secret_name: String,
    }
);

object!(
    /// `projected`.
    Projected {
        /// Sources.
        sources: Vec<ProjectedSource>,
        /// File mode, decimal as JSON has it (420 = 0644).
        default_mode: Option<i32>,
    }
);

object!(
    /// `projected.sources[]`.
    ProjectedSource {
        /// A service account token.
        service_account_token: Option<ServiceAccountToken>,
    }
);

object!(
    /// `serviceAccountToken`.
    ServiceAccountToken {
        /// Audience; empty means the API server's own.
        audience: String,
        /// Lifetime in seconds.
        expiration_seconds: Option<i64>,
        /// File name in the volume.
        path: String,
    }
);

object!(
    /// A service account.
    ServiceAccount {
        /// Metadata; the annotations are the point.
        metadata: Meta,
    }
);

object!(
    /// A namespace.
    Namespace {
        /// Metadata; selectors of webhooks look at its labels.
        metadata: Meta,
    }
);

object!(
    /// A node.
    Node {
        /// Metadata; labels tell the operating system and the region.
        metadata: Meta,
        /// Spec.
        spec: NodeSpec,
    }
);

object!(
    /// `spec` of a node.
    NodeSpec {
        /// `aws:///eu-west-1a/i-0123…`.
        provider_id: String,
    }
);

/// A ConfigMap: the keys, and the values of AWS settings among them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "RawConfigMap")]
pub struct ConfigMap {
    /// Metadata.
    pub metadata: Meta,
    /// Key to value, the value dropped under the same rule as that of an environment variable.
    pub data: BTreeMap<String, EnvValue>,
    /// `ca.crt` of `kube-root-ca.crt`, public by nature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_crt: Option<String>,
    /// `config` of the webhook's own ConfigMap `pod-identity-webhook`: role ARNs by service account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_config: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawConfigMap {
    metadata: Meta,
    #[serde(deserialize_with = "null_default")]
    data: BTreeMap<String, String>,
}

impl From<RawConfigMap> for ConfigMap {
    fn from(mut raw: RawConfigMap) -> Self {
        let mut take =
            |name: &str, key: &str| (raw.metadata.name == name).then(|| raw.data.remove(key)).flatten();
        let ca_crt = take("kube-root-ca.crt", "ca.crt");
        let webhook_config = take("pod-identity-webhook", "config");
        let data = raw.data.into_iter().map(|(key, value)| {
            let value = EnvValue::literal(&key, value);
            (key, value)
        });
        Self { data: data.collect(), metadata: raw.metadata, ca_crt, webhook_config }
    }
}

/// A Secret: its keys, never its values.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "RawSecret")]
pub struct Secret {
    /// Metadata.
    pub metadata: Meta,
    /// Keys: from the file that holds the Secret, or from `managedFields` where only metadata was fetched.
    pub keys: BTreeSet<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawSecret {
    metadata: Meta,
    #[serde(deserialize_with = "null_default")]
    data: BTreeMap<String, serde::de::IgnoredAny>,
    #[serde(deserialize_with = "null_default")]
    string_data: BTreeMap<String, serde::de::IgnoredAny>,
}

impl From<RawSecret> for Secret {
    fn from(raw: RawSecret) -> Self {
        let managed = raw.metadata.managed_fields.iter().flat_map(|entry| entry.data_keys.iter().cloned());
        let keys = raw.data.into_keys().chain(raw.string_data.into_keys()).chain(managed).collect();
        // Annotations of a Secret may repeat its values: kubectl, kapp and others keep what they applied there.
        let metadata = Meta { annotations: BTreeMap::new(), ..raw.metadata };
        Self { keys, metadata }
    }
}

object!(
    /// An event.
    Event {
        /// Metadata.
        metadata: Meta,
        /// What it is about.
        involved_object: ObjectRef,
        /// `FailedCreate`, `FailedMount`, …
        reason: String,
        /// The message.
        message: String,
        /// `Normal` or `Warning`.
        r#type: String,
        /// Last seen.
        last_timestamp: Option<Timestamp>,
    }
);

object!(
    /// `involvedObject`.
    ObjectRef {
        /// Kind.
        kind: String,
        /// Name.
        name: String,
        /// UID.
        uid: String,
    }
);

object!(
    /// `MutatingWebhookConfiguration`.
    MutatingWebhookConfiguration {
        /// Metadata.
        metadata: Meta,
        /// Webhooks.
        webhooks: Vec<Webhook>,
    }
);

object!(
    /// `webhooks[]`.
    Webhook {
        /// Name: `iam-for-pods.amazonaws.com`.
        name: String,
        /// Where the API server calls it.
        client_config: WebhookClient,
        /// `Ignore` fails open.
        failure_policy: String,
        /// `IfNeeded` runs it again after other webhooks changed the pod.
        reinvocation_policy: String,
        /// Versions it is called with.
        admission_review_versions: Vec<String>,
        /// Namespaces it sees.
        namespace_selector: Option<LabelSelector>,
        /// Objects it sees.
        object_selector: Option<LabelSelector>,
        /// CEL conditions; not evaluated here.
        match_conditions: Vec<MatchCondition>,
        /// Operations and resources.
        rules: Vec<WebhookRule>,
    }
);

object!(
    /// `clientConfig`.
    WebhookClient {
        /// A URL, as EKS has it.
        url: String,
        /// A service in the cluster, as self-hosted webhooks have it.
        service: Option<ServiceRef>,
        /// Base64 of the PEM certificates that its serving certificate must chain to.
        ca_bundle: String,
    }
);

object!(
    /// `clientConfig.service`.
    ServiceRef {
        /// Namespace.
        namespace: String,
        /// Name.
        name: String,
        /// Port, 443 by default.
        port: Option<u16>,
    }
);

object!(
    /// `matchConditions[]`.
    MatchCondition {
        /// Name.
        name: String,
        /// CEL.
        expression: String,
    }
);

object!(
    /// `rules[]`.
    WebhookRule {
        /// `CREATE`, …
        operations: Vec<String>,
        /// `pods`, …
        resources: Vec<String>,
    }
);

object!(
    /// A label selector.
    LabelSelector {
        /// Labels that must be equal.
        match_labels: BTreeMap<String, String>,
        /// Set expressions.
        match_expressions: Vec<SelectorRequirement>,
    }
);

object!(
    /// `matchExpressions[]`.
    SelectorRequirement {
        /// Label key.
        key: String,
        /// `In`, `NotIn`, `Exists`, `DoesNotExist`.
        operator: String,
        /// Values.
        values: Vec<String>,
    }
);

impl LabelSelector {
    /// The first requirement that the labels do not meet, as a sentence part; `None` if they meet all.
    pub fn first_unmet(&self, labels: &BTreeMap<String, String>) -> Option<String> {
        for (key, value) in &self.match_labels {
            if labels.get(key) != Some(value) {
                return Some(format!("{key}={value}"));
            }
        }
        self.match_expressions.iter().find_map(|requirement| {
            let has = labels.get(&requirement.key);
            let met = match requirement.operator.as_str() {
                "In" => has.is_some_and(|value| requirement.values.contains(value)),
                "NotIn" => has.is_none_or(|value| !requirement.values.contains(value)),
                "Exists" => has.is_some(),
                "DoesNotExist" => has.is_none(),
                _ => false,
            };
            let values = if requirement.values.is_empty() {
                String::new()
            } else {
                format!(" ({})", requirement.values.join(", "))
            };
            (!met).then(|| format!("{} {}{values}", requirement.key, requirement.operator))
        })
    }

    /// The labels that would have to change for all requirements to be met: a value to set, or `None` to take it away.
    pub fn changes(&self, labels: &BTreeMap<String, String>) -> Vec<(&str, Option<&str>)> {
        let equal = self.match_labels.iter().filter(|(key, value)| labels.get(*key) != Some(value));
        let equal = equal.map(|(key, value)| (key.as_str(), Some(value.as_str())));
        let sets = self.match_expressions.iter().filter_map(|requirement| {
            let alone = Self { match_labels: BTreeMap::new(), match_expressions: vec![requirement.clone()] };
            alone.first_unmet(labels)?;
            Some(match requirement.operator.as_str() {
                "In" => (requirement.key.as_str(), requirement.values.first().map(String::as_str)),
                "Exists" => (requirement.key.as_str(), Some("true")),
                _ => (requirement.key.as_str(), None),
            })
        });
        equal.chain(sets).collect()
    }

    /// The same as a query parameter of the API.
    pub fn to_query(&self) -> String {
        let equal = self.match_labels.iter().map(|(key, value)| format!("{key}={value}"));
        let sets = self.match_expressions.iter().map(|requirement| {
            let values = requirement.values.join(",");
            match requirement.operator.as_str() {
                "In" => format!("{} in ({values})", requirement.key),
                "NotIn" => format!("{} notin ({values})", requirement.key),
                "DoesNotExist" => format!("!{}", requirement.key),
                _ => requirement.key.clone(),
            }
        });
        equal.chain(sets).collect::<Vec<_>>().join(",")
    }
}

macro_rules! workload {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        $(object!(
            $(#[$doc])*
            $name {
                /// Metadata.
                metadata: Meta,
                /// Spec.
                spec: WorkloadSpec,
                /// Status.
                status: WorkloadStatus,
            }
        );)*
    };
}

workload!(
    /// A Deployment.
    Deployment,
    /// A StatefulSet.
    StatefulSet,
    /// A DaemonSet.
    DaemonSet,
    /// A ReplicaSet.
    ReplicaSet,
    /// A Job.
    Job,
);

object!(
    /// What the workloads' specs have in common.
    WorkloadSpec {
        /// Pods it owns.
        selector: Option<LabelSelector>,
        /// The pods it makes.
        template: PodTemplate,
        /// How many, where it is a number.
        replicas: Option<i32>,
    }
);

object!(
    /// What the workloads' statuses have in common.
    WorkloadStatus {
        /// Replicas that are ready.
        ready_replicas: i32,
    }
);

object!(
    /// `template`.
    PodTemplate {
        /// Labels and annotations of the pods.
        metadata: Meta,
        /// Spec of the pods.
        spec: PodSpec,
    }
);

object!(
    /// A CronJob.
    CronJob {
        /// Metadata.
        metadata: Meta,
        /// Spec.
        spec: CronJobSpec,
    }
);

object!(
    /// `spec` of a CronJob.
    CronJobSpec {
        /// The jobs it makes.
        job_template: JobTemplate,
    }
);

object!(
    /// `jobTemplate`.
    JobTemplate {
        /// Spec of the jobs.
        spec: WorkloadSpec,
    }
);

object!(
    /// Endpoints of a service.
    EndpointSlice {
        /// Metadata; label `kubernetes.io/service-name` names the service.
        metadata: Meta,
        /// Endpoints.
        endpoints: Vec<Endpoint>,
    }
);

object!(
    /// `endpoints[]`.
    Endpoint {
        /// Conditions.
        conditions: EndpointConditions,
    }
);

object!(
    /// `conditions`.
    EndpointConditions {
        /// `None` counts as ready (discovery.k8s.io/v1).
        ready: Option<bool>,
    }
);

/// `GET /version`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServerVersion {
    /// `v1.33.5-eks-ba24e9c`.
    pub git_version: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str, value: &str) -> EnvVar {
        serde_json::from_value(serde_json::json!({"name": name, "value": value})).unwrap()
    }

    #[test]
    fn values_that_may_be_secret_are_dropped_while_they_are_read() {
        for name in [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_SECURITY_TOKEN",
            "aws_secret_access_key",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN",
            "AWS_BEARER_TOKEN_BEDROCK",
            "DATABASE_URL",
            "PASSWORD",
        ] {
            let read = env(name, "hunter2");
            assert_eq!(read.value, EnvValue::Withheld { empty: false }, "{name}");
            assert!(!format!("{read:?}").contains("hunter2"));
        }
        for name in [
            "AWS_ROLE_ARN",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_REGION",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            "HTTPS_PROXY",
        ] {
            assert_eq!(env(name, "x").value.text(), Some("x"), "{name}");
        }
    }

    #[test]
    fn a_password_in_a_proxy_url_is_dropped() {
        assert_eq!(
            env("HTTPS_PROXY", "http://bob:hunter2@proxy:3128/x").value.text(),
            Some("http://[withheld]@proxy:3128/x")
        );
        assert_eq!(env("HTTPS_PROXY", "http://proxy:3128/a@b").value.text(), Some("http://[withheld]@b"));
    }

    #[test]
    fn a_secret_keeps_its_keys_only() {
        let secret: Secret = serde_json::from_value(serde_json::json!({
            "metadata": {"name": "s", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"stringData\":\"hunter2\"}"},
                "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:data": {".": {}, "f:AWS_ACCESS_KEY_ID": {}}}}]},
            "data": {"token": "aHVudGVyMg=="}, "stringData": {"AWS_PROFILE": "hunter2"}
        })).unwrap();
        assert_eq!(
            secret.keys.iter().map(String::as_str).collect::<Vec<_>>(),
            ["AWS_ACCESS_KEY_ID", "AWS_PROFILE", "token"]
        );
        assert!(!format!("{secret:?}").contains("hunter2"));
    }

    #[test]
    fn arguments_of_other_programs_are_dropped() {
        let container: Container = serde_json::from_value(serde_json::json!({
            "name": "c", "args": ["--password=hunter2", "--in-cluster=false", "annotation-prefix"]
        }))
        .unwrap();
        assert_eq!(container.args, ["--in-cluster=false"]);
    }

    #[test]
    fn selectors_name_the_first_requirement_that_is_not_met() {
        let selector: LabelSelector = serde_json::from_value(serde_json::json!({
            "matchLabels": {"a": "1"},
            "matchExpressions": [{"key": "skip", "operator": "DoesNotExist"}, {"key": "b", "operator": "In", "values": ["x", "y"]}]
        })).unwrap();
        let labels =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(selector.first_unmet(&labels(&[("a", "1"), ("b", "x")])), None);
        assert_eq!(selector.first_unmet(&labels(&[("b", "x")])).as_deref(), Some("a=1"));
        assert_eq!(
            selector.first_unmet(&labels(&[("a", "1"), ("b", "x"), ("skip", "false")])).as_deref(),
            Some("skip DoesNotExist")
        );
        assert_eq!(selector.to_query(), "a=1,!skip,b in (x,y)");
    }
}
