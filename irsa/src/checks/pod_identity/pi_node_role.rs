//! # The node's role may not request credentials for pods
//!
//! The EKS Pod Identity agent requests each pod's credentials from EKS Auth as its node's role. The node's role needs
//! `eks-auth:AssumeRoleForPodIdentity`; `AmazonEKSWorkerNodePolicy` includes it, a custom policy may not.
//!
//! **You see**: `AccessDeniedException: User: arn:aws:sts::…:assumed-role/NODE-ROLE/i-… is not authorized to perform:
//! eks-auth:AssumeRoleForPodIdentity`, in the agent's answer or its log.
//!
//! **Decided by**: this message, in the agent's answer to the probe or in the application's log.
//!
//! **Not a fault** of the pod's own role: EKS Auth has not looked at it yet. If AWS names a policy above the node's role (a service
//! control policy, a permissions boundary, a VPC endpoint's), nothing is won by granting that role more: see `perm-scp`,
//! `perm-boundary`, `perm-vpce-policy`.
//!
//! **Repair**: allow the action for the node's role; if AWS names an explicit deny, remove that.

use super::agent::{self, Told};
use crate::aws_error::{Kind, PrincipalKind, Sighting};
use crate::checks::prelude::*;
use crate::derive::denial::is_above_the_node;
use crate::repair::pod_identity;

pub(super) const META: Meta = Meta {
    id: "pi-node-role",
    step: Step::Sts,
    title: "the node's role may not request credentials for pods",
    explains: &[],
};

/// A policy above the role's own is none of its own (`perm-scp`, `perm-boundary`, `perm-vpce-policy`): a broader role does not
/// help against it.
fn is_its_own(said: &Sighting) -> bool {
    said.kind == Kind::NodeNotAuthorized && !is_above_the_node(said)
}

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let told = Told {
        what: |who| format!("the node's role may not request credentials for {who} from EKS Auth"),
        answer: "not authorized to perform eks-auth:AssumeRoleForPodIdentity",
    };
    let (said, finding) = match agent::refusal_of_eks(&META, derived, is_its_own, &told) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    // The reason that AWS gives comes before whom it names: more permissions would change nothing.
    if let Some(because) = said.because.filter(|because| because.explicit) {
        let advice = format!(
            "change that policy: AWS names {}, so that granting the node's role more changes nothing",
            because.words()
        );
        return finding.fix(Fix::advice(advice)).into();
    }
    let Some(principal) = &said.principal else {
        return finding
            .fix(Fix::advice("allow eks-auth:AssumeRoleForPodIdentity for the node's role"))
            .into();
    };
    let PrincipalKind::AssumedRole { role, .. } = &principal.kind else {
        return finding
            .fix(Fix::advice(format!("allow eks-auth:AssumeRoleForPodIdentity for {}", principal.arn)))
            .into();
    };
    finding.fix(pod_identity::allow_node(derived, &principal.account, role)).into()
}
