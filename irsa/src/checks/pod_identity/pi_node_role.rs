//! # The node's role may not ask for pods' credentials
//!
//! The EKS Pod Identity agent asks EKS Auth for each pod's credentials, as the role of its node. The node's role needs
//! `eks-auth:AssumeRoleForPodIdentity`; `AmazonEKSWorkerNodePolicy` has it, a policy of one's own may lack it.
//!
//! **You see**: `AccessDeniedException: User: arn:aws:sts::…:assumed-role/NODE-ROLE/i-… is not authorized to perform:
//! eks-auth:AssumeRoleForPodIdentity`, in the agent's answer or its log.
//!
//! **Decided by**: these words, in the agent's answer to the probe or in what the application says.
//!
//! **Not a fault**: of the pod's own role: it was not looked at yet.
//!
//! **Repair**: allow the action to the node's role.

use super::agent::{self, Told};
use crate::aws_error::{Kind, PrincipalKind};
use crate::checks::prelude::*;
use crate::repair::pod_identity;

/// See the module's page.
pub const META: Meta = Meta {
    id: "pi-node-role",
    step: Step::Sts,
    title: "the node's role may not ask for pods' credentials",
    explains: &[],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let told = Told {
        what: |who| format!("the role of the node may not ask EKS Auth for the credentials of {who}"),
        answer: "not authorized to perform eks-auth:AssumeRoleForPodIdentity",
    };
    let (said, finding) =
        match agent::refusal_of_eks(&META, derived, |kind| kind == Kind::NodeNotAuthorized, &told) {
            Ok(found) => found,
            Err(outcome) => return outcome,
        };
    let Some(principal) = &said.principal else {
        return finding.fix(Fix::advice("allow eks-auth:AssumeRoleForPodIdentity to the node's role")).into();
    };
    let PrincipalKind::AssumedRole { role, .. } = &principal.kind else {
        return finding
            .fix(Fix::advice(format!("allow eks-auth:AssumeRoleForPodIdentity to {}", principal.arn)))
            .into();
    };
    finding.fix(pod_identity::allow_node(derived, &principal.account, role)).into()
}
