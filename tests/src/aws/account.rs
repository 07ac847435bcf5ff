//! What a world says about AWS: documents of kind `AwsAccount`, and the header's fields about networks and the issuer.

use super::action::ActionPattern;
use super::endpoint::{Partition, partition_of};
use super::tls;
use crate::world::uid_of;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A document of kind `AwsAccount`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    /// `irsa.test/v1`.
    pub api_version: String,
    /// `AwsAccount`.
    pub kind: String,
    /// Twelve digits.
    pub account: String,
    /// Its partition.
    #[serde(default)]
    pub partition: Partition,
    /// Whether the user's environment holds credentials of this account; by default that of the first account does.
    #[serde(default)]
    pub signed_in: Option<bool>,
    /// Names under which the user's AWS configuration files hold credentials of this account.
    #[serde(default)]
    pub profiles: Vec<String>,
    /// The Region in the user's environment and profiles.
    #[serde(default)]
    pub region: Option<String>,
    /// Who the credentials belong to: the ARN of an IAM user (by default `user/oncall`) or of an assumed role.
    #[serde(default)]
    pub caller: Option<String>,
    /// Whether these credentials have expired, as those of yesterday's single sign-on.
    #[serde(default)]
    pub session_expired: bool,
    /// IAM OIDC providers.
    #[serde(default)]
    pub oidc_providers: Vec<Provider>,
    /// IAM roles.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// EKS clusters.
    #[serde(default)]
    pub eks: Vec<Cluster>,
    /// Condition keys of calls with a token that AWS does not document, as the world supposes them to be.
    #[serde(default)]
    pub undocumented_keys: BTreeMap<String, String>,
    /// What CloudTrail recorded.
    #[serde(default)]
    pub trail: Vec<TrailEvent>,
    /// What SimulatePrincipalPolicy answers.
    #[serde(default)]
    pub simulate: Vec<Simulation>,
    /// Regions in which an administrator has switched STS off.
    #[serde(default)]
    pub regions_disabled: Vec<String>,
    /// Opt-in Regions that the account has not opted in to.
    #[serde(default)]
    pub inactive_opt_in: Vec<String>,
    /// What the caller is not allowed to do. `sts:AssumeRoleWithWebIdentity` has no caller: what denies it is a policy
    /// of the organization or of a VPC endpoint, and STS does not say which.
    #[serde(default)]
    pub deny: Vec<ActionPattern>,
    /// Answered with "Rate exceeded".
    #[serde(default)]
    pub throttle: Vec<ActionPattern>,
    /// Never answered.
    #[serde(default)]
    pub hang: Vec<ActionPattern>,
    /// Answered with this HTTP status.
    #[serde(default)]
    pub fail: BTreeMap<ActionPattern, u16>,
    /// Answered with an error that may be nobody's: a proxy's, or an imitation's.
    #[serde(default)]
    pub answer: BTreeMap<ActionPattern, ForeignError>,
    /// The connection is cut in place of an answer.
    #[serde(default)]
    pub cut: Vec<ActionPattern>,
    /// The first so many requests of an action are answered with 503.
    #[serde(default)]
    pub stumble: BTreeMap<ActionPattern, usize>,
}

/// An error in the words of the service's protocol, which the service itself need not know.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignError {
    /// HTTP status.
    pub status: u16,
    /// Error code.
    pub code: String,
    /// Message.
    #[serde(default)]
    pub message: String,
}

/// An IAM OIDC provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provider {
    /// As IAM stores it, without `https://`; by default the world's issuer.
    #[serde(default)]
    pub url: Option<String>,
    /// The audiences it accepts.
    #[serde(default = "default_client_ids")]
    pub client_ids: Vec<String>,
    /// Hexadecimal SHA-1; the word `issuer-ca` stands for the private CA of `issuerServes.certificate: private-ca`.
    #[serde(default)]
    pub thumbprints: Vec<String>,
    /// When it was created.
    #[serde(default = "default_creation")]
    pub created: Timestamp,
    /// False while STS does not know yet what IAM shows.
    #[serde(default = "yes")]
    pub settled: bool,
}

