//! One container: how it is wired, and how the webhook would have wired it.

use super::env::Env;
use crate::aws::arn::RoleArn;
use crate::facts::kubernetes::{Container, PodSpec, ServiceAccountToken, Volume, VolumeMount};

/// Variable that names the role.
pub const ROLE_ARN: &str = "AWS_ROLE_ARN";
/// Variable that names the token file.
pub const TOKEN_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
/// Variable that SDKs read for container credentials; EKS Pod Identity sets it.
pub const CREDENTIALS_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
/// Variable that names EKS Pod Identity's token file.
pub const PI_TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
/// Name of the volume that the webhook adds (webhook `handler.go`).
pub const TOKEN_VOLUME: &str = "aws-iam-token";
/// Directory that the webhook mounts it on.
pub const TOKEN_DIRECTORY: &str = "/var/run/secrets/eks.amazonaws.com/serviceaccount";
/// Directory that it mounts the token of EKS Pod Identity on.
pub const PI_DIRECTORY: &str = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount";
/// Name of the volume of EKS Pod Identity.
pub const PI_VOLUME: &str = "eks-pod-identity-token";

/// What kind of container it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerKind {
    /// Runs once before the others.
    Init,
    /// An init container that keeps running.
    NativeSidecar,
    /// A regular container.
    Regular,
}

/// How far a container is wired for IRSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wiring {
    /// Both variables, and the token is mounted.
    Complete,
    /// Only [`ROLE_ARN`].
    RoleOnly,
    /// Only [`TOKEN_FILE`].
    TokenFileOnly,
    /// Both variables, but nothing is mounted where the token should be.
    NoMount,
    /// Neither variable.
    Nothing,
    /// A variable may come from a ConfigMap or Secret that could not be read.
    Unknown,
}

/// One container of the subject.
#[derive(Debug)]
pub struct ContainerView<'f> {
    /// The container.
    pub container: &'f Container,
    /// Its kind.
    pub kind: ContainerKind,
    /// Its path in the object: `.spec.containers[0]`.
    pub path: String,
    /// True for the one that the report is about.
    pub is_target: bool,
    /// Its environment, with what the webhook would add if the subject is a template.
    pub env: Env<'f>,
    /// How it is wired.
    pub wiring: Wiring,
    /// The mount that holds the token file, if one does.
    pub token_mount: Option<TokenMount<'f>>,
    /// True if the annotation `skip-containers` names it exactly.
    pub skipped: bool,
    /// True if it carries the variables of EKS Pod Identity.
    pub pod_identity: bool,
}

/// A mount that holds the token file.
#[derive(Debug, Clone, Copy)]
pub struct TokenMount<'f> {
    /// Index within `volumeMounts`.
    pub index: usize,
    /// The mount.
    pub mount: &'f VolumeMount,
    /// Its volume, if the pod has one of that name.
    pub volume: Option<(usize, &'f Volume)>,
}

impl<'f> TokenMount<'f> {
    /// The mount under which `file` lies: the longest path that is a parent of it.
    pub fn of(container: &'f Container, spec: &'f PodSpec, file: &str) -> Option<Self> {
        let file = &slashed(file);
        let mounts = container.volume_mounts.iter().enumerate();
        let (index, mount) = mounts
            .filter(|(_, mount)| is_parent(&mount.mount_path, file))
            .max_by_key(|(_, mount)| mount.mount_path.trim_end_matches('/').len())?;
        Some(Self { index, mount, volume: spec.volume(&mount.name) })
    }

    /// False for an `emptyDir` on a directory far above the file, such as `/var/run`: the token is not in there, and the
    /// kubelet mounts the token's own volume over it where there is one.
    pub fn may_hold(&self, file: &str) -> bool {
        let file = slashed(file);
        let parent = file.rsplit_once('/').map_or("", |(parent, _)| parent);
        let empty = self.volume.is_some_and(|(_, volume)| volume.empty_dir.is_some());
        !empty || is_parent(parent, &self.mount.mount_path)
    }

