//! # The application calls the agent at the wrong address
//!
//! The EKS Pod Identity agent answers only requests addressed to `169.254.170.23` or `[fd00:ec2::23]`, not those that reach it
//! by the node's address, a host name, or a proxy.
//!
//! **You see**: `403 Access Denied. Called agent through invalid address, please use either 169.254.170.23 or [fd00:ec2::23]
//! address not …`.
//!
//! **Decided by**: this message, in the agent's answer to the probe or in the application's log.
//!
//! **Not a fault** of the association or the role.
//!
//! **Repair**: let the webhook set `AWS_CONTAINER_CREDENTIALS_FULL_URI`, and exempt the address from the proxy.

use super::agent::{self, Told};
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::derive::container::CREDENTIALS_URI;
use crate::repair::env;

pub(super) const META: Meta = Meta {
    id: "pi-wrong-host",
    step: Step::Network,
    title: "the application calls the agent at the wrong address",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let told = Told {
        what: |who| format!("{who} calls the EKS Pod Identity agent at the wrong address"),
        answer: "called through an invalid address",
    };
    let finding = match agent::refusal(&META, derived, |said| said.kind == Kind::AgentWrongAddress, &told) {
        Ok((_, finding)) => finding,
        Err(outcome) => return outcome,
    };
    let uri = derived.target().and_then(|view| Some((view, view.env.get(CREDENTIALS_URI)?)));
    let finding = match uri {
        Some((_, entry)) => finding.seen(CREDENTIALS_URI, entry.shown(), &entry.source),
        None => finding,
    };
    let title = "unset the variable, so that the webhook sets it; restarts the pods";
    let unset = uri.and_then(|(view, _)| env::unset(derived, view, &[CREDENTIALS_URI], title));
    finding
        .fix(unset.unwrap_or_else(|| {
            Fix::advice(
                "have the application call http://169.254.170.23/v1/credentials, as the webhook sets it, bypassing any proxy (NO_PROXY)",
            )
        }))
        .into()
}
