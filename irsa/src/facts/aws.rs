//! AWS's answers: IAM, EKS and CloudTrail with the user's own credentials, STS with a token of the service account.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Fact, Listing, Why};
use crate::aws_error::Sdk;
use crate::text::foreign::Quoted;

/// All answers of AWS about one subject.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Aws {
    /// The user's own AWS identity: `sts:GetCallerIdentity`.
    pub caller: Fact<Caller>,
    /// The role that the subject should have: `iam:GetRole`.
    pub role: Fact<Role>,
    /// A role of the same name in the user's own account, where the ARN names another account or is malformed.
    pub namesake: Fact<Role>,
    /// The role's attached and inline policies: `iam:ListAttachedRolePolicies`, `iam:ListRolePolicies`.
    pub policies: Fact<RolePolicies>,
    /// The OIDC providers of the user's account: `iam:ListOpenIDConnectProviders`.
    pub providers: Fact<Providers>,
    /// The provider for the cluster's issuer in the role's account: `iam:GetOpenIDConnectProvider`.
    pub provider: Fact<Provider>,
    /// The cluster: `eks:DescribeCluster`.
    pub cluster: Fact<EksCluster>,
    /// EKS Pod Identity associations of the service account: `eks:ListPodIdentityAssociations`.
    pub associations: Fact<Vec<Association>>,
    /// Those of other service accounts of the cluster; asked only where this one has none and names no role.
    pub other_associations: Fact<Listing<OtherAssociation>>,
    /// The role of the association: `iam:GetRole`.
    pub associated_role: Fact<Role>,
    /// The association's target role, which EKS assumes with the credentials of the first: `iam:GetRole`.
    pub target_role: Fact<Role>,
    /// The roles of the user's account that trust an OIDC provider: `iam:ListRoles`; asked only where nothing names a role.
    pub federated_roles: Fact<Listing<Role>>,
    /// Failed attempts to assume the role: `cloudtrail:LookupEvents`.
    pub trail: Fact<Listing<TrailEvent>>,
    /// What the role is allowed to do: `iam:SimulatePrincipalPolicy`, for `--action` and `--resource`.
    pub simulation: Fact<Vec<Simulated>>,
    /// STS's answer to a fresh token of the service account, tried from here.
    pub sts_answer: Fact<StsAttempt>,
    /// The same at another endpoint; asked only where the first answer may be that of an inactive region (id 80).
    pub second_sts_answer: Fact<StsAttempt>,
}

impl Aws {
    /// Nothing of it is known, for one reason.
    pub fn unknown(why: &Why) -> Self {
        fn of<T>(what: &str, why: &Why) -> Fact<T> {
            Fact::unknown_because(what, why.clone(), None)
        }
        Self {
            caller: of("your AWS identity", why),
            role: of("the IAM role", why),
            namesake: of("a role of the same name in your account", why),
            policies: of("the role's policies", why),
            providers: of("the account's OIDC providers", why),
            provider: of("the issuer's OIDC provider", why),
            cluster: of("the EKS cluster", why),
            associations: of("EKS Pod Identity associations", why),
            other_associations: of("EKS Pod Identity associations of other service accounts", why),
            associated_role: of("the IAM role of the EKS Pod Identity association", why),
            target_role: of("the target role of the EKS Pod Identity association", why),
            federated_roles: of("roles of your account that trust this service account", why),
            trail: of("denied calls in CloudTrail", why),
            simulation: of("what the role is allowed to do", why),
            sts_answer: of("STS's answer to a fresh token", why),
            second_sts_answer: of("STS's answer to a fresh token", why),
        }
    }
}

/// An AWS identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// Twelve digits.
    pub account: String,
    /// The caller's ARN.
    pub arn: String,
}

/// An IAM role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// The canonical ARN, path included.
    pub arn: String,
    /// Name, in the case in which IAM keeps it.
    pub name: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// The trust policy as IAM stores it: JSON text.
    pub trust: String,
    /// Longest session, in seconds: 3600 to 43200.
    pub max_session: Option<i32>,
    /// ARN of the permissions boundary.
    pub boundary: Option<String>,
}

impl Role {
    /// True if its trust policy names an OIDC provider, and so may trust a service account.
    pub fn is_federated(&self) -> bool {
        self.trust.contains(":oidc-provider/")
    }
}

/// The policies of a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolePolicies {
    /// ARNs of managed policies.
    pub attached: Vec<String>,
    /// Names of inline policies.
    pub inline: Vec<String>,
}

