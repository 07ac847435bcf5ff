//! # The Java SDK refuses the agent's IPv6 address
//!
//! In an IPv6 cluster the webhook sets `AWS_CONTAINER_CREDENTIALS_FULL_URI` to `http://[fd00:ec2::23]/v1/credentials`. Version 2
//! of the Java SDK sends its token there only if it is told to use IPv6 for metadata; other SDKs do so always.
//!
//! **You see**: `The full URI (http://[fd00:ec2::23]/v1/credentials) contained within environment variable
//! AWS_CONTAINER_CREDENTIALS_FULL_URI has an invalid host`.
//!
//! **Decided by**: this message from the application's SDK.
//!
//! **Not a fault** of the agent or the network: the agent was never called. The same message with 169.254.170.23, or although
//! the variable is set, is `pi-sdk-too-old`.
//!
//! **Repair**: set `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6` in the container. The SDK has to be version 2.21.30 or later.

use super::agent::{self, ENDPOINT_MODE, Told};
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::repair::env;

pub(super) const META: Meta = Meta {
    id: "pi-ipv6-endpoint-mode",
    step: Step::Caller,
    title: "the Java SDK refuses the agent's IPv6 address",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if agent::is_told_ipv6(derived) {
        return Outcome::NotApplicable("the container has the variable");
    }
    let told = Told {
        what: |who| format!("the Java SDK of {who} refuses the IPv6 address of the EKS Pod Identity agent"),
        answer: "refused by the SDK itself: IPv6 is not enabled for metadata",
    };
    let finding = match agent::refusal(&META, derived, |said| said.kind == Kind::AgentIpv6Rejected, &told) {
        Ok((_, finding)) => finding,
        Err(outcome) => return outcome,
    };
    let view = derived.target();
    let finding = match view.and_then(|view| view.env.get(ENDPOINT_MODE)) {
        Some(entry) => finding.evidence(ENDPOINT_MODE, "IPv6", entry.shown(), &entry.source),
        None => finding,
    };
    let set = view.and_then(|view| {
        let assignment = Assignment::set(ENDPOINT_MODE, "IPv6");
        env::set(derived, view, &[assignment], "tell the SDK to use IPv6; restarts the pods")
    });
    let by_hand = || Fix::advice(format!("set {ENDPOINT_MODE}=IPv6 in the container"));
    finding.fix(set.unwrap_or_else(by_hand)).into()
}
