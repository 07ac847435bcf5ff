//! What an error says, one kind per message that AWS or an SDK distinguishes; and the stage at which STS refused.

use serde::{Deserialize, Serialize};

/// What an error says. Kinds are messages, not causes: most have several causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    // STS's answers to AssumeRoleWithWebIdentity, in the order in which STS checks.
    /// `Request ARN is invalid`.
    InvalidRoleArn,
    /// The role's ARN has fewer than 20 characters; boto3 and the AWS CLI say so themselves.
    RoleArnTooShort,
    /// The session name is too long, too short or has a character that is not allowed.
    SessionNameInvalid,
    /// Another `ValidationError`.
    RequestInvalid,
    /// `STS is not activated in this region for account:…`.
    RegionDisabled,
    /// `The ID Token provided is not a valid JWT`.
    NotAJwt,
    /// `Provided Token is not a Login With Amazon token`: no issuer could be read from it.
    NotAnOidcToken,
    /// `Missing a required claim: …`.
    MissingClaim(Claim),
    /// `No OpenIDConnect provider found in your account for …`.
    NoProvider,
    /// `Couldn't retrieve verification key from your identity provider`.
    NoVerificationKey,
    /// `OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint`.
    ThumbprintMismatch,
    /// `IDPCommunicationError`: STS could not reach the issuer.
    IdpCommunication,
    /// `IDPRejectedClaim`: the issuer reported that authentication failed.
    IdpRejectedClaim,
    /// The token could not be validated, and the text does not say why.
    TokenNotValidated,
    /// `Token expired: current date/time N must be before the expiration date/time M`.
    TokenExpired {
        /// STS's clock, seconds since 1970.
        now: Option<u64>,
        /// When the token expired, seconds since 1970.
        expired: Option<u64>,
    },
    /// `Token too old`.
    TokenTooOld,
    /// `Incorrect token audience`.
    IncorrectAudience,
    /// `Not authorized to perform sts:AssumeRoleWithWebIdentity`.
    NotAuthorizedToAssume,
    /// The requested session is longer than the role allows.
    DurationTooLong,
    /// The requested session is longer than an hour, the most that a role gets which a role assumes.
    ChainHourLimit,
    /// STS is throttling.
    Throttled,
    /// The exchange with STS failed, and the application does not say how: Fluent Bit at its usual log level.
    ExchangeFailed,

    // Answers of AWS to a caller that has credentials.
    /// The caller may not assume a second role.
    NotAuthorizedToChain,
    /// The caller may not assume a second role with session tags.
    NotAuthorizedToTag,
    /// The caller may not do something else; the text names caller and action.
    NotAuthorized,
    /// Access denied, without saying who was denied what.
    AccessDenied,
    /// The credentials belong to another partition or to nobody, or are of version 1 in an opt-in Region.
    InvalidClientToken,
    /// The credentials have expired: the session of STS, not the token of Kubernetes.
    CredentialsExpired,
    /// `Credential should be scoped to a valid region`.
    SignatureScope,
    /// `Signature not yet current`: the caller's clock is ahead.
    SignatureNotYetCurrent,
    /// `Signature expired`: the caller's clock is behind.
    SignatureExpired,
    /// The caller's clock is wrong, one way or the other.
    ClockSkewed,
    /// `SignatureDoesNotMatch`: the secret key is wrong, or something on the way changed the request.
    SignatureMismatch,
    /// `PackedPolicyTooLarge`: session tags and policies exceed what STS packs into a session.
    SessionTagsTooLarge,
    /// `Invalid principal in policy`: IAM refused a trust policy.
    InvalidPrincipal,
    /// The secret could not be read, and the CSI driver does not say why.
    SecretNotFetched,

    // Answers of AWS that are about neither the pod's identity nor the way to AWS.
    /// A key, bucket, table, queue, secret … that does not exist.
    NotFound,
    /// A service other than STS is throttling.
    ServiceThrottled,
    /// The bucket is in another Region.
    WrongRegion,
    /// The request itself: a condition that does not hold, a parameter, a conflict, a quota.
    RequestRejected,
    /// A service failed: 5xx.
    ServiceFailed,
    /// A presigned URL has expired; whoever used it has no credentials of the pod.
    PresignedUrlExpired,

    // What an SDK says before it asks AWS.
    /// No provider of the SDK's chain had credentials.
    NoCredentials,
    /// The instance metadata service gave no credentials, or could not be reached.
    NoInstanceMetadata,
    /// A profile that does not exist.
    ProfileNotFound,
    /// The token file exists but cannot be read.
    TokenFileUnreadable,
    /// The token file does not exist.
    TokenFileMissing,
    /// A token file is named, but no role.
    RoleArnNotSet,
    /// The path of the token file is not valid on this operating system.
    TokenPathNotAbsolute,
    /// Java and .NET: the SDK's STS module is not in the application.
    NoStsModule,
    /// The application's own list of providers has none for web identity, and none of them had credentials: Hadoop's S3A.
    NoWebIdentityProvider,
    /// The application assumes a role without a name for its session; Go refuses to send that.
    SessionNameEmpty,
    /// The application closed the client with which its credentials are renewed: `Connection pool shut down`.
    ClientClosed,
    /// The application wants a credentials file, and there is none: `SharedCredsLoad`.
    CredentialsFileMissing,
    /// The application uses the pod's identity only if told to: cert-manager.
    AmbientCredentialsOff,
    /// The application reads the token only through a path of its own: Elasticsearch.
    TokenReadElsewhere,
    /// No Region is configured.
    MissingRegion,
    /// The answer did not come from STS.
    EndpointNotSts,

    // The way to AWS.
    /// The host's name does not exist.
    NoSuchHost,
    /// The name server did not answer.
    DnsTimeout,
    /// The host did not answer.
    ConnectTimeout,
    /// The host refused the connection.
    ConnectionRefused,
    /// An address within the pod itself refused the connection, where a proxy should have answered for AWS.
    RefusedInPod,
    /// The connection failed; the text does not say how.
    ConnectFailed,
    /// The host's certificate is from a CA that is not trusted.
    TlsUnknownAuthority,
    /// The host's certificate is for another name.
    TlsWrongName,
    /// A proxy refused, or could not be reached.
    Proxy,

    // EKS Pod Identity.
    /// EKS may not assume the pod's role, or the answer only says that access is denied.
    PodIdentityDenied,
    /// The node's role may not ask EKS Auth.
    NodeNotAuthorized,
    /// EKS Auth knows no such association or cluster.
    PodIdentityNotFound,
    /// The token that the application sent has expired.
    PodIdentityTokenExpired,
    /// EKS Auth does not accept the token.
    PodIdentityTokenInvalid,
    /// What the application sent to the agent is not a token.
    PodIdentityTokenMalformed,
    /// Too many requests to the agent or to EKS Auth.
    PodIdentityThrottled,
    /// The agent gave up waiting for EKS Auth, or cannot reach it.
    EksAuthUnreachable,
    /// The agent does not trust the certificate that it gets from EKS Auth.
    AgentTls,
    /// The agent cannot be reached.
    AgentUnreachable,
    /// The SDK refuses the agent's address.
    AgentHostRejected,
    /// Java v2 refuses the agent's IPv6 address, unless it is told to use IPv6.
    AgentIpv6Rejected,
    /// The agent was called at an address that is not its own.
    AgentWrongAddress,

    // Kubernetes.
    /// The kubelet could not get the token.
    TokenMountFailed,
    /// The kubelet may not ask for a token of this audience.
    NodeAudienceRestricted,
    /// The API server could not call the webhook.
    WebhookFailed,
    /// The pod's service account does not exist.
    ServiceAccountMissing,
    /// The service account names no role: the CSI driver for secrets and external-secrets read the annotation themselves.
    RoleNotAnnotated,
    /// Two mounts at one path: the API server refuses the pod.
    MountedTwice,
    /// The token for the Kubernetes API is not mounted; nothing to do with AWS.
    KubernetesTokenMissing,
    /// `eksctl` made no service account.
    EksctlExcluded,

    /// A program that starts another one with an environment of its own. No error by itself.
    Wrapper(Wrapper),

    /// Any other AWS error.
    Other,
}

