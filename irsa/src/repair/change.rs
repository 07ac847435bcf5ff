//! What a step of a repair does, as data: its shell command, a patch and a call of the API are made from the same value.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Command, Placeholder};
use crate::derive::Derived;
use crate::policy::Json;

/// What a step of a repair changes.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// An object of the cluster.
    Kubernetes(ObjectChange),
    /// Something in AWS.
    Aws(AwsChange),
}

/// An object, and what happens to it.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectChange {
    /// The object.
    pub object: Object,
    /// What happens to it.
    pub edit: Edit,
}

/// An object of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its namespace; `None` for what has none.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// The kinds that repairs change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "Kubernetes' own names")]
pub enum ObjectKind {
    CronJob,
    DaemonSet,
    Deployment,
    MutatingWebhookConfiguration,
    Namespace,
    NetworkPolicy,
    Pod,
    ServiceAccount,
    StatefulSet,
}

impl ObjectKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::CronJob,
        Self::DaemonSet,
        Self::Deployment,
        Self::MutatingWebhookConfiguration,
        Self::Namespace,
        Self::NetworkPolicy,
        Self::Pod,
        Self::ServiceAccount,
        Self::StatefulSet,
    ];

    /// As it is written in manifests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CronJob => "CronJob",
            Self::DaemonSet => "DaemonSet",
            Self::Deployment => "Deployment",
            Self::MutatingWebhookConfiguration => "MutatingWebhookConfiguration",
            Self::Namespace => "Namespace",
            Self::NetworkPolicy => "NetworkPolicy",
            Self::Pod => "Pod",
            Self::ServiceAccount => "ServiceAccount",
            Self::StatefulSet => "StatefulSet",
        }
    }

    /// Its API group, empty for the core's, and version.
    pub const fn group_version(self) -> (&'static str, &'static str) {
        match self {
            Self::CronJob => ("batch", "v1"),
            Self::DaemonSet | Self::Deployment | Self::StatefulSet => ("apps", "v1"),
            Self::MutatingWebhookConfiguration => ("admissionregistration.k8s.io", "v1"),
            Self::NetworkPolicy => ("networking.k8s.io", "v1"),
            Self::Namespace | Self::Pod | Self::ServiceAccount => ("", "v1"),
        }
    }

    /// `apps/v1`.
    pub fn api_version(self) -> String {
        match self.group_version() {
            ("", version) => version.to_owned(),
            (group, version) => format!("{group}/{version}"),
        }
    }

    /// Its resource, in a URL of the API.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::CronJob => "cronjobs",
            Self::DaemonSet => "daemonsets",
            Self::Deployment => "deployments",
            Self::MutatingWebhookConfiguration => "mutatingwebhookconfigurations",
            Self::Namespace => "namespaces",
            Self::NetworkPolicy => "networkpolicies",
            Self::Pod => "pods",
            Self::ServiceAccount => "serviceaccounts",
            Self::StatefulSet => "statefulsets",
        }
    }

    /// The kind of that name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The path of its pod template; `None` for what has none.
    pub const fn template(self) -> Option<&'static [&'static str]> {
        match self {
            Self::DaemonSet | Self::Deployment | Self::StatefulSet => Some(&["spec", "template"]),
            Self::CronJob => Some(&["spec", "jobTemplate", "spec", "template"]),
            Self::MutatingWebhookConfiguration
            | Self::Namespace
            | Self::NetworkPolicy
            | Self::Pod
            | Self::ServiceAccount => None,
        }
    }

    /// True if a change of its pod template replaces its pods.
    pub const fn rolls(self) -> bool {
        matches!(self, Self::DaemonSet | Self::Deployment | Self::StatefulSet)
    }
}

impl Object {
    /// An object of a namespace.
    pub fn of(kind: ObjectKind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind, namespace: Some(namespace.into()), name: name.into() }
    }

    /// An object of the cluster.
    pub fn of_cluster(kind: ObjectKind, name: impl Into<String>) -> Self {
        Self { kind, namespace: None, name: name.into() }
    }

    /// `deployment/checkout`, as kubectl takes it.
    pub fn target(&self) -> String {
        format!("{}/{}", self.kind.name().to_lowercase(), self.name)
    }
}

