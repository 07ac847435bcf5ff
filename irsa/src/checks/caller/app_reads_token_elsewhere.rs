//! # The application reads the token only through a path of its own
//!
//! Elasticsearch and OpenSearch may read no file outside their configuration directory. They use the pod's token only through a
//! symlink in that directory, and ignore `AWS_WEB_IDENTITY_TOKEN_FILE` without it; then they ask the instance metadata service.
//!
//! **You see**: `Cannot use AWS Web Identity Tokens: AWS_WEB_IDENTITY_TOKEN_FILE is defined but no corresponding symlink exists in
//! the config directory`; `A Web Identity Token symlink in the config directory doesn't exist`.
//!
//! **Decided by**: this message of the application.
//!
//! **Not a fault**: the variable's value, and the mount: the webhook's are right. A cluster whose keys are in the keystore logs
//! this too, and needs no token.
//!
//! **Repair**: create the symlink before the application starts, in an init container or the image.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors;

pub(super) const META: Meta = Meta {
    id: "app-reads-token-elsewhere",
    step: Step::Caller,
    title: "the application reads the token only through a path of its own",
    explains: &["silent-fallback-to-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let said = match app_errors::of_irsa(derived, |kind| kind == Kind::TokenReadElsewhere) {
        Ok(said) => said,
        Err(outcome) => return outcome,
    };
    let who = app_errors::speaker(derived);
    let summary = format!("{who} reads its token through a symlink of its own, which does not exist");
    app_errors::finding(&META, derived, said, &summary)
        .missing("repository-s3/aws-web-identity-token-file", "a symlink to the token", said.source)
        .fix(Fix::advice(
            "create the symlink in the configuration directory before the application starts: ln -s \
             $AWS_WEB_IDENTITY_TOKEN_FILE $ES_PATH_CONF/repository-s3/aws-web-identity-token-file",
        ))
        .into()
}
