//! # Another volume is mounted where the token belongs
//!
//! A volume with another name is mounted on the token's directory, or on the token file itself, and hides the token. If it is
//! mounted on exactly that directory, the API server rejects every new pod once the webhook has added its own mount.
//!
//! **You see**: in the ReplicaSet's events `spec.containers[0].volumeMounts[2].mountPath: Invalid value:
//! "/var/run/secrets/eks.amazonaws.com/serviceaccount": must be unique`; or, in the container, `is a directory`, `no such file
//! or directory`, or STS's `InvalidIdentityToken`.
//!
//! **Decided by**: the mount closest to the token file belongs to a volume that does not contain the token.
//!
//! **Not a fault**: mounts on `/run`, `/var/run` or `/var/run/secrets`, since the deeper mount is made last; the same directory
//! with a trailing slash, which the webhook's mount covers (all observed).
//!
//! **Repair**: mount the other volume somewhere else.

use crate::checks::prelude::*;
use crate::derive::container::{is_parent, slashed};
use crate::derive::injection::returns_early;

pub(super) const META: Meta = Meta {
    id: "mountpath-collision",
    step: Step::Pod,
    title: "another volume is mounted where the token belongs",
    explains: &["not-injected", "pods-not-created"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if derived.containers.is_empty() {
        return Outcome::NotApplicable("no pod to look at");
    }
    let findings =
        derived.containers.iter().filter_map(|view| refused(derived, view).or_else(|| hidden(derived, view)));
    Outcome::of(findings.collect())
}

/// A template whose pods the API server rejects.
fn refused(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    let taken = |mount: &&crate::facts::kubernetes::VolumeMount| {
        mount.mount_path == TOKEN_DIRECTORY && mount.name != TOKEN_VOLUME
    };
    let mounts = &view.container.volume_mounts;
    let index = mounts.iter().position(|mount| taken(&mount))?;
    let adds_mount = derived.facts.subject.pod().is_none()
        && derived.intent.expects_injection()
        && matches!(derived.selection, Selection::Selected)
        && !view.skipped
        && !returns_early(view.container)
        && !mounts.iter().any(|mount| mount.name == TOKEN_VOLUME);
    if !adds_mount {
        return None;
    }
    let (name, volume) = (view.name(), &mounts.get(index)?.name);
    let summary =
        format!("volume {volume} is mounted on the token's directory in {name}, so new pods are rejected");
    let source = derived.spec_at("")?.at(format!("{}.volumeMounts[{index}]", view.path));
    let mut finding = META
        .on_subject(derived, summary)
        .container(name)
        .evidence("volume on the token's directory", TOKEN_VOLUME, volume, &source)
        .inferred();
    if let Some(event) = derived.facts.events.known().and_then(|events| {
        events.value.items.iter().find(|event| {
            event.value.message.contains(TOKEN_DIRECTORY) && event.value.message.contains("must be unique")
        })
    }) {
        finding.confidence = crate::finding::Confidence::Observed;
        finding = finding.seen("event", &event.value.message, &event.source);
    }
    Some(finding.fix(Fix::advice(format!("mount volume {volume} on a path other than {TOKEN_DIRECTORY}"))))
}

/// A mount that hides the token file.
fn hidden(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    let (spec, ..) = derived.spec()?;
    let variable = view.env.get(TOKEN_FILE)?;
    let file = variable.text()?;
    if !is_parent(TOKEN_DIRECTORY, &slashed(file)) {
        return None;
    }
    let nearest = TokenMount::of(view.container, spec, file)?;
    let deep = is_parent(TOKEN_DIRECTORY, nearest.mount.mount_path.trim_end_matches('/'));
    if nearest.mount.name == TOKEN_VOLUME || !deep || nearest.token(file).is_some() {
        return None;
    }
    let (_, volume) = nearest.volume?;
    // A volume that something else writes to may contain a token that was put there by hand.
    let shared = derived.containers.iter().filter(|other| other.container.name != view.container.name);
    let shared =
        shared.flat_map(|other| &other.container.volume_mounts).any(|mount| mount.name == volume.name);
    let covers = view
        .container
        .volume_mounts
        .iter()
        .any(|mount| mount.name == TOKEN_VOLUME && is_parent(&mount.mount_path, &slashed(file)));
    let certain = volume.empty_dir.is_some() && !shared;
    if !covers && !certain {
        return None;
    }
    let (name, other) = (view.name(), &volume.name);
    let source = derived.spec_at("")?.at(format!("{}.volumeMounts[{}]", view.path, nearest.index));
    let finding = META
        .on_subject(derived, format!("volume {other} is mounted over the token file in container {name}"))
        .container(name)
        .evidence(
            format!("volume at {}", nearest.mount.mount_path),
            TOKEN_VOLUME,
            format!("{other} ({})", volume.kind()),
            &source,
        )
        .seen(TOKEN_FILE, file, &variable.source)
        .fix(Fix::advice(format!("mount volume {other} outside {TOKEN_DIRECTORY} and recreate the pods")));
    Some(if certain { finding } else { finding.inferred() })
}
