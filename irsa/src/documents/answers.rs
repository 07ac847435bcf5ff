//! Answers of AWS in the user's files: as the AWS CLI prints them (`aws iam get-role`), whole or with a `--query` for the thing
//! itself, or in an envelope of kind `AwsAnswer` that names the request and the account.
//!
//! Every question that the plugin asks AWS is here. What the CLI prints often does not say whom it is about; that is for
//! [`Store::aws`](super::Store::aws) to judge.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer};

use super::file_source;
use super::shape::{self, Misfit};
use super::yaml::{Content, Entry, Node};
use crate::aws::arn::Arn;
use crate::facts::Source;
use crate::facts::aws::{
    Association, Caller, EksCluster, OtherAssociation, Provider, Providers, Role, Simulated,
};
use crate::policy::{Json, decoded};
use crate::text::foreign::Quoted;

/// What AWS answered, and where it was read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) said: Reply,
    pub(super) source: Source,
    /// What the answer, or the request that it belongs to, says of whom it is about.
    pub(super) about: About,
    /// False if AWS had more to say than was saved.
    pub(super) whole: bool,
}

/// Whom an answer is about, as far as that is said.
#[derive(Debug, Default)]
pub(super) struct About {
    pub(super) account: Option<String>,
    /// The name of a role.
    pub(super) role: Option<String>,
    /// The ARN of an OIDC provider.
    pub(super) provider: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) service_account: Option<String>,
}

impl About {
    /// False if it is known to be of another account.
    pub(super) fn is_of(&self, account: Option<&str>) -> bool {
        self.account.is_none() || self.account.as_deref() == account
    }
}

/// Its content.
#[derive(Debug)]
pub(super) enum Reply {
    Caller(Caller),
    Role(ShownRole),
    Roles(Vec<ShownRole>),
    Attached(Vec<String>),
    Inline(Vec<String>),
    Cluster(EksCluster),
    Providers(Providers),
    Provider(ShownProvider),
    Associations(Vec<ShownAssociation>),
    Association(ShownAssociation),
    Simulation(Vec<Simulated>),
    /// The events, as text.
    Trail(Vec<String>),
    /// An error: what was asked, and AWS's code and words.
    Error {
        action: String,
        code: Quoted,
        message: Quoted,
    },
    /// What no check reads.
    Unused(&'static str),
}

impl Reply {
    /// The request that is answered so.
    fn action(&self) -> &str {
        match self {
            Self::Caller(_) => "sts:GetCallerIdentity",
            Self::Role(_) => "iam:GetRole",
            Self::Roles(_) => "iam:ListRoles",
            Self::Attached(_) => "iam:ListAttachedRolePolicies",
            Self::Inline(_) => "iam:ListRolePolicies",
            Self::Cluster(_) => "eks:DescribeCluster",
            Self::Providers(_) => "iam:ListOpenIDConnectProviders",
            Self::Provider(_) => "iam:GetOpenIDConnectProvider",
            Self::Associations(_) => "eks:ListPodIdentityAssociations",
            Self::Association(_) => "eks:DescribePodIdentityAssociation",
            Self::Simulation(_) => "iam:SimulatePrincipalPolicy",
            Self::Trail(_) => "cloudtrail:LookupEvents",
            Self::Error { action, .. } => action,
            Self::Unused(_) => "",
        }
    }
}

/// The envelope.
#[derive(Deserialize)]
struct Envelope {
    action: String,
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    error: Option<WireError>,
    #[serde(default)]
    request: WireRequest,
}

#[derive(Deserialize)]
struct WireError {
    #[serde(alias = "Code")]
    code: Quoted,
    #[serde(default, alias = "Message")]
    message: Quoted,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireRequest {
    #[serde(rename = "OpenIDConnectProviderArn")]
    provider_arn: Option<String>,
    #[serde(rename = "RoleName")]
    role_name: Option<String>,
    #[serde(rename = "PolicySourceArn")]
    policy_source_arn: Option<String>,
    namespace: Option<String>,
    #[serde(rename = "serviceAccount")]
    service_account: Option<String>,
}

/// A role as it is shown: the whole of it, or only its trust policy.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ShownRole {
    #[serde(default)]
    arn: Option<String>,
    #[serde(default)]
    role_name: Option<String>,
    assume_role_policy_document: Json,
    #[serde(default, deserialize_with = "date")]
    create_date: Option<Timestamp>,
    #[serde(default)]
    max_session_duration: Option<i32>,
    #[serde(default)]
    permissions_boundary: Option<WireBoundary>,
}

impl ShownRole {
    /// The role, if all of it is shown.
    pub(super) fn whole(&self) -> Option<Role> {
        self.arn.as_deref().map(|arn| self.of_arn(arn))
    }

