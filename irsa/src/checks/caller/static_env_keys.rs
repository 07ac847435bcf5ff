//! # Access keys in the environment take precedence over the role
//!
//! `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` come before the role in every SDK but .NET v3, which tries web identity
//! first: the pod works with an IAM user's keys, or fails with them, and its role is never used. (JavaScript v3 ignores the keys
//! while `AWS_PROFILE` is set.)
//!
//! **You see**: `AccessDenied` that names an IAM *user*, `InvalidClientTokenId`, `ExpiredToken`; with the id alone `Partial
//! credentials found in env, missing: AWS_SECRET_ACCESS_KEY` (boto3, AWS CLI).
//!
//! **Decided by**: the names in `env` and `envFrom` of the container; values are never read. Keys from a Secret may be empty, so
//! they are inferred. Older names (`AWS_ACCESS_KEY`, `AMAZON_ACCESS_KEY_ID`) are read by some SDKs only, and the id without its
//! secret stops only boto3 and the AWS CLI: warnings. Or by AWS's error in the application's log: if the caller is an IAM user,
//! there are keys, though the spec does not show where.
//!
//! **Not a fault**: empty values, which count as unset; the secret without its id; an optional reference to a Secret or key that
//! does not exist; keys of a sidecar that talks to another endpoint (`AWS_ENDPOINT_URL`).
//!
//! **Repair**: remove them from the manifest, or from the Secret that carries them.

use crate::checks::prelude::*;
use crate::checks::shared::{app_errors, probed};
use crate::derive::caller::Who;
use crate::derive::env::{EnvEntry, Origin};
use crate::facts::kubernetes::{EnvValue, EnvVarSource};
use crate::repair::env;

pub(super) const META: Meta = Meta {
    id: "static-env-keys",
    step: Step::Caller,
    title: "access keys in the environment take precedence over the role",
    explains: &["app-caches-token"],
};

const ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
const TOKEN: &str = "AWS_SESSION_TOKEN";

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if derived.containers.is_empty() {
        return Outcome::NotApplicable("no pod to look at");
    }
    let mut findings: Vec<Finding> = derived.judged().filter_map(|view| keys(derived, view)).collect();
    if !findings.iter().any(|finding| finding.severity == Severity::Error) {
        findings.extend(in_process(derived).or_else(|| said(derived)));
    }
    let unread = derived.judged().flat_map(|view| {
        // An optional reference that may lead nowhere, and everything that could not be read at all.
        let optional = [ID, SECRET].into_iter().filter_map(|name| {
            let entry = view.env.get(name).filter(|entry| !entry.is_certain())?;
            Some(entry.unread(name, view.name()))
        });
        optional.chain(view.env.unread.iter().map(|why| (*why).clone()))
    });
    Outcome::with_unread(findings, unread.collect())
}

/// The two keys as one SDK or another reads them.
enum Keys<'e> {
    /// Every SDK uses them.
    Pair([(&'static str, &'e EnvEntry); 2]),
    /// Under older names: only some do.
    Older([(&'static str, &'e EnvEntry); 2]),
    /// The id alone, which boto3 takes for a mistake.
    IdAlone((&'static str, &'e EnvEntry)),
}

