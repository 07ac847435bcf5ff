//! # A credentials file is mounted
//!
//! A volume is mounted where SDKs look for `~/.aws/credentials`, or `AWS_SHARED_CREDENTIALS_FILE` points into one. JavaScript v2
//! and v3, Rust and C++ read that file before the web identity: the pod then has the identity in the file. Go, boto3, Java, PHP,
//! Ruby and .NET use the web identity first. With EKS Pod Identity the file comes first in every SDK.
//!
//! **You see**: a caller that is not the role, `InvalidClientTokenId`, `ExpiredToken`.
//!
//! **Decided by**: mounts and variables. The content of a mounted file is never read, so this is inferred; a file that is part
//! of the image is not seen at all. The probe looks at the files that the process can read.
//!
//! **Not a fault**: `/dev/null`; a path under no volume; an empty volume on `~/.aws`, which the AWS CLI uses as its cache; a
//! ConfigMap there without a file `credentials`; OpenShift, whose file names role and token and *is* the mechanism.
//!
//! **Repair**: remove the mount, or set `AWS_SHARED_CREDENTIALS_FILE=/dev/null`.

use crate::checks::prelude::*;
use crate::checks::shared::probed;
use crate::derive::container::is_parent;
use crate::derive::probed::ProbedPod;
use crate::facts::kubernetes::{Volume, VolumeMount};
use crate::repair::env;

pub(super) const META: Meta = Meta {
    id: "shared-credentials-file",
    step: Step::Caller,
    title: "a credentials file is mounted",
    // Which section of the file is read is a detail of it.
    explains: &["aws-profile", "app-caches-token"],
};

const VARIABLE: &str = "AWS_SHARED_CREDENTIALS_FILE";

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    match derived.intent.mechanism {
        _ if derived.containers.is_empty() => return Outcome::NotApplicable("no pod to look at"),
        Mechanism::Irsa | Mechanism::PodIdentity => {}
        _ => return Outcome::NotApplicable("no role is named"),
    }
    if super::profile_is_the_mechanism(derived) {
        return Outcome::NotApplicable("the pod gets its role from a profile, as on OpenShift");
    }
    // What the probe saw need not be inferred from mounts.
    let looked = derived.probed.pod().filter(|seen| !seen.report().shared_files.is_empty());
    let findings = derived.judged().filter_map(|view| match looked.filter(|_| view.is_target) {
        Some(seen) => found(derived, view, seen),
        None => mounted(derived, view),
    });
    let findings = findings.collect();
    let unread = derived.judged().filter_map(|view| {
        let entry = view.env.get(VARIABLE).filter(|entry| entry.is_set())?;
        entry.text().is_none().then(|| entry.unread(VARIABLE, view.name()))
    });
    Outcome::with_unread(findings, unread.collect())
}

/// A file with access keys that the application's process can read.
fn found(derived: &Derived<'_>, view: &ContainerView<'_>, seen: &ProbedPod<'_>) -> Option<Finding> {
    let files = seen.report().shared_files.iter().enumerate();
    let (index, file, profile) = files.filter(|(_, file)| file.file.readable).find_map(|(index, file)| {
        let keys = |profile: &&irsa_probe::Profile| {
            profile.settings.iter().any(|setting| setting.name.eq_ignore_ascii_case("aws_access_key_id"))
        };
        Some((index, file, file.profiles.iter().find(keys)?))
    })?;
    let (name, path) = (view.name(), &file.file.path);
    let summary = format!(
        "container {name} has access keys in {path} (profile {}), which some SDKs read before the role",
        profile.name
    );
    let at = seen.at(&format!("sharedFiles[{index}]"));
    let finding = probed::finding(&META, derived, seen, summary).severity(Severity::Warning).evidence(
        "access keys in a credentials file",
        "none",
        format!("profile {}", profile.name),
        &at,
    );
    Some(finding.fix(unread(derived, view).unwrap_or_else(|| {
        Fix::advice(format!("set {VARIABLE}=/dev/null in the manifest, or remove the file from the image"))
    })))
}

fn mounted(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    let (spec, ..) = derived.spec()?;
    let set = view.env.get(VARIABLE).filter(|entry| entry.is_set());
    let files: Vec<String> = match set {
        // Where it is set, no other file is read.
        Some(entry) => vec![entry.text()?.to_owned()],
        None => match view.env.get("HOME").and_then(|home| home.text()).filter(|home| !home.is_empty()) {
            Some(home) => vec![format!("{}/.aws/credentials", home.trim_end_matches('/'))],
            None => homes(&view.container.volume_mounts),
        },
    };
    let (file, index, mount, volume) = files.iter().find_map(|file| {
        let mounts = view.container.volume_mounts.iter().enumerate();
        let (index, mount) = mounts
            .filter(|(_, mount)| is_parent(&mount.mount_path, file))
            .max_by_key(|(_, mount)| mount.mount_path.trim_end_matches('/').len())?;
        let (_, volume) = spec.volume(&mount.name)?;
        holds_file(file, mount, volume, set.is_some()).then_some((file, index, mount, volume))
    })?;
    let name = view.name();
    let summary = format!(
        "container {name} mounts {} {} at {file}, which some SDKs read before the role",
        volume.kind(),
        mount.name
    );
    let at = derived.spec_at("")?.at(format!("{}.volumeMounts[{index}]", view.path));
    let mut finding = META.on_container(derived, view, Severity::Warning, summary).inferred();
    finding = finding.evidence("credentials file", "none", &mount.mount_path, &at);
    if let Some(entry) = set {
        finding = finding.seen(VARIABLE, entry.shown(), &entry.source);
    }
    finding = finding.fix(
        unread(derived, view)
            .unwrap_or_else(|| Fix::advice(format!("set {VARIABLE}=/dev/null in the manifest"))),
    );
    Some(finding.fix(Fix::advice("or remove the mount from the manifest, if nothing else needs it")))
}

fn unread(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Fix> {
    env::set(derived, view, &[format!("{VARIABLE}=/dev/null")], "keep every SDK from reading it")
}

/// The credentials files of the home directories in the mounts, where the image's `HOME` is not known.
fn homes(mounts: &[VolumeMount]) -> Vec<String> {
    let paths = mounts.iter().map(|mount| mount.mount_path.trim_end_matches('/'));
    let homes = paths.filter_map(|path| {
        let home = path.strip_suffix("/credentials").unwrap_or(path).strip_suffix("/.aws")?;
        (home == "/root" || home.starts_with("/home/")).then(|| format!("{home}/.aws/credentials"))
    });
    homes.collect()
}

/// True if the volume may hold credentials at that path. `named`: a variable points at the very file.
fn holds_file(file: &str, mount: &VolumeMount, volume: &Volume, named: bool) -> bool {
    let exact = mount.mount_path.trim_end_matches('/') == file;
    if volume.secret.is_some() || volume.csi.is_some() || volume.host_path.is_some() {
        return true;
    }
    if volume.config_map.is_some() {
        return named || exact;
    }
    // Tokens are not a credentials file, and an empty volume is a cache unless a variable says that a file is put there.
    let token = volume.tokens().next().is_some();
    (volume.projected.is_some() && !token) || (volume.empty_dir.is_some() && named)
}