/// An IAM role.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Role {
    /// Name.
    pub name: String,
    /// Path, with a slash at both ends.
    #[serde(default = "default_path")]
    pub path: String,
    /// When it was created.
    #[serde(default = "default_creation")]
    pub created: Timestamp,
    /// False while STS does not know yet what IAM shows.
    #[serde(default = "yes")]
    pub settled: bool,
    /// Seconds.
    #[serde(default = "default_session")]
    pub max_session_duration: i64,
    /// The trust policy: a document, or a string that is served letter by letter.
    pub trust: Value,
    /// ARNs of managed policies.
    #[serde(default)]
    pub attached: Vec<String>,
    /// Inline policies by name: documents or strings.
    #[serde(default)]
    pub inline: BTreeMap<String, Value>,
    /// ARN of the permissions boundary.
    #[serde(default)]
    pub boundary: Option<String>,
    /// When and where it was last used.
    #[serde(default)]
    pub last_used: Option<LastUsed>,
}

/// When a role was last used.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastUsed {
    /// When.
    pub date: Timestamp,
    /// Where.
    pub region: String,
}

/// An EKS cluster.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cluster {
    /// Name.
    pub name: String,
    /// Region.
    pub region: String,
    /// Its issuer's URL; by default the world's issuer.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Kubernetes version.
    #[serde(default = "default_version")]
    pub version: String,
    /// EKS platform version.
    #[serde(default = "default_platform_version")]
    pub platform_version: String,
    /// The API server's URL.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// `ACTIVE`, `UPDATING`, …
    #[serde(default = "default_status")]
    pub status: String,
    /// When it was created.
    #[serde(default = "default_creation")]
    pub created: Timestamp,
    /// EKS Pod Identity associations.
    #[serde(default)]
    pub pod_identity_associations: Vec<Association>,
}

/// An EKS Pod Identity association.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Association {
    /// Namespace.
    pub namespace: String,
    /// Service account.
    pub service_account: String,
    /// The role in the cluster's account.
    pub role_arn: String,
    /// The role of another account that is assumed from it.
    #[serde(default)]
    pub target_role_arn: Option<String>,
    /// True if EKS sets no session tags.
    #[serde(default)]
    pub disable_session_tags: bool,
    /// When it was created.
    #[serde(default = "default_creation")]
    pub created: Timestamp,
}

/// An event that CloudTrail recorded.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrailEvent {
    /// The event's name.
    #[serde(default = "default_event")]
    pub event_name: String,
    /// When.
    pub time: Timestamp,
    /// Where it was recorded.
    pub region: String,
    /// The role that was asked for.
    pub role_arn: String,
    /// The `sub` of the token.
    pub subject: String,
    /// The session's name.
    #[serde(default = "default_session_name")]
    pub session_name: String,
    /// The client's User-Agent.
    #[serde(default = "default_user_agent")]
    pub user_agent: String,
    /// The client's address.
    #[serde(default = "default_source_ip")]
    pub source_ip: String,
    /// Of a refusal.
    #[serde(default)]
    pub error_code: Option<String>,
    /// Of a refusal.
    #[serde(default)]
    pub error_message: Option<String>,
}

/// One answer of SimulatePrincipalPolicy.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Simulation {
    /// The role's name, if the answer is for one role only.
    #[serde(default)]
    pub role: Option<String>,
    /// `s3:GetObject`.
    pub action: String,
    /// The resource's ARN.
    #[serde(default = "default_resource")]
    pub resource: String,
    /// The decision.
    pub decision: Decision,
    /// Names of the policies whose statements decided.
    #[serde(default)]
    pub matched: Vec<String>,
    /// Whether the permissions boundary allows it; absent for roles without one.
    #[serde(default)]
    pub boundary_allows: Option<bool>,
    /// Whether the organization's policies allow it; absent outside of organizations.
    #[serde(default)]
    pub organization_allows: Option<bool>,
    /// Condition keys that the caller did not give.
    #[serde(default)]
    pub missing_context: Vec<String>,
}

/// What a simulation can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Decision {
    /// A statement allows it.
    Allowed,
    /// A statement denies it.
    ExplicitDeny,
    /// No statement allows it.
    ImplicitDeny,
}

