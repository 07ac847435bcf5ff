//! No evidence without a judge: an error of the pod's own is never beside `healthy`, and one of others never lowers it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use in_process::Environment;
use irsa::aws_error::{self, Kind};
use irsa_tests::aws::FakeAws;
use irsa_tests::kube_api::FakeKube;
use irsa_tests::kube_api::logs::ContainerLog;
use irsa_tests::world::{World, bases_dir};
use serde_json::Value;

#[path = "worlds/in_process.rs"]
mod in_process;

/// Logs by their names, each a list of lines.
type Logs = BTreeMap<String, Vec<String>>;

fn logs(text: &str) -> Logs {
    let logs: Logs = serde_saphyr::from_str(text).unwrap();
    assert!(!logs.is_empty());
    logs
}

/// The diagnosis of the pod of the base `eks`, in which every link works, with this log, logged just now.
fn diagnosed(lines: &[String]) -> Value {
    let mut world = World::load(&bases_dir().join("eks.yaml")).unwrap();
    let log: Vec<String> = lines
        .iter()
        .enumerate()
        .map(|(index, line)| format!("2026-11-22T07:58:{:02}Z {line}\n", index % 60))
        .collect();
    let log = ContainerLog { current: Some(log.concat()), ..ContainerLog::default() };
    world.header.logs.insert(String::from("shop/checkout-7d9f8b6c5d-x2x4z/app"), log);
    let kube = FakeKube::start(&world);
    let aws = FakeAws::start(&world, Some(&kube));
    let directory = tempfile::tempdir().unwrap();
    let environment = Environment::new(&kube.kubeconfig(directory.path()), &aws.env(directory.path()));
    let arguments = world.arguments().map(OsString::from).chain(["--no-probe".into()]);
    let (json, text) = environment.run(&arguments.collect::<Vec<_>>());
    let mut diagnosis = json.json();
    diagnosis["text"] = Value::from(text.stdout);
    diagnosis
}

/// What is wrong with each log, by two at a time.
fn judge(logs: &Logs, problem: impl Fn(&str, &Value) -> Option<String> + Sync) -> String {
    let (next, problems) = (AtomicUsize::new(0), Mutex::new(String::new()));
    let all: Vec<_> = logs.iter().collect();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((name, lines)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let diagnosis = diagnosed(lines);
                    if let Some(problem) = problem(name, &diagnosis) {
                        let text = diagnosis["text"].as_str().unwrap_or_default();
                        *problems.lock().unwrap() += &format!("\n== {name}: {problem}\n{text}");
                    }
                }
            });
        }
    });
    problems.into_inner().unwrap()
}

#[test]
fn what_others_did_lowers_nothing() {
    let logs = logs(include_str!("../logs/passed-on.yaml"));
    assert!(logs.len() >= 24, "only {} logs", logs.len());
    let problems = judge(&logs, |_, diagnosis| {
        let mut findings = diagnosis["findings"].as_array().unwrap().iter();
        let is_fine =
            diagnosis["verdict"] == "healthy" && findings.all(|finding| finding["severity"] == "info");
        (!is_fine).then(|| format!("{} with {}", diagnosis["verdict"], diagnosis["findings"]))
    });
    assert!(problems.is_empty(), "{problems}");
}

#[test]
fn what_the_pod_did_is_explained_or_named() {
    let logs = logs(include_str!("../logs/own.yaml"));
    let problems = judge(&logs, |_, diagnosis| {
        let errors = diagnosis["applicationErrors"].as_array().unwrap();
        let judged = |fate: &str| errors.iter().any(|error| error["fate"] == fate);
        // Beside a warning that names it, an error that is not about the identity may stand.
        if diagnosis["verdict"] == "healthy" && !judged("explained") {
            return Some(String::from("healthy"));
        }
        if !judged("explained") && !judged("unexplained") {
            return Some(format!("the error is neither explained nor named: {errors:?}"));
        }
        // What is not explained says what is proven beside it.
        let mut open = errors.iter().filter(|error| error["fate"] == "unexplained");
        open.find(|error| error["reason"].as_str().is_none_or(str::is_empty))
            .map(|error| format!("no reason: {error}"))
    });
    assert!(problems.is_empty(), "{problems}");
}

/// Every kind of error, so that none is forgotten: a new one does not compile until it is named here, and does not pass until a log
/// of it is among those above.
macro_rules! kinds {
    ($($kind:pat => $name:literal,)*) => {
        const KINDS: &[&str] = &[$($name),*];
        const fn name(kind: Kind) -> &'static str {
            match kind {
                $($kind => $name,)*
            }
        }
    };
}

