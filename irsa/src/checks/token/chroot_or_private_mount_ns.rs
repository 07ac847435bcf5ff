//! # The process cannot see the token's directory
//!
//! A process that changed its root directory (chroot: postfix, vsftpd, modules of nginx and Apache, sandboxes) sees a different
//! file system than its container does, without the token.
//!
//! **You see**: `no such file or directory` for the token file, but only from the application; `kubectl exec … ls` shows it.
//!
//! **Decided by**: the probe, which reads the root directory of each process in the container. It cannot see which of them
//! calls AWS: this is an error if the application reports that its token file is missing, otherwise an info finding.
//!
//! **Not a fault**: the container runtime's own change of root, which every process of the container shares.
//!
//! **Repair**: bind-mount the token's directory into the new root, or call AWS before the chroot.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::{app_errors, probed};

pub(super) const META: Meta = Meta {
    id: "chroot-or-private-mount-ns",
    step: Step::TokenFile,
    title: "the process cannot see the token's directory",
    explains: &["silent-fallback-to-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some(seen) = probed::of_irsa(derived) else {
        return Outcome::NotApplicable("the probe did not look at the processes");
    };
    let Some(target) = &seen.report().target else {
        return Outcome::NotApplicable("the probe did not see the application's processes");
    };
    let first = target
        .root
        .as_deref()
        .map(|root| (target.pid, target.name.as_deref(), root, "target.root".to_owned()));
    let other = || {
        target.others.iter().enumerate().find_map(|(index, other)| {
            let root = other.root.as_deref()?;
            Some((Some(other.pid), Some(other.name.as_str()), root, format!("target.others[{index}].root")))
        })
    };
    let Some((pid, name, root, field)) = first.or_else(other) else {
        return probed::or_pass(derived, META.step, Outcome::NotApplicable("no process changed its root"));
    };
    let said = app_errors::of_irsa(derived, |kind| kind == Kind::TokenFileMissing).ok();
    let process = match (name, pid) {
        (Some(name), Some(pid)) => format!("process {pid} ({name})"),
        _ => String::from("the process"),
    };
    let summary = format!(
        "{process} in container {} has root directory {root}, where the token is not mounted",
        seen.container()
    );
    let mut finding = probed::finding(&META, derived, seen, summary)
        .inferred()
        .severity(said.map_or(Severity::Info, |said| said.severity()))
        .evidence("root directory", "/", root, &seen.at(&field));
    if let Some(said) = said {
        finding = finding.seen("the application reports", "there is no token file", said.source);
    }
    finding
        .fix(Fix::advice(
            "bind-mount the token's directory into the new root, or call AWS from a process outside it",
        ))
        .into()
}