impl Decision {
    /// As IAM spells it.
    pub fn name(self) -> &'static str {
        match self {
            Decision::Allowed => "allowed",
            Decision::ExplicitDeny => "explicitDeny",
            Decision::ImplicitDeny => "implicitDeny",
        }
    }
}

/// The way from the user's machine to AWS, which network conditions of trust policies see.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Laptop {
    /// The address that AWS sees; of no meaning behind a VPC endpoint.
    #[serde(default = "default_source_ip")]
    pub source_ip: String,
    /// The VPC and the VPC endpoint, if the calls go through one.
    #[serde(default)]
    pub endpoint: Option<VpcEndpoint>,
    /// Hosts that cannot be reached from there.
    #[serde(default)]
    pub unreachable: Vec<String>,
}

impl Default for Laptop {
    fn default() -> Self {
        Laptop { source_ip: default_source_ip(), endpoint: None, unreachable: Vec::new() }
    }
}

/// A VPC endpoint.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VpcEndpoint {
    /// `vpc-…`
    pub vpc: String,
    /// `vpce-…`
    pub vpce: String,
    /// The private address of the client.
    pub ip: String,
}

/// How the issuer's documents differ from what they should be.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IssuerServes {
    /// The discovery document.
    #[serde(default)]
    pub discovery: Served,
    /// The `issuer` field in it.
    #[serde(default)]
    pub issuer_field: Option<String>,
    /// The key set.
    #[serde(default)]
    pub jwks: Served,
    /// The keys in it.
    #[serde(default)]
    pub keys: Keys,
    /// Who signed the host's certificate.
    #[serde(default)]
    pub certificate: IssuerCertificate,
}

/// How a document of the issuer is served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Served {
    /// As it is.
    #[default]
    AsIs,
    /// A page in its place, as captive portals and parked domains answer.
    Html,
    /// 404.
    NotFound,
    /// 403, as a bucket that blocks public access answers.
    Forbidden,
    /// After more than the five seconds that STS waits.
    Slow,
    /// Never.
    Hang,
}

/// Which keys the issuer publishes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keys {
    /// The one that the API server signs with.
    #[default]
    AsIs,
    /// Only another one.
    Other,
    /// Only another one, under the id of the right one.
    SameId,
    /// The right one among a former one and one of a kind that is not known yet.
    Rotated,
    /// The right one without its `kid`.
    WithoutKid,
    /// None.
    None,
}

/// Who signed the certificate of the issuer's host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IssuerCertificate {
    /// The CA that everyone trusts.
    #[default]
    Public,
    /// A CA that only a thumbprint can make trustworthy.
    PrivateCa,
}

fn yes() -> bool {
    true
}

fn default_client_ids() -> Vec<String> {
    vec!["sts.amazonaws.com".to_owned()]
}

/// `2026-11-01T00:00:00Z`.
fn default_creation() -> Timestamp {
    Timestamp::constant(1_793_491_200, 0)
}

fn default_path() -> String {
    "/".to_owned()
}

fn default_session() -> i64 {
    3600
}

fn default_version() -> String {
    "1.36".to_owned()
}

fn default_platform_version() -> String {
    "eks.4".to_owned()
}

fn default_status() -> String {
    "ACTIVE".to_owned()
}

fn default_event() -> String {
    "AssumeRoleWithWebIdentity".to_owned()
}

fn default_session_name() -> String {
    "botocore-session-1795330534".to_owned()
}

fn default_user_agent() -> String {
    "Boto3/1.43.7 md/Botocore#1.43.7 ua/2.1 os/linux#6.12 lang/python#3.14.2".to_owned()
}

fn default_source_ip() -> String {
    "203.0.113.17".to_owned()
}

fn default_resource() -> String {
    "*".to_owned()
}

