//! Errors as applications print them, SDK by SDK; and what must never come out.

use proptest::prelude::*;

use super::*;

const ROLE: &str = "arn:aws:iam::111122223333:role/shop-checkout";
const ISSUER: &str = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E";

fn kinds(text: &str) -> Vec<Kind> {
    parse(text).iter().map(|sighting| sighting.kind).collect()
}

fn only(text: &str) -> Sighting {
    let mut found = parse(text);
    assert_eq!(found.len(), 1, "{text}\n{found:#?}");
    found.remove(0)
}

fn sdk_of(text: &str) -> Option<SdkName> {
    only(text).sdk.map(|sdk| sdk.name)
}

#[test]
fn a_refused_role_in_the_words_of_every_sdk() {
    for (text, sdk) in [
        (
            "Traceback (most recent call last):\n  File \"/app/botocore/client.py\", line 586, in _make_api_call\n\
             botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized to perform sts:AssumeRoleWithWebIdentity",
            Some(SdkName::Botocore),
        ),
        (
            "aws: [ERROR]: An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized to perform sts:AssumeRoleWithWebIdentity",
            Some(SdkName::Botocore),
        ),
        (
            "WebIdentityErr: failed to retrieve credentials\ncaused by: AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity\n\tstatus code: 403, request id: 5c3f9ce5-ba7d-495e-98b1-ffcd5cf85133",
            Some(SdkName::GoV1),
        ),
        (
            r#"{"level":"error","ts":1657324768.86,"logger":"controller","msg":"Reconciler error","error":"WebIdentityErr: failed to retrieve credentials\ncaused by: AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity\n\tstatus code: 403, request id: 5c3f9ce5-ba7d-495e-98b1-ffcd5cf85133"}"#,
            Some(SdkName::GoV1),
        ),
        (
            "2024-06-13T17:28:40Z ERROR get identity: get credentials: failed to refresh cached credentials, failed to retrieve credentials, operation error STS: AssumeRoleWithWebIdentity, https response error StatusCode: 403, RequestID: 5c3f9ce5-ba7d-495e-98b1-ffcd5cf85133, api error AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",
            Some(SdkName::GoV2),
        ),
        (
            "org.apache.hadoop.fs.s3a.auth.NoAuthWithAWSException: No AWS Credentials provided by WebIdentityTokenCredentialsProvider : com.amazonaws.services.securitytoken.model.AWSSecurityTokenServiceException: Not authorized to perform sts:AssumeRoleWithWebIdentity (Service: AWSSecurityTokenService; Status Code: 403; Error Code: AccessDenied; Request ID: 5c3f9ce5-ba7d-495e-98b1-ffcd5cf85133; Proxy: null)",
            Some(SdkName::JavaV1),
        ),
        (
            "software.amazon.awssdk.services.sts.model.StsException: Not authorized to perform sts:AssumeRoleWithWebIdentity (Service: Sts, Status Code: 403, Request ID: 5c3f9ce5-ba7d-495e-98b1-ffcd5cf85133, Extended Request ID: null)\n\tat software.amazon.awssdk.core.internal.http.CombinedResponseHandler.handle(CombinedResponseHandler.java:123)",
            Some(SdkName::JavaV2),
        ),
        (
            "software.amazon.awssdk.core.exception.SdkClientException: Unable to load credentials from any of the providers in the chain AwsCredentialsProviderChain(credentialsProviders=[EnvironmentVariableCredentialsProvider(), WebIdentityTokenCredentialsProvider()]) : [WebIdentityTokenCredentialsProvider(): Not authorized to perform sts:AssumeRoleWithWebIdentity (Service: Sts, Status Code: 403, Request ID: 5c3f9ce5-ba7d-495e-98b1-ffcd5cf85133), InstanceProfileCredentialsProvider(): Failed to load credentials from IMDS.]",
            Some(SdkName::JavaV2),
        ),
        (
            "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity\n    at throwDefaultError (/app/node_modules/@smithy/smithy-client/dist-cjs/index.js:838:20) {\n  '$fault': 'client',\n  Code: 'AccessDenied',\n  Type: 'Sender'",
            None,
        ),
        (
            r#"{"error":{"message":"Missing credentials in config, if using AWS_CONFIG_FILE, set AWS_SDK_LOAD_CONFIG=1","code":"CredentialsError","originalError":{"message":"Not authorized to perform sts:AssumeRoleWithWebIdentity","code":"AccessDenied","requestId":"5c3f9ce5-ba7d-495e-98b1-ffcd5cf85133"}}}"#,
            Some(SdkName::JsV2),
        ),
        (
            "/usr/lib/ruby/gems/aws-sdk-core-3.201.3/lib/seahorse/client/plugins/raise_response_errors.rb:17:in `call': Not authorized to perform sts:AssumeRoleWithWebIdentity (Aws::STS::Errors::AccessDenied)",
            Some(SdkName::Ruby),
        ),
        (
            r#"PHP Fatal error: Uncaught exception 'Aws\Sts\Exception\StsException' with message 'Error executing "AssumeRoleWithWebIdentity" on "https://sts.amazonaws.com"; AWS HTTP error: Client error: `POST https://sts.amazonaws.com` resulted in a `403 Forbidden` response: AccessDenied (client): Not authorized to perform sts:AssumeRoleWithWebIdentity"#,
            Some(SdkName::Php),
        ),
        (
            "Unhandled exception. Amazon.Runtime.AmazonClientException: Error calling AssumeRole for role arn:aws:iam::111122223333:role/x\n ---> Amazon.SecurityToken.AmazonSecurityTokenServiceException: Not authorized to perform sts:AssumeRoleWithWebIdentity ---> Amazon.Runtime.Internal.HttpErrorResponseException",
            Some(SdkName::DotNet),
        ),
        (
            r#"{"level":"WARN","fields":{"message":"provider failed to provide credentials","provider":"WebIdentityToken","error":"an error occurred while loading credentials: service error: unhandled error (AccessDenied) (ProviderError(ProviderError { source: ServiceError(ServiceError { source: Unhandled(Unhandled { meta: ErrorMetadata { code: Some(\"AccessDenied\"), message: Some(\"Not authorized to perform sts:AssumeRoleWithWebIdentity\") } }) }) }))"}}"#,
            Some(SdkName::Rust),
        ),
        (
            "[ERROR] 2023-01-13 08:00:00.000 STSAssumeRoleWebIdentityCredentialsProvider [140] HTTP response code: 403 Exception name: AccessDenied Error message: Not authorized to perform sts:AssumeRoleWithWebIdentity",
            Some(SdkName::Cpp),
        ),
        (
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error><RequestId>5c3f9ce5-ba7d-495e-98b1-ffcd5cf85133</RequestId></ErrorResponse>",
            None,
        ),
        (
            "\u{1b}[31mERROR\u{1b}[0m Not authorized to perform \u{1b}[1msts:AssumeRoleWithWebIdentity\u{1b}[0m",
            None,
        ),
    ] {
        let sighting = only(text);
        assert_eq!(sighting.kind, Kind::NotAuthorizedToAssume, "{text}");
        assert_eq!(sighting.operation.as_deref(), Some("AssumeRoleWithWebIdentity"), "{text}");
        assert_eq!(sighting.sdk.map(|sdk| sdk.name), sdk, "{text}");
        let id = text.contains("5c3f9ce5").then_some("5c3f9ce5-ba7d-495e-98b1-ffcd5cf85133");
        assert_eq!(sighting.request_id.as_deref(), id, "{text}");
    }
}

