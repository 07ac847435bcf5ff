//! # Something removed part of what the webhook added
//!
//! The webhook adds variables, mount and volume together. A policy engine (Kyverno, Gatekeeper), a mesh or a templating tool
//! that runs after it and rewrites whole lists can drop one of them: the variables stay without the mount, or the mount without
//! the variables.
//!
//! **You see**: `open /var/run/secrets/eks.amazonaws.com/serviceaccount/token: no such file or directory`, or no sign of the
//! role at all. If the volume is dropped and its mount stays, no pod is created: `volumeMounts[1].name: Not found:
//! "aws-iam-token"`.
//!
//! **Decided by**: half of it is on a container whose manifest has neither half. Only the API server's audit log says who did
//! it (`mutation.webhook.admission.k8s.io/round_…`), so this is inferred.
//!
//! **Not a fault**: a container named in `skip-containers`; variables or mounts that the manifest itself declares. A container
//! that was added after the webhook ran has nothing at all, and its own check (`only-some-containers-injected`).
//!
//! **Repair**: make the other policy leave `aws-iam-token` and the `AWS_` variables alone, then recreate the pods.

use crate::checks::prelude::*;
use crate::facts::kubernetes::Container;
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "other-webhook-strips",
    step: Step::Injection,
    title: "something removed part of what the webhook added",
    explains: &["not-injected", "pods-not-created"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if !derived.intent.expects_injection() {
        return Outcome::NotApplicable("no injection is expected");
    }
    if derived.facts.subject.pod().is_none() {
        return orphaned_mount(derived);
    }
    let findings: Vec<_> = derived.containers.iter().filter_map(|view| stripped(derived, view)).collect();
    Outcome::of(findings)
}

fn stripped(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    let manifest = manifest(derived, view);
    // Even an empty variable keeps the webhook from adding either.
    let has = |container: &Container, name: &str| container.env.iter().any(|variable| variable.name == name);
    // The webhook goes by the volume's name alone: one of that name in the manifest keeps it from adding its own.
    let named =
        |container: &Container| container.volume_mounts.iter().any(|mount| mount.name == TOKEN_VOLUME);
    let declares =
        |container: &Container| has(container, ROLE_ARN) || has(container, TOKEN_FILE) || named(container);
    if view.skipped || view.pod_identity || manifest.is_some_and(declares) {
        return None;
    }
    let name = view.name();
    let at = |field: &str| derived.spec().map(|(_, _, source, _)| source.at(format!("{}{field}", view.path)));
    let (env, mount) = (view.container, view.container.volume_mounts.iter().position(is_token_mount));
    let finding = match (has(env, ROLE_ARN), has(env, TOKEN_FILE), mount) {
        (true, true, None) if view.wiring == Wiring::NoMount && !named(env) => {
            // Without the manifest the order tells: the webhook appends both variables together. And it skips the mount
            // itself if the region and endpoint variables are already set.
            let early = crate::derive::injection::returns_early(view.container);
            if manifest.is_none() && (early || derived.is_preset(view, ROLE_ARN)) {
                return None;
            }
            META.on_subject(
                derived,
                format!(
                    "container {name} has the webhook's variables, but something removed its token mount"
                ),
            )
            .missing(format!("mount of {TOKEN_VOLUME}"), TOKEN_DIRECTORY, &at(".volumeMounts")?)
            .seen(ROLE_ARN, view.env.get(ROLE_ARN)?.shown(), &view.env.get(ROLE_ARN)?.source)
        }
        (false, false, Some(index))
            if view.wiring == Wiring::Nothing && (view.is_target || view.speaks_aws()) =>
        {
            // Without the manifest nobody knows whether the mount is the manifest's own.
            manifest?;
            META.on_subject(
                derived,
                format!(
                    "container {name} has the webhook's token mount, but something removed the variables"
                ),
            )
            .missing(ROLE_ARN, derived.intent.role.as_ref().map_or("", |role| role.raw), &at(".env")?)
            .missing(TOKEN_FILE, format!("{TOKEN_DIRECTORY}/token"), &at(".env")?)
            .seen(
                format!("mount of {TOKEN_VOLUME}"),
                TOKEN_DIRECTORY,
                &at(&format!(".volumeMounts[{index}]"))?,
            )
        }
        _ => return None,
    };
    let finding = finding.container(name).inferred().fix(Fix::advice(
        "find what changes the pod after the webhook (audit annotations mutation.webhook.admission.k8s.io/round_…, Kyverno and \
         Gatekeeper mutations), and make it leave aws-iam-token and the AWS_ variables alone",
    ));
    Some(finding.fix(workload::restart_or_advice(derived)))
}

/// The container as its workload declares it, where the workload could be read.
fn manifest<'f>(derived: &Derived<'f>, view: &ContainerView<'_>) -> Option<&'f Container> {
    let spec = &derived.facts.owner.known()?.value.template_spec;
    spec.containers
        .iter()
        .chain(&spec.init_containers)
        .find(|container| container.name == view.container.name)
}

fn is_token_mount(mount: &crate::facts::kubernetes::VolumeMount) -> bool {
    mount.name == TOKEN_VOLUME && mount.mount_path.trim_end_matches('/') == TOKEN_DIRECTORY
}

/// If only the volume was removed, the API server rejects the pod; only the workload's events show it.
fn orphaned_mount(derived: &Derived<'_>) -> Outcome {
    let orphaned = derived.failed_creates().find(|event| {
        event.value.message.contains("volumeMounts")
            && event.value.message.contains(&format!("Not found: \"{TOKEN_VOLUME}\""))
    });
    let Some(event) = orphaned else { return Outcome::NotApplicable("no pod to look at") };
    META.on_subject(
        derived,
        "no pod can be created: something removed the webhook's token volume but left its mount",
    )
    .inferred()
    .seen("event FailedCreate", &event.value.message, &event.source)
    .fix(Fix::advice("find what changes the pod after the webhook, and make it leave aws-iam-token alone"))
    .into()
}
