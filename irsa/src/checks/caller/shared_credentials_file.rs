//! # A credentials file is mounted
//!
//! A volume is mounted where SDKs look for `~/.aws/credentials`, or `AWS_SHARED_CREDENTIALS_FILE` points into one. JavaScript
//! v2 and v3, Rust and C++ read that file before the web identity: the pod then has the identity in the file. boto3 and the AWS
//! CLI do so if its profile assumes a role (`role_arn` with `source_profile` or `credential_source`). Go, Java, PHP, Ruby and
//! .NET use the web identity first. With EKS Pod Identity the file comes first in every SDK.
//!
//! **You see**: a caller that is not the role, `InvalidClientTokenId`, `ExpiredToken`; or `Not authorized to perform
//! sts:AssumeRoleWithWebIdentity` although STS accepts the pod's token, with `credential-provider-ini` in the stack.
//!
//! **Decided by**: mounts and variables. The content of a mounted file is never read, so this is inferred; a file that is part
//! of the image is not seen at all. The probe looks at the files that the process can read. It is a warning, and an error if AWS
//! refuses the application now while STS accepts the pod's own token; then a mounted config file counts as well.
//!
//! **Not a fault**: `/dev/null`; a path under no volume; an empty volume on `~/.aws`, which the AWS CLI uses as its cache; a
//! ConfigMap there without a file `credentials`; OpenShift, whose file names role and token and *is* the mechanism.
//!
//! **Repair**: remove the mount, or set `AWS_SHARED_CREDENTIALS_FILE=/dev/null`.

use crate::checks::prelude::*;
use crate::checks::shared::probed;
use crate::derive::probed::ProbedPod;
use crate::derive::shared_file::{self, CONFIG, CREDENTIALS, Kept, SharedFile};
use crate::repair::env;

pub(super) const META: Meta = Meta {
    id: "shared-credentials-file",
    step: Step::Caller,
    title: "a credentials file is mounted",
    // Which section of the file is read is a detail of it.
    explains: &["aws-profile", "app-caches-token"],
};

const VARIABLE: &str = CREDENTIALS.variable;

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
    Some(finding.fix(unread(derived, view, CREDENTIALS).unwrap_or_else(|| {
        Fix::advice(format!("set {VARIABLE}=/dev/null in the manifest, or remove the file from the image"))
    })))
}

fn mounted(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    let said = shared_file::refusal_of_another(derived).filter(|_| view.is_target);
    let config =
        || SharedFile::of(derived, view, CONFIG).filter(|_| said.is_some()).map(|file| (CONFIG, file));
    let (kept, file) =
        SharedFile::of(derived, view, CREDENTIALS).map(|file| (CREDENTIALS, file)).or_else(config)?;
    let (name, (index, mount)) = (view.name(), file.mount);
    let (severity, so) = match said {
        Some(_) => (Severity::Error, ", and AWS refuses it, while STS accepts the pod's own token"),
        None => (Severity::Warning, ", which some SDKs read before the role"),
    };
    let summary =
        format!("container {name} mounts {} {} at {}{so}", file.volume.kind(), mount.name, file.path);
    let at = derived.spec_at("")?.at(format!("{}.volumeMounts[{index}]", view.path));
    let mut finding = META.on_container(derived, view, severity, summary).inferred();
    finding = finding.evidence(format!("{} file", kept.name), "none", &mount.mount_path, &at);
    if let Some(entry) = file.named {
        finding = finding.seen(kept.variable, entry.shown(), &entry.source);
    }
    if let Some(said) = said {
        finding = finding.seen("what AWS answers the application", "it refuses", said.source);
    }
    if let Some(source) = derived.sts_answer.source().filter(|_| said.is_some()) {
        finding = finding.seen("what STS answers the pod's own token", "accepted", source);
    }
    finding = finding.fix(
        unread(derived, view, kept)
            .unwrap_or_else(|| Fix::advice(format!("set {}=/dev/null in the manifest", kept.variable))),
    );
    Some(finding.fix(Fix::advice(
        "or remove the mount from the manifest, if nothing else needs it; or take its profile default out of the file",
    )))
}

fn unread(derived: &Derived<'_>, view: &ContainerView<'_>, kept: Kept) -> Option<Fix> {
    let assignment = Assignment::set(kept.variable, "/dev/null");
    env::set(derived, view, &[assignment], "keep every SDK from reading it; restarts the pods")
}
