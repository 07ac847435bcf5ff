//! Possible causes of an error: the failure modes, most likely first, and how to tell them apart.

use super::{Because, Kind, Layer, PrincipalKind, SessionSource, Sighting};

/// What an error can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// What it means, in one sentence.
    pub what: &'static str,
    /// Possible causes, most likely first.
    pub causes: &'static [Cause],
}

/// A failure mode that can cause an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// Its id.
    pub id: &'static str,
    /// What points to this one.
    pub when: &'static str,
}

/// A list of causes: `"id" => "what points to this one"`.
macro_rules! causes {
    ($($id:literal => $when:literal,)*) => { &[$(Cause { id: $id, when: $when }),*] };
}

const fn meaning(what: &'static str, causes: &'static [Cause]) -> Meaning {
    Meaning { what, causes }
}

/// The meaning of a sighting: that of its kind, unless the caller or the policy says more.
pub fn of(sighting: &Sighting) -> Meaning {
    let caller = sighting.principal.as_ref().map(|caller| &caller.kind);
    match (sighting.kind, caller, sighting.because) {
        // Whoever asks: a policy above the caller's own decides.
        (Kind::NodeNotAuthorized, _, Some(Because { layer: Layer::VpcEndpointPolicy, .. })) => {
            EKS_AUTH_ENDPOINT
        }
        (Kind::NodeNotAuthorized, _, Some(because)) if because.is_above() => of_layer(because),
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
    "The caller is the node's role: the pod did not use a role of its own. Give the pod a role, not the node a permission.",
    causes! {
        "sa-not-annotated" => "the pod's service account names no role",
        "pod-created-before-annotation" => "the pod is older than the annotation and has no AWS_ROLE_ARN",
        "not-injected" => "the service account names a role, but the pod has no AWS_ROLE_ARN",
        "only-some-containers-injected" => "another container of the pod has AWS_ROLE_ARN, this one does not",
        "silent-fallback-to-node-role" => "the container has AWS_ROLE_ARN, and STS refused earlier in the log: Java, PHP, C++ go on",
        "custom-provider-list" => "the container has AWS_ROLE_ARN, but the application uses its own list of credential providers",
        "sdk-too-old" => "the container has AWS_ROLE_ARN, but the SDK is older than IAM roles for service accounts",
    },
);

const NODE_ASSUMES: Meaning = meaning(
    "The application assumes a role with the node's role: the pod did not use a role of its own. Do not make the role trust the node.",
    causes! {
        "app-assumes-with-node-role" => "the application's settings name a role to assume, and the pod has no AWS_ROLE_ARN",
        "imds-intercepted-kiam" => "kiam or kube2iam runs on the node",
        "sa-not-annotated" => "the pod's service account names no role",
        "silent-fallback-to-node-role" => "the container has AWS_ROLE_ARN, and STS refused earlier in the log",
    },
);

const USER: Meaning = meaning(
    "The caller is an IAM user: access keys take precedence over the pod's role.",
    causes! {
        "static-env-keys" => "AWS_ACCESS_KEY_ID is set in the container",
        "env-from-secret-overrides" => "envFrom sets the keys, from a Secret or ConfigMap",
        "shared-credentials-file" => "a credentials file is mounted or in the image: JavaScript, Rust and C++ read it first",
    },
);

const ITSELF: Meaning = meaning(
    "The pod's role works, and the application uses it to assume the same role again.",
    causes! {
        "config-role-arn-double-assume" => "the application's settings or ~/.aws/config name the role that the pod already has",
    },
);

const EKS_AUTH_ENDPOINT: Meaning = meaning(
    "The policy of the VPC endpoint for EKS Auth does not allow the node's role to request credentials for pods.",
    causes! {
        "perm-vpce-policy" => "the endpoint com.amazonaws.REGION.eks-auth has a policy of its own",
    },
);

const fn of_layer(because: Because) -> Meaning {
    match because.layer {
        Layer::IdentityPolicy => meaning(
            "AWS knows the caller, but its identity-based policies do not allow the action.",
            causes! {
                "perm-no-policy" => "the role's policies do not allow the action on the resource, or deny it",
            },
        ),
        Layer::PermissionsBoundary => meaning(
            "AWS knows the caller, but its permissions boundary does not allow the action.",
            causes! {
                "perm-boundary" => "the role has a permissions boundary: the boundary and a policy must both allow the action",
            },
        ),
        Layer::ServiceControlPolicy => meaning(
            "A service control policy of the organization does not allow the action; no policy in the account can override it.",
            causes! {
                "perm-scp" => "it is a policy of the organization and has to be changed there",
            },
        ),
        Layer::ResourceControlPolicy => meaning(
            "A resource control policy of the organization does not allow the action; no policy in the account can override it.",
            causes! {
                "perm-rcp" => "it is a policy of the organization and has to be changed there",
            },
        ),
        Layer::SessionPolicy => meaning(
            "The session policy does not allow the action, whatever the role's own policies say.",
            causes! {
                "perm-session-policy" => "the application passes a session policy, or the Pod Identity association has one",
            },
        ),
        Layer::VpcEndpointPolicy => meaning(
            "The policy of the VPC endpoint in use does not allow the action.",
            causes! {
                "vpce-policy-denies-sts" => "the action is an STS action",
                "perm-vpce-policy" => "the action belongs to another service",
            },
        ),
        Layer::ResourcePolicy => meaning(
            "The resource's own policy does not allow the action.",
            causes! {
                "perm-resource-policy" => "the policy of the bucket, queue or secret names another caller, or one that was deleted",
                "perm-kms" => "the action is a KMS action: the key policy decides",
            },
        ),
        Layer::TrustPolicy => meaning(
            "The role to assume does not trust the caller.",
            causes! {
                "perm-chained-role" => "the second role does not trust the first, or the first has no policy that allows assuming it",
            },
        ),
    }
}

const TRUST: &[Cause] = causes! {
    "trust-sub-mismatch" => "sub in the trust policy is not the pod's system:serviceaccount:NAMESPACE:NAME",
    "oidc-other-cluster" => "the trust policy names another cluster's issuer, or this cluster's before it was recreated",
    "trust-issuer-typo" => "the issuer is misspelt in the trust policy's principal or condition keys",
    "trust-wildcard-in-stringequals" => "sub contains * under StringEquals, which takes it literally",
    "trust-aud-mismatch" => "aud in the trust policy is not the token's audience",
    "trust-wrong-principal" => "the principal is a service or an account, not the OIDC provider",
    "trust-wrong-action" => "the action is sts:AssumeRole, not sts:AssumeRoleWithWebIdentity",
    "role-deleted-or-never-existed" => "the role does not exist: STS answers as if the role did not trust the caller",
    "role-path-missing" => "the role has a path, but the annotated ARN does not",
    "pod-uses-other-sa" => "the pod runs as a different service account than the trusted one",
    "env-preset-stale-role" => "AWS_ROLE_ARN in the pod is not the annotated role",
    "trust-deny-statement" => "the trust policy has a matching Deny",
    "trust-network-conditions" => "the trust policy requires a certain source address or VPC",
    "vpce-policy-denies-sts" => "it works from outside the VPC",
    "perm-scp" => "a service control policy denies it; that is only visible to the organization",
    "iam-eventual-consistency" => "the role was changed within the last minute",
};

const KEYS: &[Cause] = causes! {
    "jwks-problem" => "on EKS a retry helps; elsewhere the issuer's keys are not public, slow, or lack the token's kid",
};

const EGRESS: &[Cause] = causes! {
    "sts-unreachable-no-egress" => "the subnet is private and has neither NAT nor a VPC endpoint for STS",
    "sts-global-endpoint" => "the host is sts.amazonaws.com, but the VPC endpoint only covers the regional name",
    "networkpolicy-egress" => "a NetworkPolicy selects the pod and does not allow egress on port 443",
    "proxy" => "HTTPS_PROXY is set, or should be",
    "endpoint-override-leaks" => "the host does not belong to AWS",
};

const TLS: &[Cause] = causes! {
    "tls-roots" => "the image has no public CA certificates",
    "proxy" => "a proxy intercepts TLS and presents its own certificate",
    "endpoint-override-leaks" => "the host does not belong to AWS",
};

const CLOCK: &[Cause] = causes! {
    "clock-skew" => "the node's clock is wrong; the token itself is not affected",
};

const CREDENTIALS: &[Cause] = causes! {
    "sa-not-annotated" => "the pod's service account names no role",
    "pod-uses-other-sa" => "the pod runs as a different service account than the annotated one",
    "pod-created-before-annotation" => "the pod is older than the annotation",
    "annotation-key-typo" => "the annotation key is misspelt",
    "sa-wrong-namespace" => "the annotated service account is in another namespace",
    "not-injected" => "the service account names a role, but the pod has no AWS_ROLE_ARN",
    "env-preset-partial" => "the manifest sets only one of AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE, so the webhook adds neither",
    "pi-no-association" => "the cluster uses Pod Identity, but the service account has no association",
    "sdk-too-old" => "the container has AWS_ROLE_ARN, but the SDK is too old to use it",
    "process-environment-differs" => "the container has AWS_ROLE_ARN, but the process does not: envdir, env -i, sudo, cron",
    "custom-provider-list" => "the container has AWS_ROLE_ARN, but the application uses its own list of credential providers",
};

/// The meaning of a kind.
pub const fn of_kind(kind: Kind) -> Meaning {
    match kind {
        Kind::InvalidRoleArn | Kind::RoleArnTooShort => meaning(
            "The role ARN is not valid.",
            causes! {
                "role-arn-malformed" => "it has white space, quotes or an unfilled template variable, or lacks `role/`",
                "wrong-partition" => "the ARN is in another partition: arn:aws, arn:aws-cn, arn:aws-us-gov",
            },
        ),
        Kind::SessionNameInvalid => meaning(
            "STS does not accept the session name.",
            causes! {
                "session-name-invalid" => "AWS_ROLE_SESSION_NAME is not 2 to 64 letters, digits and _+=,.@-",
            },
        ),
        Kind::RequestInvalid => meaning(
            "STS rejected the request itself, before checking the token.",
            causes! {
                "role-arn-malformed" => "the message is about the ARN",
                "session-name-invalid" => "the message is about the session name",
                "duration-too-long" => "the message is about DurationSeconds",
            },
        ),
        Kind::RegionDisabled => meaning(
            "STS is not active in this Region for the role's account.",
            causes! {
                "sts-region-disabled" => "STS is deactivated for this Region in the account's IAM settings",
            },
        ),
        Kind::NotAJwt | Kind::NotAnOidcToken => meaning(
            "What was sent as the token is not a token of an OIDC issuer.",
            causes! {
                "token-malformed" => "the application sends the file's path, adds `Bearer `, or the file is empty",
                "issuer-legacy-token" => "it is a legacy token from a Secret",
            },
        ),
        Kind::MissingClaim(_) => meaning(
            "The token lacks a claim that STS requires: it does not come from the volume that the webhook adds.",
            causes! {
                "wrong-token-path-manual" => "AWS_WEB_IDENTITY_TOKEN_FILE points to the token for the Kubernetes API",
                "issuer-legacy-token" => "it is a legacy token from a Secret",
            },
        ),
        Kind::NoProvider => meaning(
            "The role's account has no OIDC provider for the token's issuer. The role's account counts, not the cluster's.",
            causes! {
                "oidc-provider-missing" => "the account has no provider for this issuer",
                "oidc-other-cluster" => "the account has a provider for another cluster: this one was recreated",
                "wrong-account-in-arn" => "the provider is in a different account than the one in the role ARN",
                "oidc-url-variant" => "the account has a provider that differs by a slash, a letter or the host",
                "sts-optin-region-masquerade" => "the provider exists, but the STS endpoint's Region is not enabled in the account",
                "token-issuer-wrong" => "the cluster's issuer was changed",
                "pod-identity-cache-race" => "the pod should use Pod Identity, but was created before its association",
                "iam-eventual-consistency" => "the provider was created within the last minute",
            },
        ),
        Kind::NoVerificationKey | Kind::IdpCommunication => {
            meaning("STS could not get the issuer's keys.", KEYS)
        }
        Kind::ThumbprintMismatch => meaning(
            "The issuer's certificate is not from a public CA and does not match the provider's thumbprint.",
            causes! {
                "thumbprint" => "the issuer is self-hosted with a private CA; never on EKS",
            },
        ),
        Kind::IdpRejectedClaim => meaning("The issuer told STS that the token is not valid.", KEYS),
        Kind::TokenNotValidated => meaning(
            "STS does not accept the token; the text does not say why.",
            causes! {
                "jwks-problem" => "the message is about a verification key",
                "oidc-client-id" => "the message is about the audience",
                "oidc-provider-missing" => "the message is about a provider",
                "issuer-legacy-token" => "the message is about a claim",
            },
        ),
        Kind::TokenExpired { .. } | Kind::TokenTooOld => meaning(
            "The token has expired: Kubernetes renews the file, but an old token is still in use.",
            causes! {
                "app-caches-token" => "the file in the pod is fresh: the application read it once and kept it",
                "subpath-mount" => "the file is mounted with subPath, so it is never renewed",
                "token-expired" => "the file itself is old: the kubelet cannot renew it",
            },
        ),
        Kind::IncorrectAudience => meaning(
            "The OIDC provider exists, but does not list the token's audience.",
            causes! {
                "oidc-client-id" => "the provider's client IDs do not include the audience, usually sts.amazonaws.com",
                "wrong-token-path-manual" => "the token is the one for the Kubernetes API",
                "volume-name-collision" => "the pod has a volume aws-iam-token of its own, with another audience",
            },
        ),
        Kind::NotAuthorizedToAssume => meaning(
            "STS accepted the token, but the role does not trust its subject. OIDC provider, keys and audience are correct.",
            TRUST,
        ),
        Kind::DurationTooLong => meaning(
            "The requested session is longer than the role allows.",
            causes! {
                "duration-too-long" => "the application requests more than the role's maximum; token-expiration is unrelated",
            },
        ),
        Kind::ChainHourLimit => meaning(
            "The application assumes a second role for longer than an hour, the most for a role that a role assumes.",
            causes! {
                "chain-hour-limit" => "whatever the second role's MaxSessionDuration says",
            },
        ),
        Kind::Throttled => meaning(
            "STS is throttling this account.",
            causes! {
                "session-per-request" => "the application creates a session for each request",
                "sts-throttled" => "many pods start at once",
            },
        ),
        Kind::ExchangeFailed => meaning(
            "The application could not exchange the pod's token for credentials at STS, and does not say why.",
            causes! {
                "trust-sub-mismatch" => "STS answers 403: the role does not trust the pod's service account",
                "sts-unreachable-no-egress" => "STS cannot be reached: the subnet has neither NAT nor a VPC endpoint for STS",
                "oidc-provider-missing" => "STS answers 400: the role's account has no OIDC provider for the cluster's issuer",
                "sts-throttled" => "it passes after a while: STS is throttling, or failed itself",
            },
        ),
        Kind::NotAuthorizedToChain => meaning(
            "The caller is not allowed to assume the second role.",
            causes! {
                "perm-chained-role" => "the second role does not trust the first, or the first has no policy that allows assuming it",
                "config-role-arn-double-assume" => "the role to assume is the one that the caller already has",
            },
        ),
        Kind::NotAuthorizedToTag => meaning(
            "The caller is not allowed to assume the second role with session tags, which Pod Identity passes on.",
            causes! {
                "perm-chained-role" => "the second role's trust policy does not allow sts:TagSession, or requires an ExternalId",
            },
        ),
        Kind::NotAuthorized => meaning(
            "AWS knows the caller, but the caller is not allowed to do this: a matter of policies, not of the pod's identity.",
            causes! {
                "perm-no-policy" => "the role's policies do not allow the action on the resource",
                "env-preset-stale-role" => "the caller is not the annotated role",
                "perm-resource-policy" => "the policy of the bucket, queue or secret denies it",
                "perm-kms" => "the action is a KMS action",
                "perm-boundary" => "the role has a permissions boundary",
                "perm-scp" => "a policy of the organization denies it",
            },
        ),
        Kind::AccessDenied => meaning(
            "AWS denied access but does not name the caller: first find out who the caller is.",
            causes! {
                "sa-not-annotated" => "the caller is the node's role: its ARN ends in an instance ID",
                "perm-no-policy" => "the caller is the pod's role, and its policies do not allow the action",
                "perm-resource-policy" => "the caller is the pod's role, and the bucket's policy denies it",
                "perm-kms" => "the object is encrypted with a key that the role may not use",
            },
        ),
        Kind::InvalidClientToken => meaning(
            "AWS does not know the credentials: they belong to another partition or to nobody, or are not valid in this Region.",
            causes! {
                "wrong-partition" => "the credentials belong to another partition than the endpoint",
                "token-v1-optin-region" => "the Region is opt-in, and the session comes from sts.amazonaws.com",
                "static-env-keys" => "AWS_ACCESS_KEY_ID is set in the container",
            },
        ),
        Kind::CredentialsExpired => meaning(
            "The AWS session has expired, and the application did not renew it.",
            causes! {
                "app-caches-token" => "it works for about an hour: the application caches the credentials",
                "static-env-keys" => "AWS_SESSION_TOKEN is set in the container",
            },
        ),
        Kind::SignatureScope => meaning(
            "The request was signed for one Region and sent to another.",
            causes! {
                "global-sts-signature-scope" => "the application pins https://sts.amazonaws.com",
            },
        ),
        Kind::SignatureNotYetCurrent => meaning("The caller's clock is ahead of AWS's.", CLOCK),
        Kind::SignatureExpired => meaning("The caller's clock is behind AWS's.", CLOCK),
        Kind::ClockSkewed => meaning("The caller's clock differs from AWS's.", CLOCK),
        Kind::SignatureMismatch => meaning(
            "The signature is wrong. Credentials from STS never have a wrong secret key: the key is static, or the request was changed on its way.",
            causes! {
                "static-env-keys" => "AWS_SECRET_ACCESS_KEY is set in the container, and does not belong to the key ID or ends in a line break",
                "env-from-secret-overrides" => "envFrom sets the keys, from a Secret or ConfigMap",
                "shared-credentials-file" => "a credentials file is mounted or in the image",
                "proxy" => "a proxy changes the request's headers or path",
            },
        ),
        Kind::SecretNotFetched => meaning(
            "The CSI driver could not read the secret, and does not say why here; its own log does.",
            causes! {
                "perm-no-policy" => "the role's policies do not allow secretsmanager:GetSecretValue on the secret, or there is no such secret",
                "perm-kms" => "the secret is encrypted with a key that the role may not use",
                "sts-unreachable-no-egress" => "the node's subnet reaches neither STS nor Secrets Manager",
                "trust-sub-mismatch" => "the role does not trust the service account of the pod that mounts the volume",
            },
        ),
        Kind::NotFound => meaning(
            "AWS answered the caller: what it asked for does not exist. The pod's identity works.",
            &[],
        ),
        Kind::ServiceThrottled => meaning(
            "The service is throttling: too many requests. That has nothing to do with the pod's identity.",
            &[],
        ),
        Kind::WrongRegion => meaning(
            "The bucket is in another Region than the one that the client is configured for. That has nothing to do with the pod's identity.",
            &[],
        ),
        Kind::RequestRejected => meaning(
            "AWS rejected the request for what it says: a condition, a parameter, a conflict or a quota. That has nothing to do with the pod's identity.",
            &[],
        ),
        Kind::ServiceFailed => meaning(
            "The service failed (5xx); SDKs try again. That has nothing to do with the pod's identity.",
            &[],
        ),
        Kind::PresignedUrlExpired => meaning(
            "A presigned URL has expired. It carries the signature of whoever made it: the pod's identity plays no part.",
            &[],
        ),
        Kind::InvalidPrincipal => meaning(
            "IAM rejected a policy: it names a principal that does not exist.",
            causes! {
                "wrong-partition" => "the principal is written for another partition",
                "role-deleted-or-never-existed" => "the principal was deleted",
            },
        ),
        Kind::NoCredentials => meaning(
            "The SDK found no credentials at all: it was not told to use a web identity, or does not know how. IAM was never called.",
            CREDENTIALS,
        ),
        Kind::NoInstanceMetadata => meaning(
            "The SDK tried the node's metadata service as a last resort: it was not told to use a web identity, or that had failed.",
            causes! {
                "sa-not-annotated" => "the pod's service account names no role",
                "not-injected" => "the service account names a role, but the pod has no AWS_ROLE_ARN",
                "silent-fallback-to-node-role" => "the container has AWS_ROLE_ARN, and STS refused earlier in the log",
                "imds-hop-limit" => "the application itself reads instance metadata, such as the Region",
                "fargate-no-sa" => "the pod runs on Fargate, which has no metadata service",
            },
        ),
        Kind::ProfileNotFound => meaning(
            "The SDK is configured to use a profile that does not exist in the container.",
            causes! {
                "aws-profile" => "AWS_PROFILE is set, or the code names a profile",
            },
        ),
        Kind::SessionNameEmpty => meaning(
            "The application assumes a role, and gives no name for the session: the SDK refuses to send that.",
            causes! {
                "session-name-empty" => "the application's settings name a role to assume, and no session name",
            },
        ),
        Kind::ClientClosed => meaning(
            "The application closed the client with which the SDK renews the pod's credentials.",
            causes! {
                "credentials-client-closed" => "it works for about an hour, until the first session ends",
            },
        ),
        Kind::CredentialsFileMissing => meaning(
            "The application wants a credentials file: it does not use its SDK's default chain, in which the pod's role is.",
            causes! {
                "app-needs-imds" => "it takes itself to be outside AWS, since it cannot reach the instance metadata service",
                "custom-provider-list" => "its settings name a credentials file or profile",
                "sa-not-annotated" => "the pod's service account names no role, and the file is the last that was tried",
            },
        ),
        Kind::AmbientCredentialsOff => meaning(
            "The application uses the pod's identity for some of its objects only, and not for this one.",
            causes! {
                "ambient-credentials-off" => "cert-manager: it does for a ClusterIssuer, and for an Issuer only with --issuer-ambient-credentials",
            },
        ),
        Kind::TokenReadElsewhere => meaning(
            "The application reads the token only through a path of its own, and finds nothing there.",
            causes! {
                "app-reads-token-elsewhere" => "Elasticsearch, OpenSearch: their configuration directory needs a symlink to the token",
                "wrong-token-path-manual" => "the symlink points to another file than AWS_WEB_IDENTITY_TOKEN_FILE",
                "token-permission-denied" => "the symlink is right, and the process may not read the file",
            },
        ),
        Kind::TokenFileUnreadable => meaning(
            "The token file exists, but the process may not read it.",
            causes! {
                "token-permission-denied" => "the process runs with a different UID than the pod's runAsUser; set fsGroup so that it can read the file",
                "privilege-drop-after-start" => "the pod runs as root, and the program switched to another user after it started",
                "selinux-lsm" => "the file mode permits it, but SELinux or AppArmor does not",
            },
        ),
        Kind::TokenFileMissing => meaning(
            "The SDK is configured with a token file that does not exist.",
            causes! {
                "env-preset-complete-no-mount" => "the manifest sets the variables itself, so the webhook adds no mount",
                "volume-name-collision" => "the pod has a volume aws-iam-token of its own",
                "mountpath-collision" => "another volume covers the path",
                "chroot-or-private-mount-ns" => "other processes of the container see the file",
                "wrong-token-path-manual" => "the path was set by hand",
            },
        ),
        Kind::RoleArnNotSet => meaning(
            "The SDK is configured with a token file, but no role.",
            causes! {
                "env-preset-partial" => "the manifest sets only AWS_WEB_IDENTITY_TOKEN_FILE, so the webhook does not add the role",
            },
        ),
        Kind::TokenPathNotAbsolute => meaning(
            "The token file's path is not valid on this operating system.",
            causes! {
                "windows-no-nodeselector" => "a Windows pod without the nodeSelector gets a Linux path",
            },
        ),
        Kind::NoStsModule => meaning(
            "The application does not include its SDK's STS module.",
            causes! {
                "sdk-no-sts-module" => "`sts` (Java v2), aws-java-sdk-sts (Java v1) or AWSSDK.SecurityToken (.NET) is not among the application's dependencies",
            },
        ),
        Kind::NoWebIdentityProvider => meaning(
            "The application configures its own credential providers, and none of them uses the pod's token.",
            causes! {
                "custom-provider-list" => "fs.s3a.aws.credentials.provider is not set, or does not include web identity",
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
            "The answer did not come from STS.",
            causes! {
                "endpoint-override-leaks" => "AWS_ENDPOINT_URL is set, or an S3 endpoint is also used for STS",
            },
        ),
        Kind::NoSuchHost => meaning(
            "The host name does not exist.",
            causes! {
                "region-bogus" => "the Region in the name does not exist",
                "sts-fips-name" => "the name begins with sts-fips, which STS has in four Regions only",
                "endpoint-override-leaks" => "the host does not belong to AWS",
                "sts-unreachable-no-egress" => "the VPC's DNS server does not resolve external names",
            },
        ),
        Kind::DnsTimeout => meaning(
            "The DNS server did not answer.",
            causes! {
                "dns-coredns" => "CoreDNS is down, or itself depends on this pod",
                "networkpolicy-egress" => "a NetworkPolicy selects the pod and does not allow egress on port 53",
            },
        ),
        Kind::ConnectTimeout => meaning("The host did not answer.", EGRESS),
        Kind::ConnectFailed => meaning("The connection to the host failed.", EGRESS),
        Kind::RefusedInPod => meaning(
            "The connection was to a proxy within the pod, which does not listen, or not yet.",
            causes! {
                "mesh-not-ready" => "a service mesh redirects the pod's connections, and its proxy starts after the application",
                "proxy" => "HTTPS_PROXY names this address",
            },
        ),
        Kind::ConnectionRefused => meaning(
            "The host refused the connection, which AWS itself does not do.",
            causes! {
                "mesh-not-ready" => "the pod has a sidecar of a service mesh, and the error is from the pod's first seconds",
                "proxy" => "the address belongs to a proxy",
                "endpoint-override-leaks" => "the host does not belong to AWS",
                "sts-unreachable-no-egress" => "a firewall on the way rejects the connection",
            },
        ),
        Kind::TlsUnknownAuthority => {
            meaning("The host's certificate is from a CA that the application does not trust.", TLS)
        }
        Kind::TlsWrongName => meaning(
            "The host's certificate is for another name: the name resolves to a different host.",
            causes! {
                "sts-global-endpoint" => "sts.amazonaws.com is an alias for the regional name in the cluster's DNS",
                "proxy" => "a proxy answers",
            },
        ),
        Kind::Proxy => meaning(
            "A proxy is in between, and refused the request or could not be reached.",
            causes! {
                "proxy" => "HTTPS_PROXY is set, and NO_PROXY does not list the host or the proxy does not allow it",
            },
        ),
        Kind::PodIdentityDenied => meaning(
            "EKS Auth denies the pod credentials.",
            causes! {
                "pi-trust" => "the role does not trust pods.eks.amazonaws.com with both sts:AssumeRole and sts:TagSession",
                "pi-node-role" => "the node's role does not have eks-auth:AssumeRoleForPodIdentity",
            },
        ),
        Kind::NodeNotAuthorized => meaning(
            "The node's role is not allowed to request the pod's credentials from EKS Auth.",
            causes! {
                "pi-node-role" => "the node's role does not have eks-auth:AssumeRoleForPodIdentity",
            },
        ),
        Kind::PodIdentityNotFound => meaning(
            "EKS Auth has no association for the pod's service account, or does not know the cluster.",
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
                "sa-recreated-uid" => "the service account was recreated; only a new token has its new UID",
            },
        ),
        Kind::PodIdentityTokenMalformed => meaning(
            "What the application sent to the agent is not a token.",
            causes! {
                "pi-bad-authorization" => "`Bearer ` before the token, a line break after it, or an empty file",
            },
        ),
        Kind::PodIdentityThrottled => meaning(
            "Too many requests to the agent or to EKS Auth.",
            causes! {
                "pi-rate-limit" => "the application fetches credentials for each request",
            },
        ),
        Kind::EksAuthUnreachable => meaning(
            "The agent got no answer from EKS Auth.",
            causes! {
                "pi-eks-auth-endpoint" => "the cluster is private and has no VPC endpoint for eks-auth",
                "pi-rate-limit" => "EKS Auth answers too slowly for the agent's or the SDK's limit",
            },
        ),
        Kind::AgentUnreachable => meaning(
            "The EKS Pod Identity agent cannot be reached at 169.254.170.23.",
            causes! {
                "pi-agent-missing" => "the eks-pod-identity-agent add-on is not installed",
                "pi-agent-not-on-node" => "no pod of the agent runs on this node",
                "pi-agent-crash" => "the agent on this node is not ready: the node has no IPv6, or its port is taken",
                "networkpolicy-egress" => "a NetworkPolicy does not allow egress to the address on port 80",
                "proxy" => "HTTP_PROXY is set, and NO_PROXY does not list the address",
            },
        ),
        Kind::AgentTls => meaning(
            "The agent does not trust the certificate that it gets in place of EKS Auth's.",
            causes! {
                "pi-agent-tls" => "a proxy or firewall between the node and EKS Auth inspects TLS",
            },
        ),
        Kind::AgentIpv6Rejected => meaning(
            "Version 2 of the Java SDK refuses the agent's IPv6 address.",
            causes! {
                "pi-ipv6-endpoint-mode" => "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE is not IPv6",
                "pi-sdk-too-old" => "the SDK is older than EKS Pod Identity",
            },
        ),
        Kind::SessionTagsTooLarge => meaning(
            "The session's tags and policies are larger than STS allows.",
            causes! {
                "session-tags-too-large" => "the application assumes a role with tags of its own, next to those of EKS Pod Identity",
            },
        ),
        Kind::AgentHostRejected => meaning(
            "The SDK does not accept the agent's address.",
            causes! {
                "pi-sdk-too-old" => "the SDK is older than EKS Pod Identity",
            },
        ),
        Kind::AgentWrongAddress => meaning(
            "The agent was called at an address that is not its own.",
            causes! {
                "pi-wrong-host" => "AWS_CONTAINER_CREDENTIALS_FULL_URI was changed, or a proxy is in between",
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
            "The kubelet may only request audiences that the pod's volumes or its CSI driver name.",
            causes! {
                "node-audience-restriction" => "Kubernetes 1.33 and later, with a CSI driver or credential provider",
            },
        ),
        Kind::WebhookFailed => meaning(
            "The API server could not call the webhook: pods are created without their role, or not at all.",
            causes! {
                "mwc-cabundle-stale" => "the certificate is from a CA that is not in caBundle",
                "webhook-down-ignore" => "the webhook does not answer",
                "mwc-v1-admissionreview" => "the webhook does not support the requested AdmissionReview version",
            },
        ),
        Kind::ServiceAccountMissing => meaning(
            "The pod's service account does not exist.",
            causes! {
                "sa-missing" => "the pod template names one that was deleted, or never created in this namespace",
            },
        ),
        Kind::RoleNotAnnotated => meaning(
            "The service account names no role in its annotation. Here the CSI driver or external-secrets reads it, not the webhook.",
            causes! {
                "sa-not-annotated" => "the service account has no annotation eks.amazonaws.com/role-arn",
                "annotation-key-typo" => "the annotation key is misspelt",
                "pod-uses-other-sa" => "the pod that mounts the volume runs as a different service account than the annotated one",
                "pi-no-association" => "the role is meant to come from EKS Pod Identity, and the volume does not say usePodIdentity",
            },
        ),
        Kind::MountedTwice => meaning(
            "The API server refuses the pod: two volumes are mounted at the same path.",
            causes! {
                "mountpath-collision" => "the pod template has a mount at the path of the webhook's",
                "other-webhook-strips" => "two webhooks each add the mount, or one is invoked again after another",
            },
        ),
        Kind::KubernetesTokenMissing => meaning(
            "The token for the Kubernetes API is not mounted. AWS uses a different file.",
            causes! {
                "automount-false" => "automountServiceAccountToken is false; this does not affect AWS",
            },
        ),
        Kind::EksctlExcluded => meaning(
            "eksctl found a stack for the service account and left the service account unchanged.",
            causes! {
                "eksctl-excluded" => "the stack exists, but the service account is missing or has an older role",
            },
        ),
        Kind::Wrapper(_) => meaning(
            "A program starts another one with an environment of its own: the pod's variables do not get through.",
            causes! {
                "process-environment-differs" => "the SDK of the program that it starts finds no credentials",
            },
        ),
        Kind::Other => meaning("An AWS error that says nothing about the pod's identity.", &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_error::phrases::PHRASES;
    use crate::aws_error::{Subject, parse};
    use crate::checks;

    fn every_meaning() -> impl Iterator<Item = Meaning> {
        let said = PHRASES.iter().filter_map(|phrase| phrase.kind());
        let refined = [
            Kind::RequestInvalid,
            Kind::NotAuthorizedToChain,
            Kind::NotAuthorizedToTag,
            Kind::NodeNotAuthorized,
            Kind::AgentUnreachable,
            Kind::AgentTls,
            Kind::AgentIpv6Rejected,
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
            assert!(what.ends_with('.'), "{what}");
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
    fn what_is_about_identity_has_causes_and_nothing_else() {
        for kind in PHRASES.iter().filter_map(|phrase| phrase.kind()) {
            let has_none = of_kind(kind).causes.is_empty();
            let other =
                matches!(kind, Kind::InvalidPrincipal | Kind::KubernetesTokenMissing | Kind::Wrapper(_));
            assert_eq!(has_none, kind.about() == Subject::Unrelated && !other, "{kind:?}");
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
        let cluster =
            "eks-auth:AssumeRoleForPodIdentity on resource: arn:aws:eks:eu-west-1:111122223333:cluster/shop";
        assert_eq!(first(node, cluster), "pi-node-role");
        assert_eq!(
            first(node, &format!("{cluster} because no identity-based policy allows it")),
            "pi-node-role"
        );
        for (policy, id) in
            [("a service control policy", "perm-scp"), ("a VPC endpoint policy", "perm-vpce-policy")]
        {
            assert_eq!(first(node, &format!("{cluster} with an explicit deny in {policy}")), id);
        }
        let same = "sts:AssumeRole on resource: arn:aws:iam::111122223333:role/team/shop";
        assert_eq!(first(pod, same), "config-role-arn-double-assume");
    }
}