#[test]
fn every_message_has_its_kind() {
    for (text, kind) in [
        // STS.
        (
            "InvalidIdentityToken: Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
            Kind::NoVerificationKey,
        ),
        (
            "An error occurred (InvalidIdentityToken) when calling the AssumeRoleWithWebIdentity operation: OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint",
            Kind::ThumbprintMismatch,
        ),
        (
            "Missing a required claim: aud (Aws::STS::Errors::InvalidIdentityToken)",
            Kind::MissingClaim(Claim::Aud),
        ),
        ("InvalidIdentityToken: Missing a required claim: sub", Kind::MissingClaim(Claim::Sub)),
        ("InvalidIdentityTokenException: Incorrect token audience", Kind::IncorrectAudience),
        ("CredentialsException: InvalidIdentityToken, retries exhausted", Kind::TokenNotValidated),
        ("IDPCommunicationError: Error communicating with the identity provider", Kind::IdpCommunication),
        ("ValidationError: Request ARN is invalid\n\tstatus code: 400, request id: x", Kind::InvalidRoleArn),
        ("Invalid length for parameter RoleArn, value: 7, valid min length: 20", Kind::RoleArnTooShort),
        (
            "RegionDisabledException: STS is not activated in this region for account:111122223333. Your account administrator can activate STS",
            Kind::RegionDisabled,
        ),
        (
            "operation error STS: AssumeRoleWithWebIdentity, api error Throttling: Rate exceeded",
            Kind::Throttled,
        ),
        // Other answers.
        (
            "InvalidClientTokenId: The security token included in the request is invalid.",
            Kind::InvalidClientToken,
        ),
        (
            "AuthFailure: AWS was not able to validate the provided access credentials",
            Kind::InvalidClientToken,
        ),
        (
            "An error occurred (ExpiredToken) when calling the PutObject operation: The provided token has expired.",
            Kind::CredentialsExpired,
        ),
        (
            "ExpiredTokenException: The security token included in the request is expired",
            Kind::CredentialsExpired,
        ),
        (
            "SignatureDoesNotMatch: Credential should be scoped to a valid region, not 'us-east-1'.",
            Kind::SignatureScope,
        ),
        (
            "SignatureDoesNotMatch: Signature not yet current: 20200612T034853Z is still later than 20200612T034853Z (20200612T033853Z + 5 min.)",
            Kind::SignatureNotYetCurrent,
        ),
        (
            "InvalidSignatureException: Signature expired: 20200612T033853Z is now earlier than 20200612T034853Z (20200612T040353Z - 15 min.)",
            Kind::SignatureExpired,
        ),
        (
            "RequestTimeTooSkewed: The difference between the request time and the current time is too large.",
            Kind::ClockSkewed,
        ),
        (
            "MalformedPolicyDocument: Invalid principal in policy: \"SERVICE\":\"eks.amazonaws.com.cn\"",
            Kind::InvalidPrincipal,
        ),
        (
            "An error occurred (AccessDenied) when calling the ListObjectsV2 operation: Access Denied",
            Kind::AccessDenied,
        ),
        (
            "com.amazonaws.services.s3.model.AmazonS3Exception: Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: X)",
            Kind::AccessDenied,
        ),
        (
            "software.amazon.awssdk.services.s3.model.S3Exception: Access Denied (Service: S3, Status Code: 403)",
            Kind::AccessDenied,
        ),
        (
            "operation error S3: GetObject, https response error StatusCode: 403, api error AccessDenied: Access Denied",
            Kind::AccessDenied,
        ),
        ("AccessDenied: Access Denied\n\tstatus code: 403, request id: X, host id: Y", Kind::AccessDenied),
        // SDKs.
        ("botocore.exceptions.NoCredentialsError: Unable to locate credentials", Kind::NoCredentials),
        (
            "NoCredentialProviders: no valid providers in chain. Deprecated.\n\tFor verbose messaging see aws.Config.CredentialsChainVerboseErrors",
            Kind::NoCredentials,
        ),
        (
            "operation error S3: ListBuckets, get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata, canceled, context deadline exceeded",
            Kind::NoCredentials,
        ),
        ("CredentialsProviderError: Could not load credentials from any providers", Kind::NoCredentials),
        (
            "com.amazonaws.SdkClientException: Unable to load AWS credentials from any provider in the chain: [EnvironmentVariableCredentialsProvider: Unable]",
            Kind::NoCredentials,
        ),
        (
            "Amazon.Runtime.AmazonServiceException: Unable to get IAM security credentials from EC2 Instance Metadata Service.",
            Kind::NoCredentials,
        ),
        (
            "Aws::Errors::MissingCredentialsError (unable to sign request without credentials set)",
            Kind::NoCredentials,
        ),
        (
            "botocore.exceptions.ProfileNotFound: The config profile (shop) could not be found",
            Kind::ProfileNotFound,
        ),
        ("WebIdentityErr: role ARN is not set", Kind::RoleArnNotSet),
        (
            "The provided profile or the current environment is configured to assume role with web identity but has no role ARN configured. Ensure that the profile has the role_arn",
            Kind::RoleArnNotSet,
        ),
        (
            "To use web identity tokens, the 'sts' service module must be on the class path.",
            Kind::NoStsModule,
        ),
        (
            "WebIdentityTokenCredentialsProvider: To use assume role profiles the aws-java-sdk-sts module must be on the class path.",
            Kind::NoStsModule,
        ),
        ("botocore.exceptions.NoRegionError: You must specify a region.", Kind::MissingRegion),
        ("MissingRegion: could not find region configuration", Kind::MissingRegion),
        (
            "System.ArgumentException: The webIdentityTokenFile must be an absolute path.",
            Kind::TokenPathNotAbsolute,
        ),
        (
            "WebIdentityErr: failed to retrieve credentials\ncaused by: SerializationError: failed to unmarshal error message",
            Kind::EndpointNotSts,
        ),
        // Token files.
        (
            "PermissionError: [Errno 13] Permission denied: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token'",
            Kind::TokenFileUnreadable,
        ),
        (
            "WebIdentityErr: failed fetching WebIdentity token: \ncaused by: WebIdentityErr: unable to read file at /var/run/secrets/eks.amazonaws.com/serviceaccount/token\ncaused by: open /var/run/secrets/eks.amazonaws.com/serviceaccount/token: permission denied",
            Kind::TokenFileUnreadable,
        ),
        (
            "failed to retrieve jwt from provide source, unable to read file at /token: open /token: permission denied",
            Kind::TokenFileUnreadable,
        ),
        (
            "Error: EACCES: permission denied, open '/var/run/secrets/eks.amazonaws.com/serviceaccount/token'",
            Kind::TokenFileUnreadable,
        ),
        (
            "java.io.UncheckedIOException: java.nio.file.AccessDeniedException: /var/run/secrets/eks.amazonaws.com/serviceaccount/token",
            Kind::TokenFileUnreadable,
        ),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token'",
            Kind::TokenFileMissing,
        ),
        (
            "Error: ENOENT: no such file or directory, open '/var/run/secrets/eks.amazonaws.com/serviceaccount/token'",
            Kind::TokenFileMissing,
        ),
        (
            r"System.IO.FileNotFoundException: Could not find file 'C:\var\run\secrets\eks.amazonaws.com\serviceaccount\token'",
            Kind::TokenFileMissing,
        ),
        (
            "open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory",
            Kind::KubernetesTokenMissing,
        ),
        // The way to AWS.
        ("dial tcp: lookup sts.us-east-5.amazonaws.com on 172.20.0.10:53: no such host", Kind::NoSuchHost),
        ("Error: getaddrinfo ENOTFOUND sts.eu-west-1.amazonaws.com", Kind::NoSuchHost),
        (
            "software.amazon.awssdk.core.exception.SdkClientException: Received an UnknownHostException when attempting to interact with a service. java.net.UnknownHostException: sts.eu-west-1.amazonaws.com",
            Kind::NoSuchHost,
        ),
        (
            "Post \"https://sts.eu-west-1.amazonaws.com/\": dial tcp: lookup sts.eu-west-1.amazonaws.com on 10.100.0.10:53: read udp 10.0.1.7:40001->10.100.0.10:53: i/o timeout",
            Kind::DnsTimeout,
        ),
        ("getaddrinfo EAI_AGAIN sts.eu-west-1.amazonaws.com", Kind::DnsTimeout),
        ("Connect timeout on endpoint URL: \"https://sts.us-west-2.amazonaws.com/\"", Kind::ConnectTimeout),
        (
            "Unable to execute HTTP request: Connect to sts.amazonaws.com:443 [sts.amazonaws.com/54.239.29.25] failed: connect timed out",
            Kind::ConnectTimeout,
        ),
        (
            "botocore.exceptions.EndpointConnectionError: Could not connect to the endpoint URL: \"https://sts.amazonaws.com/\"",
            Kind::ConnectFailed,
        ),
        (
            "caused by: Post \"http://sts.us-east-1.amazonaws.com/\": read tcp 100.64.15.129:48714->67.220.245.46:80: read: connection reset by peer",
            Kind::ConnectFailed,
        ),
        (
            "operation error STS: AssumeRoleWithWebIdentity, request send failed, Post \"http://localstack:4566/\": dial tcp 10.0.0.1:4566: connect: connection refused",
            Kind::ConnectionRefused,
        ),
        (
            "Post \"https://sts.amazonaws.com/\": x509: certificate signed by unknown authority",
            Kind::TlsUnknownAuthority,
        ),
        (
            "SSL validation failed for https://sts.amazonaws.com/ hostname 'sts.amazonaws.com' doesn't match either of 'sts.eu-west-1.amazonaws.com'",
            Kind::TlsWrongName,
        ),
        (
            "Post \"https://sts.amazonaws.com/\": proxyconnect tcp: dial tcp 10.0.0.9:3128: connect: connection refused",
            Kind::Proxy,
        ),
        (
            "STS failed to assume role from web identity: Unexpected response code for CONNECT: 403 (sts.eu-central-1.amazonaws.com)",
            Kind::Proxy,
        ),
        (
            "org.apache.hadoop.fs.s3a.auth.NoAuthWithAWSException: No AWS Credentials provided by TemporaryAWSCredentialsProvider SimpleAWSCredentialsProvider EnvironmentVariableCredentialsProvider IAMInstanceCredentialsProvider : com.amazonaws.SdkClientException: Unable to load AWS credentials from environment variables",
            Kind::NoWebIdentityProvider,
        ),
        (
            "org.apache.hadoop.fs.s3a.auth.NoAuthWithAWSException: No AWS Credentials provided by WebIdentityTokenCredentialsProvider : com.amazonaws.SdkClientException: Unable to locate specified web identity token file",
            Kind::NoCredentials,
        ),
        // Pod Identity.
        (
            "Error when retrieving credentials from container-role: Error retrieving metadata: Received non 200 response 400 from container metadata: [b69b1279-d140-4eee-b7ea-b124286f544c]: (AccessDeniedException): Unauthorized Exception! EKS does not have permissions to assume the associated role., fault: client",
            Kind::PodIdentityDenied,
        ),
        (
            "Error retrieving metadata: Received non 200 response 400 from container metadata: [b69b1279-d140-4eee-b7ea-b124286f544c]: (AccessDeniedException): reason, fault: client",
            Kind::PodIdentityDenied,
        ),
        (
            "[id]: (ExpiredTokenException): The token included in the request is expired: current date/time 1707400000 must be before the expiration date/time 1707300000, fault: client",
            Kind::PodIdentityTokenExpired,
        ),
        (
            "unable to fetch credentials from EKS Auth: operation error EKS Auth: AssumeRoleForPodIdentity, https response error StatusCode: 400, RequestID: a17127a3-acb1-4531-8926-614944e87e57, ResourceNotFoundException: No association found",
            Kind::PodIdentityNotFound,
        ),
        (
            "[id]: (InvalidTokenException): The token is not valid, fault: client",
            Kind::PodIdentityTokenInvalid,
        ),
        (
            "operation error EKS Auth: AssumeRoleForPodIdentity, https response error StatusCode: 0, RequestID: , canceled, context canceled",
            Kind::EksAuthUnreachable,
        ),
        (
            "operation error EKS Auth: AssumeRoleForPodIdentity, ThrottlingException: slow down",
            Kind::PodIdentityThrottled,
        ),
        (
            "operation error EKS Auth: AssumeRoleForPodIdentity, AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/nodes/i-0123456789abcdef0 is not authorized to perform: eks-auth:AssumeRoleForPodIdentity on resource: arn:aws:eks:eu-west-1:111122223333:cluster/shop",
            Kind::NodeNotAuthorized,
        ),
        (
            "Error fetching credentials: error getting credentials to cache: unable to fetch credentials from EKS Auth: operation error EKS Auth: AssumeRoleForPodIdentity, https response error StatusCode: 0, RequestID: , request send failed, Post \"https://eks-auth.us-east-1.api.aws/clusters/shop/assume-role-for-pod-identity\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
            Kind::AgentTls,
        ),
        (
            "Error retrieving metadata: Received non 200 response 500 from container metadata: tls: failed to verify certificate: x509: certificate signed by unknown authority",
            Kind::AgentTls,
        ),
        (
            "The full URI (http://169.254.170.23/v1/credentials) contained within environment variable AWS_CONTAINER_CREDENTIALS_FULL_URI has an invalid host. Host should resolve to a loopback address or have the full URI be HTTPS.",
            Kind::AgentHostRejected,
        ),
        (
            "ContainerCredentialsProvider(): The full URI (http://[fd00:ec2::23]/v1/credentials) contained within environment variable AWS_CONTAINER_CREDENTIALS_FULL_URI has an invalid host. Host should resolve to a loopback address or have the full URI be HTTPS.",
            Kind::AgentIpv6Rejected,
        ),
        (
            "the credentials provider was not properly configured: invalid full URI for ECS provider (URI did not refer to the loopback interface): http://169.254.170.23/v1/credentials",
            Kind::AgentHostRejected,
        ),
        (
            "CredentialsEndpointError: invalid endpoint host, \"fd00:ec2::23\", only loopback hosts are allowed.",
            Kind::AgentHostRejected,
        ),
        (
            "An error occurred (PackedPolicyTooLarge) when calling the AssumeRole operation: Packed size of session tags consumes 112% of allotted space.",
            Kind::SessionTagsTooLarge,
        ),
        (
            "PackedPolicyTooLargeException: Packed size of session tags consumes 112% of allotted space.",
            Kind::SessionTagsTooLarge,
        ),
        ("Connect timeout on endpoint URL: \"http://169.254.170.23/v1/credentials\"", Kind::AgentUnreachable),
        (
            "Get \"http://169.254.170.23/v1/credentials\": dial tcp 169.254.170.23:80: connect: connection refused",
            Kind::AgentUnreachable,
        ),
        ("'169.254.170.23' is not a valid container metadata service hostname", Kind::AgentHostRejected),
        (
            "Unsupported host '169.254.170.23'. Can only retrieve metadata from these hosts: localhost, 127.0.0.1",
            Kind::AgentHostRejected,
        ),
        (
            "invalid endpoint host, \"169.254.170.23\", only loopback hosts are allowed.",
            Kind::AgentHostRejected,
        ),
        (
            "Access Denied. Called agent through invalid address, please use either 169.254.170.23 or [fd00:ec2::23] address not 10.0.0.1",
            Kind::AgentWrongAddress,
        ),
        (
            "Service account token cannot be parsed: token is malformed: could not base64 decode header: illegal base64 data at input byte 6",
            Kind::PodIdentityTokenMalformed,
        ),
        // PHP, by way of Guzzle: libcurl's number, its message, the URL.
        (
            "Error executing \"AssumeRoleWithWebIdentity\" on \"https://sts.us-east-1.amazonaws.com\"; AWS HTTP error: cURL error 28: Failed to connect to sts.us-east-1.amazonaws.com port 443 after 5001 ms: Timeout was reached (see https://curl.haxx.se/libcurl/c/libcurl-errors.html) for https://sts.us-east-1.amazonaws.com/",
            Kind::ConnectTimeout,
        ),
        (
            "AWS HTTP error: cURL error 28: Resolving timed out after 5000 milliseconds (see https://curl.haxx.se/libcurl/c/libcurl-errors.html) for https://sts.eu-west-1.amazonaws.com/",
            Kind::DnsTimeout,
        ),
        (
            "AWS HTTP error: cURL error 6: Could not resolve host: sts.eu-west-1.amazonaws.com (see https://curl.haxx.se/libcurl/c/libcurl-errors.html)",
            Kind::NoSuchHost,
        ),
        (
            "AWS HTTP error: cURL error 7: Failed to connect to sts.eu-west-1.amazonaws.com port 443 after 3 ms: Connection refused",
            Kind::ConnectionRefused,
        ),
        (
            "AWS HTTP error: cURL error 7: Failed to connect to sts.eu-west-1.amazonaws.com port 443 after 3 ms: Couldn't connect to server",
            Kind::ConnectFailed,
        ),
        (
            "AWS HTTP error: cURL error 35: OpenSSL SSL_connect: Connection reset by peer in connection to sts.eu-west-1.amazonaws.com:443",
            Kind::ConnectFailed,
        ),
        (
            "AWS HTTP error: cURL error 60: SSL certificate problem: unable to get local issuer certificate for https://sts.eu-west-1.amazonaws.com/",
            Kind::TlsUnknownAuthority,
        ),
        (
            "AWS HTTP error: cURL error 56: Received HTTP code 403 from proxy after CONNECT for https://sts.eu-west-1.amazonaws.com/",
            Kind::Proxy,
        ),
        (
            "Error assuming role from web identity credentials in /app/vendor/aws/x.php:161",
            Kind::ExchangeFailed,
        ),
        // Go at a connection that ends early.
        (
            "operation error STS: AssumeRoleWithWebIdentity, https response error StatusCode: 0, RequestID: , request send failed, Post \"https://sts.eu-west-1.amazonaws.com/\": EOF",
            Kind::ConnectFailed,
        ),
        (
            "InvalidParameter: 1 validation error(s) found.\\n- minimum field size of 2, AssumeRoleInput.RoleSessionName.\\n",
            Kind::SessionNameEmpty,
        ),
        (
            "SharedCredsLoad: failed to load shared credentials file\ncaused by: FailedRead: unable to open file\ncaused by: open /root/.aws/credentials: no such file or directory",
            Kind::CredentialsFileMissing,
        ),
        // Java.
        (
            "com.amazonaws.SdkClientException: Failed to connect to service endpoint: \n\tat com.amazonaws.internal.EC2ResourceFetcher.doReadResource(EC2ResourceFetcher.java:100)",
            Kind::NoInstanceMetadata,
        ),
        (
            "com.amazonaws.SdkClientException: The requested metadata is not found at http://169.254.169.254/latest/meta-data/iam/security-credentials/",
            Kind::NoInstanceMetadata,
        ),
        (
            "java.lang.IllegalStateException: Connection pool shut down\n\tat software.amazon.awssdk.services.sts.auth.StsAssumeRoleWithWebIdentityCredentialsProvider.getUpdatedCredentials(StsAssumeRoleWithWebIdentityCredentialsProvider.java:76)",
            Kind::ClientClosed,
        ),
        // Rust: object_store and the SDK.
        (
            "Generic S3 error: Error performing POST https://sts.eu-west-1.amazonaws.com/ in 3.2s, after 10 retries, max_retries: 10, retry_timeout: 180s  - HTTP error: error sending request",
            Kind::ConnectFailed,
        ),
        (
            "Generic S3 error: Error performing PUT http://169.254.169.254/latest/api/token in 3.2s, after 10 retries, max_retries: 10, retry_timeout: 180s  - HTTP error: error sending request",
            Kind::NoInstanceMetadata,
        ),
        // C: Mountpoint and Arrow.
        ("Failed to create S3 client\ncaused by: No signing credentials available", Kind::NoCredentials),
        (
            "When reading information for key 'a' in bucket 'b': AWS Error ACCESS_DENIED during HeadObject operation: No response body.",
            Kind::AccessDenied,
        ),
        (
            "When reading information for key 'a' in bucket 'b': AWS Error NETWORK_CONNECTION during HeadObject operation: curlCode: 6, Couldn't resolve host name",
            Kind::NoSuchHost,
        ),
        (
            "AWS Error NETWORK_CONNECTION during HeadObject operation: curlCode: 28, Timeout was reached",
            Kind::ConnectTimeout,
        ),
        (
            "AWS Error NETWORK_CONNECTION during GetObject operation: curlCode: 43, A libcurl function was given a bad argument",
            Kind::ConnectFailed,
        ),
        // Applications.
        (
            "[2026/11/20 08:00:00] [error] [aws_credentials] STS assume role request failed",
            Kind::ExchangeFailed,
        ),
        (
            "[2026/11/20 08:00:00] [error] [signv4] Provider returned no credentials, service=logs",
            Kind::NoCredentials,
        ),
        (
            "Cannot use AWS Web Identity Tokens: AWS_WEB_IDENTITY_TOKEN_FILE is defined but no corresponding symlink exists in the config directory",
            Kind::TokenReadElsewhere,
        ),
        (
            "unable to construct route53 provider: empty credentials; perhaps you meant to enable ambient credentials?",
            Kind::AmbientCredentialsOff,
        ),
        (
            "rpc error: code = Unknown desc = eu-west-1: An IAM role must be associated with service account default (namespace: shop)",
            Kind::RoleNotAnnotated,
        ),
        (
            "Failed to fetch secret from all regions. Verify secret exists and required permissions are granted for: shop/db",
            Kind::SecretNotFetched,
        ),
        (
            "Pod \"shop-0\" is invalid: spec.containers[0].volumeMounts[3].mountPath: Invalid value: \"/var/run/secrets/eks.amazonaws.com/serviceaccount\": must be unique",
            Kind::MountedTwice,
        ),
        // Answers of other services.
        (
            "An error occurred (SignatureDoesNotMatch) when calling the ListObjectsV2 operation: The request signature we calculated does not match the signature you provided. Check your key and signing method.",
            Kind::SignatureMismatch,
        ),
        (
            "An error occurred (InvalidToken) when calling the PutObject operation: The provided token is malformed or otherwise invalid.",
            Kind::InvalidClientToken,
        ),
        ("An error occurred (403) when calling the HeadObject operation: Forbidden", Kind::AccessDenied),
        (
            "An error occurred (AccessDeniedException) when calling the GetSecretValue operation: Access to KMS is not allowed",
            Kind::AccessDenied,
        ),
        ("An error occurred (404) when calling the HeadObject operation: Not Found", Kind::NotFound),
        (
            "operation error S3: GetObject, https response error StatusCode: 404, RequestID: X, HostID: Y, NoSuchKey: The specified key does not exist.",
            Kind::NotFound,
        ),
        (
            "com.amazonaws.services.s3.model.AmazonS3Exception: Please reduce your request rate. (Service: Amazon S3; Status Code: 503; Error Code: SlowDown; Request ID: X)",
            Kind::ServiceThrottled,
        ),
        (
            "An error occurred (ThrottlingException) when calling the DescribeStream operation: Rate exceeded",
            Kind::ServiceThrottled,
        ),
        (
            "An error occurred (PermanentRedirect) when calling the ListObjectsV2 operation: The bucket you are attempting to access must be addressed using the specified endpoint.",
            Kind::WrongRegion,
        ),
        (
            "An error occurred (ConditionalCheckFailedException) when calling the PutItem operation: The conditional request failed",
            Kind::RequestRejected,
        ),
        (
            "operation error SQS: ReceiveMessage, https response error StatusCode: 503, RequestID: X, api error ServiceUnavailable: Service Unavailable",
            Kind::ServiceFailed,
        ),
        (
            "<Error><Code>AccessDenied</Code><Message>Request has expired</Message><X-Amz-Expires>3600</X-Amz-Expires><Expires>2026-11-28T09:00:00Z</Expires></Error>",
            Kind::PresignedUrlExpired,
        ),
        // Not an error by itself.
        (
            "ERROR: Error creating replica using method wal_e: envdir /run/etc/wal-e.d/env bash restore.sh exited with code=1",
            Kind::Wrapper(Wrapper::Envdir),
        ),
        // Kubernetes.
        (
            "MountVolume.SetUp failed for volume \"aws-iam-token\" : failed to fetch token: the server could not find the requested resource",
            Kind::TokenMountFailed,
        ),
        ("audience \"x\" not found in pod spec volume", Kind::NodeAudienceRestricted),
        (
            "failed calling webhook \"pod-identity-webhook.amazonaws.com\": failed to call webhook: Post \"https://127.0.0.1:23443/mutate?timeout=10s\": x509: certificate signed by unknown authority",
            Kind::WebhookFailed,
        ),
        (
            "error looking up service account shop/checkout: serviceaccount \"checkout\" not found",
            Kind::ServiceAccountMissing,
        ),
        (
            "1 iamserviceaccount (shop/checkout) was excluded (based on the include/exclude rules)",
            Kind::EksctlExcluded,
        ),
    ] {
        assert_eq!(only(text).kind, kind, "{text}");
    }
}