/// A program that starts another one without the container's variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wrapper {
    /// `envdir DIR`: variables from files.
    Envdir,
    /// `env -i`.
    Env,
    /// `sudo` without `-E`.
    Sudo,
    /// `su -`.
    Su,
    /// Debian's and Red Hat's cron.
    Cron,
    /// s6-overlay, without `with-contenv`.
    S6,
}

impl Wrapper {
    /// The wrapper that a command starts with, also within `sh -c 'exec …'`.
    pub fn of_command(words: &[String]) -> Option<Self> {
        let words: Vec<&str> = match words {
            [shell, flag, script, ..] if shell.ends_with("sh") && flag == "-c" => {
                script.split_whitespace().skip_while(|word| *word == "exec").collect()
            }
            words => words.iter().map(String::as_str).collect(),
        };
        let program = words.first()?.rsplit('/').next()?;
        let has = |flags: &[&str]| words.iter().any(|word| flags.contains(word));
        Some(match program {
            "envdir" => Self::Envdir,
            "env" if has(&["-i", "-", "--ignore-environment"]) => Self::Env,
            "sudo" if !words.iter().any(|word| *word == "-E" || word.starts_with("--preserve-env")) => {
                Self::Sudo
            }
            "su" if has(&["-", "-l", "--login"]) => Self::Su,
            "cron" => Self::Cron,
            _ => return None,
        })
    }

