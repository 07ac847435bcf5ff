//! # A profile is set in the environment
//!
//! `AWS_PROFILE` or `AWS_DEFAULT_PROFILE` is set. The effect differs: with boto3 and the AWS CLI the profile must exist,
//! whatever credentials are used; JavaScript v3, Rust and C++ read the profile before the web identity; Go, Java, PHP, Ruby and
//! .NET v4 use the web identity first and hardly notice. A profile set in *code* turns off web identity in boto3 and Go; the
//! variable does not.
//!
//! **You see**: `The config profile (x) could not be found` (boto3, AWS CLI); or a caller that is not the role.
//!
//! **Decided by**: the SDK's error message, which makes it an error, `default` included: boto3 wants a profile that is named to
//! exist. Without a message the variable alone: whether the image has a profile of that name could not be checked, so this is a
//! warning, and `default`, which SDKs use anyway, is not reported. A variable is an error, too, if AWS refuses the application now
//! while STS accepts the pod's own token.
//!
//! **Repair**: unset the variable; or take the profile out of the application's code and settings.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors;
use crate::derive::app_errors::AppError;
use crate::derive::shared_file::{self, PROFILES};
use crate::repair::env;

pub(super) const META: Meta = Meta {
    id: "aws-profile",
    step: Step::Caller,
    title: "a profile is set in the environment",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if derived.containers.is_empty() {
        return Outcome::NotApplicable("no pod to look at");
    }
    if let Some(said) = derived.app_errors.find(|kind| kind == Kind::ProfileNotFound) {
        return not_found(derived, said).into();
    }
    if super::profile_is_the_mechanism(derived) {
        return Outcome::NotApplicable("the pod gets its role from a profile, as on OpenShift");
    }
    Outcome::of(derived.judged().filter_map(|view| profile(derived, view)).collect())
}

/// The SDK looked for a profile and found none of that name.
fn not_found(derived: &Derived<'_>, said: &AppError<'_>) -> Finding {
    let who = app_errors::speaker(derived);
    let set = derived.target().and_then(|view| Some((view, view.env.first_set(&PROFILES)?)));
    let Some((view, (variable, entry))) = set else {
        let summary = format!("{who} names a profile that does not exist, in its code or settings");
        return app_errors::finding(&META, derived, said, &summary)
            .seen("the SDK says", "profile not found", said.source)
            .fix(Fix::advice("take the profile out of the application's code or settings"));
    };
    let summary = format!("{who} sets the profile {:?}, which does not exist", entry.shown());
    app_errors::finding(&META, derived, said, &summary)
        .seen("the SDK says", "profile not found", said.source)
        .evidence(variable, "not set", entry.shown(), &entry.source)
        .fix(env::take_out(derived, view, &[(variable, entry)]))
}

fn profile(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    let (variable, entry) = view.env.first_set(&PROFILES)?;
    let profile = match entry.text() {
        Some("default") => return None,
        Some(text) => format!(" {text:?}"),
        None if !entry.is_certain() => return None,
        None => String::new(),
    };
    let name = view.name();
    let said = shared_file::refusal_of_another(derived).filter(|_| view.is_target);
    let (severity, effect) = match said {
        Some(_) => (Severity::Error, "AWS refuses the application, while STS accepts the pod's own token"),
        None => (Severity::Warning, "boto3 fails if it does not exist, others may prefer it to the role"),
    };
    let summary = format!("container {name} sets the profile{profile}; {effect}");
    let mut finding = META.on_container(derived, view, severity, summary).inferred().evidence(
        variable,
        "not set",
        entry.shown(),
        &entry.source,
    );
    if let Some(said) = said {
        finding = finding.seen("what AWS answers the application", "it refuses", said.source);
    }
    Some(finding.fix(env::take_out(derived, view, &[(variable, entry)])))
}