#[test]
fn the_pieces_of_a_denial() {
    let text = "An error occurred (AccessDenied) when calling the GetObject operation: User: arn:aws:sts::111122223333:assumed-role/shop-checkout/botocore-session-1600183751 is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::shop/a.txt\" because no identity-based policy allows the s3:GetObject action";
    let found = only(text);
    assert_eq!(found.kind, Kind::NotAuthorized);
    assert_eq!(found.operation.as_deref(), Some("GetObject"));
    assert_eq!(found.action.as_deref(), Some("s3:GetObject"));
    assert_eq!(found.resource.as_deref(), Some("arn:aws:s3:::shop/a.txt"));
    assert_eq!(found.because, Some(Because { layer: Layer::IdentityPolicy, explicit: false }));
    let caller = found.principal.unwrap();
    assert_eq!((caller.partition.as_str(), caller.account.as_str()), ("aws", "111122223333"));
    assert!(
        matches!(caller.kind, PrincipalKind::AssumedRole { source: SessionSource::Botocore, .. }),
        "{caller:?}"
    );

    // Broken by a terminal.
    let broken =
        text.replace(" is not authorized", "\nis not authorized").replace(" because no", "\n    because no");
    assert_eq!(only(&broken).because, Some(Because { layer: Layer::IdentityPolicy, explicit: false }));
    assert_eq!(only(&broken).action.as_deref(), Some("s3:GetObject"));
}

