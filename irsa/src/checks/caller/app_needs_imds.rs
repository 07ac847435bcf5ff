//! # The application wants a credentials file
//!
//! The application decides by itself where it runs. It cannot reach the instance metadata service, takes itself to be outside
//! AWS, and wants access keys from a file, though the container has all that its SDK needs. The CloudWatch agent does so where
//! pods cannot reach the metadata service.
//!
//! **You see**: `SharedCredsLoad: failed to load shared credentials file`, `open /root/.aws/credentials: no such file or directory`.
//!
//! **Decided by**: this message, in a container that is wired for its role.
//!
//! **Not a fault**: a metadata service that pods cannot reach. That is how it should be; do not open it for this.
//!
//! **Repair**: the application's own setting. The CloudWatch agent: `RUN_WITH_IRSA=True` in its environment.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors::{self, UNREPORTED};

pub(super) const META: Meta = Meta {
    id: "app-needs-imds",
    step: Step::Caller,
    title: "the application wants a credentials file",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some(said) = derived.app_errors.find(|kind| kind == Kind::CredentialsFileMissing) else {
        return UNREPORTED;
    };
    let Some(view) = derived.target().filter(|view| view.wiring == Wiring::Complete || view.pod_identity)
    else {
        return Outcome::NotApplicable("the container is not wired for a role");
    };
    let summary = format!(
        "container {} wants a credentials file and does not use the role that it is wired for",
        view.name()
    );
    app_errors::finding(&META, derived, said, &summary)
        .inferred()
        .seen("the application says", "no shared credentials file", said.source)
        .fix(Fix::advice(
            "tell the application where it runs, in its own settings: for the CloudWatch agent set RUN_WITH_IRSA=True in its \
             environment and the Region in its configuration",
        ))
        .into()
}