/// What happens to an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// It is created, with nothing but its name.
    Create,
    /// Annotations are set, or removed.
    Annotate(Vec<Assignment>),
    /// Labels are set, or removed.
    Label(Vec<Assignment>),
    /// Variables of a container of its pod template are set, or unset.
    SetEnv {
        /// The container.
        container: String,
        /// True for an init container.
        is_init: bool,
        /// The variables.
        variables: Vec<Assignment>,
    },
    /// Its pods run as this service account.
    SetServiceAccount(String),
    /// A JSON merge patch (RFC 7386).
    Merge(Value),
    /// A JSON patch (RFC 6902).
    Json(Value),
    /// Its pods are replaced.
    Restart,
    /// It is deleted; its controller makes another.
    Delete,
}

/// A value by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The key of an annotation or label, or a variable.
    pub name: String,
    /// The value; `None` if it is removed.
    pub value: Option<Given>,
}

/// A value, or what only the reader knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// It is known.
    Text(String),
    /// The reader sets it.
    Asked(Placeholder),
}

impl Assignment {
    /// Sets it.
    pub fn set(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: Some(Given::Text(value.into())) }
    }

    /// Has the reader set it.
    pub fn ask(name: impl Into<String>, placeholder: Placeholder) -> Self {
        Self { name: name.into(), value: Some(Given::Asked(placeholder)) }
    }

    /// Removes it.
    pub fn remove(name: impl Into<String>) -> Self {
        Self { name: name.into(), value: None }
    }

    /// As kubectl takes it: `NAME=VALUE`, or `NAME-`.
    fn word(&self, command: Command) -> Command {
        match &self.value {
            Some(Given::Text(value)) => command.words([format!("{}={value}", self.name)]),
            Some(Given::Asked(placeholder)) => command.ask_after(format!("{}=", self.name), *placeholder),
            None => command.words([format!("{}-", self.name)]),
        }
    }

    fn json(&self) -> Value {
        match &self.value {
            Some(given) => json!(given.text()),
            None => Value::Null,
        }
    }
}

impl Given {
    /// The value; a variable of that name where the reader sets it.
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Asked(placeholder) => format!("${{{}}}", placeholder.name()),
        }
    }
}

/// How a patch is read, as its media type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchType {
    /// RFC 7386.
    Merge,
    /// RFC 6902.
    Json,
    /// Kubernetes' own: containers and variables are merged by name.
    Strategic,
}

impl PatchType {
    /// `application/merge-patch+json`, say.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Merge => "application/merge-patch+json",
            Self::Json => "application/json-patch+json",
            Self::Strategic => "application/strategic-merge-patch+json",
        }
    }
}

impl ObjectChange {
    /// The patch that does it; `None` where nothing is patched, and for a restart, which writes the time into the pod template.
    pub fn patch(&self) -> Option<(PatchType, Value)> {
        let values = |of: &[Assignment]| -> Map<String, Value> {
            of.iter().map(|assignment| (assignment.name.clone(), assignment.json())).collect()
        };
        match &self.edit {
            Edit::Annotate(all) => {
                Some((PatchType::Merge, json!({"metadata": {"annotations": values(all)}})))
            }
            Edit::Label(all) => Some((PatchType::Merge, json!({"metadata": {"labels": values(all)}}))),
            Edit::Merge(patch) => Some((PatchType::Merge, patch.clone())),
            Edit::Json(patch) => Some((PatchType::Json, patch.clone())),
            Edit::SetServiceAccount(name) => {
                let spec = json!({"spec": {"serviceAccountName": name, "serviceAccount": name}});
                Some((PatchType::Strategic, self.in_template(spec)?))
            }
            Edit::SetEnv { container, is_init, variables } => {
                let env: Vec<Value> = variables.iter().map(variable).collect();
                let list = if *is_init { "initContainers" } else { "containers" };
                let spec = json!({"spec": {list: [{"name": container, "env": env}]}});
                Some((PatchType::Strategic, self.in_template(spec)?))
            }
            Edit::Create | Edit::Restart | Edit::Delete => None,
        }
    }