#[test]
fn every_layer_that_can_deny() {
    let layer = |tail: &str| {
        let caller = "arn:aws:sts::111122223333:assumed-role/app/i-0123456789abcdef0";
        only(&format!("User: {caller} is not authorized to perform: kms:Decrypt on resource: * {tail}"))
            .because
    };
    for (words, expected) in [
        ("identity-based policy", Layer::IdentityPolicy),
        ("permissions boundary", Layer::PermissionsBoundary),
        ("service control policy", Layer::ServiceControlPolicy),
        ("resource control policy", Layer::ResourceControlPolicy),
        ("session policy", Layer::SessionPolicy),
        ("VPC endpoint policy", Layer::VpcEndpointPolicy),
        ("resource-based policy", Layer::ResourcePolicy),
        ("role trust policy", Layer::TrustPolicy),
    ] {
        let implicit = layer(&format!("because no {words} allows the kms:Decrypt action"));
        assert_eq!(implicit, Some(Because { layer: expected, explicit: false }));
        for article in ["a", "an", "the"] {
            let explicit = layer(&format!("with an explicit deny in {article} {words}"));
            assert_eq!(explicit, Some(Because { layer: expected, explicit: true }));
        }
    }
    assert_eq!(layer("because of the moon"), None);
}

#[test]
fn roles_that_assume_roles() {
    let denied = |role: &str, action: &str| {
        only(&format!(
            "User: arn:aws:sts::111122223333:assumed-role/shop-checkout/1591933733417216379 is not authorized to perform: {action} on resource: {role}"
        ))
    };
    let itself = denied(ROLE, "sts:AssumeRole");
    assert!(itself.kind == Kind::NotAuthorizedToChain && itself.assumes_itself());
    let other = denied("arn:aws:iam::444455556666:role/shop-checkout", "sts:AssumeRole");
    assert!(other.kind == Kind::NotAuthorizedToChain && !other.assumes_itself());
    assert_eq!(denied(ROLE, "sts:TagSession").kind, Kind::NotAuthorizedToTag);
    assert_eq!(denied(ROLE, "sts:AssumeRoleWithWebIdentity").kind, Kind::NotAuthorizedToAssume);
}

