//! The phrases by which errors are recognised. They are quoted from AWS and the SDKs; where a phrase alone is too common, it
//! counts only next to a mark that ties it to AWS.

use std::sync::LazyLock;

use super::kind::{Claim, Kind, Wrapper};
use super::sdk::SdkName;

/// What a phrase means. In a record with several phrases, those that say most count and the others are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// An error.
    Error { kind: Kind, weight: Weight, beside: Option<Mark> },
    /// What the record is about.
    Mark(Mark),
    /// Which SDK reports it.
    Sdk(SdkName),
}

/// How much a phrase says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// The message of an error.
    Message,
    /// How a connection failed.
    Transport,
    /// Only the error's code.
    Code,
    /// What is said when all else has failed.
    Last,
}

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// AWS in general.
    Aws,
    /// STS.
    Sts,
    /// S3, which does not name the caller it denies.
    S3,
    /// The agent of EKS Pod Identity, or EKS Auth.
    PodIdentity,
    /// The file of a web identity token.
    TokenFile,
    /// The token for the Kubernetes API.
    KubernetesToken,
    /// A volume that the webhook adds.
    TokenVolume,
    /// The webhook.
    Webhook,
    /// The instance metadata service.
    InstanceMetadata,
    /// A name that is being resolved.
    Lookup,
    /// A request with its signature in the URL.
    Presigned,
    /// A provider of credentials, in a stack trace.
    CredentialsProvider,
    /// A mount in a pod's spec.
    Mount,
}

/// A phrase, in lower case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Phrase {
    pub text: &'static str,
    pub sign: Sign,
}

#[cfg(test)]
impl Phrase {
    /// The error that it means.
    pub(super) const fn kind(&self) -> Option<Kind> {
        match self.sign {
            Sign::Error { kind, .. } => Some(kind),
            Sign::Mark(_) | Sign::Sdk(_) => None,
        }
    }
}

const fn error(text: &'static str, kind: Kind, weight: Weight, beside: Option<Mark>) -> Phrase {
    Phrase { text, sign: Sign::Error { kind, weight, beside } }
}

const fn says(text: &'static str, kind: Kind) -> Phrase {
    error(text, kind, Weight::Message, None)
}

const fn beside(mark: Mark, text: &'static str, kind: Kind) -> Phrase {
    error(text, kind, Weight::Message, Some(mark))
}

const fn code(text: &'static str, kind: Kind) -> Phrase {
    error(text, kind, Weight::Code, None)
}

const fn code_beside(mark: Mark, text: &'static str, kind: Kind) -> Phrase {
    error(text, kind, Weight::Code, Some(mark))
}

/// Only with a host of AWS, or next to a mention of AWS (`transport`).
const fn wire(text: &'static str, kind: Kind) -> Phrase {
    error(text, kind, Weight::Transport, None)
}

const fn last(text: &'static str, kind: Kind) -> Phrase {
    error(text, kind, Weight::Last, None)
}

const fn mark(text: &'static str, mark: Mark) -> Phrase {
    Phrase { text, sign: Sign::Mark(mark) }
}

const fn sdk(text: &'static str, name: SdkName) -> Phrase {
    Phrase { text, sign: Sign::Sdk(name) }
}

const EXPIRED: Kind = Kind::TokenExpired { now: None, expired: None };