    /// The role; what is not shown of it, its ARN says.
    pub(super) fn of_arn(&self, arn: &str) -> Role {
        let name = arn.rsplit('/').next().unwrap_or(arn);
        Role {
            arn: self.arn.as_deref().unwrap_or(arn).to_owned(),
            name: self.role_name.as_deref().unwrap_or(name).to_owned(),
            created: self.create_date,
            // The AWS CLI prints the document as JSON within the JSON; the API has text.
            trust: match &self.assume_role_policy_document {
                Json::String(text) => decoded(text),
                document => document.line(),
            },
            max_session: self.max_session_duration,
            boundary: self
                .permissions_boundary
                .as_ref()
                .and_then(|boundary| boundary.permissions_boundary_arn.clone()),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireBoundary {
    permissions_boundary_arn: Option<String>,
}

#[derive(Deserialize)]
struct WireCluster {
    name: String,
    arn: String,
    #[serde(default)]
    identity: Option<WireIdentity>,
}

#[derive(Deserialize)]
struct WireIdentity {
    oidc: Option<WireOidc>,
}

#[derive(Deserialize)]
struct WireOidc {
    issuer: Option<String>,
}

#[derive(Deserialize)]
struct WireProviderEntry {
    #[serde(rename = "Arn")]
    arn: String,
}

/// An OIDC provider as it is shown: without its ARN.
#[derive(Debug, Deserialize)]
pub(super) struct ShownProvider {
    #[serde(rename = "Url")]
    pub(super) url: String,
    #[serde(rename = "ClientIDList", default)]
    client_ids: Vec<String>,
    #[serde(rename = "ThumbprintList", default)]
    thumbprints: Vec<String>,
    #[serde(rename = "CreateDate", default, deserialize_with = "date")]
    created: Option<Timestamp>,
}

impl ShownProvider {
    pub(super) fn of_arn(&self, arn: &str) -> Provider {
        Provider {
            arn: arn.to_owned(),
            url: self.url.clone(),
            client_ids: self.client_ids.clone(),
            thumbprints: self.thumbprints.clone(),
            created: self.created,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireCaller {
    account: String,
    arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WirePolicy {
    policy_arn: String,
}

/// A Pod Identity association, as it is listed or described: only the description contains its role.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShownAssociation {
    association_id: String,
    #[serde(default)]
    association_arn: Option<String>,
    pub(super) namespace: String,
    pub(super) service_account: String,
    #[serde(default)]
    pub(super) cluster_name: Option<String>,
    #[serde(default)]
    role_arn: Option<String>,
    #[serde(default)]
    target_role_arn: Option<String>,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    disable_session_tags: bool,
    #[serde(default, deserialize_with = "date")]
    created_at: Option<Timestamp>,
}

impl ShownAssociation {
    pub(super) fn association(&self) -> Association {
        Association {
            id: self.association_id.clone(),
            arn: self.association_arn.clone(),
            role_arn: self.role_arn.clone(),
            target_role_arn: self.target_role_arn.clone(),
            external_id: self.external_id.clone(),
            session_tags: !self.disable_session_tags,
            created: self.created_at,
        }
    }

    /// What is said of it where it is that of another service account.
    pub(super) fn other(&self) -> OtherAssociation {
        OtherAssociation {
            id: self.association_id.clone(),
            namespace: self.namespace.clone(),
            service_account: self.service_account.clone(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireResult {
    eval_action_name: String,
    #[serde(default)]
    eval_resource_name: Option<String>,
    eval_decision: String,
    #[serde(default)]
    matched_statements: Vec<WireMatch>,
    #[serde(default)]
    missing_context_values: Vec<String>,
    #[serde(default)]
    permissions_boundary_decision_detail: Option<WireBoundaryDecision>,
    #[serde(default)]
    organizations_decision_detail: Option<WireOrganizationDecision>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireMatch {
    #[serde(default)]
    source_policy_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireBoundaryDecision {
    allowed_by_permissions_boundary: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireOrganizationDecision {
    allowed_by_organizations: bool,
}

#[derive(Deserialize)]
struct WireEvent {
    #[serde(rename = "CloudTrailEvent")]
    event: String,
}

/// A date of AWS: RFC 3339, or seconds since 1970, as the APIs that speak JSON send them. One that is neither is not known.
fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(match Json::deserialize(deserializer)? {
        Json::String(text) => text.parse().ok(),
        Json::Number(seconds) => seconds
            .as_f64()
            .and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok())
            .and_then(|since| Timestamp::from_duration(since).ok()),
        _ => None,
    })
}

/// The answer in a document without a kind, if it is one that the AWS CLI prints.
pub(super) fn as_printed(node: &Node, file: &str, document: usize) -> Option<Result<Answer, Misfit>> {
    let whole = whole(node);
    let node = whole.as_ref().unwrap_or(node);
    said(node).map(|said| said.map(|said| answer(said, About::default(), node, file, document)))
}

/// The answer in an envelope; `None` if nothing reads such answers.
pub(super) fn enveloped(node: &Node, file: &str, document: usize) -> Result<Option<Answer>, Misfit> {
    let Envelope { action, account, error, request } = shape::read(node)?;
    let role = request.role_name.or_else(|| {
        let arn = request.policy_source_arn?;
        arn.rsplit('/').next().map(str::to_owned)
    });
    let about = About {
        account,
        role,
        provider: request.provider_arn,
        namespace: request.namespace,
        service_account: request.service_account,
    };
    if let Some(WireError { code, message }) = error {
        let said = Reply::Error { action, code, message };
        return Ok(Some(answer(said, about, node, file, document)));
    }
    let Some(response) = node.get("response") else { return Ok(None) };
    let said = said(response).transpose()?;
    Ok(said.map(|said| answer(said, about, response, file, document)))
}

fn answer(said: Reply, mut about: About, node: &Node, file: &str, document: usize) -> Answer {
    if let Reply::Role(role) = &said {
        let account = role.arn.as_deref().and_then(Arn::account_of);
        about.account = account.map(str::to_owned).or(about.account);
        let name = role.role_name.as_deref().or(role.arn.as_deref().and_then(|arn| arn.rsplit('/').next()));
        about.role = name.map(str::to_owned).or(about.role);
    }
    let more = |key: &&str| {
        node.get(key).is_some_and(|value| !matches!(value.content(), Content::Null | Content::Bool(false)))
    };
    let whole = !["NextToken", "nextToken", "Marker", "IsTruncated"].iter().any(more);
    Answer { source: file_source(file, document, said.action(), node), said, about, whole }
}

/// What an answer contains, by its key, and what tells the thing, or each item of a list, from anything else.
type Mark = (&'static str, fn(&Node) -> bool);

const ROLE: Mark = ("Role", |role| role.get("AssumeRolePolicyDocument").is_some());
const CLUSTER: Mark =
    ("cluster", |cluster| cluster.get("name").is_some() && is_arn(cluster, "arn", ":cluster/"));
const ASSOCIATION: Mark = ("association", is_association);

const ROLES: Mark =
    ("Roles", |role| is_arn(role, "Arn", ":role/") && role.get("AssumeRolePolicyDocument").is_some());
const PROVIDERS: Mark = ("OpenIDConnectProviderList", |entry| is_arn(entry, "Arn", ":oidc-provider/"));
const ATTACHED: Mark = ("AttachedPolicies", |policy| {
    is_arn(policy, "PolicyArn", ":policy/") && policy.get("PolicyName").is_some()
});
const INLINE: Mark = ("PolicyNames", |name| matches!(name.content(), Content::Text(_)));
const ASSOCIATIONS: Mark = ("associations", is_association);
const RESULTS: Mark = ("EvaluationResults", |result| result.get("EvalDecision").is_some());
const EVENTS: Mark = ("Events", |event| event.text("CloudTrailEvent").is_some());

fn is_arn(node: &Node, key: &str, of: &str) -> bool {
    node.text(key).is_some_and(|arn| arn.starts_with("arn:") && arn.contains(of))
}

fn is_association(node: &Node) -> bool {
    ["associationId", "namespace", "serviceAccount"].iter().all(|key| node.get(key).is_some())
}

/// Recognises each answer by what only it has.
fn said(node: &Node) -> Option<Result<Reply, Misfit>> {
    let object = |(key, marks): Mark| node.get(key).filter(|value| marks(value));
    if let Some(role) = object(ROLE) {
        return Some(shape::read(role).map(Reply::Role));
    }
    if let Some(cluster) = object(CLUSTER) {
        return Some(shape::read(cluster).map(|cluster: WireCluster| {
            Reply::Cluster(EksCluster {
                name: cluster.name,
                arn: cluster.arn,
                issuer: cluster.identity.and_then(|identity| identity.oidc?.issuer),
            })
        }));
    }
    if let Some(association) = object(ASSOCIATION) {
        return Some(shape::read(association).map(Reply::Association));
    }
    if let Some(list) = list(node, ROLES) {
        return Some(shape::read(list).map(Reply::Roles));
    }
    if let Some(list) = list(node, PROVIDERS) {
        return Some(shape::read(list).map(|entries: Vec<WireProviderEntry>| {
            Reply::Providers(Providers { arns: entries.into_iter().map(|entry| entry.arn).collect() })
        }));
    }
    if let Some(list) = list(node, ATTACHED) {
        return Some(shape::read(list).map(|policies: Vec<WirePolicy>| {
            Reply::Attached(policies.into_iter().map(|policy| policy.policy_arn).collect())
        }));
    }
    if let Some(list) = list(node, INLINE) {
        return Some(shape::read(list).map(Reply::Inline));
    }
    if let Some(list) = list(node, ASSOCIATIONS) {
        return Some(shape::read(list).map(Reply::Associations));
    }
    if let Some(list) = list(node, RESULTS) {
        return Some(shape::read(list).map(|results: Vec<WireResult>| {
            Reply::Simulation(results.into_iter().map(WireResult::simulated).collect())
        }));
    }
    if let Some(list) = list(node, EVENTS) {
        return Some(shape::read(list).map(|events: Vec<WireEvent>| {
            Reply::Trail(events.into_iter().map(|event| event.event).collect())
        }));
    }
    if node.get("ClientIDList").is_some() && node.get("Url").is_some() {
        return Some(shape::read(node).map(Reply::Provider));
    }
    if node.get("UserId").is_some() && node.get("Account").is_some() {
        return Some(
            shape::read(node)
                .map(|caller: WireCaller| Reply::Caller(Caller { account: caller.account, arn: caller.arn })),
        );
    }
    let document = node.get("PolicyVersion").and_then(|version| version.get("Document"));
    unused(node.get("PolicyDocument").or(document).unwrap_or(node)).map(Ok)
}

impl WireResult {
    fn simulated(self) -> Simulated {
        Simulated {
            action: self.eval_action_name,
            resource: self.eval_resource_name.unwrap_or_else(|| String::from("*")),
            decision: self.eval_decision,
            matched: self
                .matched_statements
                .into_iter()
                .filter_map(|statement| statement.source_policy_id)
                .collect(),
            boundary_allows: self
                .permissions_boundary_decision_detail
                .map(|detail| detail.allowed_by_permissions_boundary),
            organization_allows: self
                .organizations_decision_detail
                .map(|detail| detail.allowed_by_organizations),
            missing_context: self.missing_context_values,
        }
    }
}

/// The list in an answer that consists of it and of what belongs to paging.
fn list(node: &Node, (key, marks): Mark) -> Option<&Node> {
    let Content::Map(entries) = node.content() else { return None };
    let beside = ["NextToken", "nextToken", "Marker", "IsTruncated", "ResponseMetadata"];
    if !entries.iter().all(|entry| entry.key == key || beside.contains(&entry.key.as_str())) {
        return None;
    }
    let list = node.get(key)?;
    let Content::List(items) = list.content() else { return None };
    items.iter().all(marks).then_some(list)
}

/// The whole answer, where `--query` left only the thing itself or a policy document stands alone.
fn whole(node: &Node) -> Option<Node> {
    let under = |key: &str, value: Node| {
        let (at, key_at) = (value.at, value.at);
        Node { at, content: Content::Map(vec![Entry { key: key.to_owned(), key_at, value }]) }
    };
    match node.content() {
        Content::List(items) if !items.is_empty() => {
            let lists = [ROLES, PROVIDERS, ATTACHED, ASSOCIATIONS, RESULTS, EVENTS];
            let (key, _) = lists.into_iter().find(|(_, marks)| items.iter().all(marks))?;
            Some(under(key, node.clone()))
        }
        Content::Map(_) | Content::Text(_) if Kind::of(node) == Some(Kind::Trust) => {
            Some(under(ROLE.0, under("AssumeRolePolicyDocument", node.clone())))
        }
        Content::Map(_) => {
            let (key, _) = [ROLE, CLUSTER, ASSOCIATION].into_iter().find(|(_, marks)| marks(node))?;
            Some(under(key, node.clone()))
        }
        _ => None,
    }
}

/// What a policy document is for.
#[derive(PartialEq, Eq)]
enum Kind {
    Trust,
    Identity,
    Resource,
}

impl Kind {
    /// `None` if it is no policy document.
    fn of(node: &Node) -> Option<Self> {
        let policy: Json = match node.content() {
            Content::Text(text) => serde_json::from_str(&decoded(text)).ok()?,
            _ => node.get("Statement").and_then(|_| shape::read(node).ok())?,
        };
        let statements = match policy.get("Statement")? {
            Json::Array(statements) => statements.as_slice(),
            single => std::slice::from_ref(single),
        };
        let has = |keys: [&str; 2]| {
            statements.iter().any(|statement| keys.iter().any(|key| statement.get(key).is_some()))
        };
        // A trust policy is about the role that it hangs on, so that it names no resource.
        Some(match (has(["Principal", "NotPrincipal"]), has(["Resource", "NotResource"])) {
            (true, false) => Self::Trust,
            (true, true) => Self::Resource,
            (false, _) => Self::Identity,
        })
    }
}

fn unused(node: &Node) -> Option<Reply> {
    match Kind::of(node)? {
        Kind::Trust => None,
        Kind::Identity => Some(Reply::Unused("an identity-based policy, which no check reads")),
        Kind::Resource => Some(Reply::Unused("a resource-based policy, which no check reads")),
    }
}

/// The form of a text that the AWS CLI printed with `--output text` or `--output table`, and the line where it starts.
pub(super) fn form(text: &str) -> Option<(&'static str, usize)> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (number, first) = lines.next()?;
    let second = lines.next().map_or("", |(_, line)| line);
    if first.len() > 4 && first.trim_end().bytes().all(|byte| byte == b'-') && second.starts_with('|') {
        return Some(("table", number + 1));
    }
    // A list or an object is introduced by its name in capitals; a line without one holds the other values.
    let tells = |line: &str| {
        let mut fields = line.split('\t');
        let name = fields.next().unwrap_or_default();
        fields.next().is_some()
            && (name.len() > 3 && name.bytes().all(|byte| byte.is_ascii_uppercase())
                || line.split('\t').any(|field| field.starts_with("arn:")))
    };
    let plain = first.contains('\t') && first.starts_with(|c: char| c.is_ascii_alphanumeric());
    (plain && text.lines().any(tells)).then_some(("text", number + 1))
}

/// The command that prints all of an answer of which this is a part that says too little.
pub(super) fn part_of(node: &Node) -> Option<&'static str> {
    let commands = [
        ("https://oidc", "aws eks describe-cluster --name CLUSTER"),
        (":cluster/", "aws eks describe-cluster --name CLUSTER"),
        (":role/", "aws iam get-role --role-name NAME"),
        (":oidc-provider/", "aws iam get-open-id-connect-provider --open-id-connect-provider-arn ARN"),
    ];
    let value = match node.content() {
        Content::Text(text) => text,
        // `--query cluster.identity`
        Content::Map(entries) if entries.len() == 1 => node.get("oidc").unwrap_or(node).text("issuer")?,
        _ => return None,
    };
    let is_value = value.starts_with("https://oidc") || value.starts_with("arn:");
    commands.into_iter().find_map(|(of, command)| (is_value && value.contains(of)).then_some(command))
}
