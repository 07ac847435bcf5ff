//! # The application cannot read its token
//!
//! The token file exists, but the process may not read it. The kubelet makes the file readable by everyone (0644), unless the
//! pod sets `fsGroup`, which then owns it, or all its containers have the same `runAsUser`, which then owns it (0600). A
//! process that changes its user after the start (`gosu`, `su-exec`, the workers of nginx and php-fpm) is neither. A directory
//! along the path may also be closed to it: `/root` is closed to everyone but root in most images.
//!
//! **You see**: `open /var/run/secrets/eks.amazonaws.com/serviceaccount/token: permission denied` (Go), `[Errno 13] Permission
//! denied` (boto3), `EACCES` (JavaScript); and, from SDKs that carry on after it, an `AccessDenied` that names the node's role.
//!
//! **Decided by**: the probe, which runs as the container's user and compares owner, group and mode with the credentials of the
//! application's process; without it, the application's error message.
//!
//! **Not a fault**: `runAsNonRoot`, or no `fsGroup`: since Kubernetes 1.19 neither keeps a container from its token.
//!
//! **Repair**: set `fsGroup` in the pod's `securityContext`, or run the process as the user that the pod declares. If `fsGroup`
//! is already set, the process drops its groups, or SELinux or AppArmor blocks it. If a directory of the image is closed,
//! `fsGroup` does not open it: mount the token elsewhere.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::{app_errors, probed};
use crate::derive::probed::{Denied, ProbedPod};
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "token-permission-denied",
    step: Step::TokenFile,
    title: "the application cannot read its token",
    explains: &["silent-fallback-to-node-role"],
};

/// The group that AWS's documentation uses: `nobody`.
const GROUP: i64 = 65534;

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if let Some(seen) = probed::of_irsa(derived)
        && seen.denied() == Some(Denied::Mode)
        && let Some(finding) = denied(derived, seen)
    {
        return finding.into();
    }
    let said = match app_errors::of_irsa(derived, |kind| kind == Kind::TokenFileUnreadable) {
        Ok(said) => said,
        Err(outcome) => return probed::or_pass(derived, META.step, outcome),
    };
    let who = app_errors::speaker(derived);
    let summary = format!("a process of {who} cannot read its token file");
    let finding = app_errors::finding(&META, derived, said, &summary).evidence(
        "token file",
        "readable by the process",
        "permission denied",
        said.source,
    );
    repaired(derived, finding, GROUP).into()
}

/// Owner, group and mode keep the application's process out.
fn denied(derived: &Derived<'_>, seen: &ProbedPod<'_>) -> Option<Finding> {
    let (file, field) = seen.token_file()?;
    let report = seen.report();
    let (identity, whose) = match report.target.as_ref().and_then(|target| target.identity.as_ref()) {
        Some(identity) => (identity, "target"),
        None => (report.process.as_ref()?.identity.as_ref()?, "process"),
    };
    let (user, group) = (identity.uid[3], identity.gid[3]);
    let (place, stat, at, may, open) = match &file.closed {
        Some(directory) => (&directory.path, &directory.stat, "closed.stat", "pass through", "open to"),
        None => (&file.path, file.stat.as_ref()?, "stat", "read", "readable by"),
    };
    let summary = format!("container {} runs as user {user}, which cannot {may} {place}", seen.container());
    let mut who = format!("user {user}, group {group}");
    if !identity.groups.is_empty() {
        let groups: Vec<String> = identity.groups.iter().map(ToString::to_string).collect();
        who += &format!(", supplementary groups {}", groups.join(" "));
    }
    let finding = probed::finding(&META, derived, seen, summary)
        .evidence(
            place,
            format!("{open} user {user}"),
            probed::shown(stat),
            &seen.at(&format!("{field}.{at}")),
        )
        .seen("the process runs as", who, &seen.at(&format!("{whose}.identity")));
    Some(match &file.closed {
        Some(_) => finding.fix(Fix::advice(format!(
            "mount the token outside {place}, as the webhook does ({TOKEN_DIRECTORY}); fsGroup does not open a directory of \
             the image"
        ))),
        // A process that changed its user has lost the groups that the kubelet gave it, but not its own.
        None => repaired(derived, finding, if group == 0 { GROUP } else { i64::from(group) }),
    })
}

fn repaired(derived: &Derived<'_>, finding: Finding, group: i64) -> Finding {
    let Some(place) = derived.spec_at(".securityContext.fsGroup") else { return finding };
    if let Some(present) = derived.spec().and_then(|(spec, ..)| spec.security_context.fs_group) {
        return finding
            .seen("fsGroup", present.to_string(), &place)
            .fix(Fix::advice(
                "the file already has a group, so the process drops its groups or changes its user after the start: run it as \
                 the user that the pod declares (no gosu or su-exec), or look for a denial by SELinux or AppArmor",
            ));
    }
    let finding = finding.missing("fsGroup", "a group that owns the token file", &place);
    let patch = serde_json::json!({ "spec": { "securityContext": { "fsGroup": group } } });
    let title = "set fsGroup, so that the group can read the token; restarts the pods";
    finding.fix(workload::patch(derived, title, &patch).unwrap_or_else(|| {
        Fix::advice(format!("set securityContext.fsGroup: {group} in the pod's spec and recreate the pods"))
    }))
}
