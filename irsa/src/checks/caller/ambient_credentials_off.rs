//! # The application uses the pod's identity only for some of its objects
//!
//! Controllers act for others, so they do not lend their own identity to everyone. cert-manager uses its pod's role ("ambient
//! credentials") for a ClusterIssuer, and for an Issuer, which any namespace can create, only if it is told to.
//!
//! **You see**: `empty credentials; perhaps you meant to enable ambient credentials?`
//!
//! **Decided by**: this message. It says nothing against the pod's identity, so it is a warning.
//!
//! **Not a fault**: service account, role and trust policy.
//!
//! **Repair**: a ClusterIssuer; or a `role` with a service account of its own in the Issuer. The flag
//! `--issuer-ambient-credentials` lends the role to whoever may create an Issuer.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors::{self, UNREPORTED};

pub(super) const META: Meta = Meta {
    id: "ambient-credentials-off",
    step: Step::Caller,
    title: "the application uses the pod's identity only for some of its objects",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some(said) = derived.app_errors.find(|kind| kind == Kind::AmbientCredentialsOff) else {
        return UNREPORTED;
    };
    let who = app_errors::speaker(derived);
    let summary =
        format!("{who} does not use the pod's role for one of its objects, because it is not told to");
    app_errors::finding(&META, derived, said, &summary)
        .severity(said.severity().max(Severity::Warning))
        .seen("the application says", "ambient credentials are not enabled", said.source)
        .fix(Fix::advice(
            "for cert-manager: use a ClusterIssuer, or name a role and a service account in the Issuer; with \
             --issuer-ambient-credentials everyone who may create an Issuer can use the controller's role",
        ))
        .into()
}
