//! # The token is mounted twice, so new pods are rejected
//!
//! The webhook adds one mount to each container, and leaves a container alone that already has a mount of its volume. If a
//! second webhook adds the same directory under another name, or a sidecar injector (Istio with
//! `holdApplicationUntilProxyStarts`) rewrites the containers between two calls of the webhook, a container ends up with two
//! mounts on one path, and the API server rejects the pod.
//!
//! **You see**: no pod, and an event `FailedCreate` on the ReplicaSet: `spec.containers[1].volumeMounts[2].mountPath: Invalid
//! value: "/var/run/secrets/eks.amazonaws.com/serviceaccount": must be unique`.
//!
//! **Decided by**: such an event, while the workload's own template mounts nothing there. Which of the webhooks is one too many
//! cannot be seen in the API; several registrations of the pod identity webhook are named.
//!
//! **Not a fault**: a mount of the manifest's own on that path, which has its own check (`mountpath-collision`).
//!
//! **Repair**: remove the second registration; or have the sidecar injector leave the order of the containers alone
//! (`holdApplicationUntilProxyStarts: false` in Istio).

use crate::checks::prelude::*;

pub(super) const META: Meta = Meta {
    id: "injected-twice",
    step: Step::Injection,
    title: "the token is mounted twice, so new pods are rejected",
    explains: &["pods-not-created"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let doubled =
        derived.live_failed_creates().find_map(|event| Some((event, doubled(&event.value.message)?)));
    let Some((event, (directory, volume))) = doubled else { return Outcome::Pass };
    let template = match &derived.facts.subject {
        Subject::Template(owner) => owner,
        _ => match &*derived.facts.owner {
            Fact::Known(owner) => owner,
            Fact::Unknown(why) => return unknown(why),
            Fact::Absent { .. } => return Outcome::NotApplicable("no workload creates such pods"),
        },
    };
    let spec = &template.value.template_spec;
    let mut mounts = spec.containers.iter().chain(&spec.init_containers).flat_map(|one| &one.volume_mounts);
    if spec.volume(volume).is_some() || mounts.any(|mount| mount.mount_path == directory) {
        return Outcome::NotApplicable("the manifest itself mounts something there");
    }
    let severity = if derived.facts.subject.pod().is_some() { Severity::Warning } else { Severity::Error };
    let path = template.value.template_path();
    let mut finding = META
        .on_subject(derived, "new pods are rejected: the webhook's token is mounted twice in them")
        .severity(severity)
        .inferred()
        .seen("event FailedCreate", &event.value.message, &event.source.at(".message"))
        .seen(
            format!("mounts on {directory} in the manifest"),
            "none, so both were added at admission",
            &template.source.at(format!("{path}.containers")),
        );
    let registered = derived.registrations.found();
    if let [_, _, ..] = registered {
        for registration in registered {
            finding = finding.seen("a registration", registration.name(), &registration.at(".name"));
        }
        return finding
            .fix(Fix::advice(
                "remove the registration of the pod identity webhook that is left over: one is enough",
            ))
            .into();
    }
    finding
        .fix(Fix::advice(
            "find the other webhook that adds or rewrites containers of these pods (a sidecar injector), and have it leave them \
             alone; with Istio set holdApplicationUntilProxyStarts to false for this workload",
        ))
        .into()
}

/// The directory and the volume that a message says are there twice.
fn doubled(message: &str) -> Option<(&'static str, &'static str)> {
    [(TOKEN_DIRECTORY, TOKEN_VOLUME), (PI_DIRECTORY, PI_VOLUME)].into_iter().find(|(directory, volume)| {
        message.contains(&format!("\"{directory}\": must be unique"))
            || message.contains(&format!("Duplicate value: \"{volume}\""))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_twice_is_the_webhooks_own() {
        let at = |path: &str| {
            format!(
                "Pod \"x\" is invalid: spec.containers[1].volumeMounts[2].mountPath: Invalid value: \"{path}\": must be unique"
            )
        };
        assert_eq!(doubled(&at(TOKEN_DIRECTORY)), Some((TOKEN_DIRECTORY, TOKEN_VOLUME)));
        assert_eq!(doubled(&at(PI_DIRECTORY)), Some((PI_DIRECTORY, PI_VOLUME)));
        assert_eq!(
            doubled("spec.volumes[3].name: Duplicate value: \"aws-iam-token\""),
            Some((TOKEN_DIRECTORY, TOKEN_VOLUME))
        );
        assert_eq!(doubled(&at("/var/run/secrets/eks.amazonaws.com")), None);
        assert_eq!(doubled("spec.containers[0].volumeMounts[1].name: Not found: \"aws-iam-token\""), None);
    }
}
