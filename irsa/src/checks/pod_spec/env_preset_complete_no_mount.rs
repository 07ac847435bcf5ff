//! # The manifest presets the variables, but nothing mounts the token
//!
//! The container declares the role and the token file itself. If it also declares a region and `AWS_STS_REGIONAL_ENDPOINTS`,
//! the webhook considers it done and returns early: the pod gets the volume, but this container gets no mount.
//!
//! **You see**: `open /var/run/secrets/eks.amazonaws.com/serviceaccount/token: no such file or directory` (Go), `[Errno 2] No
//! such file or directory` (boto3), `ENOENT` (JavaScript).
//!
//! **Decided by**: the manifest sets both variables, and no volume of the container is mounted at the token's path.
//!
//! **Not a fault**: the same variables with a mount in the manifest, or without the region: then the webhook adds the mount.
//!
//! **Repair**: unset the preset variables, or mount the token in the manifest.

use crate::checks::prelude::*;
use crate::derive::container::slashed;
use crate::derive::injection::{has_token_volume, returns_early};
use crate::repair::env;

pub(super) const META: Meta = Meta {
    id: "env-preset-complete-no-mount",
    step: Step::Pod,
    title: "the manifest presets the variables, but nothing mounts the token",
    explains: &["not-injected", "env-preset-stale-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if derived.containers.is_empty() {
        return Outcome::NotApplicable("no pod to look at");
    }
    Outcome::of(derived.containers.iter().filter_map(|view| no_mount(derived, view)).collect())
}

fn no_mount(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    if view.wiring != Wiring::NoMount || view.pod_identity {
        return None;
    }
    let file = view.env.get(TOKEN_FILE)?;
    let path = slashed(file.text()?);
    // Elsewhere the application may write the file itself; the webhook's volume mounted on another path has its own id.
    let by_name = view.container.volume_mounts.iter().any(|mount| mount.name == TOKEN_VOLUME);
    if !path.starts_with("/var/run/secrets/") || path.starts_with(super::API_DIRECTORY) || by_name {
        return None;
    }
    if !derived.is_preset(view, ROLE_ARN) && !derived.is_preset(view, TOKEN_FILE) {
        return None;
    }
    let name = view.name();
    let early = derived.intent.expects_injection() && returns_early(view.container);
    let summary = if early {
        format!(
            "container {name} presets the variables and a region, so the webhook does not mount the token"
        )
    } else {
        format!("container {name} presets the variables, but nothing mounts the token")
    };
    let mounts = derived.spec_at("")?.at(format!("{}.volumeMounts", view.path));
    let mut finding = META
        .on_subject(derived, summary)
        .container(name)
        .seen(TOKEN_FILE, file.shown(), &file.source)
        .missing("mount of the token", path.rsplit_once('/').map_or("", |(directory, _)| directory), &mounts);
    if has_token_volume(derived.facts) {
        finding = finding.seen("volume of the pod", TOKEN_VOLUME, &derived.spec_at(".volumes")?);
    }
    if !early {
        finding = finding.inferred();
    }
    if !derived.intent.expects_injection() {
        return Some(finding.fix(Fix::advice(format!(
            "mount a projected token with audience {} there, or name the role on the service account and let the webhook do the rest",
            derived.intent.audience
        ))));
    }
    let title = "unset the preset variables; the webhook then adds them and the mount";
    let fix = env::unset(derived, view, &[ROLE_ARN, TOKEN_FILE], title);
    Some(finding.fix(fix.unwrap_or_else(|| {
        Fix::advice(format!("unset {ROLE_ARN} and {TOKEN_FILE} in the manifest and recreate the pods"))
    })))
}
