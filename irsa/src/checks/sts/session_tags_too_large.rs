//! # The session's tags are too large
//!
//! STS packs a session's tags and policies into a limited space. EKS Pod Identity sets six tags, which are passed on to every
//! role that the application assumes next; with tags of its own there may be no room left.
//!
//! **You see**: `PackedPolicyTooLarge: Packed size of session tags consumes 112% of allotted space`, from `AssumeRole`.
//!
//! **Decided by**: this message from the application.
//!
//! **Not a fault** of the trust policies: STS got as far as packing the session.
//!
//! **Repair**: send fewer or shorter tags, or have EKS Pod Identity set none: then policies cannot use them, here or in the next
//! role. A web identity (IRSA) has no tags of its own.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors::{self, UNREPORTED};
use crate::derive::association::Associated;
use crate::repair::pod_identity;

pub(super) const META: Meta = Meta {
    id: "session-tags-too-large",
    step: Step::Sts,
    title: "the session's tags are too large",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some(said) = derived.app_errors.find(|kind| kind == Kind::SessionTagsTooLarge) else {
        return UNREPORTED;
    };
    let who = app_errors::speaker(derived);
    let summary = format!("{who} opens a session whose tags and policies are larger than STS allows");
    let finding = app_errors::finding(&META, derived, said, &summary).evidence(
        "size of the session's tags and policies",
        "at most 100%",
        "more",
        said.source,
    );
    let finding = finding.fix(Fix::advice(
        "have the application send fewer or shorter session tags, or a shorter session policy",
    ));
    match Associated::of(derived) {
        Associated::Yes(association, source) if derived.intent.mechanism == Mechanism::PodIdentity => {
            let tags = if association.session_tags { "set by EKS Pod Identity" } else { "disabled" };
            let finding = finding.seen("session tags of the association", tags, source);
            finding.fixes(pod_identity::disable_session_tags(derived, association)).into()
        }
        _ => finding.into(),
    }
}
