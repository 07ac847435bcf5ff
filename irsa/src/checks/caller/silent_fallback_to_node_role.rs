//! # The application calls AWS with the node's role
//!
//! The container is wired for its role, and AWS names the node's role as the caller. The SDK called STS, was refused or got no
//! answer, and silently fell back to the instance metadata service; or it never called STS.
//!
//! **You see**: `User: arn:aws:sts::111122223333:assumed-role/eks-node/i-0123456789abcdef0 is not authorized to perform …`: the
//! session is the id of an instance.
//!
//! **Decided by**: the caller in AWS's error message, against what the container is wired for. What SDKs do when web identity
//! fails: Java, PHP and C++ fall back to the node's role, and Java stays with it until it is restarted; Go, Python, Ruby, Rust
//! and JavaScript v3 stop. Such a caller with one of these is a client with its own list of providers, or an SDK that is too
//! old.
//!
//! A denial that names no caller (S3), reported by an SDK that falls back, is a warning: it may be the node's role that was
//! denied.
//!
//! **Not a fault**: an error of the node's role in a pod that is not wired: what is missing then is its injection. Along with a
//! refusal of STS it is only the consequence, and a warning.
//!
//! **Repair**: repair what kept the SDK from STS, which the other links show, and restart. `AWS_EC2_METADATA_DISABLED=true`
//! makes the SDK report what is wrong instead of falling back. Do not give the node's role the permission: every pod on the node
//! would have it.

use crate::aws_error::{PrincipalKind, SdkName};
use crate::checks::prelude::*;
use crate::checks::shared::app_errors::{self, UNREPORTED};
use crate::checks::shared::probed;
use crate::derive::app_errors::{AppError, Weight};
use crate::derive::caller::Who;
use crate::derive::denial::Witness;
use crate::repair::{env, workload};

pub(super) const META: Meta = Meta {
    id: "silent-fallback-to-node-role",
    step: Step::Caller,
    title: "the application calls AWS with the node's role",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    match derived.intent.mechanism {
        Mechanism::Irsa if app_errors::is_wired(derived) => {}
        Mechanism::Irsa => return Outcome::NotApplicable("the container is not wired for a role"),
        _ => return Outcome::NotApplicable("no role is named"),
    }
    let by_node = |said: &&AppError<'_>| said.caller.is_some_and(|caller| caller.who == Who::Node);
    let Some(said) = derived.app_errors.iter().find(by_node) else {
        let passed = derived.app_errors.prove_the_caller();
        return match open_to_it(derived).or_else(|| may_be(derived)) {
            Some(finding) if !passed => finding.into(),
            _ if passed => Outcome::Pass,
            _ => probed::or_pass(derived, META.step, UNREPORTED),
        };
    };
    let Some(principal) = &said.error.principal else { return UNREPORTED };
    let PrincipalKind::AssumedRole { role: node, .. } = &principal.kind else { return UNREPORTED };
    if super::node_asks_for_the_role(derived, said) {
        return Outcome::NotApplicable("the node requested the pod's role: see app-assumes-with-node-role");
    }
    let who = app_errors::speaker(derived);
    let expected = derived.plan().role_arn.unwrap_or_else(|| String::from("the role of its service account"));
    let sdk = said.error.sdk.as_ref().map(|sdk| sdk.name);
    let summary = format!("{who} calls AWS with the node's role ({node}), not as {expected}{}", why(sdk));
    let mut finding = app_errors::finding(&META, derived, said, &summary).evidence(
        "caller",
        &expected,
        &principal.arn,
        said.source,
    );
    if said.weight == Weight::Current && refused(&derived.sts_answer) {
        finding = finding.severity(Severity::Warning);
    }
    let accepted = derived.sts_answer.accepted();
    let may_go_on = goes_on(sdk) != Some(false);
    if may_go_on && accepted {
        let title = "STS accepts the pod's token now: restart, since the SDK may stay with the node's role";
        finding = finding.fixes(workload::restart_as(derived, title));
    }
    let disable = derived.target().and_then(|view| {
        let title = "keep the SDK from the node's role: it then reports what kept it from its own";
        env::set(derived, view, &[Assignment::set("AWS_EC2_METADATA_DISABLED", "true")], title)
    });
    let finding = finding.fix(disable.filter(|_| may_go_on).unwrap_or_else(|| {
        Fix::advice(
            "the application has its own list of credential providers, or an old SDK: have it use the SDK's default chain, or \
             name the web identity provider in its list",
        )
    }));
    finding
        .fix(Fix::advice(
            "do not give the node's role what it was denied: every pod on the node would have it",
        ))
        .into()
}

