//! # The application closed the client that renews its credentials
//!
//! The Java SDK renews the pod's credentials with an STS client of its own, about once an hour. The application has closed that
//! client, or a credentials provider that several of its clients share: everything works until the first session ends.
//!
//! **You see**: `java.lang.IllegalStateException: Connection pool shut down`, with `StsAssumeRoleWithWebIdentityCredentialsProvider`
//! in its stack, an hour after the start.
//!
//! **Decided by**: this exception, in a record that names a provider of credentials.
//!
//! **Not a fault**: the same exception of a client for S3 or another service, which says nothing about credentials.
//!
//! **Repair**: in the application. `DefaultCredentialsProvider.create()` returns one instance for all who call it, and whoever
//! closes a client with it may close it for the others.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors;

pub(super) const META: Meta = Meta {
    id: "credentials-client-closed",
    step: Step::Caller,
    title: "the application closed the client that renews its credentials",
    explains: &["app-caches-token"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let said = match app_errors::of_irsa(derived, |kind| kind == Kind::ClientClosed) {
        Ok(said) => said,
        Err(outcome) => return outcome,
    };
    let who = app_errors::speaker(derived);
    let summary = format!("{who} has closed the STS client with which its SDK renews the credentials");
    app_errors::finding(&META, derived, said, &summary)
        .seen("the SDK says", "Connection pool shut down", said.source)
        .fix(Fix::advice(
            "do not close a credentials provider that other clients still use: in Java v2, build one for each client with \
             DefaultCredentialsProvider.builder().build(); until then a restart helps for an hour",
        ))
        .into()
}
