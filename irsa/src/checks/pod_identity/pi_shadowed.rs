//! # Web identity comes before EKS Pod Identity
//!
//! SDKs look for a web identity (`AWS_ROLE_ARN`, `AWS_WEB_IDENTITY_TOKEN_FILE`) before they ask the EKS Pod Identity agent; only
//! version 2 of JavaScript's does not. A pod whose manifest still has both variables goes on as the old role, whatever its
//! association says.
//!
//! **You see**: nothing, or `AccessDenied` that names the old role.
//!
//! **Decided by**: the container's variables beside those of EKS Pod Identity, and another role than the association's. A
//! warning, as the old role may still do.
//!
//! **Not a fault**: both name the same role, as in the middle of a move; one variable alone, with which no SDK starts.
//!
//! **Repair**: take both variables out of the manifest.

use crate::checks::prelude::*;
use crate::derive::association::Associated;
use crate::repair::env;

/// See the module's page.
pub const META: Meta = Meta {
    id: "pi-shadowed",
    step: Step::Caller,
    title: "web identity comes before EKS Pod Identity",
    explains: &[],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    if derived.intent.mechanism != Mechanism::PodIdentity {
        return Outcome::NotApplicable("the pod does not use EKS Pod Identity");
    }
    Outcome::of(derived.judged().filter_map(|view| shadowed(derived, view)).collect())
}

fn shadowed(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    if view.wiring != Wiring::Complete || !view.pod_identity {
        return None;
    }
    let (role, file) = (view.env.get(ROLE_ARN)?, view.env.get(TOKEN_FILE)?);
    let arn = role.text()?;
    let Associated::Yes(association, source) = Associated::of(derived) else { return None };
    let given = association.role_arn.as_deref().filter(|given| *given != arn)?;
    let name = view.name();
    let summary = format!(
        "container {name} is wired for a web identity, too, which most SDKs take before EKS Pod Identity: it goes by {arn}"
    );
    let finding = META
        .on_container(derived, view, Severity::Warning, summary)
        .evidence(ROLE_ARN, "not set", arn, &role.source)
        .seen("role of the association", given, source);
    Some(finding.fix(env::take_out(derived, view, &[(ROLE_ARN, role), (TOKEN_FILE, file)])))
}
