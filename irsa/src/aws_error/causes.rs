//! What can be behind an error: the failure modes, most likely first, and what tells them apart.

use super::{Because, Kind, Layer, PrincipalKind, SessionSource, Sighting};

/// What an error can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// What it is, as one sentence.
    pub what: &'static str,
    /// What can be behind it, most likely first.
    pub causes: &'static [Cause],
}

/// A failure mode that can be behind an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// Its id.
    pub id: &'static str,
    /// When it is this one.
    pub when: &'static str,
}

/// A list of causes: `"id" => "when it is this one"`.
macro_rules! causes {
    ($($id:literal => $when:literal,)*) => { &[$(Cause { id: $id, when: $when }),*] };
}

const fn meaning(what: &'static str, causes: &'static [Cause]) -> Meaning {
    Meaning { what, causes }
}

/// The meaning of a sighting: that of its kind, unless caller or policy tell more.
pub fn of(sighting: &Sighting) -> Meaning {
    let caller = sighting.principal.as_ref().map(|caller| &caller.kind);
    match (sighting.kind, caller, sighting.because) {
        (Kind::NodeNotAuthorized, ..) => of_kind(sighting.kind),
        (_, Some(PrincipalKind::AssumedRole { source: SessionSource::NodeInstance, .. }), _) => {
            if sighting.kind == Kind::NotAuthorizedToChain { NODE_ASSUMES } else { NODE }
        }
        (_, Some(PrincipalKind::User(_) | PrincipalKind::Root), _) => USER,
        (Kind::NotAuthorizedToChain, ..) if sighting.assumes_itself() => ITSELF,
        (Kind::NotAuthorized | Kind::NotAuthorizedToAssume, _, Some(because)) => of_layer(because),
        (kind, ..) => of_kind(kind),
    }
}

const NODE: Meaning = meaning(
    "The caller is the node's own role: a role of the pod's own was not used. Give the pod a role rather than the node a permission.",
    causes! {
        "sa-not-annotated" => "the pod's service account names no role",
        "pod-created-before-annotation" => "the annotation is younger than the pod, which has no AWS_ROLE_ARN",
        "not-injected" => "the service account names a role and the pod has no AWS_ROLE_ARN",
        "only-some-containers-injected" => "another container of the pod has AWS_ROLE_ARN, this one has not",
        "silent-fallback-to-node-role" => "the container has AWS_ROLE_ARN, and STS refused earlier in the log: Java, PHP and C++ go on",
        "custom-provider-list" => "the container has AWS_ROLE_ARN, and the application has its own list of credential providers",
        "sdk-too-old" => "the container has AWS_ROLE_ARN, and the SDK is older than IAM roles for service accounts",
    },
);

const NODE_ASSUMES: Meaning = meaning(
    "The application assumes a role as the node's own role: a role of the pod's own was not used. Do not let the role trust the node.",
    causes! {
        "app-assumes-with-node-role" => "the application's own settings name a role to assume, and the pod has no AWS_ROLE_ARN",
        "imds-intercepted-kiam" => "kiam or kube2iam runs on the node",
        "sa-not-annotated" => "the pod's service account names no role",
        "silent-fallback-to-node-role" => "the container has AWS_ROLE_ARN, and STS refused earlier in the log",
    },
);

const USER: Meaning = meaning(
    "The caller is an IAM user: access keys win over the pod's role.",
    causes! {
        "static-env-keys" => "AWS_ACCESS_KEY_ID is set in the container",
        "env-from-secret-overrides" => "envFrom brings the keys, out of a Secret or ConfigMap",
        "shared-credentials-file" => "a credentials file is mounted or in the image: JavaScript, Rust and C++ read it first",
    },
);

const ITSELF: Meaning = meaning(
    "The pod's role works, and the application uses it to assume the same role once more.",
    causes! {
        "config-role-arn-double-assume" => "the application's settings or ~/.aws/config repeat the role that the pod has already",
    },
);

