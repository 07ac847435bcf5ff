//! # Access keys in the environment
//!
//! `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` come before the web identity in every SDK but .NET v3: the pod works with
//! an IAM user's keys, or fails with them, and its role is never asked for.
//!
//! **You see**: `AccessDenied` that names an IAM *user*, `InvalidClientTokenId`, `ExpiredToken`.
//!
//! **Decided by**: both names are set in `env` or `envFrom` of the container; values are never read. Empty values count as
//! unset.
//!
//! **Repair**: take them out of the manifest, or out of the Secret that carries them.

use super::prelude::*;
use crate::derive::env::Origin;

/// See the module's page.
pub const META: Meta = Meta {
    id: "static-env-keys",
    step: Step::Caller,
    title: "access keys in the environment come before the role",
    explains: &[],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    if derived.containers.is_empty() {
        return Outcome::NotApplicable("no pod to look at");
    }
    let findings: Vec<_> = derived.containers.iter().filter_map(|view| keys(derived, view)).collect();
    let unread = derived.containers.iter().flat_map(|view| &view.env.unread);
    let unread: Vec<_> = unread.map(|why| (*why).clone()).collect();
    if findings.is_empty() && !unread.is_empty() { Outcome::Unknown(unread) } else { Outcome::of(findings) }
}

fn keys(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    // Java and Ruby also read AWS_ACCESS_KEY and AWS_SECRET_KEY.
    let (id_name, id) = view.env.first_set(&["AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"])?;
    let (_, secret) = view.env.first_set(&["AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY"])?;
    let name = view.name();
    let place = match &id.origin {
        Origin::Env(_) => String::from("its manifest"),
        Origin::EnvFrom(from) => from.clone(),
    };
    let finding = META
        .on_subject(derived, format!("container {name} has access keys from {place}, which come before its role"))
        .container(name)
        .evidence(id_name, "not set", id.shown(), &id.source)
        .seen("secret key", secret.shown(), &secret.source);
    Some(finding.advice(format!("take the access keys out of {place} and make the pods anew")))
}
