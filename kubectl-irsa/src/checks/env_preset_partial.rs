//! # The manifest presets one of the two variables
//!
//! A container that declares only `AWS_ROLE_ARN` or only `AWS_WEB_IDENTITY_TOKEN_FILE` gets neither from the webhook, which
//! mounts the token all the same: the volume is there and nothing works.
//!
//! **You see**, with only the token file: `role ARN is not set` (Go), `no role ARN configured` (boto3). With only the role:
//! nothing; the SDK goes on to the node's role.
//!
//! **Decided by**: one variable is there and the other is not; the webhook always adds both or neither (webhook
//! `addEnvToContainer`).
//!
//! **Repair**: take the preset variable out of the manifest, or declare both.

use super::prelude::*;

/// See the module's page.
pub const META: Meta = Meta {
    id: "env-preset-partial",
    step: Step::Pod,
    title: "the manifest presets only one of the two variables",
    explains: &["not-injected", "env-preset-stale-role"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    if derived.containers.is_empty() {
        return Outcome::NotApplicable("no pod to look at");
    }
    let unread = derived.containers.iter().filter(|view| view.wiring == Wiring::Unknown).flat_map(|view| &view.env.unread);
    let unread: Vec<_> = unread.map(|why| (*why).clone()).collect();
    let findings: Vec<_> = derived.containers.iter().filter_map(|view| partial(derived, view)).collect();
    if findings.is_empty() && !unread.is_empty() { Outcome::Unknown(unread) } else { Outcome::of(findings) }
}

fn partial(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    let (has, lacks) = match view.wiring {
        Wiring::RoleOnly => (ROLE_ARN, TOKEN_FILE),
        Wiring::TokenFileOnly => (TOKEN_FILE, ROLE_ARN),
        _ => return None,
    };
    let preset = view.env.get(has)?;
    let name = view.name();
    let source = derived.spec_at("")?.at(format!("{}.env", view.path));
    let finding = META
        .on_subject(derived, format!("container {name} presets {has}, so the webhook does not add {lacks}"))
        .container(name)
        .seen(has, preset.shown(), &preset.source)
        .missing(lacks, "set beside it", &source);
    let key = derived.owner_key().filter(|(kind, _)| matches!(kind.as_str(), "Deployment" | "StatefulSet" | "DaemonSet"));
    Some(match key {
        Some((kind, owner)) => {
            let target = format!("{}/{owner}", kind.to_lowercase());
            let unset = format!("{has}-");
            let words = ["set", "env", &target, "-n", &derived.facts.namespace_name, "-c", name, &unset];
            finding.fix("take the preset variable out; the webhook then adds both to the new pods", derived.kubectl(&words))
        }
        None => finding.advice(format!("take {has} out of the manifest, or declare both, and create the pod again")),
    })
}

/// True if the manifest, and not the webhook, sets the variable: the owner's template has it, or the container carries
/// only one of the pair, or the pair does not stand together at the end of the list as the webhook leaves it.
pub(super) fn is_preset(derived: &Derived<'_>, view: &ContainerView<'_>, variable: &str) -> bool {
    if let Some(owner) = derived.facts.owner.known() {
        let spec = &owner.value.template_spec;
        let same = spec.containers.iter().chain(&spec.init_containers).find(|container| container.name == view.container.name);
        if let Some(container) = same {
            return container.env.iter().any(|set| set.name == variable);
        }
    }
    let names: Vec<&str> = view.container.env.iter().map(|set| set.name.as_str()).collect();
    let pair = names.windows(2).any(|two| two == [ROLE_ARN, TOKEN_FILE]);
    names.contains(&variable) && !pair
}
