//! The credentials and config files of SDKs that a volume puts into a container, and whether the application's errors are theirs.

use super::Derived;
use super::app_errors::{AppError, Weight};
use super::container::{ContainerView, is_parent};
use super::env::EnvEntry;
use crate::aws_error::{Kind, SdkName};
use crate::facts::kubernetes::{Volume, VolumeMount};

/// A file that SDKs read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    /// The variable that names it.
    pub variable: &'static str,
    /// Its name in `~/.aws`.
    pub name: &'static str,
}

/// Keys and profiles.
pub(crate) const CREDENTIALS: Kept = Kept { variable: "AWS_SHARED_CREDENTIALS_FILE", name: "credentials" };
/// Profiles.
pub(crate) const CONFIG: Kept = Kept { variable: "AWS_CONFIG_FILE", name: "config" };

/// Such a file in a volume.
#[derive(Debug)]
pub(crate) struct SharedFile<'d> {
    /// Its path.
    pub path: String,
    /// The variable that names it, if one does.
    pub named: Option<&'d EnvEntry>,
    /// The mount that holds it, with its index.
    pub mount: (usize, &'d VolumeMount),
    /// The mount's volume.
    pub volume: &'d Volume,
}

impl<'d> SharedFile<'d> {
    /// Looks for it.
    pub(crate) fn of(derived: &'d Derived<'_>, view: &'d ContainerView<'_>, kept: Kept) -> Option<Self> {
        let (spec, ..) = derived.spec()?;
        let mounts: &'d [VolumeMount] = &view.container.volume_mounts;
        let named = view.env.get(kept.variable).filter(|entry| entry.is_set());
        let home = view.env.get("HOME").and_then(EnvEntry::text).filter(|home| !home.is_empty());
        let files: Vec<String> = match (named, home) {
            // Where it is set, no other file is read.
            (Some(entry), _) => vec![entry.text()?.to_owned()],
            (None, Some(home)) => vec![format!("{}/.aws/{}", home.trim_end_matches('/'), kept.name)],
            (None, None) => homes(mounts, kept.name),
        };
        files.into_iter().find_map(|path| {
            let holding = mounts.iter().enumerate().filter(|(_, mount)| is_parent(&mount.mount_path, &path));
            let mount = holding.max_by_key(|(_, mount)| mount.mount_path.trim_end_matches('/').len())?;
            let (_, volume) = spec.volume(&mount.1.name)?;
            holds(&path, mount.1, volume, named.is_some()).then_some(Self { path, named, mount, volume })
        })
    }
}

/// The files in the home directories that the mounts name, where the image's `HOME` is not known.
fn homes(mounts: &[VolumeMount], name: &str) -> Vec<String> {
    let paths = mounts.iter().map(|mount| mount.mount_path.trim_end_matches('/'));
    let homes = paths.filter_map(|path| {
        let directory = path.strip_suffix(name).and_then(|path| path.strip_suffix('/')).unwrap_or(path);
        let home = directory.strip_suffix("/.aws")?;
        (home == "/root" || home.starts_with("/home/")).then(|| format!("{home}/.aws/{name}"))
    });
    homes.collect()
}

/// True if the volume may hold such a file at that path. `named`: a variable points at the very file.
fn holds(path: &str, mount: &VolumeMount, volume: &Volume, named: bool) -> bool {
    let exact = mount.mount_path.trim_end_matches('/') == path;
    if volume.secret.is_some() || volume.csi.is_some() || volume.host_path.is_some() {
        return true;
    }
    if volume.config_map.is_some() {
        return named || exact;
    }
    // Tokens are not such a file, and an empty volume is a cache unless a variable says that a file is put there.
    let token = volume.tokens().next().is_some();
    (volume.projected.is_some() && !token) || (volume.empty_dir.is_some() && named)
}

/// A refusal that the application reports now, while STS accepts the pod's own token: then it asked with something else, or for
/// another role. `None` for SDKs that prefer the token to any file.
pub(crate) fn refusal_of_another<'d>(derived: &'d Derived<'_>) -> Option<&'d AppError<'d>> {
    let refused = |kind: Kind| {
        matches!(
            kind,
            Kind::NotAuthorizedToAssume
                | Kind::NotAuthorizedToChain
                | Kind::InvalidClientToken
                | Kind::CredentialsExpired
        )
    };
    derived.app_errors.iter().filter(|_| derived.sts_answer.accepted()).find(|said| {
        said.weight == Weight::Current
            && said.error.because.is_none()
            && refused(said.error.kind)
            && !said.error.sdk.as_ref().is_some_and(|sdk| prefers_the_token(sdk.name))
    })
}

/// True for SDKs that use the web identity before any profile (failures.md, section 3). boto3 and the AWS CLI are not among them: a
/// profile that assumes a role comes first.
const fn prefers_the_token(sdk: SdkName) -> bool {
    match sdk {
        SdkName::GoV1
        | SdkName::GoV2
        | SdkName::JavaV1
        | SdkName::JavaV2
        | SdkName::Php
        | SdkName::Ruby
        | SdkName::DotNet => true,
        SdkName::Boto3
        | SdkName::Botocore
        | SdkName::AwsCli
        | SdkName::JsV2
        | SdkName::JsV3
        | SdkName::Rust
        | SdkName::Cpp => false,
    }
}

/// True if a mounted file, or a profile that a variable names, explains such a refusal.
pub(crate) fn explains_a_refusal(derived: &Derived<'_>) -> bool {
    derived.target().is_some_and(|view| {
        let file = |kept| SharedFile::of(derived, view, kept).is_some();
        let profile = view.env.first_set(&PROFILES).is_some_and(|(_, entry)| entry.text() != Some("default"));
        refusal_of_another(derived).is_some() && (profile || file(CREDENTIALS) || file(CONFIG))
    })
}

/// The variables that choose a profile.
pub(crate) const PROFILES: [&str; 2] = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"];
