//! # Web identity takes precedence over EKS Pod Identity
//!
//! SDKs look for a web identity (`AWS_ROLE_ARN`, `AWS_WEB_IDENTITY_TOKEN_FILE`) before they ask the EKS Pod Identity agent;
//! only version 2 of the JavaScript SDK does not. A pod whose manifest still sets both variables keeps using the old role,
//! whatever its association says.
//!
//! **You see**: nothing, or `AccessDenied` that names the old role.
//!
//! **Decided by**: the container has these variables as well as those of EKS Pod Identity, with a different role than the
//! association's. A warning, since the old role may still be good enough.
//!
//! **Not a fault**: both name the same role, as in the middle of a migration; only one of the two variables, which no SDK uses.
//!
//! **Repair**: unset both variables in the manifest.

use crate::checks::prelude::*;
use crate::derive::association::Associated;
use crate::repair::env;

pub(super) const META: Meta = Meta {
    id: "pi-shadowed",
    step: Step::Caller,
    title: "web identity takes precedence over EKS Pod Identity",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
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
        "container {name} is also wired for a web identity, which most SDKs prefer to EKS Pod Identity: it uses {arn}"
    );
    let finding = META
        .on_container(derived, view, Severity::Warning, summary)
        .evidence(ROLE_ARN, "not set", arn, &role.source)
        .seen("role of the association", given, source);
    Some(finding.fix(env::take_out(derived, view, &[(ROLE_ARN, role), (TOKEN_FILE, file)])))
}
