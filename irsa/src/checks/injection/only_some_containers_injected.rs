//! # Only some containers of the pod were injected
//!
//! Another mutating webhook added a container after the pod identity webhook had run (Vault's agent, a mesh proxy, a log
//! shipper), and the registration does not ask to be called again: `reinvocationPolicy` is `Never` unless it is set to
//! `IfNeeded`, as it is on EKS.
//!
//! **You see**: the errors of a pod without an identity, but only from that container: `Unable to locate credentials`, or an
//! `AccessDenied` that names the node's role.
//!
//! **Decided by**: the variables of the pod's containers, compared with each other. The pod does not record which webhook ran
//! when, so the cause is inferred.
//!
//! **Not a fault**: a container other than the target that shows no sign of calling AWS, or has its own credentials; one that
//! the annotation `skip-containers` names; ephemeral containers, which are never injected.
//!
//! **Repair**: set the registration's `reinvocationPolicy` to `IfNeeded`, or set the variables and the token mount by hand.

use crate::checks::prelude::*;
use crate::derive::container::ContainerKind;
use crate::repair::{webhook, workload};

pub(super) const META: Meta = Meta {
    id: "only-some-containers-injected",
    step: Step::Injection,
    title: "only some containers of the pod were injected",
    explains: &["not-injected"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if derived.facts.subject.pod().is_none() {
        return Outcome::NotApplicable("no pod to look at");
    }
    let pod_identity = derived.intent.mechanism == Mechanism::PodIdentity;
    if !derived.intent.expects_injection() && !pod_identity {
        return Outcome::NotApplicable("no injection is expected");
    }
    let injected = |view: &ContainerView<'_>| {
        if pod_identity {
            view.pod_identity
        } else {
            view.wiring == Wiring::Complete && view.declares(ROLE_ARN) && !derived.is_preset(view, ROLE_ARN)
        }
    };
    let Some(model) = derived.containers.iter().find(|view| injected(view)) else { return Outcome::Pass };
    let bare = derived.containers.iter().filter(|view| is_left_out(view));
    Outcome::of(bare.filter_map(|view| left_out(derived, view, model)).collect())
}

/// Nothing from the webhook, nothing by hand, and not skipped on request.
fn is_left_out(view: &ContainerView<'_>) -> bool {
    let own = ["AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"];
    let mounted = view
        .container
        .volume_mounts
        .iter()
        .any(|mount| [TOKEN_VOLUME, PI_VOLUME].contains(&mount.name.as_str()));
    view.wiring == Wiring::Nothing
        && !view.pod_identity
        && !view.declares(ROLE_ARN)
        && !view.declares(TOKEN_FILE)
        && !mounted
        && !view.skipped
        && (view.is_target || view.env.first_set(&own).is_none())
        // Init containers of meshes and the like do not matter unless they call AWS.
        && (view.is_target || view.speaks_aws() || view.kind != ContainerKind::Init)
}

fn left_out(derived: &Derived<'_>, view: &ContainerView<'_>, model: &ContainerView<'_>) -> Option<Finding> {
    let (name, other) = (view.name(), model.name());
    let wants = view.is_target || view.speaks_aws();
    let registration =
        derived.registrations.found().iter().find(|found| found.webhook.reinvocation_policy != "IfNeeded");
    let env = derived.spec_at("")?.at(format!("{}.env", view.path));
    let variable = if model.pod_identity { "AWS_CONTAINER_CREDENTIALS_FULL_URI" } else { ROLE_ARN };
    let there = model.env.get(variable)?;
    let mut finding = META
        .on_subject(
            derived,
            format!("container {name} was not injected, although {other} in the same pod was"),
        )
        .container(name)
        .inferred()
        .severity(if wants { Severity::Error } else { Severity::Info })
        .missing(format!("{variable} in {name}"), there.shown(), &env)
        .seen(format!("{variable} in {other}"), there.shown(), &there.source);
    if let Some(registration) = registration {
        let policy = &registration.webhook.reinvocation_policy;
        let policy = if policy.is_empty() { "Never" } else { policy };
        finding = finding.evidence(
            "reinvocationPolicy",
            "IfNeeded",
            policy,
            &registration.at(".reinvocationPolicy"),
        );
    }
    if !wants {
        return Some(finding);
    }
    finding = match registration {
        Some(registration) => {
            let patch = serde_json::json!([
                {"op": "add", "path": format!("/webhooks/{}/reinvocationPolicy", registration.index), "value": "IfNeeded"}
            ]);
            finding.fix(Fix::shared(
                "have the webhook called again after other webhooks add containers",
                webhook::patch(derived, registration, patch),
            ))
        }
        None => finding.fix(Fix::advice(format!(
            "find what adds container {name} after the webhook, and have it add the webhook's variables and token mount too"
        ))),
    };
    Some(finding.fixes(workload::restart(derived).filter(|_| registration.is_some())))
}
