//! # A security module keeps the token from the application
//!
//! Owner, group and mode of the token file let the application's process read it, and the kernel refuses all the same: SELinux
//! or AppArmor. On Bottlerocket with `seLinuxOptions` of one's own, or where the volume was not relabelled.
//!
//! **You see**: `permission denied` for a file that everyone may read by its mode.
//!
//! **Decided by**: the probe, which runs as the container's user with the container's own labels and is refused although the
//! modes on the whole way permit it. Its conclusion: another reason (a FUSE file system, a seccomp filter) is possible.
//!
//! **Not a fault**: a mode that does not fit is `token-permission-denied`.
//!
//! **Repair**: look for the denial in the node's audit log, and take the label or profile out of the pod's `securityContext` or
//! allow it the volume.

use crate::checks::prelude::*;
use crate::checks::shared::probed;
use crate::derive::probed::Denied;

/// See the module's page.
pub const META: Meta = Meta {
    id: "selinux-lsm",
    step: Step::TokenFile,
    title: "a security module keeps the token from the application",
    explains: &["token-permission-denied", "sts-refused", "silent-fallback-to-node-role"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let Some(seen) = probed::of_irsa(derived) else {
        return Outcome::NotApplicable("the probe did not look at the token file");
    };
    let denied = seen.denied().filter(|denied| *denied == Denied::SecurityModule);
    let Some(((file, field), stat)) =
        denied.and(seen.token_file()).and_then(|found| Some((found, found.0.stat.as_ref()?)))
    else {
        return probed::or_pass(derived, META.step, Outcome::NotApplicable("the file was not refused"));
    };
    let label =
        seen.report().process.as_ref().and_then(|process| process.identity.as_ref()?.label.as_deref());
    let summary = format!(
        "container {} may read its token file by its mode, and the kernel refuses: most likely SELinux or AppArmor",
        seen.container()
    );
    let mut finding = probed::finding(&META, derived, seen, summary).inferred().evidence(
        &file.path,
        format!("readable, as its mode says ({})", probed::shown(stat)),
        "permission denied",
        &seen.at(&format!("{field}.fault")),
    );
    if let Some(label) = label {
        finding = finding.seen("label of the process", label, &seen.at("process.identity.label"));
    }
    finding
        .fix(Fix::advice("look for the denial on the node: `ausearch -m avc -ts recent`, or `journalctl -k --grep apparmor`"))
        .fix(Fix::advice("then take seLinuxOptions or appArmorProfile out of the pod, or let its label read the token's volume"))
        .into()
}
