//! Containers and their environment. Values that may be secret are dropped while being parsed.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::aws::arn::RoleArn;
use crate::aws_error::Wrapper;

use super::{ContainerSecurity, NameRef, null_default, outlined};
use crate::facts::alike::{Bare, Outline, Pen};
use crate::text::foreign::{WITHHELD, without_credentials};

/// A container.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Container {
    /// Name.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub name: String,
    /// Environment variables, in order.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub env: Vec<EnvVar>,
    /// Whole ConfigMaps and Secrets taken as environment.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub env_from: Vec<EnvFrom>,
    /// Mounts.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub volume_mounts: Vec<VolumeMount>,
    /// `Always` makes an init container a native sidecar.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub restart_policy: String,
    /// The user that it runs as, and what it is allowed to do.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub security_context: ContainerSecurity,
    /// For an ephemeral container: the container whose processes it sees.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub target_container_name: String,
    /// Image.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub image: String,
    /// The ports that it declares.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub ports: Vec<ContainerPort>,
    /// What is kept of the arguments.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub args: Words,
    /// The same for `command`.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub command: Words,
}

outlined!(Container {
    name,
    env,
    env_from,
    volume_mounts,
    restart_policy,
    security_context,
    target_container_name,
    image,
    ports,
    args,
    command,
});

impl Container {
    /// True if the image's name, or a word of the command, says that it calls AWS: `amazon/aws-cli`, `aws s3 cp`.
    pub fn names_aws(&self) -> bool {
        // A registry's name says nothing: ECR's are `….amazonaws.com` and `public.ecr.aws`.
        let name = match self.image.split_once('/') {
            Some((registry, name)) if registry.contains(['.', ':']) => name,
            _ => &self.image,
        };
        names_aws(name) || self.args.names_aws || self.command.names_aws
    }
}

/// What is kept of a command or its arguments, which may hold passwords.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Words {
    /// Flags of the pod identity webhook, and the name of the EKS Pod Identity agent's program; every other argument is dropped.
    flags: Vec<String>,
    /// True if one of the words names AWS or a tool of it.
    names_aws: bool,
    /// The program in front that takes away the container's variables.
    wrapper: Option<Wrapper>,
}

outlined!(Words { flags, names_aws, wrapper });

impl Outline for Wrapper {
    fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
        pen.text(self.label());
    }
}

impl Words {
    /// The program in front that takes away the container's variables: `envdir`, `env -i`.
    pub fn wrapper(&self) -> Option<Wrapper> {
        self.wrapper
    }
}

impl From<Vec<String>> for Words {
    fn from(words: Vec<String>) -> Self {
        Self {
            names_aws: words.iter().any(|word| names_aws(word)),
            wrapper: Wrapper::of_command(&words),
            flags: known_words(words),
        }
    }
}

impl From<Words> for Vec<String> {
    /// Words of which the same is kept.
    fn from(words: Words) -> Self {
        let wrapper = words.wrapper.into_iter().flat_map(|wrapper| wrapper.label().split(' '));
        let mut all: Self = wrapper.map(str::to_owned).chain(words.flags).collect();
        // Behind a word of its own, so that it is no flag's value.
        if words.names_aws && !all.iter().any(|word| names_aws(word)) {
            all.extend(["--", "aws"].map(str::to_owned));
        }
        all
    }
}

impl Deref for Words {
    type Target = [String];
    fn deref(&self) -> &[String] {
        &self.flags
    }
}

/// True if a word of the text is the name of AWS, of S3, or of an SDK.
fn names_aws(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.into_iter().any(|word| ["aws", "awscli", "boto3", "s3", "s3cmd", "s5cmd"].contains(&word))
}

/// A port of a container.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerPort {
    /// Its number.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub container_port: u32,
    /// The same on the node.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub host_port: u32,
}

outlined!(ContainerPort { container_port, host_port });

/// The EKS Pod Identity agent's program (chart `eks-pod-identity-agent`), which also names its image, its labels and its
/// DaemonSet.
pub(crate) const AGENT_PROGRAM: &str = "eks-pod-identity-agent";

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

/// Those that are true without a value.
const SWITCHES: [&str; 4] = ["compose-role-arn", "in-cluster", "sts-regional-endpoint", "watch-config-map"];

fn known_words(words: Vec<String>) -> Vec<String> {
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
            || argument.trim_start_matches('/') == AGENT_PROGRAM
    });
    kept.collect()
}

/// One environment variable. A value that may be secret is dropped while being parsed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "RawEnvVar", into = "RawEnvVar")]
pub struct EnvVar {
    /// Name.
    pub name: String,
    /// Value, or where it comes from.
    pub value: EnvValue,
}

outlined!(EnvVar { name, value });

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawEnvVar {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_from: Option<EnvVarSource>,
}

impl From<EnvVar> for RawEnvVar {
    fn from(variable: EnvVar) -> Self {
        let EnvVar { name, value } = variable;
        match value {
            EnvValue::From(source) => Self { name, value: None, value_from: Some(source) },
            value => Self { name, value: Some(value.written()), value_from: None },
        }
    }
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

impl Outline for EnvValue {
    fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
        match self {
            Self::Literal(text) => {
                pen.number(0);
                text.outline(pen);
            }
            Self::Withheld { empty } => {
                pen.number(1);
                empty.outline(pen);
            }
            Self::From(source) => {
                pen.number(2);
                source.outline(pen);
            }
            Self::Unread => pen.number(3),
        }
    }
}

impl Bare for EnvValue {
    fn is_bare(&self) -> bool {
        false
    }
}

impl EnvValue {
    /// Keeps the value only if the variable's name shows that it is not secret, or if the value is the ARN of a role.
    pub fn literal(name: &str, value: String) -> Self {
        if is_public(name) || RoleArn::parse(&value).is_ok() {
            let is_url = ["PROXY", "ENDPOINT"].iter().any(|part| name.to_ascii_uppercase().contains(part));
            let value = if is_url { without_password(value) } else { value };
            // A token may have been put in the wrong place.
            Self::Literal(without_credentials(&value))
        } else {
            Self::Withheld { empty: value.is_empty() }
        }
    }

    /// What stands for it where it is written: read again, it is the same.
    pub(super) fn written(self) -> String {
        match self {
            Self::Literal(text) => text,
            Self::Withheld { empty: true } => String::new(),
            Self::Withheld { empty: false } | Self::From(_) | Self::Unread => String::from(WITHHELD),
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

/// The variables whose values are read: those that the probe also shows, and what only a spec contains. Everything else, above
/// all keys, is not kept in memory.
fn is_public(name: &str) -> bool {
    const READ: [&str; 3] =
        ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_ENDPOINT_URL_S3", "KUBECTL_IRSA_CONTAINER"];
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

outlined!(
    EnvVarSource { secret_key_ref, config_map_key_ref, field_ref }
    KeyRef { name, key, optional }
    FieldRef { field_path }
);

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
