//! # A process that changed its user cannot read the token
//!
//! The container starts as the user that owns the token (0600), and its entrypoint or master process starts others as a
//! different user: `gosu`, `su-exec`, `setpriv`, the workers of nginx, Apache and php-fpm. If one of these calls AWS, it cannot
//! read the token.
//!
//! **You see**: `permission denied` from the application, while `kubectl exec … cat` of the same file works: exec runs as the
//! user that the container started as.
//!
//! **Decided by**: the probe, which compares owner, group and mode of the file with the credentials of each process in the
//! container. It cannot see which of them calls AWS: this is an error if the application reports that it cannot read its token,
//! otherwise an info finding.
//!
//! **Not a fault**: an image that starts as root and drops privileges, in a pod whose containers do not all set the same
//! `runAsUser`: then everyone can read the file (since Kubernetes 1.19).
//!
//! **Repair**: set `fsGroup` in the pod's `securityContext` and keep the group, or set `runAsUser` to the user that the process
//! switches to.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::{app_errors, probed};

pub(super) const META: Meta = Meta {
    id: "privilege-drop-after-start",
    step: Step::TokenFile,
    title: "a process that changed its user cannot read the token",
    explains: &["token-permission-denied", "silent-fallback-to-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some(seen) = probed::of_irsa(derived) else {
        return Outcome::NotApplicable("the probe did not look at the processes");
    };
    let Some(target) = &seen.report().target else {
        return Outcome::NotApplicable("the probe did not see the application's processes");
    };
    let kept_out = target.others.iter().enumerate().find(|(_, other)| other.may_read_token == Some(false));
    let (Some((index, other)), true) = (kept_out, seen.readable_to_target()) else {
        return probed::or_pass(derived, META.step, Outcome::NotApplicable("no process changed its user"));
    };
    let Some((file, field)) = seen.token_file() else { return Outcome::Pass };
    let said = app_errors::of_irsa(derived, |kind| kind == Kind::TokenFileUnreadable).ok();
    let summary = format!(
        "process {} in container {} runs as user {} and cannot read the token file",
        other.name,
        seen.container(),
        other.uid
    );
    let mut finding = probed::finding(&META, derived, seen, summary)
        .severity(said.map_or(Severity::Info, |said| said.severity()))
        .seen(
            format!("process {} ({})", other.pid, other.name),
            format!("user {}, group {}", other.uid, other.gid),
            &seen.at(&format!("target.others[{index}]")),
        );
    if let Some(stat) = &file.stat {
        finding = finding.evidence(
            &file.path,
            format!("readable by user {}", other.uid),
            probed::shown(stat),
            &seen.at(&format!("{field}.stat")),
        );
    }
    if let Some(said) = said {
        finding = finding.seen("the application reports", "permission denied", said.source);
    }
    finding
        .fix(Fix::advice(format!(
            "if that process calls AWS: set runAsUser: {} in the pod's spec, or an fsGroup that the process keeps",
            other.uid
        )))
        .into()
}
