//! # The application has its own list of credential providers
//!
//! The application does not use its SDK's default chain but providers of its own choice, and web identity is not among them.
//! Hadoop's S3A does so (Spark, Hive, Flink): its default list has keys in its own settings, keys in the environment, and the
//! node's role.
//!
//! **You see**: `No AWS Credentials provided by TemporaryAWSCredentialsProvider SimpleAWSCredentialsProvider
//! EnvironmentVariableCredentialsProvider IAMInstanceCredentialsProvider`; where the node's role is reachable, only an
//! `AccessDenied` that names it.
//!
//! **Decided by**: the application's own list, in this message, in a container that is wired for its role. Without it by exclusion,
//! which is said: the SDK knows web identity and found no credentials, the container is wired, STS accepts its token, and nothing
//! in the log says why.
//!
//! **Not a fault**: a list that includes a web identity provider, which failed; then the cause is elsewhere in the log.
//!
//! **Repair**: name the web identity provider in the application's settings.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors;

pub(super) const META: Meta = Meta {
    id: "custom-provider-list",
    step: Step::Caller,
    title: "the application has its own list of credential providers",
    explains: &["silent-fallback-to-node-role", "app-assumes-with-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let said = match app_errors::of_irsa(derived, |kind| kind == Kind::NoWebIdentityProvider) {
        Ok(said) => said,
        Err(outcome) => return by_exclusion(derived).map_or(outcome, Outcome::from),
    };
    if !app_errors::is_wired(derived) {
        return Outcome::NotApplicable("the container is not wired for a role");
    }
    let who = app_errors::speaker(derived);
    let summary = format!("{who} uses its own list of credential providers, without one for web identity");
    app_errors::finding(&META, derived, said, &summary)
        .missing("providers that were tried", "one for web identity", said.source)
        .fix(Fix::advice(
            "set fs.s3a.aws.credentials.provider (in Spark spark.hadoop.fs.s3a.aws.credentials.provider) to \
             software.amazon.awssdk.auth.credentials.WebIdentityTokenFileCredentialsProvider; up to Hadoop 3.3 to \
             com.amazonaws.auth.WebIdentityTokenCredentialsProvider",
        ))
        .into()
}

/// Nothing is left but the image, and no sign of an old SDK or of another environment.
fn by_exclusion(derived: &Derived<'_>) -> Option<Finding> {
    let said = super::found_nothing(derived).filter(|_| !super::differs(derived))?;
    let is_too_old = said.error.sdk.as_ref().is_some_and(|sdk| super::is_too_old(derived, sdk));
    if is_too_old || super::may_be_too_old(derived, said).is_some() {
        return None;
    }
    let who = app_errors::speaker(derived);
    let summary = format!(
        "{who} finds no credentials, though it has all that an SDK needs: it may use a list of providers of its own"
    );
    Some(super::by_exclusion(&META, derived, said, &summary).fix(Fix::advice(
        "look in the application's code and settings for credential providers, and use the SDK's default chain; if there are \
         none, look for a program that starts it with another environment",
    )))
}