    /// The patch of a restart at that time (RFC 3339), which is what `kubectl rollout restart` writes.
    pub fn restart_at(&self, time: &str) -> Option<(PatchType, Value)> {
        let annotations = json!({"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": time}}});
        Some((PatchType::Strategic, self.in_template(annotations)?))
    }

    /// The object to create.
    pub fn manifest(&self) -> Value {
        let Object { kind, namespace, name } = &self.object;
        let mut metadata = Map::from_iter([(String::from("name"), json!(name))]);
        metadata.extend(namespace.as_ref().map(|namespace| (String::from("namespace"), json!(namespace))));
        json!({"apiVersion": kind.api_version(), "kind": kind.name(), "metadata": metadata})
    }

    /// True if it creates the object.
    pub fn creates(&self) -> bool {
        self.edit == Edit::Create
    }

    /// True if its pods are replaced by others.
    pub fn replaces_pods(&self) -> bool {
        match &self.edit {
            Edit::SetEnv { .. } | Edit::SetServiceAccount(_) | Edit::Merge(_) => self.object.kind.rolls(),
            Edit::Restart | Edit::Delete => true,
            Edit::Create | Edit::Annotate(_) | Edit::Label(_) | Edit::Json(_) => false,
        }
    }

    fn in_template(&self, value: Value) -> Option<Value> {
        let path = self.object.kind.template()?;
        Some(path.iter().rev().fold(value, |inner, key| json!({*key: inner})))
    }

    /// The operation in a word: `create`, `patch`, `restart` or `delete`.
    fn operation(&self) -> &'static str {
        match self.edit {
            Edit::Create => "create",
            Edit::Restart => "restart",
            Edit::Delete => "delete",
            Edit::Annotate(_)
            | Edit::Label(_)
            | Edit::SetEnv { .. }
            | Edit::SetServiceAccount(_)
            | Edit::Merge(_)
            | Edit::Json(_) => "patch",
        }
    }

    fn command(&self, derived: &Derived<'_>) -> Command {
        let Object { kind, namespace, name } = &self.object;
        let (kind, target) = (kind.name().to_lowercase(), self.object.target());
        let in_namespace: Vec<&str> =
            namespace.as_deref().map(|namespace| vec!["-n", namespace]).unwrap_or_default();
        let kubectl = |words: &[&str]| Command::kubectl(derived, words).words(in_namespace.iter().copied());
        let assigned = |command: Command, all: &[Assignment]| {
            all.iter().fold(command, |command, assignment| assignment.word(command))
        };
        let patched = |form: &str, patch: &Value| {
            kubectl(&["patch", &target]).words([form, "-p"]).words([patch.to_string()])
        };
        match &self.edit {
            Edit::Create => kubectl(&["create", &kind, name]),
            Edit::Annotate(all) => assigned(kubectl(&["annotate", &kind, name]).words(["--overwrite"]), all),
            Edit::Label(all) => assigned(kubectl(&["label", &kind, name]).words(["--overwrite"]), all),
            Edit::SetEnv { container, variables, .. } => {
                assigned(kubectl(&["set", "env", &target]).words(["-c", container]), variables)
            }
            Edit::SetServiceAccount(service_account) => {
                kubectl(&["set", "serviceaccount", &target, service_account])
            }
            Edit::Merge(patch) => patched("--type=merge", patch),
            Edit::Json(patch) => patched("--type=json", patch),
            Edit::Restart => kubectl(&["rollout", "restart", &target]),
            Edit::Delete => kubectl(&["delete", &kind, name]),
        }
    }
}

/// A variable as a strategic merge patch sets or unsets it.
fn variable(assignment: &Assignment) -> Value {
    match &assignment.value {
        // One that takes its value from elsewhere must not keep that.
        Some(given) => json!({"name": assignment.name, "value": given.text(), "valueFrom": null}),
        None => json!({"name": assignment.name, "$patch": "delete"}),
    }
}