#[test]
fn the_pieces_of_other_errors() {
    let found = only(&format!(
        "InvalidIdentityToken: No OpenIDConnect provider found in your account for {ISSUER}\n\tstatus code: 400, request id: 5c3f9ce5-ba7d-495e-98b1-ffcd5cf85133"
    ));
    assert_eq!((found.kind, found.issuer.as_deref()), (Kind::NoProvider, Some(ISSUER)));
    assert_eq!(found.request_id.as_deref(), Some("5c3f9ce5-ba7d-495e-98b1-ffcd5cf85133"));

    let expired = Kind::TokenExpired { now: Some(1_624_482_533), expired: Some(1_624_482_335) };
    for space in [" ", ""] {
        let text = format!(
            "(ExpiredTokenException) when calling the AssumeRoleWithWebIdentity operation: Token expired: current date/time 1624482533 must be before the expiration date/time{space}1624482335"
        );
        assert_eq!(only(&text).kind, expired);
    }

    let disabled =
        only("RegionDisabledException: STS is not activated in this region for account:111122223333. Your");
    assert_eq!(disabled.account.as_deref(), Some("111122223333"));

    let lookup = only(
        "RequestError: send request failed\ncaused by: Post \"https://sts.minio.amazonaws.com/\": dial tcp: lookup sts.minio.amazonaws.com on 10.100.0.10:53: no such host",
    );
    assert_eq!(lookup.host.as_deref(), Some("sts.minio.amazonaws.com"));

    let event = only("error looking up service account shop/checkout: serviceaccount \"checkout\" not found");
    let name = ServiceAccountName { namespace: String::from("shop"), name: String::from("checkout") };
    assert_eq!(event.service_account, Some(name));

    assert_eq!(
        sdk_of("aws-sdk-go/1.44.2 (go1.19): NoCredentialProviders: no valid providers in chain"),
        Some(SdkName::GoV1)
    );
    let sdk =
        only("aws-sdk-go/1.44.2 (go1.19): NoCredentialProviders: no valid providers in chain").sdk.unwrap();
    assert_eq!(sdk.version.as_deref(), Some("1.44.2"));
}

