//! The account of the application's errors: none is left without a judge.
//!
//! Every error that was logged or handed over is either explained by a finding, or somebody else's, or over, or not about identity;
//! what remains is unexplained, and then no verdict is *healthy*.

use super::report::{CanMean, Fate, Proof, Reported, ReportedError};
use crate::aws_error::{Kind, Subject, causes};
use crate::checks::{self, Check, Outcome};
use crate::derive::Derived;
use crate::derive::app_errors::{AppError, Weight};
use crate::derive::attribution::Whose;
use crate::derive::container::Wiring;
use crate::finding::Severity;
use crate::step::Step;

/// At most this many errors are listed.
const MOST: usize = 20;

/// Judges every error.
pub(super) fn account(
    derived: &Derived<'_>,
    outcomes: &[(&Check, Outcome)],
    findings: &[Reported],
    proof: Proof,
) -> Vec<ReportedError> {
    let judge = Judge { derived, outcomes, findings, proof };
    derived.app_errors.all().take(MOST).map(|said| judge.judge(said)).collect()
}

/// The link that an error speaks against; `None` if it speaks against none.
pub(super) const fn link(kind: Kind) -> Option<Step> {
    match kind.about() {
        Subject::Kubernetes => Some(Step::Injection),
        Subject::Network => Some(Step::Network),
        Subject::Exchange | Subject::PodIdentity => Some(Step::Sts),
        Subject::Credentials | Subject::Configuration => Some(Step::Caller),
        Subject::Permissions => Some(Step::Permissions),
        Subject::Unrelated => None,
    }
}

/// What must differ from the container's own, if STS accepts its token and the container is wired.
const fn elsewhere(kind: Kind) -> Option<&'static str> {
    match kind.about() {
        Subject::Credentials | Subject::Configuration => {
            Some("another environment, profile or list of providers")
        }
        Subject::Exchange => Some("another token, role or session than the container's variables name"),
        Subject::Network => {
            Some("another way to AWS: an endpoint, a proxy or a certificate store of its own")
        }
        Subject::PodIdentity => Some("a container credentials endpoint of its own"),
        Subject::Permissions | Subject::Kubernetes | Subject::Unrelated => None,
    }
}

struct Judge<'a, 'f> {
    derived: &'a Derived<'f>,
    outcomes: &'a [(&'a Check, Outcome)],
    findings: &'a [Reported],
    proof: Proof,
}

impl Judge<'_, '_> {
    fn judge(&self, said: &AppError<'_>) -> ReportedError {
        let (fate, explained_by, reason) = self.fate(said);
        let is_open = matches!(fate, Fate::Unexplained);
        ReportedError {
            error: said.sentence(),
            source: said.source.to_string(),
            count: said.error.count,
            step: link(said.error.kind),
            given: said.given,
            fate,
            explained_by,
            reason,
            can_mean: if is_open { self.can_mean(said) } else { Vec::new() },
        }
    }

    fn fate(&self, said: &AppError<'_>) -> (Fate, Option<String>, Option<String>) {
        if let Some(finding) = self.explains(said) {
            return (Fate::Explained, Some(finding.key.clone()), None);
        }
        if said.whose.is_of_others() {
            return (Fate::NotThePods, None, Some(said.whose.reason()));
        }
        if let Some(over) = &said.over {
            return (Fate::Over, None, Some(over.clone()));
        }
        if said.weight == Weight::History {
            return (Fate::Over, None, Some(String::from("it is from an earlier run of the container")));
        }
        let may_be_of_aws = said.unknown_text.is_some_and(|text| text.of_aws);
        if link(said.error.kind).is_none() && !may_be_of_aws {
            let reason = match said.unknown_text {
                Some(_) => "nothing in it is known to be about AWS",
                None => "it says nothing about the pod's identity, nor about the way to AWS",
            };
            return (Fate::Unrelated, None, Some(reason.to_owned()));
        }
        if said.weight == Weight::Earlier && self.proof == Proof::Pod {
            let reason =
                format!("since then{}, the identity was confirmed from inside the container", said.when());
            return (Fate::Over, None, Some(reason));
        }
        (Fate::Unexplained, None, Some(self.given_what_is_proven(said)))
    }

    /// The finding that explains an error: it cites the error, or it is a fault that comes before the link that failed.
    fn explains(&self, said: &AppError<'_>) -> Option<&Reported> {
        let cites = |finding: &&Reported| {
            finding.severity != Severity::Info
                && finding.evidence.iter().any(|evidence| evidence.source == *said.source)
        };
        let target = self.derived.target().map(|view| view.name());
        let comes_before = |finding: &&Reported| {
            finding.severity == Severity::Error
                && finding.subject.container.as_deref().is_none_or(|name| Some(name) == target)
                && link(said.error.kind).is_some_and(|link| finding.step <= link)
        };
        let of = |is: &dyn Fn(&&Reported) -> bool| self.findings.iter().find(is);
        of(&cites).or_else(|| of(&comes_before).filter(|_| !said.whose.is_of_others() && said.over.is_none()))
    }

    /// What is known for sure, and what follows from that.
    fn given_what_is_proven(&self, said: &AppError<'_>) -> String {
        let derived = self.derived;
        let mut proven = Vec::new();
        if let Whose::Unattributed(_) = said.whose {
            proven.push(said.whose.reason());
        }
        match self.proof {
            Proof::Pod => proven.push(String::from("the identity was confirmed from inside the container")),
            Proof::Iam => proven.push(String::from("STS accepts a token of this service account")),
            Proof::Config => {}
        }
        let is_wired = derived.target().is_some_and(|view| view.wiring == Wiring::Complete);
        if let Some(view) = derived.target().filter(|_| is_wired && self.proof != Proof::Pod) {
            proven.push(format!("container {} has both variables and the token", view.name()));
        }
        if let Some(other) = elsewhere(said.error.kind).filter(|_| is_wired && self.proof != Proof::Config) {
            proven.push(format!("so the process that reports this has {other}"));
        }
        if proven.is_empty() { String::from("nothing that was found explains it") } else { proven.join("; ") }
    }

    /// What the error can mean here: what it can mean at all, without what this run has ruled out.
    fn can_mean(&self, said: &AppError<'_>) -> Vec<CanMean> {
        let is_ruled_out = |id: &str| {
            let Some(check) = checks::by_id(id) else { return true };
            let outcome = self.outcomes.iter().find(|(run, _)| run.meta.id == id).map(|(_, outcome)| outcome);
            self.derived.sts_answer.proves(check.meta.step)
                || match outcome {
                    Some(Outcome::Pass) => true,
                    Some(Outcome::NotApplicable(_)) => check.meta.step < Step::TokenFile,
                    Some(Outcome::Fail(_) | Outcome::Unknown(_)) | None => false,
                }
        };
        let causes = causes::of(said.error).causes.iter().filter(|cause| !is_ruled_out(cause.id));
        causes.map(|cause| CanMean { id: cause.id, when: cause.when }).collect()
    }
}
