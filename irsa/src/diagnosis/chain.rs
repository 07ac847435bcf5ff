//! How each link of the chain stands.

use super::report::{Fate, Link, Reported, ReportedError, Status};
use crate::checks::{Check, Outcome};
use crate::derive::Derived;
use crate::derive::caller::Who;
use crate::derive::pod_state::Trouble;
use crate::derive::rollout::{self, Outgoing};
use crate::facts::probed::Place;
use crate::facts::{Facts, Source, Subject, Unknown, Why, of_listing};
use crate::finding::Severity;
use crate::mechanism::Mechanism;
use crate::step::Step;

pub(super) fn chain(
    derived: &Derived<'_>,
    outcomes: &[(&Check, Outcome)],
    excluded: &[&Check],
    findings: &[Reported],
    errors: &[ReportedError],
) -> Vec<Link> {
    let links = Step::ALL.iter().map(|step| link(*step, derived, outcomes, excluded, findings));
    links.map(|link| beside(link, errors)).collect()
}

/// No tick stands beside an error that speaks against it.
fn beside(link: Link, errors: &[ReportedError]) -> Link {
    let speaks = |error: &&ReportedError| error.fate == Fate::Unexplained && error.step == Some(link.step);
    match errors.iter().find(speaks) {
        Some(_) if matches!(link.status, Status::Pass | Status::NotApplicable | Status::Skipped) => {
            let summary =
                format!("{}, but the application reports an error that is not explained", link.summary);
            Link { status: Status::Warn, summary, reason: None, ..link }
        }
        _ => link,
    }
}

fn link(
    step: Step,
    derived: &Derived<'_>,
    outcomes: &[(&Check, Outcome)],
    excluded: &[&Check],
    findings: &[Reported],
) -> Link {
    let facts = derived.facts;
    if step == Step::Target {
        return target_link(facts);
    }
    let here =
        |severity| findings.iter().find(move |finding| finding.step == step && finding.severity == severity);
    if let Some(error) = here(Severity::Error) {
        return Link { step, status: Status::Fail, summary: error.summary.clone(), reason: None };
    }
    let of_step =
        || outcomes.iter().filter(move |(check, _)| check.meta.step == step).map(|(_, outcome)| outcome);
    if derived.sts_answer.proves(step) && here(Severity::Warning).is_none() {
        let summary = format!("proven by STS with {}{}", proven_by(derived), tried_at(derived, step));
        return Link { step, status: Status::Pass, summary, reason: None };
    }
    if step == Step::Caller
        && here(Severity::Warning).is_none()
        && let Some(seen) = derived.probed.pod()
        && let Some((arn, Who::Expected)) = seen.caller()
    {
        let place = match seen.place() {
            Place::Pod if seen.proves_identity() => Some("proven: inside the pod"),
            Place::Pod => None,
            Place::Copy => Some("in a copy of the pod"),
        };
        if let Some(place) = place {
            let summary = format!("{place}, AWS names {arn} as the caller");
            return Link { step, status: Status::Pass, summary, reason: None };
        }
    }
    if step == Step::Caller && derived.app_errors.prove_the_caller() && here(Severity::Warning).is_none() {
        let summary = String::from("proven: AWS named the pod's role as the application's caller identity");
        return Link { step, status: Status::Pass, summary, reason: None };
    }
    let missing = || {
        of_step().filter_map(|outcome| match outcome {
            Outcome::Unknown(unknowns) if !derived.sts_answer.proves(step) => Some(unknowns),
            _ => None,
        })
    };
    let gap = derived.probed.gap(step);
    let is_chosen = |unknown: &&Unknown| unknown.why.is_chosen();
    let why_not = gap.iter().chain(missing().flatten()).find(|why| !is_chosen(why));
    if let Some(warning) = here(Severity::Warning) {
        let reason = why_not.map(|unknown| format!("not checked: {}: {}", unknown.what, unknown.why));
        return Link { step, status: Status::Warn, summary: warning.summary.clone(), reason };
    }
    if let Some(unknown) = why_not {
        let reason = Some(format!("{}: {}", unknown.what, unknown.why));
        return Link { step, status: Status::Unknown, summary: String::from("not checked"), reason };
    }
    if matches!(step, Step::Injection | Step::Sts) && derived.intent.mechanism == Mechanism::None {
        // A tick here would read as "injected" or "accepted".
        let reason = Some(String::from("no role is named"));
        return Link { step, status: Status::NotApplicable, summary: String::from("does not apply"), reason };
    }
    if let Some(unknown) = gap.iter().chain(missing().flatten()).find(is_chosen) {
        let summary = if matches!(unknown.why, Why::LeftOut(_)) { "not looked at" } else { "skipped" };
        let reason = Some(unknown.why.to_string());
        return Link { step, status: Status::Skipped, summary: summary.to_owned(), reason };
    }
    let passed = of_step().filter(|outcome| matches!(outcome, Outcome::Pass | Outcome::Fail(_))).count();
    let left_out = excluded.iter().filter(|check| check.meta.step == step).count();
    if passed > 0 && left_out > 0 {
        let reason =
            Some(format!("{left_out} of its checks excluded by --only or --skip; the others passed"));
        return Link { step, status: Status::Skipped, summary: String::from("partly skipped"), reason };
    }
    if passed > 0 {
        let summary =
            if passed == 1 { String::from("1 check passed") } else { format!("{passed} checks passed") };
        return Link { step, status: Status::Pass, summary, reason: None };
    }
    if excluded.iter().any(|check| check.meta.step == step) {
        let reason = Some(String::from("excluded by --only or --skip"));
        return Link { step, status: Status::Skipped, summary: String::from("skipped"), reason };
    }
    let reason = of_step().find_map(|outcome| match outcome {
        Outcome::NotApplicable(reason) => Some((*reason).to_owned()),
        _ => None,
    });
    Link { step, status: Status::NotApplicable, summary: String::from("does not apply"), reason }
}