#[test]
fn what_has_nothing_to_do_with_aws_is_not_seen() {
    for text in [
        "",
        "GET /healthz 200",
        "dial tcp 10.0.0.7:5432: connect: connection refused",
        "psql: could not connect to server: Connection timed out (db.abc.eu-west-1.rds.amazonaws.com)",
        "java.net.UnknownHostException: kafka.shop.svc",
        "Access denied for user 'root'@'10.0.0.7' (using password: YES)",
        "open /etc/app.yaml: permission denied",
        "Error: ENOENT: no such file or directory, open '/app/config.json'",
        "429 Too Many Requests",
        "x509: certificate signed by unknown authority",
        "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
        "User \"system:serviceaccount:shop:checkout\" cannot list resource \"pods\"",
        "failed calling webhook \"validate.kyverno.svc\": connection refused",
        "ThrottlingException: Rate exceeded for DescribeInstances",
        // Names of fields and of other things.
        r#"{"aws_region":"eu-west-1","auth":"webidentity","msg":"connect ECONNREFUSED 10.0.0.7:5432"}"#,
        r#"{"aws_account":"111122223333","msg":"NoSuchKey in cache, rate exceeded"}"#,
        "java.lang.IllegalStateException: Connection pool shut down",
        "Read tcp 10.0.0.7:5432: EOF",
        "mountPath is set; the name must be unique",
        "Waited for 1.2s due to client-side throttling, not priority and fairness",
        "nginx: 403 Forbidden, 404 Not Found, 503 Service Unavailable",
    ] {
        assert_eq!(kinds(text), [], "{text}");
    }
}