    /// Its name.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Envdir => "envdir",
            Self::Env => "env -i",
            Self::Sudo => "sudo",
            Self::Su => "su -",
            Self::Cron => "cron",
            Self::S6 => "s6",
        }
    }
}

/// A claim that a token lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// `aud`.
    Aud,
    /// `sub`.
    Sub,
    /// Another one.
    Other,
}

/// How far a request got at STS. The order is STS's own, inferred from which refusals hide which: a refusal at one stage
/// means that the stages before it were passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// STS was not reached.
    Network,
    /// Turned away before any check.
    Throttled,
    /// The request itself.
    Syntax,
    /// STS is active in the Region for the role's account.
    Region,
    /// The token can be parsed.
    Token,
    /// The role's account has a provider for the token's issuer.
    Provider,
    /// The issuer's keys, and the token's signature.
    Keys,
    /// The token's times.
    Expiry,
    /// The token's audience is one that the provider accepts.
    Audience,
    /// The role and its trust policy; a role that does not exist gets the same refusal.
    Trust,
}

/// What an error is about, and so who has to explain it before a pod can be called healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The exchange of the pod's token for credentials: STS's answers to `AssumeRoleWithWebIdentity`.
    Exchange,
    /// The credentials that a request was signed with, or that there were none.
    Credentials,
    /// What a caller with valid credentials may do.
    Permissions,
    /// The way to AWS.
    Network,
    /// How the SDK is configured: Region, profile, token file, providers, endpoint.
    Configuration,
    /// EKS Pod Identity: the agent, and EKS Auth behind it.
    PodIdentity,
    /// Kubernetes: the webhook, the kubelet, the service account.
    Kubernetes,
    /// Neither the pod's identity nor the way to AWS. It says nothing against either.
    Unrelated,
}

