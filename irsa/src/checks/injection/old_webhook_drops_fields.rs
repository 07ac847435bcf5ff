//! # An old webhook drops fields that it does not know
//!
//! The webhook writes back whole container lists, decoded with the Kubernetes types it was built with. A self-hosted build from
//! before January 2024 does not know `restartPolicy` of an init container: the native sidecar becomes a plain init container,
//! and the pod waits for it forever. Nothing about this looks like AWS.
//!
//! **You see**: the pod stays in `Init:0/1` with its sidecar running.
//!
//! **Decided by**: the workload's template has `restartPolicy: Always`, the injected pod does not. Another webhook could also
//! have dropped it, so this is inferred.
//!
//! **Not a fault**: a template that was changed after the pod was created; EKS's own webhook, which is current.
//!
//! **Repair**: update the webhook, then recreate the pods.

use crate::checks::prelude::*;
use crate::derive::injection::has_token_volume;
use crate::derive::webhook::Registration;
use crate::facts::Owner;
use crate::facts::kubernetes::Pod;
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "old-webhook-drops-fields",
    step: Step::Injection,
    title: "an old webhook drops fields that it does not know",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some(pod) = derived.facts.subject.pod() else { return Outcome::NotApplicable("no pod to look at") };
    if derived.registrations.found().iter().any(Registration::eks_managed) {
        return Outcome::NotApplicable("the webhook is EKS's own, and current");
    }
    if pod.value.spec.init_containers.is_empty() || !has_token_volume(derived.facts) {
        return Outcome::NotApplicable("the webhook changed none of the pod's init containers");
    }
    let owner = match &*derived.facts.owner {
        Fact::Known(owner) => owner,
        // The pod itself does not say what it was created from; that alone leaves no link open.
        Fact::Absent { .. } | Fact::Unknown(_) => {
            return Outcome::NotApplicable("no workload to compare the pod with");
        }
    };
    if changed_since(&owner.value, &pod.value) {
        return Outcome::NotApplicable("the workload was changed after the pod was created");
    }
    let findings =
        owner.value.template_spec.init_containers.iter().enumerate().filter_map(|(index, declared)| {
            let mut made = pod.value.spec.init_containers.iter().enumerate();
            let (at, _) =
                made.find(|(_, made)| made.name == declared.name && made.restart_policy.is_empty())?;
            if declared.restart_policy != "Always" {
                return None;
            }
            // A running pod got past its init containers; only its sidecar is not what it should be.
            let severity =
                if pod.value.status.phase == "Pending" { Severity::Error } else { Severity::Warning };
            let name = &declared.name;
            let path = owner.value.template_path();
            let finding = META
                .on_subject(
                    derived,
                    format!("native sidecar {name} lost its restartPolicy when the webhook injected the pod"),
                )
                .severity(severity)
                .inferred()
                .missing(
                    "restartPolicy",
                    "Always",
                    &pod.source.at(format!(".spec.initContainers[{at}].restartPolicy")),
                )
                .seen(
                    "template",
                    "Always",
                    &owner.source.at(format!("{path}.initContainers[{index}].restartPolicy")),
                )
                .fix(Fix::advice("update the webhook to a build from after January 2024"));
            Some(finding.fix(workload::restart_or_advice(derived)))
        });
    Outcome::of(findings.collect())
}

/// True if somebody other than the controllers, who write only status and scale, wrote the workload after the pod was created.
fn changed_since(owner: &Owner, pod: &Pod) -> bool {
    let writers = owner.meta.managed_fields.iter().filter(|entry| entry.manager != "kube-controller-manager");
    let last = writers.filter_map(|entry| entry.time).max();
    last.is_some_and(|last| {
        !pod.metadata.creation_timestamp.is_known() || pod.metadata.creation_timestamp.is_before(last)
    })
}
