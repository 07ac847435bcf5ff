//! # The container was not injected
//!
//! The service account names a role, but the container has neither `AWS_ROLE_ARN` nor `AWS_WEB_IDENTITY_TOKEN_FILE`. This is
//! the symptom; if its cause can be found, the cause is reported instead. If not, what remains is a webhook that was down, or
//! did not know the service account yet, when the pod was created: it fails open and leaves no trace in the Kubernetes API,
//! only in the API server's log (`failed calling webhook`, `failing open`).
//!
//! **Decided by**: the container's environment, compared with the annotation. That a webhook is registered and answers today
//! does not mean that it did when the pod was created.
//!
//! **Repair**: recreate the pod. If the new one is not injected either, look for `failed calling webhook` in the API server's
//! log.

use crate::checks::prelude::*;
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "not-injected",
    step: Step::Injection,
    title: "the container was not injected",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some(pod) = derived.facts.subject.pod() else { return Outcome::NotApplicable("no pod to look at") };
    match derived.intent.mechanism {
        Mechanism::Irsa => {}
        Mechanism::PodIdentity => {
            return Outcome::NotApplicable("the pod gets its identity from EKS Pod Identity");
        }
        Mechanism::Unknown => {
            return match derived.account_unknown() {
                Some(why) => unknown(why),
                None => Outcome::NotApplicable("no injection is expected"),
            };
        }
        _ => return Outcome::NotApplicable("no injection is expected"),
    }
    let Some(view) = derived.target() else { return Outcome::NotApplicable("no container to look at") };
    if view.wiring == Wiring::Unknown {
        return Outcome::Unknown(view.env.unread.iter().map(|why| (*why).clone()).collect());
    }
    if !derived.is_bare() {
        return Outcome::Pass;
    }
    let role = derived.intent.role.as_ref().map_or("", |role| role.raw);
    let name = view.name();
    let finding = META
        .on_subject(
            derived,
            format!("container {name} was not injected, although its service account names a role"),
        )
        .container(name)
        .missing(ROLE_ARN, role, &pod.source.at(format!("{}.env", view.path)))
        .missing(
            TOKEN_FILE,
            format!("{TOKEN_DIRECTORY}/token"),
            &pod.source.at(format!("{}.env", view.path)),
        );
    let unexplained = matches!(derived.bare(), Some(BareBecause::Unexplained));
    let created = pod.value.metadata.creation_timestamp.unjudged().filter(|_| unexplained);
    let finding = match created {
        Some(created) => {
            finding.seen("pod created", created.to_string(), &pod.source.at(".metadata.creationTimestamp"))
        }
        None => finding,
    };
    let finding = finding.fix(workload::restart_or_advice(derived));
    if unexplained {
        finding
            .fix(Fix::advice(
                "if the new pod is not injected either, look for `failed calling webhook` in the API server's log",
            ))
            .into()
    } else {
        finding.into()
    }
}
