//! # The process does not see the directory of the token
//!
//! A process that changed its root directory (chroot: postfix, vsftpd, modules of nginx and Apache, sandboxes) sees another file
//! system than its container's, without the token in it.
//!
//! **You see**: `no such file or directory` for the token file, only from the application; `kubectl exec … ls` shows it.
//!
//! **Decided by**: the probe, which reads the root directory of each process of the container. Which of them calls AWS is not
//! seen: it is an error where the application says that its token file is missing, else a remark.
//!
//! **Not a fault**: a container runtime's own change of root, which every process of the container shares.
//!
//! **Repair**: bind the directory of the token into the new root, or call AWS before the change.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::{app_errors, probed};

/// See the module's page.
pub const META: Meta = Meta {
    id: "chroot-or-private-mount-ns",
    step: Step::TokenFile,
    title: "the process does not see the directory of the token",
    explains: &["silent-fallback-to-node-role"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let Some(seen) = probed::of_irsa(derived) else {
        return Outcome::NotApplicable("the probe did not look at the processes");
    };
    let Some(target) = &seen.report().target else {
        return Outcome::NotApplicable("the application's processes were not seen");
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
        "{process} of container {} has {root} as its root directory, where the token is not mounted",
        seen.container()
    );
    let mut finding = probed::finding(&META, derived, seen, summary)
        .inferred()
        .severity(said.map_or(Severity::Info, |said| said.severity()))
        .evidence("root directory", "/", root, &seen.at(&field));
    if let Some(said) = said {
        finding = finding.seen("the application says", "there is no token file", said.source);
    }
    finding.fix(Fix::advice("bind the directory of the token into the new root, or let the process call AWS from outside of it")).into()
}