/// A call of AWS that changes something.
#[derive(Debug, Clone, PartialEq)]
pub struct AwsChange {
    /// The account that it is for; `None` for the user's own.
    pub account: Option<String>,
    /// The call.
    pub call: AwsCall,
}

/// The calls that repairs make.
#[derive(Debug, Clone, PartialEq)]
pub enum AwsCall {
    /// `iam:UpdateAssumeRolePolicy`.
    UpdateAssumeRolePolicy {
        /// Name of the role.
        role: String,
        /// Its new trust policy.
        document: Json,
    },
    /// `iam:CreateRole`.
    CreateRole {
        /// Name of the role.
        role: String,
        /// Its path: `/`, `/team/`.
        path: String,
        /// Its trust policy.
        document: Json,
    },
    /// `iam:PutRolePolicy`.
    PutRolePolicy {
        /// Name of the role.
        role: String,
        /// Name of the inline policy.
        policy: String,
        /// The policy.
        document: Json,
    },
    /// `iam:CreateOpenIDConnectProvider`.
    CreateOpenIdConnectProvider {
        /// URL of the issuer.
        url: String,
        /// The audience that it accepts.
        client_id: String,
    },
    /// `iam:AddClientIDToOpenIDConnectProvider`.
    AddClientId {
        /// ARN of the provider.
        provider: String,
        /// The audience.
        client_id: String,
    },
    /// `iam:UpdateOpenIDConnectProviderThumbprint`, with a thumbprint that the reader knows.
    UpdateThumbprint {
        /// ARN of the provider.
        provider: String,
    },
    /// `eks:CreatePodIdentityAssociation`.
    CreatePodIdentityAssociation {
        /// The cluster.
        cluster: InEks,
        /// Namespace of the service account.
        namespace: String,
        /// The service account.
        service_account: String,
        /// ARN of the role, which the reader knows.
        role: Given,
    },
    /// `eks:UpdatePodIdentityAssociation`: whether EKS sets session tags.
    SetSessionTags {
        /// The cluster.
        cluster: InEks,
        /// Id of the association.
        association: String,
        /// True if it sets them.
        enabled: bool,
    },
    /// `eks:CreateAddon`.
    CreateAddon {
        /// The cluster.
        cluster: InEks,
        /// Name of the add-on.
        addon: String,
    },
}

/// A cluster in EKS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InEks {
    /// Its Region.
    pub region: String,
    /// Its name.
    pub name: String,
}

/// A parameter of a call: its name in the API, and its value.
type Parameter<'c> = (&'static str, Parametric<'c>);

