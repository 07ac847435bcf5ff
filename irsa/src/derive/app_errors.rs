//! The AWS errors that the application itself reported, weighted by their age and by what contradicts them.
//!
//! An error only shows what was wrong when it was logged. It is *current* if the user gave it (`--error`), or if it was logged
//! within the last [`FRESH`] minutes by the API server's clock; for a container that has ended, within the last minutes of its
//! run. An earlier error of the running container gives a warning; an error of a former run, or one that something later
//! contradicts, gives an info finding.
//!
//! Checks only see errors of the pod itself, and those whose owner is not known; [`AppErrors::all`] has the others as well.

use crate::text::duration;
use jiff::{SignedDuration, Timestamp};

use super::attribution::{Own, Whose};
use super::caller::{Expected, Who};
use super::container::ContainerView;
use super::probed::ProbeOutcome;
use super::sts_answer::StsVerdict;
use crate::aws_error::{Kind, Principal, Sighting, Stage, Subject, Worked};
use crate::facts::alike::Moment;
use crate::facts::{Facts, LoggedError, Source, UnknownText};
use crate::severity::Severity;

/// How long an error counts as current: a crash loop backs off for up to five minutes, and people take a while to react.
const FRESH: SignedDuration = SignedDuration::from_mins(15);

/// The application's errors, the most current first.
#[derive(Debug)]
pub(crate) struct AppErrors<'f> {
    said: Vec<AppError<'f>>,
}

/// An error that the application reported.
#[derive(Debug, Clone)]
pub struct AppError<'f> {
    /// What it says.
    pub error: &'f Sighting,
    /// Where it was read.
    pub source: &'f Source,
    /// True if the user gave it.
    pub given: bool,
    /// Whose it is.
    pub whose: Whose,
    /// The caller that it names.
    pub caller: Option<Caller<'f>>,
    /// How much it still counts.
    pub weight: Weight,
    /// Why it no longer counts, if something later ended it.
    pub over: Option<String>,
    /// A text that the user gave, if no error was recognised in it.
    pub unknown_text: Option<&'f UnknownText>,
    at: Option<Timestamp>,
    /// How long ago it was logged; `None` for what the user gave, and where no clock is known.
    age: Option<SignedDuration>,
}

/// How much an error still counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Logged just now.
    Current,
    /// Logged earlier by the container that is still running; nothing contradicts it.
    Earlier,
    /// Logged by a former run, or contradicted since.
    History,
}

/// A caller that AWS named, compared with the role that the pod should have.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'f> {
    /// Who it was.
    pub principal: &'f Principal,
    /// What that means.
    pub who: Who,
}

impl<'f> AppErrors<'f> {
    /// Attributes and weights them.
    pub(crate) fn of(
        facts: &'f Facts,
        expected: &Expected,
        target: Option<&ContainerView<'_>>,
        attempt: &StsVerdict<'_>,
        probed: &ProbeOutcome<'_>,
    ) -> Self {
        let run = Run::of(facts, target);
        let own = Own::new(facts, expected, target);
        let logged = || facts.app_errors.known().into_iter().flat_map(|listing| &listing.value.items);
        let mut said: Vec<AppError<'f>> = logged()
            .map(|logged| {
                let error = &logged.value.error;
                let caller = error.principal.as_ref();
                AppError {
                    error,
                    source: &logged.source,
                    given: logged.value.given,
                    whose: own.whose(&logged.value),
                    caller: caller.map(|principal| Caller { principal, who: expected.who(principal) }),
                    weight: logged.value.at.map_or(Weight::Current, |at| run.weight(at)),
                    over: None,
                    unknown_text: logged.value.unknown_text.as_ref(),
                    at: logged.value.at,
                    age: run.age(logged.value.at),
                }
            })
            .collect();
        // Whoever had the role by then had got past every earlier obstacle.
        let arrived = said
            .iter()
            .filter(|said| said.caller.is_some_and(|caller| caller.who == Who::Expected))
            .filter_map(|said| said.at)
            .max();
        let reached = probed.pod().is_some_and(super::probed::ProbedPod::reached_sts);
        let accepted_inside = probed.sts_answer().is_some_and(|answer| answer.accepted());
        let got_credentials = probed.pod().is_some_and(super::probed::ProbedPod::proves_identity);
        for (said, logged) in said.iter_mut().zip(logged()) {
            let kind = said.error.kind;
            let was_logged = logged.value.at.is_some();
            let stage = kind.stage();
            let settled = attempt.accepted() && stage.is_some() && !of_the_pod(kind);
            said.over = ended(&logged.value, expected)
                .or_else(|| {
                    let overtaken = keeps_credentials_away(kind) && said.at.is_some() && said.at < arrived;
                    overtaken.then(|| String::from("AWS has named the pod's role as the caller since"))
                })
                .or_else(|| made_since(&logged.value, facts))
                .or_else(|| {
                    let is_over = was_logged && attempt.accepted() && is_of_aws_itself(kind);
                    let is_over = is_over || settled && said.weight == Weight::Earlier;
                    is_over.then(|| String::from("STS accepts a token of this service account now"))
                })
                .or_else(|| {
                    let is_over = was_logged && got_credentials && is_decided_by_eks(kind);
                    is_over.then(|| String::from("the probe got credentials in the pod since"))
                });
            if said.over.is_some() {
                said.weight = Weight::History;
            }
            // It failed a moment ago and works now.
            let works_now = if kind.is_transport() { reached } else { settled && accepted_inside };
            if works_now && said.weight == Weight::Current && was_logged {
                said.weight = Weight::Earlier;
            }
        }
        said.sort_by_key(|said| (said.weight, said.age));
        Self { said }
    }

