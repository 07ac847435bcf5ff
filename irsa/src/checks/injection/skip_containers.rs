//! # The annotation skip-containers names the container, or tries to
//!
//! The pod's annotation `eks.amazonaws.com/skip-containers` lists containers that the webhook does not inject. It is parsed as
//! CSV without trimming: `"app, proxy"` skips `app` and ` proxy`, so `proxy` is injected although it is listed. A list that is
//! not valid CSV skips nothing.
//!
//! ```text
//! bad   eks.amazonaws.com/skip-containers: "app, proxy"
//! good  eks.amazonaws.com/skip-containers: "app,proxy"
//! ```
//!
//! **You see**: a skipped container has no variables and no mount, though the pod has the volume; the SDK falls back to the
//! node's role.
//!
//! **Decided by**: the annotation, parsed as the webhook parses it, compared with the containers' names.
//!
//! **Not a fault**: a container other than the target that is skipped as intended.
//!
//! **Repair**: correct the annotation in the pod template.

use crate::checks::prelude::*;
use crate::derive::injection::skip_annotation;
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "skip-containers",
    step: Step::Injection,
    title: "the annotation skip-containers names the container, or tries to",
    explains: &["not-injected", "only-some-containers-injected"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some((_, meta, source, path)) = derived.spec() else {
        return Outcome::NotApplicable("no pod to look at");
    };
    let key = format!("{}/skip-containers", derived.settings.annotation_prefix);
    let Some(list) = skip_annotation(meta, &derived.settings.annotation_prefix) else { return Outcome::Pass };
    if !derived.intent.expects_injection() && derived.intent.mechanism != Mechanism::PodIdentity {
        return Outcome::NotApplicable("no injection is expected");
    }
    let meta_path = path.strip_suffix(".spec").unwrap_or_default();
    let at = source.at(format!("{meta_path}.metadata.annotations[\"{key}\"]"));
    let meant: Vec<&ContainerView<'_>> = derived
        .containers
        .iter()
        .filter(|view| !view.skipped && !is_bare(view) && lists(list, view.name()))
        .collect();
    // Every finding proposes the same list. The target needs its identity, so it is never on it.
    let right = derived.containers.iter().filter(|view| {
        !view.is_target && (view.skipped || meant.iter().any(|other| other.name() == view.name()))
    });
    let right = right.map(ContainerView::name).collect::<Vec<_>>().join(",");
    let shown = if right.is_empty() { "absent" } else { right.as_str() };
    let value = (!right.is_empty()).then_some(right.as_str());
    let mut findings = Vec::new();
    if let Some(view) = derived.target().filter(|view| view.skipped && is_bare(view)) {
        let name = view.name();
        let summary =
            format!("the annotation skip-containers keeps the webhook from injecting container {name}");
        let finding = META.on_subject(derived, summary).container(name).evidence(&key, shown, list, &at);
        findings.push(with_repair(derived, finding, &key, value, "remove the container from the list"));
    }
    if let Some(first) = meant.first() {
        let name = first.name();
        let summary = format!(
            "skip-containers lists {name}, but the webhook does not skip it because of how the list is written"
        );
        let finding = META
            .on_subject(derived, summary)
            .container(name)
            .severity(Severity::Warning)
            .evidence(&key, shown, list, &at);
        let title = if first.is_target {
            "remove the container from the list, since it needs its identity"
        } else {
            "separate the names with commas and nothing else"
        };
        findings.push(with_repair(derived, finding, &key, value, title));
    }
    Outcome::of(findings)
}

/// Got nothing from the webhook, and nothing by hand.
fn is_bare(view: &ContainerView<'_>) -> bool {
    matches!(view.wiring, Wiring::Nothing)
        && !view.pod_identity
        && !view.declares(ROLE_ARN)
        && !view.declares(TOKEN_FILE)
}

/// True if a person would read the name in the list.
fn lists(list: &str, name: &str) -> bool {
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    list.split(|c| !in_name(c)).any(|word| word == name)
}

fn with_repair(
    derived: &Derived<'_>,
    finding: Finding,
    key: &str,
    value: Option<&str>,
    title: &str,
) -> Finding {
    let patch = serde_json::json!({"metadata": {"annotations": {key: value}}});
    let fix = workload::patch(derived, format!("{title}; takes effect in the new pods"), &patch);
    finding.fix(fix.unwrap_or_else(|| Fix::advice(format!("{title} in the manifest and recreate the pods"))))
}