kinds! {
    Kind::InvalidRoleArn => "invalid-role-arn",
    Kind::RoleArnTooShort => "role-arn-too-short",
    Kind::SessionNameInvalid => "session-name-invalid",
    Kind::RequestInvalid => "request-invalid",
    Kind::RegionDisabled => "region-disabled",
    Kind::NotAJwt => "not-a-jwt",
    Kind::NotAnOidcToken => "not-an-oidc-token",
    Kind::MissingClaim(_) => "missing-claim",
    Kind::NoProvider => "no-provider",
    Kind::NoVerificationKey => "no-verification-key",
    Kind::ThumbprintMismatch => "thumbprint-mismatch",
    Kind::IdpCommunication => "idp-communication",
    Kind::IdpRejectedClaim => "idp-rejected-claim",
    Kind::TokenNotValidated => "token-not-validated",
    Kind::TokenExpired { .. } => "token-expired",
    Kind::TokenTooOld => "token-too-old",
    Kind::IncorrectAudience => "incorrect-audience",
    Kind::NotAuthorizedToAssume => "not-authorized-to-assume",
    Kind::DurationTooLong => "duration-too-long",
    Kind::Throttled => "throttled",
    Kind::NotAuthorizedToChain => "not-authorized-to-chain",
    Kind::NotAuthorizedToTag => "not-authorized-to-tag",
    Kind::NotAuthorized => "not-authorized",
    Kind::AccessDenied => "access-denied",
    Kind::InvalidClientToken => "invalid-client-token",
    Kind::CredentialsExpired => "credentials-expired",
    Kind::SignatureScope => "signature-scope",
    Kind::SignatureNotYetCurrent => "signature-not-yet-current",
    Kind::SignatureExpired => "signature-expired",
    Kind::ClockSkewed => "clock-skewed",
    Kind::InvalidPrincipal => "invalid-principal",
    Kind::NoCredentials => "no-credentials",
    Kind::NoInstanceMetadata => "no-instance-metadata",
    Kind::ProfileNotFound => "profile-not-found",
    Kind::TokenFileUnreadable => "token-file-unreadable",
    Kind::TokenFileMissing => "token-file-missing",
    Kind::RoleArnNotSet => "role-arn-not-set",
    Kind::TokenPathNotAbsolute => "token-path-not-absolute",
    Kind::NoStsModule => "no-sts-module",
    Kind::NoWebIdentityProvider => "no-web-identity-provider",
    Kind::MissingRegion => "missing-region",
    Kind::EndpointNotSts => "endpoint-not-sts",
    Kind::NoSuchHost => "no-such-host",
    Kind::DnsTimeout => "dns-timeout",
    Kind::ConnectTimeout => "connect-timeout",
    Kind::ConnectionRefused => "connection-refused",
    Kind::ConnectFailed => "connect-failed",
    Kind::TlsUnknownAuthority => "tls-unknown-authority",
    Kind::TlsWrongName => "tls-wrong-name",
    Kind::Proxy => "proxy",
    Kind::PodIdentityDenied => "pod-identity-denied",
    Kind::NodeNotAuthorized => "node-not-authorized",
    Kind::PodIdentityNotFound => "pod-identity-not-found",
    Kind::PodIdentityTokenExpired => "pod-identity-token-expired",
    Kind::PodIdentityTokenInvalid => "pod-identity-token-invalid",
    Kind::PodIdentityTokenMalformed => "pod-identity-token-malformed",
    Kind::PodIdentityThrottled => "pod-identity-throttled",
    Kind::EksAuthUnreachable => "eks-auth-unreachable",
    Kind::AgentUnreachable => "agent-unreachable",
    Kind::AgentHostRejected => "agent-host-rejected",
    Kind::AgentWrongAddress => "agent-wrong-address",
    Kind::TokenMountFailed => "token-mount-failed",
    Kind::NodeAudienceRestricted => "node-audience-restricted",
    Kind::WebhookFailed => "webhook-failed",
    Kind::ServiceAccountMissing => "service-account-missing",
    Kind::KubernetesTokenMissing => "kubernetes-token-missing",
    Kind::EksctlExcluded => "eksctl-excluded",
    Kind::ExchangeFailed => "exchange-failed",
    Kind::SignatureMismatch => "signature-mismatch",
    Kind::SecretNotFetched => "secret-not-fetched",
    Kind::NotFound => "not-found",
    Kind::ServiceThrottled => "service-throttled",
    Kind::WrongRegion => "wrong-region",
    Kind::RequestRejected => "request-rejected",
    Kind::ServiceFailed => "service-failed",
    Kind::PresignedUrlExpired => "presigned-url-expired",
    Kind::SessionNameEmpty => "session-name-empty",
    Kind::ClientClosed => "client-closed",
    Kind::CredentialsFileMissing => "credentials-file-missing",
    Kind::AmbientCredentialsOff => "ambient-credentials-off",
    Kind::TokenReadElsewhere => "token-read-elsewhere",
    Kind::RoleNotAnnotated => "role-not-annotated",
    Kind::MountedTwice => "mounted-twice",
    Kind::Wrapper(_) => "wrapper",
    Kind::ChainHourLimit => "chain-hour-limit",
    Kind::RefusedInPod => "refused-in-pod",
    Kind::SessionTagsTooLarge => "session-tags-too-large",
    Kind::AgentTls => "agent-tls",
    Kind::AgentIpv6Rejected => "agent-ipv6-rejected",
    Kind::Other => "other",
}

#[test]
fn every_kind_of_error_has_a_log() {
    let read = |text| logs(text).into_values().flatten().flat_map(|line| aws_error::parse(&line));
    let own = read(include_str!("../logs/own.yaml")).chain(read(include_str!("../logs/passed-on.yaml")));
    let shown: BTreeSet<&str> = own.map(|sighting| name(sighting.kind)).collect();
    // No text stands for any other error, nor for a refusal without a message.
    let missing: Vec<_> = KINDS.iter().filter(|kind| !shown.contains(*kind)).collect();
    assert_eq!(missing, [&"request-invalid", &"other"]);
}
