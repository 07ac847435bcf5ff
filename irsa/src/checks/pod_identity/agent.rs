//! What the checks of the EKS Pod Identity agent have in common.

use crate::aws_error::Sighting;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors::UNREPORTED;
use crate::checks::shared::{app_errors, probed};
use crate::derive::agent::{Agent, Call};

/// The agent that the pod depends on, or the answer of a check that has nothing to check: none is needed, it is not known, or
/// it answers.
pub(in crate::checks) fn of<'f>(derived: &Derived<'f>) -> Result<Agent<'f>, Outcome> {
    match (Agent::of(derived), derived.call_to_agent()) {
        (Agent::NotApplicable(why), _) => Err(Outcome::NotApplicable(why)),
        (_, Call::Answered) => Err(Outcome::Pass),
        (Agent::Unknown(why), _) => Err(Outcome::Unknown(vec![why])),
        (agent, _) => Ok(agent),
    }
}

/// Starts an error on the agent of the pod's node. Without a call to it that went unanswered it is inferred: credentials that
/// the agent gave before last for hours.
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
            meta.on_subject(derived, summary).inferred()
        }
    }
}

/// Variable that lets version 2 of the Java SDK use the agent's IPv6 address.
pub(in crate::checks) const ENDPOINT_MODE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";

/// True if the target container has it.
pub(in crate::checks) fn is_told_ipv6(derived: &Derived<'_>) -> bool {
    let mode = derived.target().and_then(|view| view.env.get(ENDPOINT_MODE)?.text());
    mode.is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6"))
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
    is: fn(&Sighting) -> bool,
    told: &Told<'_>,
) -> Result<(Sighting, Finding), Outcome> {
    if derived.intent.mechanism != Mechanism::PodIdentity {
        return Err(Outcome::NotApplicable("the pod does not use EKS Pod Identity"));
    }
    if let (Some(seen), Some(answer)) = (derived.probed.pod(), derived.agent_answer())
        && let (Some(message), Some(sighting)) = (&answer.message, &answer.sighting)
        && is(sighting)
    {
        let summary = (told.what)(&format!("container {}", seen.container()));
        let finding = probed::finding(meta, derived, seen, summary);
        return Ok((sighting.clone(), finding.evidence(ANSWER, "credentials", message, &answer.source)));
    }
    let said = derived.app_errors.iter().find(|said| is(said.error)).ok_or(UNREPORTED)?;
    let finding = app_errors::finding(meta, derived, said, &(told.what)(&app_errors::speaker(derived)));
    Ok((said.error.clone(), finding.evidence(ANSWER, "credentials", told.answer, said.source)))
}

/// The same for what EKS has to grant; it has, if the probe got credentials.
pub(in crate::checks) fn refusal_of_eks(
    meta: &Meta,
    derived: &Derived<'_>,
    is: fn(&Sighting) -> bool,
    told: &Told<'_>,
) -> Result<(Sighting, Finding), Outcome> {
    match derived.agent_answer() {
        Some(answer) if answer.gave_credentials() => Err(Outcome::Pass),
        _ => refusal(meta, derived, is, told),
    }
}

const ANSWER: &str = "answer to the credentials request";
