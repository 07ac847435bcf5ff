//! # The SDK is too old
//!
//! The SDKs gained web identity in September 2019. An older one does not read `AWS_WEB_IDENTITY_TOKEN_FILE` and falls back to
//! the node's role, or finds nothing.
//!
//! **You see**: `Unable to locate credentials`, `NoCredentialProviders`, or an `AccessDenied` that names the node's role, though
//! all variables are set.
//!
//! **Decided by**: a user agent in the application's log with a version below the minimum of the EKS user guide, along with a
//! message which says that no web identity was used. AWS's minimum versions are approximate, so this is inferred. Where no
//! version is known: a message that says that no credentials were found, in a container that is wired and whose token STS
//! accepts, without any other reason in the log.
//!
//! **Not a fault**: an old version in the log of an application whose calls for the role appear in CloudTrail: its SDK knows web
//! identity. Go v2, AWS CLI v2 and Rust: every version does.
//!
//! **Repair**: update the SDK and rebuild the image.

use crate::aws_error::Sdk;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors::{self, UNREPORTED};
use crate::checks::shared::probed;
use crate::derive::app_errors::AppError;
use crate::derive::caller::Who;

pub(super) const META: Meta = Meta {
    id: "sdk-too-old",
    step: Step::Caller,
    title: "the SDK is too old",
    explains: &["silent-fallback-to-node-role", "app-assumes-with-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    match derived.intent.mechanism {
        Mechanism::Irsa if app_errors::is_wired(derived) => {}
        Mechanism::Irsa => return Outcome::NotApplicable("the container is not wired for a role"),
        _ => return Outcome::NotApplicable("no role is named"),
    }
    if let Some(finding) = in_image(derived) {
        return finding.into();
    }
    // Without such a message the SDK has used its web identity, or has not tried.
    let Some(without) = derived.app_errors.iter().find(|said| went_without(said)) else { return UNREPORTED };
    let old =
        |said: &&AppError<'_>| said.error.sdk.as_ref().is_some_and(|sdk| super::is_too_old(derived, sdk));
    let Some(said) = derived.app_errors.iter().find(old) else {
        return by_exclusion(derived).map_or(UNREPORTED, Outcome::from);
    };
    let Some(sdk) = &said.error.sdk else { return UNREPORTED };
    let (Some(version), Some(minimum)) = (&sdk.version, sdk.minimum(Mechanism::Irsa)) else {
        return UNREPORTED;
    };
    let who = app_errors::speaker(derived);
    let name = sdk.name.label();
    let summary = format!("{who} uses {name} {version}; IRSA needs {minimum} or later");
    let finding = app_errors::finding(&META, derived, without, &summary).inferred().evidence(
        format!("version of {name}"),
        format!("{minimum} or later"),
        version,
        said.source,
    );
    match without.caller {
        Some(caller) => finding.seen("caller", &caller.principal.arn, without.source),
        None => finding.seen("the SDK says", "no credentials found", without.source),
    }
    .fix(Fix::advice(format!("update {name} to {minimum} or later and rebuild the image")))
    .into()
}

/// Nothing is left but the image, and the SDK is one that may be too old.
fn by_exclusion(derived: &Derived<'_>) -> Option<Finding> {
    let said = super::found_nothing(derived).filter(|_| !super::differs(derived))?;
    let (sdk, minimum) = super::may_be_too_old(derived, said)?;
    let (who, name) = (app_errors::speaker(derived), sdk.name.label());
    let summary = format!(
        "{who} finds no credentials, though it has all that {name} needs: its version may be below {minimum}"
    );
    Some(
        super::by_exclusion(&META, derived, said, &summary)
            .evidence(
                format!("version of {name}"),
                format!("{minimum} or later"),
                "not known",
                said.source,
            )
            .fix(Fix::advice(format!(
                "look at the version of {name} in the image; if it is below {minimum}, update it and rebuild the image"
            )))
            .fix(Fix::advice(
                "otherwise look in the application's code for credential providers of its own, and for a program that \
                 starts it with another environment",
            )),
    )
}

/// An SDK in the container's file system that is too old. There may be several, and the application may use another one.
fn in_image(derived: &Derived<'_>) -> Option<Finding> {
    let seen = probed::of_irsa(derived)?;
    let sdks = seen.report().sdks.as_ref()?;
    let (index, found, sdk) = sdks.found.iter().enumerate().find_map(|(index, found)| {
        let sdk = Sdk::of_package(&found.package, found.version.as_deref()?)?;
        super::is_too_old(derived, &sdk).then_some((index, found, sdk))
    })?;
    let (name, minimum) = (sdk.name.label(), sdk.minimum(Mechanism::Irsa)?);
    let version = sdk.version.as_deref()?;
    let summary = format!(
        "container {} has {name} {version} in its image; IRSA needs {minimum} or later",
        seen.container()
    );
    let without = derived.app_errors.iter().find(|said| went_without(said));
    let finding = probed::finding(&META, derived, seen, summary)
        .severity(without.map_or(Severity::Warning, AppError::severity))
        .inferred()
        .evidence(
            format!("version of {name}"),
            format!("{minimum} or later"),
            version,
            &seen.at(&format!("sdks.found[{index}]")),
        )
        .seen("found at", &found.path, &seen.at(&format!("sdks.found[{index}].path")));
    Some(finding.fix(Fix::advice(format!(
        "if the application uses it: update {name} to {minimum} or later and rebuild the image"
    ))))
}

/// True for a message of an application that had no web identity.
fn went_without(said: &AppError<'_>) -> bool {
    said.error.kind.is_last_resort() || said.caller.is_some_and(|caller| caller.who == Who::Node)
}