/// The token whose answer from STS counts.
fn proven_by(derived: &Derived<'_>) -> String {
    let own = derived.probed.sts_answer().is_some_and(|attempt| attempt.accepted());
    match (derived.peer, derived.sts_answer.source()) {
        (Some(peer), _) if !derived.from_here.accepted() && !own => {
            format!("the same service account's token in pod/{}", peer.pod)
        }
        (_, Some(Source::Probe { .. })) => String::from("the token in the pod"),
        _ => String::from("a fresh token of the service account"),
    }
}

/// The endpoint, if the user chose it; said once.
fn tried_at(derived: &Derived<'_>, step: Step) -> String {
    let tried =
        derived.facts.aws.sts_answer.known().map(|attempt| &attempt.value).filter(|_| step == Step::Sts);
    match tried.and_then(|attempt| Some((&attempt.host, attempt.chosen_by.as_ref()?))) {
        Some((host, by)) => format!(", tried at {host} ({by})"),
        None => String::new(),
    }
}

/// "No pods" is said only if the list is known to be complete.
fn target_link(facts: &Facts) -> Link {
    let step = Step::Target;
    let pods_unknown =
        of_listing(&facts.siblings).map(|unknown| format!("{}: {}", unknown.what, unknown.why));
    let what = match &facts.subject {
        Subject::Pod(pod) => {
            let phase = &pod.value.status.phase;
            let phase = if phase.is_empty() { String::new() } else { format!(", {phase}") };
            let troubles = Trouble::all(&pod.value);
            let status = if troubles.is_empty() { Status::Pass } else { Status::Warn };
            let said: Vec<String> = troubles.iter().map(ToString::to_string).collect();
            let said = if said.is_empty() { String::new() } else { format!("; {}", said.join("; ")) };
            let revision = match rollout::outgoing(facts) {
                Some(Outgoing { own, current }) => {
                    format!("; of revision {own}, which the rollout of revision {current} replaces")
                }
                None => String::new(),
            };
            let summary = format!("pod/{}{phase}{said}{revision}", pod.value.metadata.name);
            return Link { step, status, summary, reason: None };
        }
        Subject::Template(owner) => format!("{}/{}", owner.value.kind.to_lowercase(), owner.value.meta.name),
        Subject::ServiceAccount => format!("serviceaccount/{}", facts.service_account_name),
    };
    let (template, account) = ("checked its pod template only", "checked the service account only");
    let how = if matches!(facts.subject, Subject::Template(_)) { template } else { account };
    match pods_unknown {
        None => Link {
            step,
            status: Status::Pass,
            summary: format!("{what} has no pods right now; {how}"),
            reason: None,
        },
        Some(reason) => {
            let summary = format!("{what}; its pods are not known, so {how}");
            Link { step, status: Status::Unknown, summary, reason: Some(reason) }
        }
    }
}
