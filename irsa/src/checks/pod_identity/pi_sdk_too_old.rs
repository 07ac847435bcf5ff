//! # The SDK does not support EKS Pod Identity
//!
//! An SDK from before November 2023 sends its token only to loopback addresses or to those of ECS, and refuses the address of
//! the EKS Pod Identity agent.
//!
//! **You see**: `'169.254.170.23' is not a valid container metadata service hostname` (JavaScript), `Unsupported host
//! '169.254.170.23'. Can only retrieve metadata from these hosts` (boto3), `invalid endpoint host, "169.254.170.23", only
//! loopback hosts are allowed` (Go), `AWS_CONTAINER_CREDENTIALS_FULL_URI has an invalid host` (Java v2), `invalid full URI for
//! ECS provider` (Rust).
//!
//! **Decided by**: this message from the application's SDK.
//!
//! **Not a fault** of the agent or the network: the agent was never called.
//!
//! **Repair**: update the SDK and rebuild the image.

use super::agent::{self, Told};
use crate::aws_error::{Kind, Sighting};
use crate::checks::prelude::*;

pub(super) const META: Meta = Meta {
    id: "pi-sdk-too-old",
    step: Step::Caller,
    title: "the SDK does not support EKS Pod Identity",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let told = Told {
        what: |who| format!("the SDK of {who} refuses the address of the EKS Pod Identity agent"),
        answer: "refused by the SDK itself: not an address that it allows",
    };
    let is: fn(&Sighting) -> bool = if agent::is_told_ipv6(derived) {
        |said| matches!(said.kind, Kind::AgentHostRejected | Kind::AgentIpv6Rejected)
    } else {
        |said| said.kind == Kind::AgentHostRejected
    };
    let (said, finding) = match agent::refusal(&META, derived, is, &told) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    let minimum = said.sdk.as_ref().and_then(|sdk| Some((sdk, sdk.minimum(Mechanism::PodIdentity)?)));
    match minimum {
        Some((sdk, minimum)) => finding.fix(Fix::advice(format!(
            "update {} to {minimum} or later and rebuild the image",
            sdk.name.label()
        ))),
        None => {
            finding.fix(Fix::advice("update the SDK to a version from 2024 or later and rebuild the image"))
        }
    }
    .into()
}