const fn of_layer(because: Because) -> Meaning {
    match because.layer {
        Layer::IdentityPolicy => meaning(
            "The caller is known to AWS; its own policies do not allow the action.",
            causes! {
                "perm-no-policy" => "the role's policies lack the action or the resource, or deny it",
            },
        ),
        Layer::PermissionsBoundary => meaning(
            "The caller is known to AWS; its permissions boundary does not allow the action.",
            causes! {
                "perm-boundary" => "the role has a boundary: both it and a policy must allow the action",
            },
        ),
        Layer::ServiceControlPolicy => meaning(
            "A service control policy of the organization does not allow the action; nothing in the account can.",
            causes! {
                "perm-scp" => "a policy of the organization, to be changed in its management account",
            },
        ),
        Layer::ResourceControlPolicy => meaning(
            "A resource control policy of the organization does not allow the action; nothing in the account can.",
            causes! {
                "perm-rcp" => "a policy of the organization, to be changed in its management account",
            },
        ),
        Layer::SessionPolicy => meaning(
            "The policy that came with the session does not allow the action, whatever the role's own policies say.",
            causes! {
                "perm-session-policy" => "the application passes a policy, or the Pod Identity association has one",
            },
        ),
        Layer::VpcEndpointPolicy => meaning(
            "The policy of the VPC endpoint that the request went through does not allow the action.",
            causes! {
                "vpce-policy-denies-sts" => "the action is one of STS",
                "perm-vpce-policy" => "the action is one of another service",
            },
        ),
        Layer::ResourcePolicy => meaning(
            "The policy of the resource itself does not allow the action.",
            causes! {
                "perm-resource-policy" => "the bucket, queue or secret names another caller, or one that was deleted",
                "perm-kms" => "the action is one of KMS: the key's policy counts",
            },
        ),
        Layer::TrustPolicy => meaning(
            "The trust policy of the role to assume does not let the caller in.",
            causes! {
                "perm-chained-role" => "the second role does not trust the first, or the first has no policy to assume it",
            },
        ),
    }
}

const TRUST: &[Cause] = causes! {
    "trust-sub-mismatch" => "the trust policy's sub is not system:serviceaccount:NAMESPACE:NAME of the pod",
    "oidc-other-cluster" => "the trust policy names the issuer of another cluster, or of this one before it was made anew",
    "trust-issuer-typo" => "the trust policy's keys or principal misspell the issuer",
    "trust-wildcard-in-stringequals" => "sub has a * under StringEquals, where it is no wildcard",
    "trust-aud-mismatch" => "the trust policy's aud is not the token's",
    "trust-wrong-principal" => "the principal is a service or an account, not the OIDC provider",
    "trust-wrong-action" => "the action is sts:AssumeRole, not sts:AssumeRoleWithWebIdentity",
    "role-deleted-or-never-existed" => "no such role: STS does not tell that from a role that does not trust",
    "role-path-missing" => "the role has a path and the annotation has none",
    "pod-uses-other-sa" => "the pod runs as another service account than the one that is trusted",
    "env-preset-stale-role" => "AWS_ROLE_ARN in the pod is not the annotated role",
    "trust-deny-statement" => "the trust policy has a Deny that fits",
    "trust-network-conditions" => "the trust policy asks for a source address or VPC",
    "vpce-policy-denies-sts" => "from outside the VPC it works",
    "perm-scp" => "a service control policy denies it; only the organization can tell",
    "iam-eventual-consistency" => "the role was changed within the last minute",
};

const KEYS: &[Cause] = causes! {
    "jwks-problem" => "on EKS it passes with a retry; elsewhere the issuer's keys are not public, slow, or lack the token's kid",
};

const EGRESS: &[Cause] = causes! {
    "sts-unreachable-no-egress" => "a private subnet without NAT and without an endpoint for STS",
    "sts-global-endpoint" => "the host is sts.amazonaws.com, and only the regional name has an endpoint",
    "networkpolicy-egress" => "a NetworkPolicy selects the pod and does not let port 443 out",
    "proxy" => "HTTPS_PROXY is set, or should be",
    "endpoint-override-leaks" => "the host is not one of AWS",
};

const TLS: &[Cause] = causes! {
    "tls-roots" => "the image has no certificates of public authorities",
    "proxy" => "a proxy opens the connection and shows its own certificate",
    "endpoint-override-leaks" => "the host is not one of AWS",
};

const CLOCK: &[Cause] = causes! {
    "clock-skew" => "the node's clock; the token itself is not affected by it",
};

