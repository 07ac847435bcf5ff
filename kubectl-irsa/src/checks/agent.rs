//! What the checks of the EKS Pod Identity agent have in common.

use super::prelude::*;
use super::{hearsay, inside};
use crate::derive::agent::{Agent, Call};

/// The agent that the pod has to ask, or the answer of a check that has nothing to look at: none is needed, it is not known, or
/// it answers.
pub(super) fn of<'f>(derived: &Derived<'f>) -> Result<Agent<'f>, Outcome> {
    match (Agent::of(derived), derived.call_to_agent()) {
        (Agent::NotApplicable(why), _) => Err(Outcome::NotApplicable(why)),
        (_, Call::Answered) => Err(Outcome::Pass),
        (Agent::Unknown(why), _) => Err(unknown(why)),
        (agent, _) => Ok(agent),
    }
}

/// Starts a finding on the agent of the pod's node: an error if a call to it went unanswered. Without one it is a conclusion,
/// which the pod's own calls may yet contradict.
pub(super) fn finding(meta: &Meta, derived: &Derived<'_>, what: &str) -> Finding {
    match derived.call_to_agent() {
        Call::Probe(seen, words) => {
            let summary =
                format!("container {} does not reach the EKS Pod Identity agent: {what}", seen.container());
            let at = seen.at("containerCredentials.connection");
            inside::finding(meta, derived, seen, summary).evidence(
                "call to the agent",
                "answered",
                words,
                &at,
            )
        }
        Call::Words(said) => {
            let summary =
                format!("{} does not reach the EKS Pod Identity agent: {what}", hearsay::speaker(derived));
            let finding = hearsay::finding(meta, derived, said, &summary);
            finding.evidence("call to the agent", "answered", "no connection", said.source)
        }
        Call::Answered | Call::Unseen => {
            let summary = format!("the pod is wired for the EKS Pod Identity agent, and {what}");
            meta.on_subject(derived, summary).severity(Severity::Warning).inferred()
        }
    }
}