pub(super) const PHRASES: &[Phrase] = &[
    // STS's answers.
    says("request arn is invalid", Kind::InvalidRoleArn),
    says("invalid length for parameter rolearn", Kind::RoleArnTooShort),
    says("at 'rolearn' failed to satisfy constraint", Kind::RoleArnTooShort),
    says("invalid length for parameter rolesessionname", Kind::SessionNameInvalid),
    says("at 'rolesessionname' failed to satisfy constraint", Kind::SessionNameInvalid),
    says("at 'durationseconds' failed to satisfy constraint", Kind::DurationTooLong),
    says("exceeds the maxsessionduration set for this role", Kind::DurationTooLong),
    says("exceeds the 1 hour session limit for roles assumed by role chaining", Kind::ChainHourLimit),
    says("sts is not activated in this region for account", Kind::RegionDisabled),
    says("the id token provided is not a valid jwt", Kind::NotAJwt),
    says("provided token is not a login with amazon token", Kind::NotAnOidcToken),
    says("missing a required claim: aud", Kind::MissingClaim(Claim::Aud)),
    says("missing a required claim: sub", Kind::MissingClaim(Claim::Sub)),
    says("missing a required claim:", Kind::MissingClaim(Claim::Other)),
    says("no openidconnect provider found in your account", Kind::NoProvider),
    says("couldn't retrieve verification key from your identity provider", Kind::NoVerificationKey),
    says("https certificate doesn't match configured thumbprint", Kind::ThumbprintMismatch),
    says("web identity token provided could not be validated", Kind::TokenNotValidated),
    says("web identity token that was passed could not be validated", Kind::TokenNotValidated),
    says("token expired: current date/time", EXPIRED),
    says("token too old:", Kind::TokenTooOld),
    says("incorrect token audience", Kind::IncorrectAudience),
    says("not authorized to perform sts:assumerolewithwebidentity", Kind::NotAuthorizedToAssume),
    beside(Mark::Sts, "rate exceeded", Kind::Throttled),
    code("regiondisabledexception", Kind::RegionDisabled),
    code("idpcommunicationerror", Kind::IdpCommunication),
    code("idprejectedclaim", Kind::IdpRejectedClaim),
    code("invalididentitytoken", Kind::TokenNotValidated),
    code_beside(Mark::Sts, "expiredtokenexception", EXPIRED),
    code_beside(Mark::Sts, "throttling", Kind::Throttled),
    // Fluent Bit, flb_aws_credentials_sts.c.
    says("sts assume role request failed", Kind::ExchangeFailed),
    says("[aws_credentials] failed to parse response from sts", Kind::ExchangeFailed),
    // STS itself failed: 503.
    code_beside(Mark::Sts, "serviceunavailable", Kind::ExchangeFailed),
    // PHP, AssumeRoleWithWebIdentityCredentialProvider.php.
    code("error assuming role from web identity credentials", Kind::ExchangeFailed),
    // Other answers of AWS. `reader` tells the actions apart.
    says("is not authorized to perform:", Kind::NotAuthorized),
    says("the security token included in the request is invalid", Kind::InvalidClientToken),
    says("not able to validate the provided access credentials", Kind::InvalidClientToken),
    says("aws access key id you provided does not exist", Kind::InvalidClientToken),
    says("the security token included in the request is expired", Kind::CredentialsExpired),
    says("credential should be scoped to a valid region", Kind::SignatureScope),
    says("signature not yet current:", Kind::SignatureNotYetCurrent),
    says("signature expired:", Kind::SignatureExpired),
    says("request time and the current time is too large", Kind::ClockSkewed),
    says("invalid principal in policy", Kind::InvalidPrincipal),
    says("the request signature we calculated does not match", Kind::SignatureMismatch),
    says("the provided token is malformed or otherwise invalid", Kind::InvalidClientToken),
    // ASCP, secrets_manager_provider.go.
    says("failed to fetch secret from all regions", Kind::SecretNotFetched),
    beside(Mark::S3, "request has expired", Kind::PresignedUrlExpired),
    beside(Mark::Presigned, "request has expired", Kind::PresignedUrlExpired),
    says("packed size of session tags consumes", Kind::SessionTagsTooLarge),
    says("packed policy consumes", Kind::SessionTagsTooLarge),
    code("packedpolicytoolarge", Kind::SessionTagsTooLarge),
    beside(Mark::Aws, "the provided token has expired", Kind::CredentialsExpired),
    beside(Mark::Aws, "you are not authorized to perform this operation", Kind::AccessDenied),
    code("invalidclienttokenid", Kind::InvalidClientToken),
    code("unrecognizedclientexception", Kind::InvalidClientToken),
    code("requesttimetooskewed", Kind::ClockSkewed),
    code_beside(Mark::Aws, "(expiredtoken)", Kind::CredentialsExpired),
    code_beside(Mark::Aws, "expiredtoken:", Kind::CredentialsExpired),
    code_beside(Mark::Aws, "(accessdenied) when calling", Kind::AccessDenied),
    code_beside(Mark::Aws, "error code: accessdenied", Kind::AccessDenied),
    code_beside(Mark::Aws, "api error accessdenied", Kind::AccessDenied),
    code_beside(Mark::S3, "accessdenied", Kind::AccessDenied),
    code_beside(Mark::S3, "access denied", Kind::AccessDenied),
    code("accessdenied: access denied", Kind::AccessDenied),
    // An answer to HEAD has no body, and so no code but its status.
    code("(403) when calling the headobject operation", Kind::AccessDenied),
    code("(403) when calling the headbucket operation", Kind::AccessDenied),
    code_beside(Mark::S3, "error code: 403 forbidden", Kind::AccessDenied),
    code_beside(Mark::S3, "api error forbidden", Kind::AccessDenied),
    code_beside(Mark::Aws, "(accessdeniedexception) when calling", Kind::AccessDenied),
    code_beside(Mark::Aws, "error code: accessdeniedexception", Kind::AccessDenied),
    code_beside(Mark::Aws, "api error accessdeniedexception", Kind::AccessDenied),
    code_beside(Mark::Aws, "(unauthorizedoperation) when calling", Kind::AccessDenied),
    code_beside(Mark::Aws, "api error unauthorizedoperation", Kind::AccessDenied),
    code_beside(Mark::Aws, "kmsaccessdeniedexception", Kind::AccessDenied),
    // Arrow, s3_internal.h.
    code("aws error access_denied during", Kind::AccessDenied),
    code("aws error invalid_access_key_id during", Kind::InvalidClientToken),
    code("aws error signature_does_not_match during", Kind::SignatureMismatch),
    code_beside(Mark::Aws, "invalidaccesskeyid", Kind::InvalidClientToken),
    code_beside(Mark::Aws, "missingauthenticationtokenexception", Kind::NoCredentials),
    // SDKs before they ask AWS.
    says("the config profile (", Kind::ProfileNotFound),
    says("sharedconfigprofilenotexist", Kind::ProfileNotFound),
    says("failed to get shared config profile", Kind::ProfileNotFound),
    says("could not be found or parsed in shared credentials file", Kind::ProfileNotFound),
    says("sharedcredsload: failed to get profile", Kind::ProfileNotFound),
    // Go v1, shared_credentials_provider.go.
    last("failed to load shared credentials file", Kind::CredentialsFileMissing),
    // Elasticsearch and OpenSearch, S3Service.java.
    says("is defined but no corresponding symlink exists", Kind::TokenReadElsewhere),
    says("web identity token symlink in the config directory", Kind::TokenReadElsewhere),
    // cert-manager, route53.go.
    says("meant to enable ambient credentials", Kind::AmbientCredentialsOff),
    // Go v1, validation.go.
    says("minimum field size of 2, assumeroleinput.rolesessionname", Kind::SessionNameEmpty),
    says("missing required field, assumeroleinput.rolesessionname", Kind::SessionNameEmpty),
    says("minimum field size of 20, assumeroleinput.rolearn", Kind::RoleArnTooShort),
    // Java: of any HTTP client; the provider makes it that of STS.
    beside(Mark::CredentialsProvider, "connection pool shut down", Kind::ClientClosed),
    beside(Mark::TokenFile, "permission denied", Kind::TokenFileUnreadable),
    beside(Mark::TokenFile, "eacces:", Kind::TokenFileUnreadable),
    beside(Mark::TokenFile, "accessdeniedexception: /", Kind::TokenFileUnreadable),
    beside(Mark::TokenFile, "unreadable tokenfile", Kind::TokenFileUnreadable),
    beside(Mark::TokenFile, "no such file or directory", Kind::TokenFileMissing),
    beside(Mark::TokenFile, "enoent:", Kind::TokenFileMissing),
    beside(Mark::TokenFile, "nosuchfileexception", Kind::TokenFileMissing),
    beside(Mark::TokenFile, "could not find file", Kind::TokenFileMissing),
    beside(Mark::TokenFile, "must be an absolute path", Kind::TokenPathNotAbsolute),
    says("missingwebidentitytokenfile", Kind::TokenFileMissing),
    says("web identity token file does not exist", Kind::TokenFileMissing),
    beside(Mark::Aws, "role arn is not set", Kind::RoleArnNotSet),
    says("with web identity but has no role arn configured", Kind::RoleArnNotSet),
    says("no aws credentials provided by", Kind::NoWebIdentityProvider),
    says("'sts' service module must be on the class path", Kind::NoStsModule),
    says("aws-java-sdk-sts module must be on the class path", Kind::NoStsModule),
    says("awssdk.securitytoken could not be found", Kind::NoStsModule),
    says("you must specify a region", Kind::MissingRegion),
    says("could not find region configuration", Kind::MissingRegion),
    says("failed to get region from metadata server", Kind::MissingRegion),
    says("unable to find a region via the region provider chain", Kind::MissingRegion),
    says("unable to load region from any of the providers in the chain", Kind::MissingRegion),
    says("an aws region is required, but was not found", Kind::MissingRegion),
    says("no regionendpoint or serviceurl configured", Kind::MissingRegion),
    says("missing region; use :region option", Kind::MissingRegion),
    says("missing region in config", Kind::MissingRegion),
    beside(Mark::Aws, "region is missing", Kind::MissingRegion),
    beside(Mark::Sts, "failed to unmarshal error message", Kind::EndpointNotSts),
    beside(Mark::Sts, "nosuchversion", Kind::EndpointNotSts),
    last("unable to locate credentials", Kind::NoCredentials),
    last("nocredentialproviders", Kind::NoCredentials),
    last("no valid providers in chain", Kind::NoCredentials),
    last("no ec2 imds role found", Kind::NoCredentials),
    last("could not load credentials from any providers", Kind::NoCredentials),
    last("missing credentials in config", Kind::NoCredentials),
    last("unable to load credentials from any of the providers in the chain", Kind::NoCredentials),
    last("unable to load aws credentials from any provider in the chain", Kind::NoCredentials),
    last("no providers in chain provided credentials", Kind::NoCredentials),
    last("unable to sign request without credentials set", Kind::NoCredentials),
    last("unable to get iam security credentials from ec2 instance metadata", Kind::NoCredentials),
    last("failed to resolve aws credentials", Kind::NoCredentials),
    last("no aws credentials provided by", Kind::NoCredentials),
    // aws-c-s3 and Mountpoint.
    last("no signing credentials available", Kind::NoCredentials),
    last("sign an http request without credentials", Kind::NoCredentials),
    // Fluent Bit, flb_signv4.c.
    last("[signv4] provider returned no credentials", Kind::NoCredentials),
    // Rust, aws-credential-types.
    last("the credential provider was not enabled", Kind::NoCredentials),
    last("no ec2 instance role found", Kind::NoInstanceMetadata),
    last("failed to make ec2metadata request", Kind::NoInstanceMetadata),
    last("ec2 metadata rolename request returned error", Kind::NoInstanceMetadata),
    // Java 1 and 2, EC2ResourceFetcher and HttpResourcesUtils.
    last("failed to connect to service endpoint", Kind::NoInstanceMetadata),
    last("the requested metadata is not found at", Kind::NoInstanceMetadata),
    last("failed to load credentials from imds", Kind::NoInstanceMetadata),
    last("could not communicate with imds", Kind::NoInstanceMetadata),
    last("error retrieving credentials from the instance profile metadata", Kind::NoInstanceMetadata),
    // The way to AWS.
    wire("no such host", Kind::NoSuchHost),
    // A bare `ENOTFOUND` is part of `ResourceNotFoundException` too.
    wire("getaddrinfo enotfound", Kind::NoSuchHost),
    wire("'enotfound'", Kind::NoSuchHost),
    wire("\"enotfound\"", Kind::NoSuchHost),
    wire("unknownhostexception", Kind::NoSuchHost),
    wire("could not resolve host", Kind::NoSuchHost),
    wire("couldn't resolve host", Kind::NoSuchHost),
    wire("name or service not known", Kind::NoSuchHost),
    wire("temporary failure in name resolution", Kind::DnsTimeout),
    wire("resolving timed out", Kind::DnsTimeout),
    wire("eai_again", Kind::DnsTimeout),
    wire("i/o timeout", Kind::ConnectTimeout),
    wire("connect etimedout", Kind::ConnectTimeout),
    wire("'etimedout'", Kind::ConnectTimeout),
    wire("\"etimedout\"", Kind::ConnectTimeout),
    wire("connect timed out", Kind::ConnectTimeout),
    wire("connection timed out", Kind::ConnectTimeout),
    wire("operation timed out", Kind::ConnectTimeout),
    wire("timeout was reached", Kind::ConnectTimeout),
    wire("tls handshake timeout", Kind::ConnectTimeout),
    wire("read timeout on endpoint url", Kind::ConnectTimeout),
    wire("net::opentimeout", Kind::ConnectTimeout),
    wire("curl error 28:", Kind::ConnectTimeout),
    wire("connect timeout on endpoint url", Kind::ConnectTimeout),
    wire("connecttimeouterror", Kind::ConnectTimeout),
    wire("http connect timeout occurred", Kind::ConnectTimeout),
    wire("context deadline exceeded", Kind::ConnectTimeout),
    wire("connection refused", Kind::ConnectionRefused),
    wire("econnrefused", Kind::ConnectionRefused),
    wire("could not connect to the endpoint url", Kind::ConnectFailed),
    wire("connection reset", Kind::ConnectFailed),
    wire("econnreset", Kind::ConnectFailed),
    wire("socket hang up", Kind::ConnectFailed),
    wire("failed to respond", Kind::ConnectFailed),
    wire("\": eof", Kind::ConnectFailed),
    wire("unexpected eof", Kind::ConnectFailed),
    wire("unexpected_eof", Kind::ConnectFailed),
    wire("eof occurred in violation of protocol", Kind::ConnectFailed),
    wire("during handshake", Kind::ConnectFailed),
    wire("terminated the handshake", Kind::ConnectFailed),
    wire("error sending request", Kind::ConnectFailed),
    wire("network error when sending http request", Kind::ConnectFailed),
    wire("aws error network_connection during", Kind::ConnectFailed),
    // libcurl's strerror.c, as PHP (`cURL error 28`) and C++ (`curlCode: 28`) quote it.
    wire("curl error 7:", Kind::ConnectFailed),
    wire("curl error 35:", Kind::ConnectFailed),
    wire("curl error 52:", Kind::ConnectFailed),
    wire("curl error 56:", Kind::ConnectFailed),
    wire("ssl connect error", Kind::ConnectFailed),
    wire("empty reply from server", Kind::ConnectFailed),
    wire("server returned nothing", Kind::ConnectFailed),
    wire("connection was closed before we received a valid response", Kind::ConnectFailed),
    wire("certificate signed by unknown authority", Kind::TlsUnknownAuthority),
    wire("unable to get local issuer certificate", Kind::TlsUnknownAuthority),
    wire("self signed certificate in certificate chain", Kind::TlsUnknownAuthority),
    wire("self-signed certificate in certificate chain", Kind::TlsUnknownAuthority),
    wire("unable to find valid certification path", Kind::TlsUnknownAuthority),
    wire("unable_to_get_issuer_cert_locally", Kind::TlsUnknownAuthority),
    wire("unknownissuer", Kind::TlsUnknownAuthority),
    wire("certificate_verify_failed", Kind::TlsUnknownAuthority),
    wire("peer certificate or ssh remote key was not ok", Kind::TlsUnknownAuthority),
    wire("error setting certificate", Kind::TlsUnknownAuthority),
    wire("problem with the ssl ca cert", Kind::TlsUnknownAuthority),
    wire("curl error 60:", Kind::TlsUnknownAuthority),
    wire("remotecertificatechainerrors", Kind::TlsUnknownAuthority),
    wire("doesn't match either of", Kind::TlsWrongName),
    wire("certificate is valid for", Kind::TlsWrongName),
    wire("hostname/ip does not match certificate", Kind::TlsWrongName),
    wire("hostname mismatch, certificate is not valid for", Kind::TlsWrongName),
    wire("no alternative certificate subject name matches", Kind::TlsWrongName),
    wire("remotecertificatenamemismatch", Kind::TlsWrongName),
    wire("notvalidforname", Kind::TlsWrongName),
    wire("no subject alternative dns name matching", Kind::TlsWrongName),
    wire("proxyconnect tcp", Kind::Proxy),
    wire("failed to connect to proxy url", Kind::Proxy),
    wire("cannot connect to proxy", Kind::Proxy),
    wire("tunnel connection failed", Kind::Proxy),
    wire("unexpected response code for connect", Kind::Proxy),
    wire("could not resolve proxy", Kind::Proxy),
    wire("couldn't resolve proxy", Kind::Proxy),
    wire("from proxy after connect", Kind::Proxy),
    wire("connect tunnel failed", Kind::Proxy),
    // EKS Pod Identity.
    says("eks does not have permissions to assume the associated role", Kind::PodIdentityDenied),
    beside(Mark::PodIdentity, "the token included in the request is expired", Kind::PodIdentityTokenExpired),
    beside(Mark::PodIdentity, "context canceled", Kind::EksAuthUnreachable),
    says("service account token cannot be empty", Kind::PodIdentityTokenMalformed),
    says("token is malformed: could not base64 decode header", Kind::PodIdentityTokenMalformed),
    says("auth token value is not a legal header value", Kind::PodIdentityTokenMalformed),
    says("called agent through invalid address", Kind::AgentWrongAddress),
    says("is not a valid container metadata service hostname", Kind::AgentHostRejected),
    says("only loopback hosts are allowed", Kind::AgentHostRejected),
    says("invalid full uri for ecs provider", Kind::AgentHostRejected),
    // `record` tells the two addresses apart.
    says("aws_container_credentials_full_uri has an invalid host", Kind::AgentHostRejected),
    beside(Mark::PodIdentity, "unsupported host", Kind::AgentHostRejected),
    code_beside(Mark::PodIdentity, "accessdeniedexception", Kind::PodIdentityDenied),
    code_beside(Mark::PodIdentity, "resourcenotfoundexception", Kind::PodIdentityNotFound),
    code_beside(Mark::PodIdentity, "expiredtokenexception", Kind::PodIdentityTokenExpired),
    code_beside(Mark::PodIdentity, "invalidtokenexception", Kind::PodIdentityTokenInvalid),
    code_beside(Mark::PodIdentity, "throttlingexception", Kind::PodIdentityThrottled),
    code_beside(Mark::PodIdentity, "too many requests", Kind::PodIdentityThrottled),
    // Kubernetes.
    beside(Mark::TokenVolume, "failed to fetch token", Kind::TokenMountFailed),
    says("not found in pod spec volume", Kind::NodeAudienceRestricted),
    says("is not authorized to request tokens for audience", Kind::NodeAudienceRestricted),
    beside(Mark::Webhook, "failed calling webhook", Kind::WebhookFailed),
    says("error looking up service account", Kind::ServiceAccountMissing),
    // ASCP, auth.go; external-secrets, aws/auth/resolver.go.
    says("iam role must be associated with service account", Kind::RoleNotAnnotated),
    beside(Mark::Mount, "must be unique", Kind::MountedTwice),
    beside(Mark::KubernetesToken, "no such file or directory", Kind::KubernetesTokenMissing),
    says("excluded (based on the include/exclude rules)", Kind::EksctlExcluded),
    // About neither identity nor the way: S3, DynamoDB, SQS, Kinesis, Secrets Manager, KMS, ECR, IAM. After those of STS and EKS
    // Auth, which have some of these codes too.
    code_beside(Mark::Aws, "nosuchkey", Kind::NotFound),
    code_beside(Mark::Aws, "nosuchbucket", Kind::NotFound),
    code_beside(Mark::Aws, "nosuchupload", Kind::NotFound),
    code_beside(Mark::Aws, "nosuchentity", Kind::NotFound),
    code_beside(Mark::Aws, "resourcenotfoundexception", Kind::NotFound),
    code_beside(Mark::Aws, "parameternotfound", Kind::NotFound),
    code_beside(Mark::Aws, "repositorynotfoundexception", Kind::NotFound),
    code_beside(Mark::Aws, "imagenotfoundexception", Kind::NotFound),
    code_beside(Mark::Aws, "queuedoesnotexist", Kind::NotFound),
    code_beside(Mark::Aws, "nonexistentqueue", Kind::NotFound),
    code_beside(Mark::Aws, "nosuchhostedzone", Kind::NotFound),
    code("(404) when calling the", Kind::NotFound),
    code_beside(Mark::S3, "error code: 404 not found", Kind::NotFound),
    code_beside(Mark::S3, "api error notfound", Kind::NotFound),
    code("aws error no_such_bucket during", Kind::NotFound),
    code("aws error no_such_key during", Kind::NotFound),
    code("aws error resource_not_found during", Kind::NotFound),
    code_beside(Mark::Aws, "slowdown", Kind::ServiceThrottled),
    code_beside(Mark::Aws, "slow_down", Kind::ServiceThrottled),
    code_beside(Mark::Aws, "throttling", Kind::ServiceThrottled),
    code_beside(Mark::Aws, "requestlimitexceeded", Kind::ServiceThrottled),
    code_beside(Mark::Aws, "provisionedthroughputexceeded", Kind::ServiceThrottled),
    code_beside(Mark::Aws, "requestthrottled", Kind::ServiceThrottled),
    code_beside(Mark::Aws, "toomanyrequestsexception", Kind::ServiceThrottled),
    code_beside(Mark::Aws, "priorrequestnotcomplete", Kind::ServiceThrottled),
    code_beside(Mark::Aws, "permanentredirect", Kind::WrongRegion),
    code_beside(Mark::Aws, "authorizationheadermalformed", Kind::WrongRegion),
    code_beside(Mark::Aws, "illegallocationconstraint", Kind::WrongRegion),
    code_beside(Mark::Aws, "bucketregionerror", Kind::WrongRegion),
    code_beside(Mark::Aws, "must be addressed using the specified endpoint", Kind::WrongRegion),
    code_beside(Mark::Aws, "conditionalcheckfailed", Kind::RequestRejected),
    code_beside(Mark::Aws, "transactioncanceledexception", Kind::RequestRejected),
    code_beside(Mark::Aws, "transactionconflictexception", Kind::RequestRejected),
    code_beside(Mark::Aws, "preconditionfailed", Kind::RequestRejected),
    code_beside(Mark::Aws, "expirediteratorexception", Kind::RequestRejected),
    code_beside(Mark::Aws, "entityalreadyexists", Kind::RequestRejected),
    code_beside(Mark::Aws, "resourceinuseexception", Kind::RequestRejected),
    code_beside(Mark::Aws, "bucketalreadyownedbyyou", Kind::RequestRejected),
    code_beside(Mark::Aws, "limitexceededexception", Kind::RequestRejected),
    code_beside(Mark::Aws, "entitytoolarge", Kind::RequestRejected),
    code_beside(Mark::Aws, "serviceunavailable", Kind::ServiceFailed),
    code_beside(Mark::Aws, "internalservererror", Kind::ServiceFailed),
    code_beside(Mark::Aws, "internalserviceerror", Kind::ServiceFailed),
    code_beside(Mark::Aws, "kmsinternalexception", Kind::ServiceFailed),
    // Programs that take away the container's variables. They stand in logs of whoever starts them.
    last("envdir /", Kind::Wrapper(Wrapper::Envdir)),
    last("env -i ", Kind::Wrapper(Wrapper::Env)),
    last("sudo -u ", Kind::Wrapper(Wrapper::Sudo)),
    last("sudo -i ", Kind::Wrapper(Wrapper::Sudo)),
    last(") cmd (", Kind::Wrapper(Wrapper::Cron)),
    last("s6-setuidgid", Kind::Wrapper(Wrapper::S6)),
    last("s6-rc: ", Kind::Wrapper(Wrapper::S6)),
    // What a record is about.
    mark("amazonaws", Mark::Aws),
    // Only names that SDKs print: `aws_region` is a field in many a log.
    mark("aws_access_key_id", Mark::Aws),
    mark("aws_container_credentials", Mark::Aws),
    mark("aws_profile", Mark::Aws),
    mark("aws_role_arn", Mark::Aws),
    mark("aws_session_token", Mark::Aws),
    mark("aws_web_identity_token_file", Mark::Aws),
    mark("aws error ", Mark::Aws),
    mark("aws http error", Mark::Aws),
    mark("api error ", Mark::Aws),
    mark("generic s3 error", Mark::Aws),
    mark("awssdk", Mark::Aws),
    mark("aws-sdk", Mark::Aws),
    mark("aws_config", Mark::Aws),
    mark("botocore", Mark::Aws),
    mark("operation error ", Mark::Aws),
    mark("an error occurred (", Mark::Aws),
    mark("send request failed", Mark::Aws),
    mark("amazon.runtime", Mark::Aws),
    mark("assumerole", Mark::Aws),
    mark("webidentityerr", Mark::Aws),
    mark("webidentitytoken", Mark::Aws),
    mark("webidentitycredential", Mark::Aws),
    mark("endpoint url", Mark::Aws),
    mark("status code: 400, request id", Mark::Aws),
    mark("status code: 403, request id", Mark::Aws),
    mark("assumerolewith", Mark::Sts),
    mark("webidentityerr", Mark::Sts),
    mark("webidentitytoken", Mark::Sts),
    mark("webidentitycredential", Mark::Sts),
    mark("calling the assumerole operation", Mark::Sts),
    mark("operation error sts", Mark::Sts),
    mark("service: sts", Mark::Sts),
    mark("securitytoken", Mark::Sts),
    mark("//sts.", Mark::Sts),
    mark("s3exception", Mark::S3),
    mark("operation error s3:", Mark::S3),
    mark("service: s3", Mark::S3),
    mark("service: amazon s3", Mark::S3),
    mark("s3 extended request id", Mark::S3),
    mark("generic s3 error", Mark::S3),
    mark("calling the headobject operation", Mark::S3),
    mark("eks auth", Mark::PodIdentity),
    mark("assumeroleforpodidentity", Mark::PodIdentity),
    mark("fault: client", Mark::PodIdentity),
    mark("container metadata", Mark::PodIdentity),
    mark("container-role", Mark::PodIdentity),
    mark("169.254.170.23", Mark::PodIdentity),
    mark("fd00:ec2::23", Mark::PodIdentity),
    mark("eks.amazonaws.com/serviceaccount", Mark::TokenFile),
    mark("eks.amazonaws.com\\serviceaccount", Mark::TokenFile),
    mark("aws_web_identity_token_file", Mark::TokenFile),
    mark("webidentitytokenfile", Mark::TokenFile),
    mark("failed fetching webidentity token", Mark::TokenFile),
    mark("failed to retrieve jwt from provide source", Mark::TokenFile),
    mark("unreadable tokenfile", Mark::TokenFile),
    mark("kubernetes.io/serviceaccount/token", Mark::KubernetesToken),
    mark("volume \"aws-iam-token\"", Mark::TokenVolume),
    mark("volume \"eks-pod-identity-token\"", Mark::TokenVolume),
    mark("pod-identity-webhook", Mark::Webhook),
    mark("iam-for-pods", Mark::Webhook),
    mark("imds", Mark::InstanceMetadata),
    mark("ec2metadata", Mark::InstanceMetadata),
    mark("latest/meta-data", Mark::InstanceMetadata),
    mark(": lookup ", Mark::Lookup),
    mark("x-amz-expires", Mark::Presigned),
    mark("<expires>", Mark::Presigned),
    mark("credentialsprovider", Mark::CredentialsProvider),
    mark("resolvecredentials", Mark::CredentialsProvider),
    mark("assumerolewithwebidentity", Mark::CredentialsProvider),
    mark(".mountpath", Mark::Mount),
    // Who speaks.
    sdk("botocore.", SdkName::Botocore),
    sdk("an error occurred (", SdkName::Botocore),
    sdk("when retrieving credentials from container-role", SdkName::Botocore),
    sdk("webidentityerr", SdkName::GoV1),
    sdk("nocredentialproviders", SdkName::GoV1),
    sdk("requesterror: send request failed", SdkName::GoV1),
    sdk("operation error ", SdkName::GoV2),
    sdk("failed to refresh cached credentials", SdkName::GoV2),
    sdk("software.amazon.awssdk", SdkName::JavaV2),
    sdk("aws error ", SdkName::Cpp),
    sdk("contained within environment variable aws_container_credentials_full_uri", SdkName::JavaV2),
    sdk("com.amazonaws.", SdkName::JavaV1),
    sdk("set aws_sdk_load_config=1", SdkName::JsV2),
    sdk("@aws-sdk/", SdkName::JsV3),
    sdk("credentialsprovidererror", SdkName::JsV3),
    sdk("aws::sts::errors", SdkName::Ruby),
    sdk("aws::errors::", SdkName::Ruby),
    sdk("aws\\exception\\", SdkName::Php),
    sdk("error executing \"", SdkName::Php),
    sdk("amazon.runtime.", SdkName::DotNet),
    sdk("amazon.securitytoken.", SdkName::DotNet),
    sdk("aws_config::", SdkName::Rust),
    sdk("for ecs provider (", SdkName::Rust),
    sdk("providererror(providererror {", SdkName::Rust),
    sdk("stsassumerolewebidentitycredentialsprovider", SdkName::Cpp),
];

