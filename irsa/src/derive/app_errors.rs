//! The AWS errors that the application itself reported, weighted by their age and by what contradicts them.
//!
//! An error only shows what was wrong when it was logged. It is *current* if the user gave it (`--error`), or if it was logged
//! within the last [`FRESH`] minutes by the API server's clock; for a container that has ended, within the last minutes of its
//! run. An earlier error of the running container gives a warning; an error of a former run, or one that something later
//! contradicts, gives an info finding.

use crate::text::duration;
use jiff::{SignedDuration, Timestamp};

use super::caller::{Expected, Who};
use super::container::ContainerView;
use super::probed::ProbeOutcome;
use super::sts_answer::StsVerdict;
use crate::aws_error::{Kind, Principal, Sighting};
use crate::facts::{Facts, Source};
use crate::severity::Severity;

/// How long an error counts as current: a crash loop backs off for up to five minutes, and people take a while to react.
const FRESH: SignedDuration = SignedDuration::from_mins(15);

/// The application's errors, the most current first.
#[derive(Debug)]
pub(crate) struct AppErrors<'f> {
    said: Vec<AppError<'f>>,
}

/// An error that the application reported.
#[derive(Debug, Clone, Copy)]
pub struct AppError<'f> {
    /// What it says.
    pub error: &'f Sighting,
    /// Where it was read.
    pub source: &'f Source,
    /// The caller that it names.
    pub caller: Option<Caller<'f>>,
    /// How much it still counts.
    pub weight: Weight,
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
    /// Weights them.
    pub(crate) fn of(
        facts: &'f Facts,
        expected: &Expected,
        target: Option<&ContainerView<'_>>,
        attempt: &StsVerdict<'_>,
        probed: &ProbeOutcome<'_>,
    ) -> Self {
        let run = Run::of(facts, target);
        let app_errors = || facts.app_errors.known().into_iter().flat_map(|listing| &listing.value.items);
        let caller = |error: &'f Sighting| {
            let principal = error.principal.as_ref()?;
            Some(Caller { principal, who: expected.who(principal) })
        };
        // Whoever had the role by then had got past every earlier obstacle.
        let arrived = app_errors()
            .filter(|app_errors| {
                caller(&app_errors.value.error).is_some_and(|caller| caller.who == Who::Expected)
            })
            .filter_map(|app_errors| app_errors.value.at)
            .max();
        let reached = probed.pod().is_some_and(super::probed::ProbedPod::reached_sts);
        let mut said: Vec<AppError<'f>> = app_errors()
            .map(|app_errors| {
                let (error, at) = (&app_errors.value.error, app_errors.value.at);
                let mut weight = at.map_or(Weight::Current, |at| run.weight(at));
                let overtaken = at.is_some_and(|at| arrived.is_some_and(|arrived| at < arrived));
                let settled = attempt.accepted() && weight == Weight::Earlier && error.kind.stage().is_some();
                if keeps_credentials_away(error.kind) && (overtaken || settled && !of_the_pod(error.kind)) {
                    weight = Weight::History;
                }
                // The connection failed earlier and works now: the problem is intermittent.
                if reached && weight == Weight::Current && at.is_some() && error.kind.is_transport() {
                    weight = Weight::Earlier;
                }
                AppError {
                    error,
                    source: &app_errors.source,
                    caller: caller(error),
                    weight,
                    age: run.age(at),
                }
            })
            .collect();
        said.sort_by_key(|said| (said.weight, said.age));
        Self { said }
    }

    /// All of them, the most current first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &AppError<'f>> {
        self.said.iter()
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

/// True for stages about which a fresh token, tried from elsewhere, says nothing.
fn of_the_pod(kind: Kind) -> bool {
    kind.is_transport() || matches!(kind, Kind::TokenExpired { .. } | Kind::TokenTooOld)
}

/// The run of the target container.
struct Run {
    now: Option<Timestamp>,
    started: Option<Timestamp>,
    ended: Option<Timestamp>,
}

impl Run {
    fn of(facts: &Facts, target: Option<&ContainerView<'_>>) -> Self {
        let status = facts.subject.pod().zip(target).and_then(|(pod, target)| {
            pod.value.status.all_container_statuses().find(|status| status.name == target.name())
        });
        let state = status.map(|status| &status.state);
        Self {
            now: facts.cluster.server_clock.known().map(|clock| clock.value),
            started: state.and_then(|state| state.running.as_ref()?.started_at),
            ended: state.and_then(|state| state.terminated.as_ref()?.finished_at),
        }
    }

    fn weight(&self, at: Timestamp) -> Weight {
        let fresh = |end: Timestamp| end.duration_since(at) <= FRESH;
        if self.ended.or(self.now).is_some_and(fresh) {
            Weight::Current
        } else if self.ended.is_some() || self.started.is_some_and(|started| at >= started) {
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
        let run = Run { now: Some(at("08:00:00")), started: Some(at("06:00:00")), ended: None };
        assert_eq!(run.weight(at("07:46:00")), Weight::Current);
        assert_eq!(run.weight(at("08:00:20")), Weight::Current, "the node's clock is ahead");
        assert_eq!(run.weight(at("07:44:00")), Weight::Earlier);
        assert_eq!(run.weight(at("05:59:00")), Weight::History, "a former run");
        let ended = Run { ended: Some(at("02:00:00")), started: None, ..run };
        assert_eq!(ended.weight(at("01:50:00")), Weight::Current, "its last words");
        assert_eq!(ended.weight(at("01:00:00")), Weight::Earlier);
        let undated = Run { now: None, started: None, ended: None };
        assert_eq!(undated.weight(at("07:59:00")), Weight::History, "no clock tells");
    }
}
