//! # SELinux or AppArmor blocks the token file
//!
//! Owner, group and mode of the token file let the application's process read it, but the kernel denies it: SELinux or
//! AppArmor. This happens on Bottlerocket with custom `seLinuxOptions`, or where the volume was not relabelled.
//!
//! **You see**: `permission denied` for a file whose mode lets everyone read it.
//!
//! **Decided by**: the probe, which runs as the container's user with the container's own labels and is denied although the
//! modes along the whole path permit it. This is inferred: another reason (a FUSE file system, a seccomp filter) is possible.
//!
//! **Not a fault**: a mode that does not permit it is `token-permission-denied`.
//!
//! **Repair**: find the denial in the node's audit log, then remove the label or profile from the pod's `securityContext` or
//! allow it to read the volume.

use crate::checks::prelude::*;
use crate::checks::shared::probed;
use crate::derive::probed::Denied;

pub(super) const META: Meta = Meta {
    id: "selinux-lsm",
    step: Step::TokenFile,
    title: "SELinux or AppArmor blocks the token file",
    explains: &["token-permission-denied", "sts-refused", "silent-fallback-to-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some(seen) = probed::of_irsa(derived) else {
        return Outcome::NotApplicable("the probe did not look at the token file");
    };
    let denied = seen.denied().filter(|denied| *denied == Denied::SecurityModule);
    let Some(((file, field), stat)) =
        denied.and(seen.token_file()).and_then(|found| Some((found, found.0.stat.as_ref()?)))
    else {
        return probed::or_pass(
            derived,
            META.step,
            Outcome::NotApplicable("access to the file was not denied"),
        );
    };
    let label =
        seen.report().process.as_ref().and_then(|process| process.identity.as_ref()?.label.as_deref());
    let summary = format!(
        "container {} may read its token file going by its mode, but the kernel denies it: most likely SELinux or AppArmor",
        seen.container()
    );
    let mut finding = probed::finding(&META, derived, seen, summary).inferred().evidence(
        &file.path,
        format!("readable, going by its mode ({})", probed::shown(stat)),
        "permission denied",
        &seen.at(&format!("{field}.fault")),
    );
    if let Some(label) = label {
        finding = finding.seen("label of the process", label, &seen.at("process.identity.label"));
    }
    finding
        .fix(Fix::advice("find the denial in the node's logs: `ausearch -m avc -ts recent`, or `journalctl -k --grep apparmor`"))
        .fix(Fix::advice("then remove seLinuxOptions or appArmorProfile from the pod, or allow its label to read the token's volume"))
        .into()
}
