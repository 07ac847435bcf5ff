//! # The node may not request tokens for this audience
//!
//! Since Kubernetes 1.33 a kubelet may request tokens only for audiences that are listed in the pod's own volumes or in the
//! `tokenRequests` of a CSI driver (`ServiceAccountNodeAudienceRestriction`). A driver or credential provider that requests
//! another audience fails: secrets-store, mountpoint-s3, ECR's credential provider.
//!
//! **You see**: `audience "sts.amazonaws.com" not found in pod spec volume`, or `is not authorized to request tokens for
//! audience`, in the pod's events.
//!
//! **Decided by**: events of the pod: an error while the pod waits for its volumes, otherwise a warning.
//!
//! **Not a fault**: the volume that the EKS webhook adds: its audience is in the pod.
//!
//! **Repair**: list the audience in the CSI driver's `tokenRequests`; newer releases of the drivers do.

use crate::checks::prelude::*;

pub(super) const META: Meta = Meta {
    id: "node-audience-restriction",
    step: Step::TokenFile,
    title: "the node may not request tokens for this audience",
    explains: &["token-mount-failed"],
};

/// The API server's error messages, before and since 1.36.
const MARKS: [&str; 2] = ["not found in pod spec volume", "is not authorized to request tokens for audience"];

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some(pod) = derived.facts.subject.pod() else { return Outcome::NotApplicable("there is no pod") };
    let events = match derived.facts.events.as_ref() {
        Fact::Known(events) => &events.value.items,
        // A pod that has started got its tokens; that the events could not be read is listed in any case.
        Fact::Unknown(_) if pod.value.status.phase != "Pending" => {
            return Outcome::NotApplicable("the pod has started, so its volumes are mounted");
        }
        Fact::Unknown(why) => return unknown(why),
        Fact::Absent { .. } => return Outcome::Pass,
    };
    let about_pod = |event: &&Sourced<crate::facts::kubernetes::Event>| {
        MARKS.iter().any(|marks| event.value.message.contains(marks))
            && event.value.involved_object.name == pod.value.metadata.judged_name()
    };
    let Some(event) = events.iter().find(about_pod) else { return Outcome::Pass };
    let audience = event.value.message.split_once("audience \"").and_then(|(_, rest)| rest.split('"').next());
    let audience = audience.unwrap_or("(not named)");
    let summary = format!(
        "the node of pod/{} may not request tokens for audience {audience}, which none of the pod's volumes lists",
        pod.value.metadata.name
    );
    let severity = if pod.value.status.phase == "Pending" { Severity::Error } else { Severity::Warning };
    META.on_subject(derived, summary)
        .severity(severity)
        .evidence(
            "audience",
            "listed in a volume of the pod or in a CSI driver's tokenRequests",
            audience,
            &event.source,
        )
        .seen("the kubelet reports", &event.value.message, &event.source)
        .fix(Fix::inspect(
            "check which CSI driver requests which audiences",
            Command::kubectl(
                derived,
                &[
                    "get",
                    "csidriver",
                    "-o",
                    "custom-columns=NAME:.metadata.name,AUDIENCES:.spec.tokenRequests[*].audience",
                ],
            ),
        ))
        .fix(Fix::advice(format!(
            "update the driver, or add audience {audience} to the tokenRequests of its CSIDriver"
        )))
        .into()
}