/// True if STS gives no credentials, for now or for good. What may not be STS's answer shows neither.
fn refused(answer: &StsVerdict<'_>) -> bool {
    match answer {
        StsVerdict::Refused(_) | StsVerdict::Open(Open::TurnedAway(_)) => true,
        StsVerdict::Open(Open::Unanswered(_) | Open::Foreign(_))
        | StsVerdict::Accepted { .. }
        | StsVerdict::NotApplicable => false,
    }
}

/// Web identity fails inside the pod, and the node's metadata service gives its role to anyone who asks.
fn open_to_it(derived: &Derived<'_>) -> Option<Finding> {
    let seen = probed::of_irsa(derived)?;
    let node = seen.report().imds.as_ref()?.role.as_deref()?;
    let refused = derived.probed.sts_answer().is_some_and(|answer| refused(&answer));
    if !(refused || seen.blocked().is_some() || seen.denied().is_some()) {
        return None;
    }
    let expected = derived.plan().role_arn.unwrap_or_else(|| String::from("the role of its service account"));
    let summary = format!(
        "an SDK in container {} that falls back when web identity fails (Java, PHP, C++) calls AWS with the node's role {node}",
        seen.container()
    );
    let finding =
        probed::finding(&META, derived, seen, summary).severity(Severity::Info).inferred().evidence(
            "role that the pod can get",
            expected,
            format!("{node}, the node's"),
            &seen.at("imds.role"),
        );
    Some(finding.fix(Fix::advice(
        "once web identity works again, restart such applications: some stay with the node's role",
    )))
}

/// AWS denied something without naming the caller, to an SDK that falls back.
fn may_be(derived: &Derived<'_>) -> Option<Finding> {
    let denials = derived.denials();
    let falls_back = |said: &AppError<'_>| goes_on(said.error.sdk.as_ref().map(|sdk| sdk.name)) == Some(true);
    let said =
        denials.all.iter().filter(|denial| denial.is_nameless()).find_map(|denial| match denial.witness {
            Witness::AppErrors(said) => {
                Some(said).filter(|said| said.weight == Weight::Current && falls_back(said))
            }
            Witness::Agent(_) | Witness::Simulator(..) => None,
        })?;
    let view = derived.target()?;
    let who = app_errors::speaker(derived);
    let sdk = said.error.sdk.as_ref()?.name.label();
    let summary = format!(
        "{who} may be calling AWS with the node's role: AWS did not name the caller, and {sdk} falls back to the node's role when STS fails"
    );
    let mut finding = app_errors::finding(&META, derived, said, &summary)
        .severity(Severity::Warning)
        .inferred()
        .doubt(Doubt::MayFail)
        .seen("caller that AWS denied", "not named", said.source);
    finding.title = "the caller may be the node's role";
    let set = env::set(
        derived,
        view,
        &[Assignment::set("AWS_EC2_METADATA_DISABLED", "true")],
        "keep the SDK from the node's role: it then reports what kept it from its own; restarts the pods",
    );
    let disabled = view.env.get("AWS_EC2_METADATA_DISABLED").and_then(|entry| entry.text());
    let is_open = !disabled.is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let set = set.unwrap_or_else(|| Fix::advice("set AWS_EC2_METADATA_DISABLED=true in the manifest"));
    is_open.then(|| finding.fix(set))
}

/// True if the SDK falls back to the node's role when web identity fails, false if it stops there (failures.md, section 3);
/// `None` if that depends on its version, or if it is not known which it is.
fn goes_on(sdk: Option<SdkName>) -> Option<bool> {
    Some(match sdk? {
        SdkName::JsV2 | SdkName::DotNet => return None,
        SdkName::JavaV1 | SdkName::JavaV2 | SdkName::Php | SdkName::Cpp => true,
        SdkName::GoV1
        | SdkName::GoV2
        | SdkName::Boto3
        | SdkName::Botocore
        | SdkName::AwsCli
        | SdkName::JsV3
        | SdkName::Ruby
        | SdkName::Rust => false,
    })
}

fn why(sdk: Option<SdkName>) -> String {
    match (sdk, goes_on(sdk)) {
        (Some(sdk), Some(true)) => {
            format!(": {} falls back to the node's role when STS fails", sdk.label())
        }
        (Some(sdk), Some(false)) => {
            format!(": {} stops when STS fails, so it never called STS", sdk.label())
        }
        _ => String::new(),
    }
}
