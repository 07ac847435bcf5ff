//! # The manifest names a different role than the service account
//!
//! `AWS_ROLE_ARN` is set in the manifest or the chart, and the service account's annotation names a different role. The webhook
//! does not replace a variable that is already set: the pod uses the manifest's role, whatever the annotation says.
//!
//! **You see**: `AccessDenied` that names a role nobody expects, or `Not authorized to perform sts:AssumeRoleWithWebIdentity`
//! if that role no longer trusts this service account.
//!
//! **Decided by**: the variable's value differs from the annotation, and the manifest set it, not the webhook: the workload's
//! template has it, or it is not in the position where the webhook puts it. An old value that the webhook wrote itself is
//! `pod-created-before-annotation`.
//!
//! **Not a fault**: a bare role name in the annotation that the webhook completes to the same ARN. On containers other than the
//! target this is an info finding only: they may have their own role on purpose.
//!
//! **Repair**: unset the variable in the manifest, so that only the annotation names the role.

use crate::checks::prelude::*;
use crate::repair::env;

pub(super) const META: Meta = Meta {
    id: "env-preset-stale-role",
    step: Step::Pod,
    title: "the manifest names a different role than the service account",
    explains: &[
        "role-deleted-or-never-existed",
        "role-path-missing",
        "wrong-account-in-arn",
        "oidc-provider-missing",
        "sts-refused",
    ],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if derived.containers.is_empty() {
        return Outcome::NotApplicable("no pod to look at");
    }
    if !derived.intent.expects_injection() {
        return match derived.account_unknown() {
            Some(why) => unknown(why),
            None => Outcome::NotApplicable("only the manifest names a role"),
        };
    }
    Outcome::of(derived.containers.iter().filter_map(|view| stale(derived, view)).collect())
}

fn stale(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    let role = derived.intent.role.as_ref()?;
    let carried = view.env.get(ROLE_ARN).filter(|entry| entry.is_set())?;
    let text = carried.text()?;
    // Without the token file SDKs do not use the role: that is env-preset-partial.
    let wired = matches!(view.wiring, Wiring::Complete | Wiring::NoMount);
    if !wired || role.is(text) || view.pod_identity || !derived.is_preset(view, ROLE_ARN) {
        return None;
    }
    let name = view.name();
    let (severity, summary) = if view.is_target {
        (Severity::Error, format!("container {name} presets a different role than its service account names"))
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
    let title = "unset the preset variables; the webhook then adds the service account's role";
    let fix = env::unset(derived, view, &[ROLE_ARN, TOKEN_FILE], title);
    Some(finding.fix(
        fix.unwrap_or_else(|| Fix::advice(format!("unset {ROLE_ARN} where it is set and recreate the pods"))),
    ))
}