/// Phrases by their first two bytes, so that a text is read once, whatever the number of phrases.
static BY_START: LazyLock<Vec<Vec<&'static Phrase>>> = LazyLock::new(|| {
    let mut slots = vec![Vec::new(); SLOTS];
    for phrase in PHRASES {
        if let [first, second, ..] = phrase.text.as_bytes() {
            slots[slot(*first, *second)].push(phrase);
        }
    }
    slots
});

const SLOTS: usize = 1 << 10;

fn slot(first: u8, second: u8) -> usize {
    ((usize::from(first) << 5) ^ usize::from(second)) % SLOTS
}

/// Every phrase in a text of lower case, with where it starts; in the order of the text.
pub(super) fn find(lower: &str) -> impl Iterator<Item = (usize, &'static Phrase)> {
    let bytes = lower.as_bytes();
    bytes.windows(2).enumerate().flat_map(move |(at, pair)| {
        let here = &BY_START[slot(pair[0], pair[1])];
        here.iter()
            .filter(move |phrase| bytes[at..].starts_with(phrase.text.as_bytes()))
            .map(move |phrase| (at, *phrase))
    })
}

/// True if a text of lower case has a phrase of an error.
pub(super) fn tells_of_an_error(lower: &str) -> bool {
    find(lower).any(|(_, phrase)| matches!(phrase.sign, Sign::Error { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_lower_case_and_said_once() {
        let mut seen = std::collections::BTreeSet::new();
        for phrase in PHRASES {
            assert_eq!(phrase.text, phrase.text.to_ascii_lowercase());
            assert!(phrase.text.len() >= 4, "{}", phrase.text);
            assert!(
                seen.insert((phrase.text, format!("{:?}", phrase.sign))),
                "{} is there twice",
                phrase.text
            );
        }
    }

    #[test]
    fn overlapping_phrases_are_all_found() {
        let found: Vec<_> =
            find("xx an error occurred (expiredtokenexception)").map(|(at, it)| (at, it.text)).collect();
        assert!(
            found.contains(&(3, "an error occurred (")) && found.contains(&(22, "expiredtokenexception")),
            "{found:?}"
        );
        assert_eq!(find("").count() + find("a").count() + find("é").count(), 0);
    }
}
