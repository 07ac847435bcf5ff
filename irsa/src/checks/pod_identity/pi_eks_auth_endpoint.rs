//! # The agent cannot reach EKS Auth
//!
//! The EKS Pod Identity agent calls the EKS Auth service from the node's network. A private cluster needs a separate VPC
//! endpoint for it: those for `eks` and `sts` do not cover it. The agent waits one second at most.
//!
//! **You see**: `operation error EKS Auth: AssumeRoleForPodIdentity, https response error StatusCode: 0, RequestID: , canceled,
//! context canceled`, or a timeout for `eks-auth.REGION.api.aws`.
//!
//! **Decided by**: this message, in the agent's answer to the probe or in the application's log. This is inferred: a slow
//! answer from EKS Auth, or a client that does not wait long enough for the agent, looks the same.
//!
//! **Not a fault**: one such line among many successful requests.
//!
//! **Repair**: create an interface endpoint `com.amazonaws.REGION.eks-auth` with private DNS in the VPC, or give the nodes
//! egress to the internet.

use super::agent::{self, Told};
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::repair::vpc_endpoint;

pub(super) const META: Meta = Meta {
    id: "pi-eks-auth-endpoint",
    step: Step::Network,
    title: "the agent cannot reach EKS Auth",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let told = Told {
        what: |who| format!("the EKS Pod Identity agent gets no answer from EKS Auth for {who}"),
        answer: "no answer from EKS Auth",
    };
    let finding =
        match agent::refusal_of_eks(&META, derived, |said| said.kind == Kind::EksAuthUnreachable, &told) {
            Ok((_, finding)) => finding.inferred(),
            Err(outcome) => return outcome,
        };
    let region = derived.plan().region;
    let service = format!("com.amazonaws.{region}.eks-auth");
    finding
        .fix(Fix::inspect(
            "check whether the nodes' VPC has an endpoint for EKS Auth, with private DNS",
            vpc_endpoint::list(derived, &region, "eks-auth"),
        ))
        .fix(Fix::advice(format!("create an interface endpoint {service} with private DNS, or give the nodes' subnets a NAT gateway")))
        .fix(Fix::advice("if it is intermittent, give the SDK's request to the agent more time (AWS_METADATA_SERVICE_TIMEOUT in boto3)"))
        .into()
}