impl<'e> Keys<'e> {
    fn of(view: &'e ContainerView<'_>) -> Option<Self> {
        let first =
            |names: &[&'static str]| view.env.first_set(names).filter(|(_, entry)| entry.is_certain());
        if let (Some(id), Some(secret)) = (first(&[ID]), first(&[SECRET])) {
            return Some(Self::Pair([id, secret]));
        }
        // Older names, which only some SDKs still read (failures.md 57).
        let aws = (first(&[ID, "AWS_ACCESS_KEY"]), first(&[SECRET, "AWS_SECRET_KEY"]));
        let amazon = (first(&["AMAZON_ACCESS_KEY_ID"]), first(&["AMAZON_SECRET_ACCESS_KEY"]));
        for pair in [aws, amazon] {
            if let (Some(id), Some(secret)) = pair {
                return Some(Self::Older([id, secret]));
            }
        }
        // What could not be read may hold the secret.
        let alone = view.env.unread.is_empty() && view.env.get(SECRET).is_none_or(|entry| !entry.is_set());
        first(&[ID]).filter(|_| alone).map(Self::IdAlone)
    }
}

fn keys(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    let keys = Keys::of(view)?;
    let name = view.name();
    let has_role = matches!(derived.intent.mechanism, Mechanism::Irsa | Mechanism::PodIdentity);
    let role = if has_role { "its role" } else { "any role" };
    let (severity, found, summary) = match keys {
        Keys::Pair(pair) => {
            let place = place(pair[0].1);
            (
                Severity::Error,
                pair.to_vec(),
                format!("container {name} has access keys from {place}, which take precedence over {role}"),
            )
        }
        Keys::Older(pair) => {
            let [(id, _), (secret, _)] = pair;
            let summary = format!("container {name} has {id} and {secret}, which some SDKs prefer to {role}");
            (Severity::Warning, pair.to_vec(), summary)
        }
        Keys::IdAlone(id) => {
            let summary = format!(
                "container {name} has {} without {SECRET}, which makes boto3 and the AWS CLI fail",
                id.0
            );
            (Severity::Warning, vec![id], summary)
        }
    };
    let mut finding = META.on_container(derived, view, severity, summary);
    if severity == Severity::Error && !view.is_target {
        // Keys in another container are meant for another endpoint, or they break that container's identity.
        let elsewhere = view.env.first_set(&["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"]).is_some();
        finding = finding.severity(if elsewhere { Severity::Info } else { Severity::Error });
    }
    let process = probed::of_irsa(derived).filter(|seen| view.is_target && seen.environment_is_targets());
    let has = |variable: &str| process.is_some_and(|seen| seen.variable(variable).is_some());
    if severity != Severity::Error
        || found.iter().any(|(variable, entry)| may_be_empty(entry) && !has(variable))
    {
        finding = finding.inferred();
    }
    for (variable, entry) in &found {
        finding = finding.evidence(*variable, "not set", entry.shown(), &entry.source);
    }
    if let Some(seen) = process
        && found.iter().all(|(variable, _)| has(variable))
    {
        finding =
            finding.seen("in the process's own environment", "(set)", &seen.at("environment.variables"));
    }
    let token = view.env.first_set(&[TOKEN]);
    Some(finding.fix(env::take_out(derived, view, &found.into_iter().chain(token).collect::<Vec<_>>())))
}

/// The process's own environment has keys that the pod's spec does not show: of the image, or set by the entrypoint.
fn in_process(derived: &Derived<'_>) -> Option<Finding> {
    let seen = probed::of_irsa(derived).filter(|seen| seen.environment_is_targets())?;
    let set = |name: &str| seen.variable(name).is_some();
    if !(set(ID) && set(SECRET)) {
        return None;
    }
    let container = seen.container();
    let summary = format!(
        "the process of container {container} has access keys in its environment, which take precedence over its role"
    );
    let at = seen.at("environment.variables");
    Some(
        probed::finding(&META, derived, seen, summary)
            .evidence(ID, "not set", "(set)", &at)
            .evidence(SECRET, "not set", "(set)", &at)
            .fix(Fix::advice(
                "remove the keys from the image (ENV) or its entrypoint: the pod's spec does not set them",
            )),
    )
}

/// AWS named an IAM user as the caller, and nothing in the pod's spec has keys.
fn said(derived: &Derived<'_>) -> Option<Finding> {
    if !matches!(derived.intent.mechanism, Mechanism::Irsa | Mechanism::PodIdentity) {
        return None;
    }
    let said =
        derived.app_errors.iter().find(|said| said.caller.is_some_and(|caller| caller.who == Who::Keys))?;
    let caller = &said.caller?.principal.arn;
    let who = app_errors::speaker(derived);
    let expected = derived.plan().role_arn.unwrap_or_else(|| String::from("the pod's role"));
    let summary = format!("{who} calls AWS as {caller}, with access keys that the pod's spec does not show");
    let finding = app_errors::finding(&META, derived, said, &summary)
        .inferred()
        .evidence("caller", expected, caller, said.source)
        .fix(Fix::advice(
            "find the access keys in the environment of the image or its entrypoint, in a credentials file, or in the \
             application's own settings, and remove them",
        ));
    Some(finding)
}

/// The value was not read, so it may be the empty string.
fn may_be_empty(entry: &EnvEntry) -> bool {
    !matches!(entry.value, EnvValue::Withheld { .. } | EnvValue::Literal(_))
}

fn place(entry: &EnvEntry) -> String {
    match (&entry.origin, &entry.value) {
        (Origin::EnvFrom(from), _) => from.clone(),
        (Origin::Env(_), EnvValue::From(EnvVarSource { secret_key_ref: Some(key), .. })) => {
            format!("Secret {}", key.name)
        }
        (Origin::Env(_), _) => String::from("its manifest"),
    }
}