#[test]
fn reasons_come_before_last_resorts_and_late_before_early() {
    let text = "botocore.exceptions.NoCredentialsError: Unable to locate credentials\n\
                InvalidIdentityToken: Incorrect token audience\n\
                InvalidIdentityToken: Token too old: 7\n\
                NoCredentialsError: Unable to locate credentials\n\
                InvalidIdentityToken: Incorrect token audience\n";
    let found: Vec<_> = parse(text).iter().map(|it| (it.kind, it.line, it.count)).collect();
    assert_eq!(
        found,
        [(Kind::IncorrectAudience, 5, 2), (Kind::TokenTooOld, 3, 1), (Kind::NoCredentials, 4, 2)]
    );
}

#[test]
fn a_new_session_or_time_is_no_new_sighting() {
    let mut text = String::new();
    for number in 0..500_u32 {
        text += &format!(
            "User: arn:aws:sts::111122223333:assumed-role/app/{} is not authorized to perform: sqs:SendMessage\n",
            1_591_933_733_417_216_379 + u64::from(number)
        );
        text += &format!(
            "Token expired: current date/time {} must be before the expiration date/time 5\n",
            10 + number
        );
    }
    let found: Vec<_> = parse(&text).iter().map(|it| (it.kind, it.count)).collect();
    assert_eq!(
        found,
        [(Kind::TokenExpired { now: Some(509), expired: Some(5) }, 500), (Kind::NotAuthorized, 500)]
    );
}

#[test]
fn callers_without_an_error() {
    let output = r#"{"UserId": "AROAEXAMPLE:i-0123456789abcdef0", "Account": "111122223333", "Arn": "arn:aws:sts::111122223333:assumed-role/nodes/i-0123456789abcdef0"}"#;
    let found = caller(output).unwrap();
    assert!(
        matches!(found.kind, PrincipalKind::AssumedRole { source: SessionSource::NodeInstance, .. }),
        "{found:?}"
    );
    assert_eq!(caller(&format!("role {ROLE}")), None, "a role is no caller");
}

#[test]
fn many_different_errors_do_not_fill_the_memory() {
    let caller = "arn:aws:iam::111122223333:user/ada";
    let lines = |count: u32| -> String {
        (0..count).map(|n| format!("User: {caller} is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::shop/{n}\n")).collect()
    };
    let found = parse(&lines(1000));
    assert_eq!(found.len(), MOST);
    assert_eq!(found[0].resource.as_deref(), Some("arn:aws:s3:::shop/999"), "the latest are kept");
}

