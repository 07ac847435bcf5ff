//! # The node does not support EKS Pod Identity
//!
//! EKS Pod Identity needs its agent on the node. The agent cannot run on Fargate or on Windows nodes. The webhook does not look
//! at the node: it wires the pod anyway, and an association takes precedence over the annotation.
//!
//! **You see**: `connection refused` or a timeout to `169.254.170.23`, or `Unable to load credentials`.
//!
//! **Decided by**: the container has the variables of EKS Pod Identity, and its node is a Fargate or a Windows node. AWS's list
//! of supported platforms is as of 2024-12, so this is inferred.
//!
//! **Not a fault**: IRSA on Fargate or on Windows.
//!
//! **Repair**: use IRSA for this service account: annotate it, and delete the association.

use crate::checks::prelude::*;
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "unsupported-platform",
    step: Step::Pod,
    title: "the node does not support EKS Pod Identity",
    explains: &["fargate-no-sa"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some((spec, ..)) = derived.spec() else { return Outcome::NotApplicable("no pod to look at") };
    let wired = derived.target().filter(|view| view.pod_identity);
    let Some(view) = wired else {
        return Outcome::NotApplicable("the container is not wired for EKS Pod Identity");
    };
    let (platform, source) = match (derived.on_fargate(), derived.on_windows()) {
        (true, _) => ("Fargate", derived.spec_at(".nodeName")),
        (false, Some(source)) => ("Windows", Some(source)),
        (false, None) => return Outcome::Pass,
    };
    let variable = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    let (Some(source), Some(uri)) = (source, view.env.get(variable)) else { return Outcome::Pass };
    // Some other agent may answer at another address; EKS's is fixed.
    if uri.text().is_some_and(|uri| !uri.contains("169.254.170.23") && !uri.contains("fd00:ec2::23")) {
        return Outcome::Pass;
    }
    let name = view.name();
    let node = if spec.node_name.is_empty() { platform } else { &spec.node_name };
    let finding = META
        .on_subject(
            derived,
            format!("container {name} is wired for EKS Pod Identity, which {platform} nodes do not support"),
        )
        .container(name)
        .inferred()
        .evidence("node", "Linux on EC2", format!("{node} ({platform})"), &source)
        .seen(variable, uri.shown(), &uri.source)
        .fix(Fix::advice(
            "use IRSA: name the role on the service account, and delete the EKS Pod Identity association",
        ));
    finding.fix(workload::restart_or_advice(derived)).into()
}
