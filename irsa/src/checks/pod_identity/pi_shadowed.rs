//! # Web identity takes precedence over EKS Pod Identity
//!
//! SDKs look for a web identity (`AWS_ROLE_ARN`, `AWS_WEB_IDENTITY_TOKEN_FILE`) before they ask the EKS Pod Identity agent;
//! only version 2 of the JavaScript SDK does not. A pod whose manifest still sets both variables keeps using the old role,
//! whatever its association says.
//!
//! **You see**: nothing, or `AccessDenied` that names the old role.
//!
//! **Decided by**: the container has these variables as well as those of EKS Pod Identity, with a different role than the
//! association's. A warning, since the old role may still be good enough; an error if AWS denies it what the application does.
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
    explains: &["perm-no-policy"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let mut both =
        derived.judged().filter(|view| view.wiring == Wiring::Complete && view.pod_identity).peekable();
    if both.peek().is_none() {
        return Outcome::NotApplicable("no container is wired for both");
    }
    Outcome::of(both.filter_map(|view| shadowed(derived, view)).collect())
}

fn shadowed(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    // The one SDK that asks the agent first.
    if view.is_target && derived.intent.mechanism == Mechanism::PodIdentity {
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
    let denied = view.is_target
        && derived
            .denials()
            .all
            .iter()
            .any(|denial| denial.role.expected && denial.severity(derived) == Severity::Error);
    let severity = if denied { Severity::Error } else { Severity::Warning };
    let finding = META
        .on_container(derived, view, severity, summary)
        .doubt(Doubt::MayFail)
        .evidence(ROLE_ARN, "not set", arn, &role.source)
        .seen("role of the association", given, source);
    Some(finding.fix(env::take_out(derived, view, &[(ROLE_ARN, role), (TOKEN_FILE, file)])))
}