enum Parametric<'c> {
    Text(&'c str),
    List(&'c str),
    Given(&'c Given),
    Document(&'c Json),
    Flag(bool),
}

impl AwsCall {
    /// `iam`, and `UpdateAssumeRolePolicy`.
    pub const fn action(&self) -> (&'static str, &'static str) {
        match self {
            Self::UpdateAssumeRolePolicy { .. } => ("iam", "UpdateAssumeRolePolicy"),
            Self::CreateRole { .. } => ("iam", "CreateRole"),
            Self::PutRolePolicy { .. } => ("iam", "PutRolePolicy"),
            Self::CreateOpenIdConnectProvider { .. } => ("iam", "CreateOpenIDConnectProvider"),
            Self::AddClientId { .. } => ("iam", "AddClientIDToOpenIDConnectProvider"),
            Self::UpdateThumbprint { .. } => ("iam", "UpdateOpenIDConnectProviderThumbprint"),
            Self::CreatePodIdentityAssociation { .. } => ("eks", "CreatePodIdentityAssociation"),
            Self::SetSessionTags { .. } => ("eks", "UpdatePodIdentityAssociation"),
            Self::CreateAddon { .. } => ("eks", "CreateAddon"),
        }
    }

    /// The cluster that it is about, if it is about one.
    pub const fn cluster(&self) -> Option<&InEks> {
        match self {
            Self::CreatePodIdentityAssociation { cluster, .. }
            | Self::SetSessionTags { cluster, .. }
            | Self::CreateAddon { cluster, .. } => Some(cluster),
            Self::UpdateAssumeRolePolicy { .. }
            | Self::CreateRole { .. }
            | Self::PutRolePolicy { .. }
            | Self::CreateOpenIdConnectProvider { .. }
            | Self::AddClientId { .. }
            | Self::UpdateThumbprint { .. } => None,
        }
    }

    /// In the order in which they are printed.
    fn parameters(&self) -> Vec<Parameter<'_>> {
        use Parametric::{Document, Flag, Given, List, Text};
        const THUMBPRINT: &super::change::Given = &super::change::Given::Asked(Placeholder::Thumbprint);
        match self {
            Self::UpdateAssumeRolePolicy { role, document } => {
                vec![("RoleName", Text(role)), ("PolicyDocument", Document(document))]
            }
            Self::CreateRole { role, path, document } => vec![
                ("RoleName", Text(role)),
                ("Path", Text(path)),
                ("AssumeRolePolicyDocument", Document(document)),
            ],
            Self::PutRolePolicy { role, policy, document } => vec![
                ("RoleName", Text(role)),
                ("PolicyName", Text(policy)),
                ("PolicyDocument", Document(document)),
            ],
            Self::CreateOpenIdConnectProvider { url, client_id } => {
                vec![("Url", Text(url)), ("ClientIDList", List(client_id))]
            }
            Self::AddClientId { provider, client_id } => {
                vec![("OpenIDConnectProviderArn", Text(provider)), ("ClientID", Text(client_id))]
            }
            Self::UpdateThumbprint { provider } => {
                vec![("OpenIDConnectProviderArn", Text(provider)), ("ThumbprintList", Given(THUMBPRINT))]
            }
            Self::CreatePodIdentityAssociation { cluster, namespace, service_account, role } => vec![
                ("clusterName", Text(&cluster.name)),
                ("namespace", Text(namespace)),
                ("serviceAccount", Text(service_account)),
                ("roleArn", Given(role)),
            ],
            Self::SetSessionTags { cluster, association, enabled } => vec![
                ("clusterName", Text(&cluster.name)),
                ("associationId", Text(association)),
                ("disableSessionTags", Flag(!*enabled)),
            ],
            Self::CreateAddon { cluster, addon } => {
                vec![("clusterName", Text(&cluster.name)), ("addonName", Text(addon))]
            }
        }
    }

    /// The parameters but for policy documents, each with its value.
    pub fn plain_parameters(&self) -> Vec<(&'static str, String)> {
        let shown = |(name, value)| match value {
            Parametric::Text(text) | Parametric::List(text) => Some((name, text.to_owned())),
            Parametric::Given(given) => Some((name, given.text())),
            Parametric::Flag(flag) => Some((name, flag.to_string())),
            Parametric::Document(_) => None,
        };
        self.parameters().into_iter().filter_map(shown).collect()
    }

    /// The parameters as the API takes them; a policy document as text.
    fn json(&self) -> Map<String, Value> {
        let value = |value: Parametric<'_>| match value {
            Parametric::Text(text) => json!(text),
            Parametric::List(text) => json!([text]),
            Parametric::Given(given) => json!(given.text()),
            Parametric::Document(document) => json!(document.line()),
            Parametric::Flag(flag) => json!(flag),
        };
        self.parameters().into_iter().map(|(name, given)| (name.to_owned(), value(given))).collect()
    }

    /// The command of the AWS CLI, with these flags of the user's own.
    pub fn command(&self, flags: &[String]) -> Command {
        self.command_by(|words| {
            let words = words.iter().map(|word| (*word).to_owned());
            Command::new(std::iter::once(String::from("aws")).chain(words).chain(flags.iter().cloned()))
        })
    }

    /// The command; what begins it makes `start` of its first words, to which the user's own flags are added.
    fn command_by(&self, start: impl FnOnce(&[&str]) -> Command) -> Command {
        let (service, operation) = self.action();
        let operation = option(operation);
        let mut words = vec![service, &operation];
        if let Some(cluster) = self.cluster() {
            words.extend(["--region", &cluster.region]);
        }
        let parameters = self.parameters();
        let options: Vec<String> = parameters.iter().map(|(name, _)| format!("--{}", option(name))).collect();
        // The user's own flags stand before what is asked, and before a document.
        let plain = parameters.iter().zip(&options).map_while(|((_, value), option)| match value {
            Parametric::Text(text) | Parametric::List(text) => Some([option.as_str(), *text]),
            Parametric::Given(_) | Parametric::Document(_) | Parametric::Flag(_) => None,
        });
        let plain: Vec<&str> = plain.flatten().collect();
        let rest = plain.len() / 2;
        words.extend(plain);
        let command = start(&words);
        let rest = parameters.iter().zip(options).skip(rest);
        rest.fold(command, |command, ((name, value), option)| match value {
            Parametric::Text(text) | Parametric::List(text) => command.words([option, (*text).to_owned()]),
            Parametric::Given(Given::Text(text)) => command.words([option, text.clone()]),
            Parametric::Given(Given::Asked(placeholder)) => command.ask(&option, *placeholder),
            Parametric::Document(document) => command.words([option]).document((*document).clone()),
            Parametric::Flag(true) => command.words([option]),
            Parametric::Flag(false) => command.words([format!("--no-{}", self::option(name))]),
        })
    }
}

/// The AWS CLI's name of an operation or parameter, by botocore's `xform_name`: `OpenIDConnectProviderArn` is
/// `open-id-connect-provider-arn`.
fn option(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut option = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| letters.get(before));
        let after = letters.get(index + 1);
        let starts = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase() || after.is_some_and(char::is_ascii_lowercase)
            });
        if starts {
            option.push('-');
        }
        option.push(letter.to_ascii_lowercase());
    }
    option
}

