//! # Something took away part of what the webhook added
//!
//! The webhook adds variables, mount and volume together. A policy engine (Kyverno, Gatekeeper), a mesh or a template tool that
//! runs after it and writes whole lists can drop one of them: variables without the mount, or the mount without variables.
//!
//! **You see**: `open /var/run/secrets/eks.amazonaws.com/serviceaccount/token: no such file or directory`, or no sign of the
//! role at all. If the volume is dropped and its mount stays, no pod is made: `volumeMounts[1].name: Not found: "aws-iam-token"`.
//!
//! **Decided by**: half of it on a container whose manifest has neither half. Who did it stands in the API server's audit log
//! (`mutation.webhook.admission.k8s.io/round_…`), so this is a conclusion.
//!
//! **Not a fault**: a container named in `skip-containers`; variables or mounts that the manifest itself declares; a container
//! that came after the webhook has nothing at all, and a check of its own.
//!
//! **Repair**: let the other policy leave `aws-iam-token` and the `AWS_` variables alone, then make the pods anew.

use crate::checks::prelude::*;
use crate::facts::kubernetes::Container;
use crate::repair::workload;

/// See the module's page.
pub const META: Meta = Meta {
    id: "other-webhook-strips",
    step: Step::Injection,
    title: "something took away part of what the webhook added",
    explains: &["not-injected"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
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
    // A variable that stands there empty keeps the webhook from adding either, as a full one does.
    let has = |container: &Container, name: &str| container.env.iter().any(|variable| variable.name == name);
    // The webhook goes by the volume's name alone: one that the manifest has under that name keeps it from adding its own.
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
            // Without the manifest, the order tells: the webhook appends the two together; and it leaves the mount out
            // itself where region and endpoint variables were there already.
            let early = crate::derive::injection::returns_early(view.container);
            if manifest.is_none() && (early || derived.is_preset(view, ROLE_ARN)) {
                return None;
            }
            META.on_subject(
                derived,
                format!(
                    "container {name} has the webhook's variables, but something took its token mount away"
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
                    "container {name} has the webhook's token mount, but something took the variables away"
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
        "find who changes the pod after the webhook (audit annotations mutation.webhook.admission.k8s.io/round_…, Kyverno and \
         Gatekeeper mutations), and let it leave aws-iam-token and the AWS_ variables alone",
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

/// A mount whose volume was taken away makes the API server refuse the pod; only the workload's events tell.
fn orphaned_mount(derived: &Derived<'_>) -> Outcome {
    let orphaned = derived.failed_creates().find(|event| {
        event.value.message.contains("volumeMounts")
            && event.value.message.contains(&format!("Not found: \"{TOKEN_VOLUME}\""))
    });
    let Some(event) = orphaned else { return Outcome::NotApplicable("no pod to look at") };
    META.on_subject(
        derived,
        "no pod is made: something took the webhook's token volume away and left its mount",
    )
    .inferred()
    .seen("event FailedCreate", &event.value.message, &event.source)
    .fix(Fix::advice("find who changes the pod after the webhook, and let it leave aws-iam-token alone"))
    .into()
}
