//! # The agent is called by an address that is not its own
//!
//! The EKS Pod Identity agent serves requests to `169.254.170.23` and `[fd00:ec2::23]` by these names alone: not those that reach
//! it by the node's address, a name, or a proxy.
//!
//! **You see**: `403 Access Denied. Called agent through invalid address, please use either 169.254.170.23 or [fd00:ec2::23]
//! address not …`.
//!
//! **Decided by**: these words, in the agent's answer to the probe or in what the application says.
//!
//! **Not a fault**: of the association or the role.
//!
//! **Repair**: leave `AWS_CONTAINER_CREDENTIALS_FULL_URI` to the webhook, and exempt the address from the proxy.

use super::agent::{self, Told};
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::derive::container::CREDENTIALS_URI;
use crate::repair::env;

/// See the module's page.
pub const META: Meta = Meta {
    id: "pi-wrong-host",
    step: Step::Network,
    title: "the agent is called by an address that is not its own",
    explains: &[],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let told = Told {
        what: |who| format!("{who} calls the EKS Pod Identity agent by an address that is not its own"),
        answer: "called through an invalid address",
    };
    let finding = match agent::refusal(&META, derived, |kind| kind == Kind::AgentWrongAddress, &told) {
        Ok((_, finding)) => finding,
        Err(outcome) => return outcome,
    };
    let uri = derived.target().and_then(|view| Some((view, view.env.get(CREDENTIALS_URI)?)));
    let finding = match uri {
        Some((_, entry)) => finding.seen(CREDENTIALS_URI, entry.shown(), &entry.source),
        None => finding,
    };
    let title = "leave the variable to the webhook; the pods are made anew";
    let unset = uri.and_then(|(view, _)| env::unset(derived, view, &[CREDENTIALS_URI], title));
    finding
        .fix(unset.unwrap_or_else(|| {
            Fix::advice(
                "let the application call http://169.254.170.23/v1/credentials as the webhook wires it, past every proxy (NO_PROXY)",
            )
        }))
        .into()
}