    /// All of them, the most current first; also those of others.
    pub(crate) fn all(&self) -> impl Iterator<Item = &AppError<'f>> {
        self.said.iter()
    }

    /// Those that are the pod's, or that nothing attributes to another, the most current first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &AppError<'f>> {
        self.said.iter().filter(|said| !said.whose.is_of_others())
    }

    /// The most current error of such a kind.
    pub(crate) fn find(&self, is: impl Fn(Kind) -> bool) -> Option<&AppError<'f>> {
        self.iter().find(|said| is(said.error.kind))
    }

    /// Who AWS saw as the application's caller, according to its current errors.
    pub(crate) fn caller(&self) -> Option<&AppError<'f>> {
        self.iter().find(|said| said.weight == Weight::Current && said.caller.is_some())
    }

    /// True if AWS itself named the pod's role as the caller just now.
    pub(crate) fn prove_the_caller(&self) -> bool {
        self.caller().and_then(|said| said.caller).is_some_and(|caller| caller.who == Who::Expected)
    }
}

impl AppError<'_> {
    /// What it says, in one sentence without a full stop.
    pub fn sentence(&self) -> String {
        match self.unknown_text {
            Some(text) => format!("\"{}\", which kubectl-irsa does not know", text.excerpt),
            None => self.error.sentence(),
        }
    }

    /// Errors that are no longer current count less.
    pub fn severity(&self) -> Severity {
        match self.weight {
            Weight::Current => Severity::Error,
            Weight::Earlier => Severity::Warning,
            Weight::History => Severity::Info,
        }
    }

    /// ` (logged 3 h ago)`, to end a sentence; empty if it is current.
    pub fn when(&self) -> String {
        match (self.weight, self.age) {
            (Weight::Current, _) => String::new(),
            (_, Some(age)) => format!(" (logged {} ago)", duration::words(age)),
            (_, None) => String::from(" (logged at an unknown time)"),
        }
    }
}

/// What ended a failure, according to the same log: a later success of the same kind of call.
fn ended(logged: &LoggedError, expected: &Expected) -> Option<String> {
    let error = &logged.error;
    let then = error.then.as_ref()?;
    let line = then.line;
    match &then.what {
        Worked::NextAttempt => {
            Some(format!("it was one attempt of several, and the log goes on (line {line})"))
        }
        _ if error.kind.about() == Subject::Permissions => None,
        Worked::Caller(caller) if expected.who(caller) != Who::Expected => None,
        Worked::Caller(_) => Some(format!("AWS named the pod's role as the caller afterwards (line {line})")),
        Worked::Credentials => Some(format!("the process had credentials afterwards (line {line})")),
        Worked::Request => Some(format!("a request to AWS succeeded afterwards (line {line})")),
    }
}