const CREDENTIALS: &[Cause] = causes! {
    "sa-not-annotated" => "the pod's service account names no role",
    "pod-uses-other-sa" => "the pod runs as another service account than the annotated one",
    "pod-created-before-annotation" => "the annotation is younger than the pod",
    "annotation-key-typo" => "the annotation's key is misspelled",
    "sa-wrong-namespace" => "the annotated service account is in another namespace",
    "not-injected" => "the service account names a role and the pod has no AWS_ROLE_ARN",
    "env-preset-partial" => "the manifest sets one of AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE: the webhook adds neither",
    "pi-no-association" => "the cluster uses Pod Identity and has no association for the service account",
    "sdk-too-old" => "the container has AWS_ROLE_ARN, and the SDK does not know it",
};

/// The meaning of a kind.
pub const fn of_kind(kind: Kind) -> Meaning {
    match kind {
        Kind::InvalidRoleArn | Kind::RoleArnTooShort => meaning(
            "The role's ARN is not one.",
            causes! {
                "role-arn-malformed" => "white space, quotes, a template that was not filled in, or no `role/`",
                "wrong-partition" => "the ARN is that of another partition: arn:aws, arn:aws-cn, arn:aws-us-gov",
            },
        ),
        Kind::SessionNameInvalid => meaning(
            "The name of the session is one that STS does not allow.",
            causes! {
                "session-name-invalid" => "AWS_ROLE_SESSION_NAME is not 2 to 64 letters, digits and _+=,.@-",
            },
        ),
        Kind::RequestInvalid => meaning(
            "STS refused the request itself, before it looked at the token.",
            causes! {
                "role-arn-malformed" => "the message speaks of the ARN",
                "session-name-invalid" => "the message speaks of the session's name",
                "duration-too-long" => "the message speaks of DurationSeconds",
            },
        ),
        Kind::RegionDisabled => meaning(
            "STS is not active in this Region for the role's account.",
            causes! {
                "sts-region-disabled" => "the account's settings of IAM have STS switched off for the Region",
            },
        ),
        Kind::NotAJwt | Kind::NotAnOidcToken => meaning(
            "What was sent as a token is no token of an OIDC issuer.",
            causes! {
                "token-malformed" => "the application sends the path, `Bearer `, or an empty file",
                "issuer-legacy-token" => "the token is one of the old kind, out of a Secret",
            },
        ),
        Kind::MissingClaim(_) => meaning(
            "The token lacks a claim that STS needs: it is not one that the webhook's volume gives.",
            causes! {
                "wrong-token-path-manual" => "AWS_WEB_IDENTITY_TOKEN_FILE names the token of the Kubernetes API",
                "issuer-legacy-token" => "the token is one of the old kind, out of a Secret",
            },
        ),
        Kind::NoProvider => meaning(
            "The role's account has no OIDC provider for the issuer of the token. The account is the role's, not the cluster's.",
            causes! {
                "oidc-provider-missing" => "the account has no provider for this issuer",
                "oidc-other-cluster" => "the account has a provider for another cluster: this one was made anew",
                "wrong-account-in-arn" => "the provider is in another account than the one in the role's ARN",
                "oidc-url-variant" => "the account has a provider that differs by a slash, a letter or the host",
                "sts-optin-region-masquerade" => "the provider is there, and the Region of the STS endpoint is not active in the account",
                "token-issuer-wrong" => "the cluster's issuer was changed",
                "pod-identity-cache-race" => "the pod was to use Pod Identity and was created before its association",
                "iam-eventual-consistency" => "the provider was made within the last minute",
            },
        ),
        Kind::NoVerificationKey | Kind::IdpCommunication => {
            meaning("STS could not get the issuer's keys.", KEYS)
        }
        Kind::ThumbprintMismatch => meaning(
            "The issuer's certificate is not of a public authority, and does not fit the provider's thumbprint.",
            causes! {
                "thumbprint" => "the issuer is self-hosted with a private authority; never on EKS",
            },
        ),
        Kind::IdpRejectedClaim => meaning("The issuer told STS that the token is not valid.", KEYS),
        Kind::TokenNotValidated => meaning(
            "STS does not accept the token, and the text does not say why.",
            causes! {
                "jwks-problem" => "the message speaks of a verification key",
                "oidc-client-id" => "the message speaks of the audience",
                "oidc-provider-missing" => "the message speaks of a provider",
                "issuer-legacy-token" => "the message speaks of a claim",
            },
        ),
        Kind::TokenExpired { .. } | Kind::TokenTooOld => meaning(
            "The token has expired: Kubernetes renews the file, and something still uses an old one.",
            causes! {
                "app-caches-token" => "the file in the pod is fresh: the application read it once and kept it",
                "subpath-mount" => "the file is mounted with subPath, which never sees the renewal",
                "token-expired" => "the file itself is old: the kubelet cannot renew it",
            },
        ),
        Kind::IncorrectAudience => meaning(
            "The provider is there, and does not list the token's audience.",
            causes! {
                "oidc-client-id" => "the provider's client ids lack the audience, mostly sts.amazonaws.com",
                "wrong-token-path-manual" => "the token is that of the Kubernetes API",
                "volume-name-collision" => "the pod has a volume aws-iam-token of its own, with another audience",
            },
        ),
        Kind::NotAuthorizedToAssume => meaning(
            "STS accepted the token, and the role does not let its bearer in. Provider, keys and audience are right.",
            TRUST,
        ),
        Kind::DurationTooLong => meaning(
            "The session is to last longer than the role allows.",
            causes! {
                "duration-too-long" => "the application's duration is above the role's maximum; token-expiration is another thing",
            },
        ),
        Kind::Throttled => meaning(
            "STS answers no more requests of this account for now.",
            causes! {
                "session-per-request" => "the application makes a session for each request",
                "sts-throttled" => "many pods start at once",
            },
        ),
        Kind::NotAuthorizedToChain => meaning(
            "The caller may not assume a further role.",
            causes! {
                "perm-chained-role" => "the second role does not trust the first, or the first has no policy to assume it",
                "config-role-arn-double-assume" => "the role to assume is the one that the caller has already",
            },
        ),
        Kind::NotAuthorizedToTag => meaning(
            "The caller may not assume a further role with session tags, which Pod Identity passes on.",
            causes! {
                "perm-chained-role" => "the second role's trust policy lacks sts:TagSession, or asks for an ExternalId",
            },
        ),
        Kind::NotAuthorized => meaning(
            "The caller is known to AWS and may not do this: a question of policies, not of the pod's identity.",
            causes! {
                "perm-no-policy" => "the role's policies lack the action or the resource",
                "env-preset-stale-role" => "the caller is another role than the annotated one",
                "perm-resource-policy" => "the policy of the bucket, queue or secret denies it",
                "perm-kms" => "the action is one of KMS",
                "perm-boundary" => "the role has a permissions boundary",
                "perm-scp" => "a policy of the organization denies it",
            },
        ),
        Kind::AccessDenied => meaning(
            "AWS denied access and does not say to whom: first find out who the caller is.",
            causes! {
                "sa-not-annotated" => "the caller is the node's role: an instance id stands at the end of its ARN",
                "perm-no-policy" => "the caller is the pod's role, and its policies lack the action",
                "perm-resource-policy" => "the caller is the pod's role, and the bucket's policy denies it",
                "perm-kms" => "the object is encrypted with a key that the role may not use",
            },
        ),
        Kind::InvalidClientToken => meaning(
            "AWS does not know the credentials: they are of another partition, of no one, or do not hold in this Region.",
            causes! {
                "wrong-partition" => "the credentials are of another partition than the endpoint",
                "token-v1-optin-region" => "the Region is opt-in, and the session comes from sts.amazonaws.com",
                "static-env-keys" => "AWS_ACCESS_KEY_ID is set in the container",
            },
        ),
        Kind::CredentialsExpired => meaning(
            "The session with AWS has expired, and the application did not renew it.",
            causes! {
                "app-caches-token" => "it works for about an hour: the application keeps the credentials",
                "static-env-keys" => "AWS_SESSION_TOKEN is set in the container",
            },
        ),
        Kind::SignatureScope => meaning(
            "The request was signed for one Region and sent to another.",
            causes! {
                "global-sts-signature-scope" => "the application pins https://sts.amazonaws.com",
            },
        ),
        Kind::SignatureNotYetCurrent => meaning("The clock of the caller is ahead of AWS's.", CLOCK),
        Kind::SignatureExpired => meaning("The clock of the caller is behind AWS's.", CLOCK),
        Kind::ClockSkewed => meaning("The clock of the caller differs from AWS's.", CLOCK),
        Kind::InvalidPrincipal => meaning(
            "IAM refused a policy: it names a principal that does not exist.",
            causes! {
                "wrong-partition" => "the principal is written for another partition",
                "role-deleted-or-never-existed" => "the principal was deleted",
            },
        ),
        Kind::NoCredentials => meaning(
            "The SDK found no credentials at all: it was not asked to use a web identity, or does not know how. IAM was not asked.",
            CREDENTIALS,
        ),
        Kind::NoInstanceMetadata => meaning(
            "The SDK tried the node's metadata service as a last resort: it was not asked to use a web identity, or that failed before.",
            causes! {
                "sa-not-annotated" => "the pod's service account names no role",
                "not-injected" => "the service account names a role and the pod has no AWS_ROLE_ARN",
                "silent-fallback-to-node-role" => "the container has AWS_ROLE_ARN, and STS refused earlier in the log",
                "imds-hop-limit" => "the application itself wants the metadata: the Region, the instance",
                "fargate-no-sa" => "the pod runs on Fargate, which has no metadata service",
            },
        ),
        Kind::ProfileNotFound => meaning(
            "The SDK was told to use a profile that does not exist in the container.",
            causes! {
                "aws-profile" => "AWS_PROFILE is set, or the code names a profile",
            },
        ),
        Kind::TokenFileUnreadable => meaning(
            "The token file is there, and the process may not read it.",
            causes! {
                "token-permission-denied" => "the process has another uid than the pod's runAsUser; fsGroup lets it read",
                "privilege-drop-after-start" => "the pod runs as root, and the program changed its user after the start",
                "selinux-lsm" => "the mode would let it read: SELinux or AppArmor does not",
            },
        ),
        Kind::TokenFileMissing => meaning(
            "The SDK was told of a token file that is not there.",
            causes! {
                "env-preset-complete-no-mount" => "the manifest sets the variables itself, and the webhook adds no mount",
                "volume-name-collision" => "the pod has a volume aws-iam-token of its own",
                "mountpath-collision" => "another volume covers the path",
                "chroot-or-private-mount-ns" => "the file is there for other processes of the container",
                "wrong-token-path-manual" => "the path is written by hand",
            },
        ),
        Kind::RoleArnNotSet => meaning(
            "The SDK was told of a token file and of no role.",
            causes! {
                "env-preset-partial" => "the manifest sets AWS_WEB_IDENTITY_TOKEN_FILE only: the webhook adds neither",
            },
        ),
        Kind::TokenPathNotAbsolute => meaning(
            "The path of the token file is not one of this operating system.",
            causes! {
                "windows-no-nodeselector" => "a Windows pod without the nodeSelector gets a path of Linux",
            },
        ),
        Kind::NoStsModule => meaning(
            "The application lacks the module of its SDK that asks STS.",
            causes! {
                "sdk-no-sts-module" => "`sts` (Java v2), aws-java-sdk-sts (Java v1) or AWSSDK.SecurityToken (.NET) is no dependency of the application",
            },
        ),
        Kind::NoWebIdentityProvider => meaning(
            "The application asks credential providers of its own choice, and none of them uses the pod's token.",
            causes! {
                "custom-provider-list" => "fs.s3a.aws.credentials.provider is not set, or leaves web identity out",
            },
        ),
        Kind::MissingRegion => meaning(
            "The SDK does not know the Region.",
            causes! {
                "region-missing" => "AWS_REGION is not set; boto3 and AWS CLI v1 read AWS_DEFAULT_REGION",
                "fargate-no-sa" => "the pod runs on Fargate, which has no metadata service to ask",
            },
        ),
        Kind::EndpointNotSts => meaning(
            "What answered is not STS.",
            causes! {
                "endpoint-override-leaks" => "AWS_ENDPOINT_URL, or an S3 endpoint that is used for STS too",
            },
        ),
        Kind::NoSuchHost => meaning(
            "The host's name does not exist.",
            causes! {
                "region-bogus" => "the Region in the name is none of AWS's",
                "endpoint-override-leaks" => "the host is not one of AWS",
                "sts-unreachable-no-egress" => "the name server in the VPC knows no names outside",
            },
        ),
        Kind::DnsTimeout => meaning(
            "The name server did not answer.",
            causes! {
                "dns-coredns" => "CoreDNS is down, or itself waits for this pod",
                "networkpolicy-egress" => "a NetworkPolicy selects the pod and does not let port 53 out",
            },
        ),
        Kind::ConnectTimeout => meaning("The host did not answer.", EGRESS),
        Kind::ConnectFailed => meaning("The connection to the host failed.", EGRESS),
        Kind::ConnectionRefused => meaning(
            "The host refused the connection.",
            causes! {
                "endpoint-override-leaks" => "the host is not one of AWS",
                "proxy" => "the address is that of a proxy",
            },
        ),
        Kind::TlsUnknownAuthority => {
            meaning("The host's certificate is of an authority that the application does not trust.", TLS)
        }
        Kind::TlsWrongName => meaning(
            "The host's certificate is for another name: a name was bent to another host.",
            causes! {
                "sts-global-endpoint" => "sts.amazonaws.com is an alias for the regional name in the cluster's DNS",
                "proxy" => "a proxy answers",
            },
        ),
        Kind::Proxy => meaning(
            "A proxy stands between, and refused or was not reached.",
            causes! {
                "proxy" => "HTTPS_PROXY is set: NO_PROXY lacks the host, or the proxy does not allow it",
            },
        ),
        Kind::PodIdentityDenied => meaning(
            "EKS Auth gives no credentials for the pod.",
            causes! {
                "pi-trust" => "the role does not trust pods.eks.amazonaws.com with both sts:AssumeRole and sts:TagSession",
                "pi-node-role" => "the node's role lacks eks-auth:AssumeRoleForPodIdentity",
            },
        ),
        Kind::NodeNotAuthorized => meaning(
            "The node's role may not ask EKS Auth for the pod's credentials.",
            causes! {
                "pi-node-role" => "the node's role lacks eks-auth:AssumeRoleForPodIdentity",
            },
        ),
        Kind::PodIdentityNotFound => meaning(
            "EKS Auth knows no association for the pod's service account, or not the cluster.",
            causes! {
                "pi-no-association" => "the association was deleted after the pod started, or never existed",
            },
        ),
        Kind::PodIdentityTokenExpired => meaning(
            "The token that the application sent to the agent has expired.",
            causes! {
                "pi-token-stale" => "the file in the pod is fresh: the application read it once and kept it",
                "token-expired" => "the file itself is old: the kubelet cannot renew it",
            },
        ),
        Kind::PodIdentityTokenInvalid => meaning(
            "EKS Auth does not accept the token.",
            causes! {
                "sa-recreated-uid" => "the service account was deleted and made anew; a new token has its new UID",
            },
        ),
        Kind::PodIdentityTokenMalformed => meaning(
            "What the application sent to the agent is no token.",
            causes! {
                "pi-bad-authorization" => "`Bearer ` before the token, a line break after it, or an empty file",
            },
        ),
        Kind::PodIdentityThrottled => meaning(
            "Too many requests to the agent or to EKS Auth.",
            causes! {
                "pi-rate-limit" => "the application asks for credentials for each request",
            },
        ),
        Kind::EksAuthUnreachable => meaning(
            "The agent waited for EKS Auth in vain.",
            causes! {
                "pi-eks-auth-endpoint" => "a private cluster without an endpoint for eks-auth",
                "pi-rate-limit" => "EKS Auth answers too slowly for the agent's or the SDK's limit",
            },
        ),
        Kind::AgentUnreachable => meaning(
            "The agent of EKS Pod Identity cannot be reached at 169.254.170.23.",
            causes! {
                "pi-agent-missing" => "the add-on eks-pod-identity-agent is not installed",
                "pi-agent-not-on-node" => "no pod of the agent runs on this node",
                "pi-agent-crash" => "the agent on this node is not ready: no IPv6, or its port is taken",
                "networkpolicy-egress" => "a NetworkPolicy does not let port 80 out to the address",
                "proxy" => "HTTP_PROXY is set, and NO_PROXY lacks the address",
            },
        ),
        Kind::AgentHostRejected => meaning(
            "The SDK does not know the agent's address.",
            causes! {
                "pi-sdk-too-old" => "the SDK is older than EKS Pod Identity",
            },
        ),
        Kind::AgentWrongAddress => meaning(
            "The agent was called by an address that is not its own.",
            causes! {
                "pi-wrong-host" => "AWS_CONTAINER_CREDENTIALS_FULL_URI was changed, or a proxy stands between",
            },
        ),
        Kind::TokenMountFailed => meaning(
            "The kubelet could not get the token for the pod's volume; the pod does not start.",
            causes! {
                "sa-missing" => "the service account was deleted",
                "token-mount-failed" => "the API server does not serve TokenRequest",
            },
        ),
        Kind::NodeAudienceRestricted => meaning(
            "The kubelet may ask only for audiences that the pod's volumes or its CSI driver name.",
            causes! {
                "node-audience-restriction" => "Kubernetes 1.33 and later, with a CSI driver or credential provider",
            },
        ),
        Kind::WebhookFailed => meaning(
            "The API server could not call the webhook: pods are created without their role, or not at all.",
            causes! {
                "mwc-cabundle-stale" => "the certificate is of an authority that caBundle lacks",
                "webhook-down-ignore" => "the webhook does not answer",
                "mwc-v1-admissionreview" => "the webhook does not speak the version that is asked for",
            },
        ),
        Kind::ServiceAccountMissing => meaning(
            "The pod's service account does not exist.",
            causes! {
                "sa-missing" => "the pod's template names one that was deleted, or never made in this namespace",
            },
        ),
        Kind::KubernetesTokenMissing => meaning(
            "The token for the Kubernetes API is not mounted. That is another file than the one for AWS.",
            causes! {
                "automount-false" => "automountServiceAccountToken is false: no fault for AWS",
            },
        ),
        Kind::EksctlExcluded => meaning(
            "eksctl found a stack for the service account and left the account as it is.",
            causes! {
                "eksctl-excluded" => "the stack is there, and the service account is missing or has an older role",
            },
        ),
        Kind::Other => meaning("An error of AWS that says nothing about the pod's identity.", &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_error::parse;
    use crate::aws_error::phrases::{PHRASES, Sign};
    use crate::checks;

    fn every_meaning() -> impl Iterator<Item = Meaning> {
        let said = PHRASES.iter().filter_map(|phrase| match phrase.sign {
            Sign::Error { kind, .. } => Some(kind),
            Sign::Mark(_) | Sign::Sdk(_) => None,
        });
        let refined = [
            Kind::RequestInvalid,
            Kind::NotAuthorizedToChain,
            Kind::NotAuthorizedToTag,
            Kind::NodeNotAuthorized,
            Kind::AgentUnreachable,
        ];
        let layers = [
            Layer::IdentityPolicy,
            Layer::PermissionsBoundary,
            Layer::ServiceControlPolicy,
            Layer::ResourceControlPolicy,
            Layer::SessionPolicy,
            Layer::VpcEndpointPolicy,
            Layer::ResourcePolicy,
            Layer::TrustPolicy,
        ];
        let layers = layers.map(|layer| of_layer(Because { layer, explicit: true }));
        said.chain(refined).map(of_kind).chain(layers).chain([NODE, NODE_ASSUMES, USER, ITSELF])
    }

    #[test]
    fn every_error_has_causes_that_exist() {
        for Meaning { what, causes } in every_meaning() {
            assert!(what.ends_with('.') && !causes.is_empty(), "{what}");
            let mut ids: Vec<_> = causes.iter().map(|cause| cause.id).collect();
            for id in &ids {
                let has_page =
                    checks::by_id(id).is_some() || checks::NOT_A_FAULT.iter().any(|(it, _)| it == id);
                assert!(has_page, "{id} has no page");
            }
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), causes.len(), "{what}: a cause is there twice");
        }
    }

    #[test]
    fn the_caller_and_the_policy_tell_more_than_the_kind() {
        let first = |caller: &str, rest: &str| {
            let found = parse(&format!("User: {caller} is not authorized to perform: {rest}"));
            of(&found[0]).causes[0].id
        };
        let node = "arn:aws:sts::111122223333:assumed-role/nodes/i-0123456789abcdef0";
        let pod = "arn:aws:sts::111122223333:assumed-role/shop/botocore-session-1600183751";
        let user = "arn:aws:iam::111122223333:user/ada";
        let because = |words| {
            format!("s3:GetObject on resource: arn:aws:s3:::a/b because no {words} allows the action")
        };
        assert_eq!(first(pod, "s3:GetObject"), "perm-no-policy");
        assert_eq!(first(node, "s3:GetObject"), "sa-not-annotated");
        assert_eq!(first(node, &because("identity-based policy")), "sa-not-annotated");
        assert_eq!(first(user, "s3:GetObject"), "static-env-keys");
        assert_eq!(first(pod, &because("permissions boundary")), "perm-boundary");
        assert_eq!(first(pod, &because("service control policy")), "perm-scp");
        assert_eq!(first(node, "sts:AssumeRole"), "app-assumes-with-node-role");
        assert_eq!(first(node, "eks-auth:AssumeRoleForPodIdentity"), "pi-node-role");
        let same = "sts:AssumeRole on resource: arn:aws:iam::111122223333:role/team/shop";
        assert_eq!(first(pod, same), "config-role-arn-double-assume");
    }
}
