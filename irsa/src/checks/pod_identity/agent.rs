//! What the checks of the EKS Pod Identity agent have in common.

use irsa_probe::Answer;

use crate::aws_error::{self, Kind, Sighting};
use crate::checks::prelude::*;
use crate::checks::shared::app_errors::UNREPORTED;
use crate::checks::shared::{app_errors, probed};
use crate::derive::agent::{Agent, Call};
use crate::derive::probed::ProbedPod;

/// The agent that the pod depends on, or the answer of a check that has nothing to check: none is needed, it is not known, or
/// it answers.
pub(in crate::checks) fn of<'f>(derived: &Derived<'f>) -> Result<Agent<'f>, Outcome> {
    match (Agent::of(derived), derived.call_to_agent()) {
        (Agent::NotApplicable(why), _) => Err(Outcome::NotApplicable(why)),
        (_, Call::Answered) => Err(Outcome::Pass),
        (Agent::Unknown(why), _) => Err(unknown(why)),
        (agent, _) => Ok(agent),
    }
}

/// Starts a finding on the agent of the pod's node: an error if a call to it went unanswered. Without such a call it is
/// inferred, and the pod's own calls may yet contradict it.
pub(in crate::checks) fn finding(meta: &Meta, derived: &Derived<'_>, what: &str) -> Finding {
    match derived.call_to_agent() {
        Call::Probe(seen, words) => {
            let summary =
                format!("container {} cannot reach the EKS Pod Identity agent: {what}", seen.container());
            let at = seen.at("containerCredentials.connection");
            probed::finding(meta, derived, seen, summary).evidence(
                "call to the agent",
                "answered",
                words,
                &at,
            )
        }
        Call::AppErrors(said) => {
            let summary =
                format!("{} cannot reach the EKS Pod Identity agent: {what}", app_errors::speaker(derived));
            let finding = app_errors::finding(meta, derived, said, &summary);
            finding.evidence("call to the agent", "answered", "no connection", said.source)
        }
        Call::Answered | Call::Unseen => {
            let summary = format!("the pod is wired for the EKS Pod Identity agent, but {what}");
            meta.on_subject(derived, summary).severity(Severity::Warning).inferred()
        }
    }
}

/// How a check of the agent's answers words its finding.
pub(in crate::checks) struct Told<'w> {
    /// The sentence, for the container or application that asked.
    pub what: fn(&str) -> String,
    /// The answer in a few words, if only an application error is known.
    pub answer: &'w str,
}

/// What the agent answered instead of credentials: to the probe, or to the application, which repeats it. The sighting, and
/// the start of a finding.
pub(in crate::checks) fn refusal(
    meta: &Meta,
    derived: &Derived<'_>,
    is: fn(Kind) -> bool,
    told: &Told<'_>,
) -> Result<(Sighting, Finding), Outcome> {
    if derived.intent.mechanism != Mechanism::PodIdentity {
        return Err(Outcome::NotApplicable("the pod does not use EKS Pod Identity"));
    }
    if let Some((seen, answer)) = answer_to_probe(derived)
        && let Some(message) = &answer.message
        && let Some(sighting) = aws_error::agent(message).filter(|sighting| is(sighting.kind))
    {
        let summary = (told.what)(&format!("container {}", seen.container()));
        let at = seen.at("containerCredentials.answer");
        let finding = probed::finding(meta, derived, seen, summary);
        return Ok((sighting, finding.evidence(ANSWER, "credentials", message, &at)));
    }
    let said = derived.app_errors.find(is).ok_or(UNREPORTED)?;
    let finding = app_errors::finding(meta, derived, said, &(told.what)(&app_errors::speaker(derived)));
    Ok((said.error.clone(), finding.evidence(ANSWER, "credentials", told.answer, said.source)))
}

/// The same for what EKS has to grant; it has, if the probe got credentials.
pub(in crate::checks) fn refusal_of_eks(
    meta: &Meta,
    derived: &Derived<'_>,
    is: fn(Kind) -> bool,
    told: &Told<'_>,
) -> Result<(Sighting, Finding), Outcome> {
    match answer_to_probe(derived) {
        Some((_, answer)) if answer.status == Some(200) => Err(Outcome::Pass),
        _ => refusal(meta, derived, is, told),
    }
}

const ANSWER: &str = "answer to the credentials request";

fn answer_to_probe<'d>(derived: &'d Derived<'_>) -> Option<(&'d ProbedPod<'d>, &'d Answer)> {
    let seen = derived.probed.pod()?;
    Some((seen, seen.report().container_credentials.as_ref()?.answer.as_ref()?))
}