    /// The projected token that becomes the file of that name in the volume.
    pub fn token(&self, file: &str) -> Option<&'f ServiceAccountToken> {
        let (directory, file) = (slashed(&self.mount.mount_path), slashed(file));
        let relative = file.strip_prefix(directory.trim_end_matches('/'))?.trim_start_matches('/');
        let (_, volume) = self.volume?;
        volume
            .tokens()
            .map(|(_, token)| token)
            .find(|token| token.path == relative || self.mount.sub_path == token.path)
    }
}

/// A path with `/` and without a drive: on Windows the webhook writes `C:\var\run\…` for a mount on `/var/run/…`.
pub fn slashed(path: &str) -> String {
    let path = path.replace('\\', "/");
    match path.split_once(':') {
        Some((drive, rest)) if drive.len() == 1 && rest.starts_with('/') => rest.to_owned(),
        _ => path,
    }
}

/// True if `path` is `parent` or lies under it.
pub fn is_parent(parent: &str, path: &str) -> bool {
    let parent = parent.trim_end_matches(['/', '\\']);
    path.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '\\']))
}

/// True if `env` has the variable, empty or not.
pub fn declares(container: &Container, variable: &str) -> bool {
    container.env.iter().any(|set| set.name == variable)
}

/// The variables that a webhook gives every container of the pod.
const FROM_WEBHOOK: [&str; 4] = [ROLE_ARN, TOKEN_FILE, CREDENTIALS_URI, PI_TOKEN_FILE];

/// True for a variable of AWS that nothing but the manifest sets, and nobody without a reason.
pub fn names_aws_itself(variable: &str) -> bool {
    // Exporters and agents that never sign a request also set a region.
    const WEAK: [&str; 3] = ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_STS_REGIONAL_ENDPOINTS"];
    variable.starts_with("AWS_") && !WEAK.contains(&variable) && !FROM_WEBHOOK.contains(&variable)
}

impl ContainerView<'_> {
    /// The container's name.
    pub fn name(&self) -> &str {
        &self.container.name
    }

    /// True if the container's own `env` has the variable, empty or not. The webhook looks nowhere else: it sees neither
    /// `envFrom` nor the image.
    pub fn declares(&self, variable: &str) -> bool {
        declares(self.container, variable)
    }

    /// True if it sets any AWS variable itself: a sign that it means to call AWS. What the webhook gives every container
    /// of the pod is not such a sign.
    pub fn speaks_aws(&self) -> bool {
        let injected = self.wiring == Wiring::Complete || self.pod_identity;
        let sign = |name: &str| names_aws_itself(name) || (!injected && FROM_WEBHOOK.contains(&name));
        self.env.iter().any(|(name, _)| sign(name))
    }

    /// True if a variable of its own names the role: the application's settings mean it.
    pub fn names_role(&self, account: &str, role: &str) -> bool {
        let is_it = |arn: RoleArn<'_>| arn.account == account && arn.name() == role;
        let mut texts = self.env.iter().filter_map(|(_, entry)| entry.text());
        texts.any(|text| RoleArn::parse(text.trim()).is_ok_and(is_it))
    }

    /// Regular containers and native sidecars, which run as long as the pod does.
    pub fn runs(&self) -> bool {
        self.kind != ContainerKind::Init
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_paths_lie_under_their_mounts() {
        assert_eq!(
            slashed(r"C:\var\run\secrets\eks.amazonaws.com\serviceaccount\token"),
            "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"
        );
        assert_eq!(slashed("/var/run/a:b"), "/var/run/a:b");
    }

    #[test]
    fn parents_are_whole_directories() {
        assert!(is_parent("/var/run/", "/var/run/secrets"));
        assert!(is_parent("/", "/var/run"));
        assert!(!is_parent("/var/run", "/var/runner"));
    }
}
