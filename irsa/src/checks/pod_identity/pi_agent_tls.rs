//! # The agent does not trust EKS Auth's certificate
//!
//! The EKS Pod Identity agent calls EKS Auth over TLS from the node's network. A proxy or firewall that inspects TLS answers
//! with a certificate of its own, whose CA is not in the agent's image.
//!
//! **You see**: `tls: failed to verify certificate: x509: certificate signed by unknown authority` in the agent's answer or its
//! log, next to `eks-auth.REGION.api.aws` or `AssumeRoleForPodIdentity`.
//!
//! **Decided by**: this message, in the agent's answer to the probe or in the application's log.
//!
//! **Not a fault** of the application's own CA certificates: the application talks to the agent in plain HTTP. A missing VPC
//! endpoint is `pi-eks-auth-endpoint`.
//!
//! **Repair**: exempt `eks-auth.REGION.api.aws` from TLS inspection, or go around it through a VPC endpoint for EKS Auth. The
//! add-on has no setting for a CA.

use super::agent::{self, Told};
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::repair::vpc_endpoint;

pub(super) const META: Meta = Meta {
    id: "pi-agent-tls",
    step: Step::Network,
    title: "the agent does not trust EKS Auth's certificate",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let told = Told {
        what: |who| {
            format!(
                "the EKS Pod Identity agent gets no credentials for {who}: it does not trust the certificate of EKS Auth"
            )
        },
        answer: "the certificate is from an unknown authority",
    };
    let finding = match agent::refusal_of_eks(&META, derived, |said| said.kind == Kind::AgentTls, &told) {
        Ok((_, finding)) => finding,
        Err(outcome) => return outcome,
    };
    let region = derived.plan().region;
    finding
        .fix(Fix::advice(format!(
            "exempt eks-auth.{region}.api.aws from TLS inspection for the nodes"
        )))
        .fix(Fix::inspect(
            "or have the nodes go around it: check whether their VPC has an endpoint for EKS Auth, with private DNS",
            vpc_endpoint::list(derived, &region, "eks-auth"),
        ))
        .into()
}
