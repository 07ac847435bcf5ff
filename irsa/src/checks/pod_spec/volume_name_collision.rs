//! # The pod has its own volume with the webhook's name
//!
//! The webhook looks for its volume and its mount by name only. If the manifest has a volume called `aws-iam-token`, the
//! webhook does not replace it, and mounts it where the token should be; a mount of that name on another path keeps the webhook
//! from adding its own (webhook#315). The same applies to `eks-pod-identity-token`.
//!
//! **You see**: `no such file or directory` for the token file, or STS's `InvalidIdentityToken: Incorrect token audience`.
//!
//! **Decided by**: the volume is not a projected service account token with the file and the audience that the webhook would
//! give it, or the container mounts it somewhere else.
//!
//! **Not a fault**: a volume of that name that is just what the webhook would have added; an old audience that the webhook
//! itself wrote when the pod was created.
//!
//! **Repair**: rename the volume in the manifest and recreate the pods.

use crate::checks::prelude::*;
use crate::derive::container::{PI_TOKEN_FILE, is_parent, slashed};
use crate::facts::kubernetes::{PodSpec, Volume};

pub(super) const META: Meta = Meta {
    id: "volume-name-collision",
    step: Step::Pod,
    title: "the pod has its own volume with the webhook's name",
    explains: &[],
};

/// What the webhook adds, for one of the two mechanisms.
struct Added<'a> {
    volume: &'static str,
    variable: &'static str,
    file: &'static str,
    default: &'static str,
    audience: &'a str,
}

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some((spec, ..)) = derived.spec() else { return Outcome::NotApplicable("no pod to look at") };
    let added = match derived.intent.mechanism {
        Mechanism::PodIdentity => Added {
            volume: PI_VOLUME,
            variable: PI_TOKEN_FILE,
            file: "eks-pod-identity-token",
            default: "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token",
            audience: "pods.eks.amazonaws.com",
        },
        _ if derived.intent.expects_injection() => Added {
            volume: TOKEN_VOLUME,
            variable: TOKEN_FILE,
            file: "token",
            default: "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
            audience: &derived.intent.audience,
        },
        _ => return Outcome::NotApplicable("no injection is expected"),
    };
    let Some((index, volume)) = spec.volume(added.volume) else { return Outcome::Pass };
    let wrong = wrong_volume(derived, volume, &added);
    let of_container = |view: &ContainerView<'_>| {
        let shown = wrong.filter(|_| shows_volume(derived, spec, view, &added));
        match shown {
            Some((what, expected, found)) => {
                let name = view.name();
                let summary = format!(
                    "container {name} has the pod's own volume {} where its token should be",
                    added.volume
                );
                let source = derived.spec_at(&format!(".volumes[{index}]"))?;
                let finding = META
                    .on_subject(derived, summary)
                    .container(name)
                    .evidence(what, expected, found, &source);
                Some(repaired(finding, added.volume))
            }
            None => elsewhere(derived, view, &added),
        }
    };
    if let Some(finding) = derived.target().and_then(of_container) {
        return finding.into();
    }
    // Every injected container has AWS variables; only the target is known to want them.
    let others = derived.containers.iter().filter(|view| !view.is_target).filter_map(of_container);
    Outcome::of(others.map(|finding| finding.severity(Severity::Info)).collect())
}

/// What is wrong with the volume, if it cannot be the webhook's.
fn wrong_volume<'a>(
    derived: &Derived<'_>,
    volume: &'a Volume,
    added: &Added<'a>,
) -> Option<(&'static str, &'a str, &'a str)> {
    let Some((_, first)) = volume.tokens().next() else {
        return Some(("kind of the volume", "projected service account token", volume.kind()));
    };
    let Some((_, token)) = volume.tokens().find(|(_, token)| token.path == added.file) else {
        return Some(("token file in the volume", added.file, &first.path));
    };
    if token.audience == added.audience {
        return None;
    }
    // The webhook itself wrote another audience if the annotation was different when the pod was created.
    let in_template = derived
        .facts
        .workload()
        .is_some_and(|owner| owner.value.template_spec.volume(added.volume).is_some());
    let found = if token.audience.is_empty() { "(the API server's own)" } else { token.audience.as_str() };
    in_template.then_some(("audience of the token", added.audience, found))
}

/// True if the container's token file is, or will be, in the volume.
fn shows_volume(derived: &Derived<'_>, spec: &PodSpec, view: &ContainerView<'_>, added: &Added<'_>) -> bool {
    if view.skipped {
        return false;
    }
    let Some(file) = view.env.get(added.variable).and_then(|entry| entry.text()) else { return false };
    match TokenMount::of(view.container, spec, file) {
        Some(mount) if mount.mount.name == added.volume => true,
        // In a template the mount is not there yet.
        _ => {
            derived.facts.subject.pod().is_none()
                && slashed(file) == added.default
                && !mounts(view, added.volume)
        }
    }
}

fn mounts(view: &ContainerView<'_>, volume: &str) -> bool {
    view.container.volume_mounts.iter().any(|mount| mount.name == volume)
}

/// The container mounts the volume on another path, so the webhook added no mount.
fn elsewhere(derived: &Derived<'_>, view: &ContainerView<'_>, added: &Added<'_>) -> Option<Finding> {
    let file = slashed(view.env.get(added.variable)?.text()?);
    let own = view.container.volume_mounts.iter().enumerate().filter(|(_, mount)| mount.name == added.volume);
    let own: Vec<_> = own.collect();
    let (index, mount) = own.first()?;
    let reached = view.container.volume_mounts.iter().any(|mount| is_parent(&mount.mount_path, &file));
    if view.skipped || file != added.default || reached {
        return None;
    }
    let name = view.name();
    let summary = format!(
        "container {name} mounts a volume named {} on another path, so the webhook does not mount the token",
        added.volume
    );
    let source = derived.spec_at("")?.at(format!("{}.volumeMounts[{index}]", view.path));
    let directory = added.default.rsplit_once('/').map_or("", |(directory, _)| directory);
    let finding = META
        .on_subject(derived, summary)
        .container(name)
        .evidence(format!("mountPath of {}", added.volume), directory, &mount.mount_path, &source)
        .seen(added.variable, added.default, &view.env.get(added.variable)?.source);
    Some(repaired(finding, added.volume))
}

fn repaired(finding: Finding, volume: &str) -> Finding {
    finding.fix(Fix::advice(format!(
        "rename volume {volume} and its mounts in the manifest; the webhook then adds its own to the new pods"
    )))
}
