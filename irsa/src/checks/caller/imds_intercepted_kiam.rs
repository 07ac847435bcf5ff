//! # kiam or kube2iam still intercepts the metadata service
//!
//! The pod has `iam.amazonaws.com/role`, the annotation of kiam and kube2iam, besides its role by web identity. Where their
//! agent still runs it answers for 169.254.169.254 on every node, and an SDK that falls through to it gets its errors.
//!
//! **You see**: `EC2RoleRequestError: no EC2 instance role found`, status 500 from the metadata service, or an `AccessDenied`
//! for `sts:AssumeRole` by the role of kiam's server.
//!
//! **Decided by**: the annotation; with the probe, which asks the metadata service for the name of the role: a server error
//! there is a warning; otherwise the annotation alone is an info finding.
//!
//! **Not a fault**: the annotation on a pod whose web identity works: SDKs do not get as far as the metadata service.
//!
//! **Repair**: remove the annotation, and the agent once no pod needs it any more.

use crate::checks::prelude::*;
use crate::checks::shared::probed;

pub(super) const META: Meta = Meta {
    id: "imds-intercepted-kiam",
    step: Step::Caller,
    title: "kiam or kube2iam still intercepts the metadata service",
    explains: &[],
};

const ANNOTATION: &str = "iam.amazonaws.com/role";

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if derived.intent.mechanism != Mechanism::Irsa {
        return Outcome::NotApplicable("no role is named");
    }
    let Some((_, meta, source, _)) = derived.spec() else {
        return Outcome::NotApplicable("no pod to look at");
    };
    let Some(role) = meta.annotations.get(ANNOTATION) else {
        return probed::or_pass(
            derived,
            META.step,
            Outcome::NotApplicable("the pod is not annotated for kiam"),
        );
    };
    let imds = probed::of_irsa(derived).and_then(|seen| Some((seen, seen.report().imds.as_ref()?)));
    let failed =
        imds.and_then(|(seen, imds)| Some((seen, imds.role_status.filter(|status| *status >= 500)?)));
    let at = source.at(annotation_path(ANNOTATION));
    let finding = META
        .on_subject(derived, format!("the pod still requests role {role} from kiam or kube2iam"))
        .seen(ANNOTATION, role, &at);
    match failed {
        Some((seen, status)) => finding.severity(Severity::Warning).evidence(
            "answer of 169.254.169.254 when asked for the role",
            "200, or none",
            status.to_string(),
            &seen.at("imds.roleStatus"),
        ),
        None => finding.severity(Severity::Info),
    }
    .fix(Fix::advice(
        "remove the annotation from the pod's template, and the agent once no pod needs it any more",
    ))
    .into()
}
