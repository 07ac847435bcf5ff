//! # The agent does not reach EKS Auth
//!
//! The EKS Pod Identity agent asks the service EKS Auth, from the node's network. A private cluster needs a VPC endpoint for it
//! of its own: those of `eks` and `sts` do not serve. The agent waits a second at most.
//!
//! **You see**: `operation error EKS Auth: AssumeRoleForPodIdentity, https response error StatusCode: 0, RequestID: , canceled,
//! context canceled`, or a timeout for `eks-auth.REGION.api.aws`.
//!
//! **Decided by**: these words, in the agent's answer to the probe or in what the application says. A conclusion: a slow answer
//! of EKS Auth, or a client that has no patience with the agent, reads alike.
//!
//! **Not a fault**: one such line among many that went well.
//!
//! **Repair**: give the VPC an interface endpoint `com.amazonaws.REGION.eks-auth` with private DNS, or the nodes a way out.

use super::agent::{self, Told};
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::repair::vpc_endpoint;

/// See the module's page.
pub const META: Meta = Meta {
    id: "pi-eks-auth-endpoint",
    step: Step::Network,
    title: "the agent does not reach EKS Auth",
    explains: &[],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let told = Told {
        what: |who| format!("the EKS Pod Identity agent gets no answer from EKS Auth for {who}"),
        answer: "no answer from EKS Auth",
    };
    let finding = match agent::refusal_of_eks(&META, derived, |kind| kind == Kind::EksAuthUnreachable, &told)
    {
        Ok((_, finding)) => finding.inferred(),
        Err(outcome) => return outcome,
    };
    let region = derived.plan().region;
    let service = format!("com.amazonaws.{region}.eks-auth");
    finding
        .fix(Fix::inspect(
            "look whether the nodes' VPC has an endpoint for EKS Auth, with private DNS",
            vpc_endpoint::list(derived, &region, "eks-auth"),
        ))
        .fix(Fix::advice(format!("make an interface endpoint {service} with private DNS, or give the nodes' subnets a NAT gateway")))
        .fix(Fix::advice("where it comes and goes: give the SDK's request to the agent more time (AWS_METADATA_SERVICE_TIMEOUT in boto3)"))
        .into()
}
