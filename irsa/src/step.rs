//! The links of the chain between a pod and AWS, in the order in which they are walked.

use serde::{Deserialize, Serialize};

/// One link. The order is the order of the chain, and of repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// What the user named.
    Target,
    /// The service account and its annotations.
    ServiceAccount,
    /// The pod's own spec.
    Pod,
    /// What the webhook put into the pod, or should have.
    Injection,
    /// The projected token as a file.
    TokenFile,
    /// What the token says.
    TokenClaims,
    /// The way from the pod to STS.
    Network,
    /// The cluster's OIDC issuer.
    Issuer,
    /// The OIDC provider in IAM.
    OidcProvider,
    /// The IAM role.
    Role,
    /// The role's trust policy.
    TrustPolicy,
    /// STS's own answer.
    Sts,
    /// Who the application is to AWS.
    Caller,
    /// What that identity may do.
    Permissions,
}

impl Step {
    /// Every link, in order.
    pub const ALL: [Self; 14] = [
        Self::Target,
        Self::ServiceAccount,
        Self::Pod,
        Self::Injection,
        Self::TokenFile,
        Self::TokenClaims,
        Self::Network,
        Self::Issuer,
        Self::OidcProvider,
        Self::Role,
        Self::TrustPolicy,
        Self::Sts,
        Self::Caller,
        Self::Permissions,
    ];

    /// The link's name as people read it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::ServiceAccount => "service account",
            Self::Pod => "pod spec",
            Self::Injection => "injection",
            Self::TokenFile => "token file",
            Self::TokenClaims => "token claims",
            Self::Network => "network to STS",
            Self::Issuer => "issuer",
            Self::OidcProvider => "OIDC provider",
            Self::Role => "IAM role",
            Self::TrustPolicy => "trust policy",
            Self::Sts => "STS",
            Self::Caller => "caller",
            Self::Permissions => "permissions",
        }
    }
}
