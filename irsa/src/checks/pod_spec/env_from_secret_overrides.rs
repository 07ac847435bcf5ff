//! # AWS variables from a ConfigMap or Secret change the outcome
//!
//! The webhook looks at `env` but not at `envFrom`, and in Kubernetes `env` always takes precedence over `envFrom`. So a region
//! that the application takes from a ConfigMap is silently replaced by the cluster's region. And if the webhook did not inject
//! the container, a role from `envFrom` is used instead of the service account's.
//!
//! **You see**: `ResourceNotFoundException` or an empty list, from the wrong region; or `AccessDenied` for a role that the
//! service account does not name.
//!
//! **Decided by**: the keys of the referenced ConfigMaps and Secrets, and the values of the ConfigMaps; the values of Secrets
//! are not read.
//!
//! **Not a fault**: `AWS_ROLE_ARN` in `envFrom` of an injected container: it has no effect. Access keys are reported as
//! `static-env-keys`.
//!
//! **Repair**: set the region in `env`, which the webhook leaves alone; remove the role from the ConfigMap or Secret.

use crate::checks::prelude::*;
use crate::derive::env::Origin;
use crate::facts::kubernetes::EnvValue;
use crate::repair::env;
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "env-from-secret-overrides",
    step: Step::Pod,
    title: "AWS variables from a ConfigMap or Secret change the outcome",
    explains: &["not-injected"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if derived.containers.is_empty() {
        return Outcome::NotApplicable("no pod to look at");
    }
    if !derived.intent.expects_injection() {
        return Outcome::NotApplicable("no injection is expected, so nothing overrides envFrom");
    }
    let findings: Vec<_> = derived
        .containers
        .iter()
        .flat_map(|view| [role(derived, view), region(derived, view)].into_iter().flatten())
        .collect();
    let unread: Vec<_> =
        derived.containers.iter().flat_map(|view| &view.env.unread).map(|why| (*why).clone()).collect();
    if findings.is_empty() && !unread.is_empty() { Outcome::Unknown(unread) } else { Outcome::of(findings) }
}

/// The container was not injected, and `envFrom` names the role.
fn role(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    derived.facts.subject.pod()?;
    let named = derived.intent.role.as_ref()?;
    let carried = view.env.get(ROLE_ARN).filter(|entry| entry.is_set())?;
    let Origin::EnvFrom(from) = &carried.origin else { return None };
    if !matches!(view.wiring, Wiring::Complete | Wiring::NoMount)
        || carried.text().is_some_and(|text| named.is(text))
    {
        return None;
    }
    let name = view.name();
    let finding = META
        .on_subject(
            derived,
            format!("container {name} takes its role from {from}, not from its service account"),
        )
        .container(name)
        .evidence(ROLE_ARN, named.raw, carried.shown(), &carried.source)
        .seen("role of the service account", named.raw, &named.source)
        .severity(if carried.text().is_some() && view.is_target {
            Severity::Error
        } else {
            Severity::Warning
        });
    let finding = if carried.text().is_some() { finding } else { finding.inferred() };
    let finding = finding.fix(Fix::advice(format!("remove {ROLE_ARN} and {TOKEN_FILE} from {from}")));
    Some(finding.fix(workload::restart_or_advice(derived)))
}

/// The webhook's region overrides the one from `envFrom`.
fn region(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    for (index, from) in view.container.env_from.iter().enumerate() {
        let Some(reference) = &from.config_map_ref else { continue };
        let Some(config_map) = derived.facts.config_maps.get(&reference.name).and_then(Fact::known) else {
            continue;
        };
        for variable in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            // `envFrom` puts its prefix before every key.
            let Some(key) = variable.strip_prefix(from.prefix.as_str()) else { continue };
            let wanted =
                config_map.value.data.get(key).and_then(EnvValue::text).filter(|text| !text.is_empty());
            let (Some(wanted), Some(got)) = (wanted, view.env.get(variable)) else { continue };
            let Some(text) = got.text() else { continue };
            let by_webhook = matches!(got.origin, Origin::Env(_)) && !derived.is_preset(view, variable);
            if !by_webhook || text == wanted {
                continue;
            }
            let (name, map) = (view.name(), &reference.name);
            let source = derived.spec_at("")?.at(format!("{}.envFrom[{index}]", view.path));
            let finding = META
                .on_subject(derived, format!("the webhook's {variable}={text} overrides {wanted} from ConfigMap {map} in container {name}"))
                .container(name)
                .severity(if view.is_target { Severity::Warning } else { Severity::Info })
                .evidence(variable, wanted, text, &got.source)
                .seen(format!("envFrom of container {name}"), format!("ConfigMap {map}"), &source);
            let assignment = Assignment::set(variable, wanted);
            let title = "set the region in env, which the webhook leaves alone";
            let fix = env::set_in_template(derived, view, assignment, title).unwrap_or_else(|| {
                Fix::advice(format!("set {variable} in the container's env, which the webhook leaves alone"))
            });
            return Some(finding.fix(fix));
        }
    }
    None
}