impl Kind {
    /// What the error is about. Exhaustive on purpose: who adds a kind decides what it speaks against.
    pub const fn about(self) -> Subject {
        match self {
            Self::InvalidRoleArn
            | Self::RoleArnTooShort
            | Self::SessionNameInvalid
            | Self::RequestInvalid
            | Self::RegionDisabled
            | Self::NotAJwt
            | Self::NotAnOidcToken
            | Self::MissingClaim(_)
            | Self::NoProvider
            | Self::NoVerificationKey
            | Self::ThumbprintMismatch
            | Self::IdpCommunication
            | Self::IdpRejectedClaim
            | Self::TokenNotValidated
            | Self::TokenExpired { .. }
            | Self::TokenTooOld
            | Self::IncorrectAudience
            | Self::NotAuthorizedToAssume
            | Self::DurationTooLong
            | Self::Throttled
            | Self::ExchangeFailed => Subject::Exchange,
            Self::InvalidClientToken
            | Self::CredentialsExpired
            | Self::SignatureScope
            | Self::SignatureNotYetCurrent
            | Self::SignatureExpired
            | Self::ClockSkewed
            | Self::SignatureMismatch
            | Self::ClientClosed
            | Self::NoCredentials
            | Self::NoInstanceMetadata => Subject::Credentials,
            Self::NotAuthorizedToChain
            | Self::NotAuthorizedToTag
            | Self::NotAuthorized
            | Self::AccessDenied
            | Self::SecretNotFetched
            | Self::SessionTagsTooLarge
            | Self::ChainHourLimit => Subject::Permissions,
            Self::NoSuchHost
            | Self::DnsTimeout
            | Self::ConnectTimeout
            | Self::ConnectionRefused
            | Self::RefusedInPod
            | Self::ConnectFailed
            | Self::TlsUnknownAuthority
            | Self::TlsWrongName
            | Self::Proxy => Subject::Network,
            Self::ProfileNotFound
            | Self::TokenFileUnreadable
            | Self::TokenFileMissing
            | Self::RoleArnNotSet
            | Self::TokenPathNotAbsolute
            | Self::NoStsModule
            | Self::NoWebIdentityProvider
            | Self::SessionNameEmpty
            | Self::CredentialsFileMissing
            | Self::AmbientCredentialsOff
            | Self::TokenReadElsewhere
            | Self::MissingRegion
            | Self::EndpointNotSts => Subject::Configuration,
            Self::PodIdentityDenied
            | Self::NodeNotAuthorized
            | Self::PodIdentityNotFound
            | Self::PodIdentityTokenExpired
            | Self::PodIdentityTokenInvalid
            | Self::PodIdentityTokenMalformed
            | Self::PodIdentityThrottled
            | Self::EksAuthUnreachable
            | Self::AgentUnreachable
            | Self::AgentHostRejected
            | Self::AgentTls
            | Self::AgentIpv6Rejected
            | Self::AgentWrongAddress => Subject::PodIdentity,
            Self::TokenMountFailed
            | Self::NodeAudienceRestricted
            | Self::WebhookFailed
            | Self::ServiceAccountMissing
            | Self::RoleNotAnnotated
            | Self::MountedTwice
            | Self::EksctlExcluded => Subject::Kubernetes,
            // A policy that the application writes, a token that AWS does not use, and all that is not about identity.
            Self::InvalidPrincipal
            | Self::KubernetesTokenMissing
            | Self::NotFound
            | Self::ServiceThrottled
            | Self::WrongRegion
            | Self::RequestRejected
            | Self::ServiceFailed
            | Self::PresignedUrlExpired
            | Self::Wrapper(_)
            | Self::Other => Subject::Unrelated,
        }
    }

    /// The stage at which STS refused `AssumeRoleWithWebIdentity`; `None` if the message does not show it, or if it is
    /// not an answer to that request.
    pub const fn stage(self) -> Option<Stage> {
        Some(match self {
            Self::InvalidRoleArn
            | Self::RoleArnTooShort
            | Self::SessionNameInvalid
            | Self::RequestInvalid => Stage::Syntax,
            Self::RegionDisabled => Stage::Region,
            Self::NotAJwt | Self::NotAnOidcToken | Self::MissingClaim(_) => Stage::Token,
            Self::NoProvider => Stage::Provider,
            Self::NoVerificationKey | Self::ThumbprintMismatch | Self::IdpCommunication => Stage::Keys,
            Self::TokenExpired { .. } | Self::TokenTooOld => Stage::Expiry,
            Self::IncorrectAudience => Stage::Audience,
            Self::NotAuthorizedToAssume => Stage::Trust,
            Self::Throttled => Stage::Throttled,
            _ if self.is_transport() => Stage::Network,
            _ => return None,
        })
    }

    /// True for errors of the connection to AWS.
    pub const fn is_transport(self) -> bool {
        matches!(self.about(), Subject::Network)
    }

    /// True for what an SDK says last, after all else has failed: the reason, if there is one, is in another error.
    pub const fn is_last_resort(self) -> bool {
        matches!(self, Self::NoCredentials | Self::NoInstanceMetadata)
    }

    /// True if the error says all that the other one says, and more: what a proxy did, and what was left to try; how a
    /// connection failed, and that it did.
    pub(super) const fn says_more_than(self, other: Self) -> bool {
        match other {
            Self::ConnectFailed => self.is_transport() && !matches!(self, Self::ConnectFailed),
            Self::ConnectionRefused => matches!(self, Self::Proxy),
            Self::ConnectTimeout => matches!(self, Self::DnsTimeout | Self::Proxy),
            Self::NoInstanceMetadata | Self::CredentialsFileMissing => matches!(self, Self::NoCredentials),
            Self::ServiceThrottled => matches!(self, Self::Throttled | Self::PodIdentityThrottled),
            Self::AccessDenied => matches!(self, Self::PodIdentityDenied),
            _ => false,
        }
    }
}