impl Change {
    /// The command that does it.
    pub fn command(&self, derived: &Derived<'_>) -> Command {
        match self {
            Self::Kubernetes(change) => change.command(derived),
            Self::Aws(AwsChange { account: Some(account), call }) => {
                call.command_by(|words| Command::aws_in(derived, account, words))
            }
            Self::Aws(AwsChange { account: None, call }) => {
                call.command_by(|words| Command::aws(derived, words))
            }
        }
    }

    /// What the reader has to set before it can be done.
    pub fn asks(&self) -> Option<Placeholder> {
        let asked = |given: &Given| match given {
            Given::Asked(placeholder) => Some(*placeholder),
            Given::Text(_) => None,
        };
        match self {
            Self::Kubernetes(ObjectChange { edit, .. }) => match edit {
                Edit::Annotate(all) | Edit::Label(all) | Edit::SetEnv { variables: all, .. } => {
                    all.iter().filter_map(|assignment| assignment.value.as_ref()).find_map(asked)
                }
                Edit::Create
                | Edit::SetServiceAccount(_)
                | Edit::Merge(_)
                | Edit::Json(_)
                | Edit::Restart
                | Edit::Delete => None,
            },
            Self::Aws(AwsChange { call, .. }) => {
                call.parameters().into_iter().find_map(|(_, value)| match value {
                    Parametric::Given(given) => asked(given),
                    Parametric::Text(_)
                    | Parametric::List(_)
                    | Parametric::Document(_)
                    | Parametric::Flag(_) => None,
                })
            }
        }
    }
}

impl From<ObjectChange> for Change {
    fn from(change: ObjectChange) -> Self {
        Self::Kubernetes(change)
    }
}

impl From<AwsChange> for Change {
    fn from(change: AwsChange) -> Self {
        Self::Aws(change)
    }
}