/// The OIDC provider or the role was made after STS had missed it.
fn made_since(logged: &LoggedError, facts: &Facts) -> Option<String> {
    let at = logged.at?;
    let (what, created) = match logged.error.kind.stage()? {
        Stage::Provider => ("OIDC provider", facts.aws.provider.known()?.value.created?),
        Stage::Trust => ("role", facts.aws.role.known()?.value.created?),
        _ => return None,
    };
    (created > at).then(|| format!("the {what} was created after it, at {created}"))
}

/// True for errors behind which no AWS API was called as the role.
fn keeps_credentials_away(kind: Kind) -> bool {
    kind.stage().is_some()
        || kind.is_last_resort()
        || matches!(
            kind,
            Kind::TokenFileUnreadable
                | Kind::TokenFileMissing
                | Kind::NoStsModule
                | Kind::NoWebIdentityProvider
                | Kind::CredentialsExpired
        )
}

/// True for what is between AWS and the issuer, or between AWS and everybody: no process has a part in it.
fn is_of_aws_itself(kind: Kind) -> bool {
    matches!(kind, Kind::Throttled | Kind::IdpCommunication | Kind::NoVerificationKey)
}

/// True for what the agent and EKS Auth decide for the whole pod, whichever process asks.
fn is_decided_by_eks(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::PodIdentityDenied
            | Kind::NodeNotAuthorized
            | Kind::PodIdentityNotFound
            | Kind::PodIdentityThrottled
            | Kind::EksAuthUnreachable
            | Kind::AgentUnreachable
            | Kind::AgentTls
    )
}

/// True for stages about which a fresh token, tried from elsewhere, says nothing.
fn of_the_pod(kind: Kind) -> bool {
    kind.is_transport() || matches!(kind, Kind::TokenExpired { .. } | Kind::TokenTooOld)
}

/// The run of the target container.
struct Run<'f> {
    now: Option<Timestamp>,
    started: Option<&'f Moment>,
    ended: Option<&'f Moment>,
}

impl<'f> Run<'f> {
    fn of(facts: &'f Facts, target: Option<&ContainerView<'_>>) -> Self {
        let status = facts.subject.pod().zip(target).and_then(|(pod, target)| {
            pod.value.status.all_container_statuses().find(|status| status.name == target.name())
        });
        let state = status.map(|status| &status.state);
        Self {
            now: facts.cluster.server_clock.known().map(|clock| clock.value),
            started: state.and_then(|state| Some(&state.running.as_ref()?.started_at)),
            ended: state
                .and_then(|state| Some(&state.terminated.as_ref()?.finished_at))
                .filter(|end| end.is_known()),
        }
    }

    fn weight(&self, at: Timestamp) -> Weight {
        let fresh = |end: Timestamp| end.duration_since(at) <= FRESH;
        if self.ended.and_then(Moment::time).or(self.now).is_some_and(fresh) {
            Weight::Current
        } else if self.ended.is_some()
            || self.started.is_some_and(|started| started.is_known() && !started.is_after(at))
        {
            Weight::Earlier
        } else {
            Weight::History
        }
    }

    fn age(&self, at: Option<Timestamp>) -> Option<SignedDuration> {
        Some(self.now?.duration_since(at?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        format!("2026-11-22T{time}Z").parse().unwrap()
    }

    #[test]
    fn words_lose_weight() {
        let (start, end) = (Moment::from(Some(at("06:00:00"))), Moment::from(Some(at("02:00:00"))));
        let run = Run { now: Some(at("08:00:00")), started: Some(&start), ended: None };
        assert_eq!(run.weight(at("07:46:00")), Weight::Current);
        assert_eq!(run.weight(at("08:00:20")), Weight::Current, "the node's clock is ahead");
        assert_eq!(run.weight(at("07:44:00")), Weight::Earlier);
        assert_eq!(run.weight(at("05:59:00")), Weight::History, "a former run");
        let ended = Run { ended: Some(&end), started: None, ..run };
        assert_eq!(ended.weight(at("01:50:00")), Weight::Current, "its last words");
        assert_eq!(ended.weight(at("01:00:00")), Weight::Earlier);
        let undated = Run { now: None, started: None, ended: None };
        assert_eq!(undated.weight(at("07:59:00")), Weight::History, "no clock tells");
    }
}