/// Sizes in the ratio of 1 to 8 take times in about that ratio: a quadratic reader would need 64 times as long.
#[test]
fn time_is_linear_in_hostile_lines() {
    let mixed =
        ["enoent ", "\\\\\\", "\u{1b}[", "arn:aws:", "user: ", "(accessdenied", "://", "eyJ"].concat();
    for pattern in [&mixed, "arn:aws:"] {
        let time = |size: usize| {
            let line = pattern.repeat(size / pattern.len());
            // As a terminal breaks it: each line is full, so each is joined with the next.
            let broken: String = line
                .as_bytes()
                .chunks(78)
                .map(|part| format!("a {}\n", String::from_utf8_lossy(part)))
                .collect();
            let start = std::time::Instant::now();
            std::hint::black_box((parse(&line), caller(&line), pasted(&broken)));
            start.elapsed().as_secs_f64()
        };
        time(1 << 16);
        let (small, large) = (time(1 << 17), time(1 << 20));
        assert!(large < small * 30.0 + 0.5, "{pattern}: {small} s, then {large} s");
    }
}

/// Texts that look like logs: words of errors, pieces, secrets and noise in any order.
fn texts() -> impl Strategy<Value = String> {
    let phrase = proptest::sample::select(phrases::PHRASES).prop_map(|phrase| phrase.text.to_owned());
    let piece = proptest::sample::select(vec![
        "User: arn:aws:sts::111122223333:assumed-role/app/",
        " is not authorized to perform: ",
        "s3:GetObject on resource: ",
        "arn:aws:s3:::bucket/",
        "in your account for https://",
        "https://",
        "Post \"https://sts.amazonaws.com/",
        "system:serviceaccount:shop:",
        "lookup ",
        ".amazonaws.com",
        "request id: ",
        "operation error ",
        "aws-sdk-go/1.",
        "when calling the ",
        "\n",
        "\\n",
        "\\\"",
        " ",
        ":",
        "/",
        "\u{1b}[31m",
    ]);
    let noise = prop_oneof!["\\PC{0,8}", "[ -~]{0,12}", "[a-zA-Z0-9/+=_.-]{0,30}"];
    let part = prop_oneof![3 => phrase, 3 => piece.prop_map(str::to_owned), 1 => noise, 2 => secrets()];
    proptest::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

/// Made-up tokens and keys, each with a mark by which it is known in what comes out.
fn secrets() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9_-]{16,60}\\.[a-zA-Z0-9_-]{20,80}".prop_map(|rest| format!("eyJ{rest}")),
        "[A-Z0-9]{16}".prop_map(|rest| format!("AKIA{rest}")),
        "[A-Z0-9]{16}".prop_map(|rest| format!("ASIA{rest}")),
        "[a-zA-Z0-9/+=]{80,120}".prop_map(|rest| format!("IQoJ{rest}")),
    ]
}

proptest! {
    #[test]
    fn no_text_is_too_strange_and_no_secret_comes_out(text in texts()) {
        for sighting in parse(&text) {
            let shown = serde_json::to_string(&sighting).unwrap();
            for secret in ["eyJ", "AKIA", "ASIA", "IQoJ"] {
                let is_token_char = |c: char| c.is_ascii_alphanumeric() || "+/=_-".contains(c);
                let longest = shown.split(secret).skip(1).map(|tail| pieces::run(tail, is_token_char).len()).max();
                prop_assert!(longest.unwrap_or(0) < 12, "{shown}");
            }
            let back: Sighting = serde_json::from_str(&shown).unwrap();
            prop_assert_eq!(&back, &sighting);
            check_grammar(&sighting)?;
        }
        if let Some(caller) = caller(&text) {
            prop_assert_eq!(principal(&caller.arn), Some(caller));
        }
    }

    #[test]
    fn any_answer_of_sts_has_a_kind(code in "\\PC{0,20}", message in texts()) {
        prop_assert!(sts(&code, &message).stage() <= Some(Stage::Trust));
    }

    #[test]
    fn any_string_may_be_a_caller_or_a_user_agent(text in "\\PC{0,60}") {
        if let Some(caller) = principal(&text) {
            prop_assert_eq!(caller.arn, text.clone());
        }
        if let Some(sdk) = Sdk::of_user_agent(&text) {
            prop_assert!(sdk.version.is_some_and(|version| version.bytes().all(|b| b.is_ascii_digit() || b == b'.')));
        }
    }
}

/// Every piece that came out matches its grammar.
fn check_grammar(sighting: &Sighting) -> Result<(), TestCaseError> {
    let Sighting { operation, principal: who, action, resource, host, issuer, account, request_id, .. } =
        sighting;
    let each = |piece: &Option<String>, sound: fn(&str) -> bool| piece.as_deref().is_none_or(sound);
    prop_assert!(each(operation, |it| pieces::operation_at_start(it) == Some(it)), "{:?}", operation);
    prop_assert!(each(action, |it| pieces::action_at_start(it) == Some(it)), "{:?}", action);
    prop_assert!(each(resource, |it| pieces::arn(it).is_some()), "{:?}", resource);
    prop_assert!(each(host, |it| pieces::is_host(it) || pieces::is_label(it)), "{:?}", host);
    prop_assert!(each(issuer, |it| pieces::issuer_at_start(it) == Some(it)), "{:?}", issuer);
    prop_assert!(each(account, pieces::is_account), "{:?}", account);
    prop_assert!(each(request_id, pieces::is_uuid), "{:?}", request_id);
    prop_assert!(who.as_ref().is_none_or(|it| principal(&it.arn).as_ref() == Some(it)), "{:?}", who);
    if let Some(name) = &sighting.service_account {
        prop_assert!(pieces::is_label(&name.namespace) && pieces::is_subdomain(&name.name), "{:?}", name);
    }
    Ok(())
}

#[test]
fn a_text_that_begins_in_the_middle_of_a_record_has_a_first_line() {
    let found = parse(
        "caused by: Post \"https://sts.eu-west-1.amazonaws.com/\": dial tcp 54.239.29.25:443: i/o timeout",
    );
    assert_eq!(
        found.iter().map(|sighting| (sighting.kind, sighting.line)).collect::<Vec<_>>(),
        [(Kind::ConnectTimeout, 1)]
    );
}