impl Serialize for Change {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = match self {
            Self::Kubernetes(change) => {
                let (form, patch) = change.patch().unzip();
                json!({"kubernetes": {
                    "apiVersion": change.object.kind.api_version(),
                    "kind": change.object.kind.name(),
                    "namespace": change.object.namespace,
                    "name": change.object.name,
                    "operation": change.operation(),
                    "patchType": form.map(PatchType::media_type),
                    "patch": patch,
                }})
            }
            Self::Aws(AwsChange { account, call }) => {
                let (service, action) = call.action();
                json!({"aws": {
                    "service": service,
                    "action": action,
                    "account": account,
                    "region": call.cluster().map(|cluster| &cluster.region),
                    "parameters": call.json(),
                }})
            }
        };
        value.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(variables: Vec<Assignment>) -> ObjectChange {
        let object = Object::of(ObjectKind::CronJob, "shop", "report");
        ObjectChange {
            object,
            edit: Edit::SetEnv { container: String::from("app"), is_init: false, variables },
        }
    }

    #[test]
    fn options_are_those_of_the_aws_cli() {
        for (name, expected) in [
            ("UpdateAssumeRolePolicy", "update-assume-role-policy"),
            ("CreateOpenIDConnectProvider", "create-open-id-connect-provider"),
            ("AddClientIDToOpenIDConnectProvider", "add-client-id-to-open-id-connect-provider"),
            ("UpdateOpenIDConnectProviderThumbprint", "update-open-id-connect-provider-thumbprint"),
            ("OpenIDConnectProviderArn", "open-id-connect-provider-arn"),
            ("ClientIDList", "client-id-list"),
            ("ClientID", "client-id"),
            ("disableSessionTags", "disable-session-tags"),
            ("Url", "url"),
        ] {
            assert_eq!(option(name), expected);
        }
    }

    #[test]
    fn a_variable_is_patched_where_the_kind_has_its_template() {
        let (form, patch) = env(vec![Assignment::set("A", "1"), Assignment::remove("B")]).patch().unwrap();
        assert_eq!(form, PatchType::Strategic);
        let containers = &patch["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"];
        assert_eq!(
            *containers,
            json!([{"name": "app", "env": [
                {"name": "A", "value": "1", "valueFrom": null}, {"name": "B", "$patch": "delete"}]}])
        );
        let pod = Object::of(ObjectKind::Pod, "shop", "x");
        assert_eq!(ObjectChange { object: pod, ..env(vec![Assignment::remove("B")]) }.patch(), None);
    }

    #[test]
    fn what_only_the_reader_knows_is_asked_for() {
        let asked =
            Change::from(env(vec![Assignment::set("A", "1"), Assignment::ask("B", Placeholder::RoleArn)]));
        assert_eq!(asked.asks(), Some(Placeholder::RoleArn));
        assert_eq!(
            Change::from(env(vec![Assignment::set("A", "${ROLE_ARN}")])).asks(),
            None,
            "a text is a text"
        );
        let cluster = InEks { region: String::from("eu-west-1"), name: String::from("prod") };
        let association = |role| {
            let (namespace, service_account) = (String::from("shop"), String::from("checkout"));
            let cluster = cluster.clone();
            let call = AwsCall::CreatePodIdentityAssociation { cluster, namespace, service_account, role };
            Change::from(AwsChange { account: None, call })
        };
        assert_eq!(association(Given::Asked(Placeholder::RoleArn)).asks(), Some(Placeholder::RoleArn));
        assert_eq!(association(Given::Text(String::from("arn"))).asks(), None);
    }

    #[test]
    fn json_of_a_call() {
        let document = Json::object([("Version", Json::text("2012-10-17"))]);
        let call = AwsCall::UpdateAssumeRolePolicy { role: String::from("r"), document };
        let change = Change::from(AwsChange { account: Some(String::from("111122223333")), call });
        assert_eq!(
            serde_json::to_value(change).unwrap(),
            json!({"aws": {"service": "iam", "action": "UpdateAssumeRolePolicy", "account": "111122223333", "region": null,
                "parameters": {"RoleName": "r", "PolicyDocument": r#"{"Version":"2012-10-17"}"#}}})
        );
    }

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in ObjectKind::ALL {
            assert_eq!(ObjectKind::of(kind.name()), Some(kind));
            assert!(!kind.rolls() || kind.template().is_some());
        }
    }
}
