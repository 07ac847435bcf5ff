//! # The webhook's registration excludes the pod
//!
//! A `namespaceSelector`, an `objectSelector` or the `rules` of the MutatingWebhookConfiguration do not match, so the API
//! server never calls the webhook for this pod. Usually somebody narrowed it on purpose, for other namespaces or before this
//! one existed.
//!
//! **Decided by**: the registered selectors, evaluated against the current labels of the pod and its namespace.
//! `matchConditions` (CEL) are not evaluated: where there are any, this is reported as could not check.
//!
//! **Not a fault**: another registration that does select the pod. The skip label has a check of its own (`skip-label`).
//!
//! **Repair**: give the namespace or the pod template the label that the selector requires, or change the selector.

use crate::checks::prelude::*;
use crate::facts::kubernetes::Labels;
use crate::facts::{Unknown, Why};
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "mwc-selector-excludes",
    step: Step::Injection,
    title: "the webhook's registration excludes the pod",
    explains: &["not-injected", "sa-cache-race"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some((_, meta, source, _)) = derived.spec() else {
        return Outcome::NotApplicable("no pod to look at");
    };
    if !derived.intent.expects_injection() {
        return Outcome::NotApplicable("no injection is expected");
    }
    let (registration, by, requirement) = match &derived.selection {
        Selection::Selected => return Outcome::Pass,
        Selection::Excluded { requirement, .. }
            if requirement.starts_with(crate::derive::webhook::SKIP_LABEL) =>
        {
            return Outcome::Pass;
        }
        Selection::Excluded { registration, by, requirement } => (registration, *by, requirement),
        Selection::Unknown(what) => {
            let why = Why::NotAsked(String::from("it cannot be evaluated from the data collected"));
            let unknown = Unknown { what: what.clone(), why, grant: None };
            return super::unread(derived, derived.facts.namespace.unknown().unwrap_or(&unknown));
        }
        Selection::NoWebhook => {
            return match &derived.registrations {
                Registrations::Unknown(why) => super::unread(derived, why),
                _ => Outcome::NotApplicable("no webhook is registered"),
            };
        }
    };
    let severity = super::severity(derived);
    let (name, namespace) = (registration.name(), derived.facts.namespace_name.as_str());
    let whom =
        if by == "namespaceSelector" { format!("namespace {namespace}") } else { String::from("the pod") };
    let summary = match severity {
        Severity::Error => format!("the {by} of webhook {name} excludes {whom}: it requires {requirement}"),
        _ => {
            format!("the {by} of webhook {name} now excludes {whom}; the next pod will not be injected")
        }
    };
    let finding = META.on("MutatingWebhookConfiguration", "", name, summary).severity(severity).seen(
        by,
        requirement,
        &registration.at(&format!(".{by}")),
    );
    let webhook = registration.webhook;
    let finding = match by {
        "namespaceSelector" => {
            let Some(object) = derived.facts.namespace.known() else { return Outcome::Pass };
            let labels = &object.value.metadata.labels;
            let finding = finding.evidence(
                "labels of the namespace",
                requirement,
                shown(labels),
                &object.source.at(".metadata.labels"),
            );
            let changes = webhook.namespace_selector.iter().flat_map(|selector| selector.changes(labels));
            label_namespace(derived, finding, &changes.collect::<Vec<_>>())
        }
        "objectSelector" => {
            let finding = finding.evidence(
                "labels of the pod",
                requirement,
                shown(&meta.labels),
                &source.at(".metadata.labels"),
            );
            let changes = webhook.object_selector.iter().flat_map(|selector| selector.changes(&meta.labels));
            label_template(derived, finding, &changes.collect::<Vec<_>>())
        }
        _ => finding.fix(Fix::advice(format!("make the rules of webhook {name} include CREATE of pods"))),
    };
    finding.fixes(super::restart(derived)).into()
}

fn shown(labels: &Labels) -> String {
    if labels.is_empty() {
        return String::from("none");
    }
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")
}

const CHANGE_SELECTOR: &str =
    "change the registration's selector to match; no label that you can set would satisfy it";

fn label_namespace(derived: &Derived<'_>, finding: Finding, changes: &[(&str, Option<&str>)]) -> Finding {
    // The API server writes this one itself.
    if changes.is_empty() || changes.iter().any(|(key, _)| *key == "kubernetes.io/metadata.name") {
        return finding.fix(Fix::advice(CHANGE_SELECTOR));
    }
    let labels = changes.iter().map(|(key, value)| match value {
        Some(value) => Assignment::set(*key, *value),
        None => Assignment::remove(*key),
    });
    let object = Object::of_cluster(ObjectKind::Namespace, &derived.facts.namespace_name);
    let act = Act::of(derived, ObjectChange { object, edit: Edit::Label(labels.collect()) });
    let title = "label the namespace as the selector requires; its new pods are then injected";
    finding.fix(Fix::shared(title, act))
}

fn label_template(derived: &Derived<'_>, finding: Finding, changes: &[(&str, Option<&str>)]) -> Finding {
    let labels: serde_json::Map<String, serde_json::Value> =
        changes.iter().map(|(key, value)| ((*key).to_owned(), serde_json::json!(value))).collect();
    let patch = serde_json::json!({"metadata": {"labels": labels}});
    let title = "label the pod template as the selector requires; its new pods are then injected";
    let fix = workload::patch(derived, title, &patch).filter(|_| !changes.is_empty());
    finding.fix(fix.unwrap_or_else(|| {
        Fix::advice("label the pod in its manifest as the selector requires, and recreate it")
    }))
}
