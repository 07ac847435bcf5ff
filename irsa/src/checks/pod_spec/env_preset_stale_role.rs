//! # The manifest names another role than the service account
//!
//! `AWS_ROLE_ARN` is written into the manifest or the chart, and the annotation of the service account names another role.
//! The webhook does not replace a variable that is there: the pod is the manifest's role, whatever the annotation says.
//!
//! **You see**: `AccessDenied` that names a role which nobody expects, or `Not authorized to perform
//! sts:AssumeRoleWithWebIdentity` if that role no longer trusts this service account.
//!
//! **Decided by**: the variable's value against the annotation, and that the manifest sets it and not the webhook: the
//! workload's template has it, or it does not stand where the webhook puts it. An old value of the webhook's own is
//! `pod-created-before-annotation`.
//!
//! **Not a fault**: a bare role name in the annotation that the webhook completes to the same ARN. On a container beside the
//! target this is only remarked: it may have its own role on purpose.
//!
//! **Repair**: take the variable out of the manifest, so that the annotation alone names the role.

use crate::checks::prelude::*;
use crate::repair::env;

/// See the module's page.
pub const META: Meta = Meta {
    id: "env-preset-stale-role",
    step: Step::Pod,
    title: "the manifest names another role than the service account",
    explains: &[
        "role-deleted-or-never-existed",
        "role-path-missing",
        "wrong-account-in-arn",
        "oidc-provider-missing",
        "sts-refused",
    ],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    if derived.containers.is_empty() {
        return Outcome::NotApplicable("no pod to look at");
    }
    if !derived.intent.expects_injection() {
        return match derived.account_unknown() {
            Some(why) => unknown(why),
            None => Outcome::NotApplicable("nothing but the manifest names a role"),
        };
    }
    Outcome::of(derived.containers.iter().filter_map(|view| stale(derived, view)).collect())
}

fn stale(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    let role = derived.intent.role.as_ref()?;
    let carried = view.env.get(ROLE_ARN).filter(|entry| entry.is_set())?;
    let text = carried.text()?;
    // Without the token file the role is not asked for: that is env-preset-partial.
    let wired = matches!(view.wiring, Wiring::Complete | Wiring::NoMount);
    if !wired || role.is(text) || view.pod_identity || !derived.is_preset(view, ROLE_ARN) {
        return None;
    }
    let name = view.name();
    let (severity, summary) = if view.is_target {
        (Severity::Error, format!("container {name} presets another role than its service account names"))
    } else {
        (Severity::Info, format!("container {name} presets a role of its own"))
    };
    let finding = META
        .on_subject(derived, summary)
        .container(name)
        .severity(severity)
        .evidence(ROLE_ARN, role.raw, text, &carried.source)
        .seen("role of the service account", role.raw, &role.source);
    if severity == Severity::Info {
        return Some(finding);
    }
    let title = "take the preset variables out; the webhook then adds the service account's role";
    let fix = env::unset(derived, view, &[ROLE_ARN, TOKEN_FILE], title);
    Some(finding.fix(fix.unwrap_or_else(|| {
        Fix::advice(format!("take {ROLE_ARN} out of where it is set and make the pods anew"))
    })))
}