/// The OIDC providers of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Providers {
    /// Their ARNs: `arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/…`.
    pub arns: Vec<String>,
}

/// An IAM OIDC provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// Its ARN.
    pub arn: String,
    /// Its URL as IAM keeps it, without `https://`.
    pub url: String,
    /// The audiences that it accepts.
    pub client_ids: Vec<String>,
    /// SHA-1 thumbprints, 40 hex digits each; used only for issuers on private certificate authorities.
    pub thumbprints: Vec<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// An EKS cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EksCluster {
    /// Name.
    pub name: String,
    /// ARN; its account and region are the cluster's.
    pub arn: String,
    /// Issuer URL as EKS reports it; tokens may carry another (failures.md 0.3).
    pub issuer: Option<String>,
}

/// An EKS Pod Identity association.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Association {
    /// `a-…`.
    pub id: String,
    /// Its ARN, which names the cluster.
    pub arn: Option<String>,
    /// The role that it gives.
    pub role_arn: Option<String>,
    /// The role that is assumed from that one; its credentials are what the pod gets.
    pub target_role_arn: Option<String>,
    /// What EKS sends as `sts:ExternalId` to the target role.
    pub external_id: Option<String>,
    /// True unless `disableSessionTags` is set.
    pub session_tags: bool,
    /// When it was made.
    pub created: Option<Timestamp>,
}

impl Association {
    /// The role whose credentials the pod gets.
    pub fn given_role(&self) -> Option<&str> {
        self.target_role_arn.as_deref().or(self.role_arn.as_deref())
    }
}

/// An association of another service account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherAssociation {
    /// `a-…`.
    pub id: String,
    /// Namespace.
    pub namespace: String,
    /// Service account.
    pub service_account: String,
}

/// A failed call as CloudTrail keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailEvent {
    /// When it happened.
    pub at: Option<Timestamp>,
    /// `AccessDenied`, …
    pub error_code: String,
    /// STS's words.
    pub error_message: Quoted,
    /// The role that was asked for, raw.
    pub role_arn: Option<String>,
    /// `sub` of the token: `system:serviceaccount:shop:checkout`.
    pub subject: Option<String>,
    /// The caller's SDK, if it is known by how it names itself.
    pub sdk: Option<Sdk>,
}

impl TrailEvent {
    /// True if it was a token of that subject, or that role.
    pub fn is_about(&self, role_arn: Option<&str>, subject: &str) -> bool {
        self.subject.as_deref() == Some(subject)
            || (role_arn.is_some() && self.role_arn.as_deref() == role_arn)
    }
}

/// One action as IAM's simulator judges it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Simulated {
    /// `s3:GetObject`.
    pub action: String,
    /// ARN, or `*`.
    pub resource: String,
    /// `allowed`, `explicitDeny` or `implicitDeny`.
    pub decision: String,
    /// Policies whose statements matched.
    pub matched: Vec<String>,
    /// False if the permissions boundary does not allow it.
    pub boundary_allows: Option<bool>,
    /// False if the organization's policies do not allow it.
    pub organization_allows: Option<bool>,
    /// Context keys that the policies ask for and the simulation lacked.
    pub missing_context: Vec<String>,
}

/// A token of the service account, tried at STS from the user's machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StsAttempt {
    /// Host of the endpoint.
    pub host: String,
    /// The role that was asked for.
    pub role_arn: String,
    /// What STS said.
    pub answer: StsAnswer,
    /// The setting of the user's own that chose the host, if one did: `AWS_ENDPOINT_URL_STS`.
    #[serde(default)]
    pub chosen_by: Option<String>,
    /// What came instead of an answer at first, and was tried again: `503 ServiceUnavailable`.
    #[serde(default)]
    pub before: Vec<String>,
}

impl StsAttempt {
    /// The session's name where the pod has none: what CloudTrail shows of it, and what a trust policy may ask for.
    pub const SESSION: &str = "kubectl-irsa-debug";
}

/// What STS said to `AssumeRoleWithWebIdentity`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StsAnswer {
    /// It issued credentials, which were thrown away at once.
    Accepted {
        /// `AssumedRoleUser.Arn`.
        assumed_role_arn: String,
    },
    /// It refused.
    Refused {
        /// HTTP status.
        status: u16,
        /// `AccessDenied`, `InvalidIdentityToken`, …
        code: String,
        /// STS's words.
        message: Quoted,
        /// For a support case.
        request_id: Option<String>,
    },
}