impl Account {
    /// Mistakes that no type can rule out.
    pub fn check(&self) -> Result<(), String> {
        if self.account.len() != 12 || !self.account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("account {:?} must be twelve digits", self.account));
        }
        let clusters = self.eks.iter().map(|cluster| &cluster.region);
        let events = self.trail.iter().map(|event| &event.region);
        let switched = self.regions_disabled.iter().chain(&self.inactive_opt_in);
        let mut regions = clusters.chain(events).chain(switched).chain(&self.region);
        if let Some(region) = regions.find(|region| partition_of(region) != Some(self.partition)) {
            return Err(format!("partition {} has no Region {region:?}", self.partition.name()));
        }
        if let Some(role) = self.roles.iter().find(|role| !is_path(&role.path)) {
            return Err(format!("the path of role {} must begin and end with a slash", role.name));
        }
        if let Some((action, code)) = self.fail.iter().find(|(_, code)| !(400..600).contains(*code)) {
            return Err(format!("fail: {action}: {code} is not the status of an error (400 to 599)"));
        }
        if self.deny.iter().any(|pattern| pattern.matches("sts:GetCallerIdentity")) {
            return Err("deny: no policy can deny sts:GetCallerIdentity".to_owned());
        }
        self.providers_are_hosts()
    }

    fn providers_are_hosts(&self) -> Result<(), String> {
        match self
            .oidc_providers
            .iter()
            .filter_map(|provider| provider.url.as_deref())
            .find(|url| url.contains("://"))
        {
            Some(url) => Err(format!("oidcProviders: IAM stores {url:?} without the scheme")),
            None => Ok(()),
        }
    }

    /// An ARN of this account's IAM.
    pub fn iam_arn(&self, resource: &str) -> String {
        format!("arn:{}:iam::{}:{resource}", self.partition.name(), self.account)
    }

    /// The role's ARN.
    pub fn role_arn(&self, role: &Role) -> String {
        self.iam_arn(&format!("role{}{}", role.path, role.name))
    }

    /// The ARN of a session of the role.
    pub fn session_arn(&self, role: &Role, session: &str) -> String {
        format!("arn:{}:sts::{}:assumed-role/{}/{session}", self.partition.name(), self.account, role.name)
    }

    /// The unique id of a role of this account.
    pub fn role_id(&self, role: &Role) -> String {
        unique_id("AROA", &self.role_arn(role))
    }

    /// The role with this name.
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }

    /// The ARN of the provider, given the world's issuer.
    pub fn provider_arn(&self, provider: &Provider, issuer: &str) -> String {
        self.iam_arn(&format!("oidc-provider/{}", provider.url(issuer)))
    }
}

/// An id as IAM makes them: a prefix for the kind of thing, then letters and digits.
pub fn unique_id(prefix: &str, of: &str) -> String {
    let unique = uid_of(of).replace('-', "").to_uppercase();
    format!("{prefix}{}", &unique[..17])
}

impl Provider {
    /// As IAM stores it, given the world's issuer.
    pub fn url<'a>(&'a self, issuer: &'a str) -> &'a str {
        self.url.as_deref().unwrap_or_else(|| without_scheme(issuer))
    }

    /// The thumbprints, with the word for the private CA replaced by its thumbprint.
    pub fn stored_thumbprints(&self) -> impl Iterator<Item = &str> {
        self.thumbprints.iter().map(|text| match text.as_str() {
            "issuer-ca" => tls::private_ca_thumbprint(),
            thumbprint => thumbprint,
        })
    }

    /// Whether a CA with this thumbprint is trusted.
    pub fn trusts(&self, thumbprint: &str) -> bool {
        self.stored_thumbprints().any(|stored| stored.eq_ignore_ascii_case(thumbprint))
    }
}

impl Cluster {
    /// Its issuer's URL, given the world's issuer.
    pub fn issuer<'a>(&'a self, issuer: &'a str) -> &'a str {
        self.issuer.as_deref().unwrap_or(issuer)
    }
}

/// What IAM leaves of an issuer's URL.
pub fn without_scheme(issuer: &str) -> &str {
    issuer.trim_start_matches("https://")
}

/// The policy's text: a string letter by letter, anything else as JSON.
pub fn policy_text(policy: &Value) -> String {
    policy.as_str().map_or_else(|| policy.to_string(), str::to_owned)
}

fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.ends_with('/')
}
