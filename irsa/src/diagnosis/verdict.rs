//! The verdict, the sentence that says it, and how far its proof reaches.

use super::report::{Fate, Link, Proof, Reported, ReportedError, Status, Target, Verdict};
use crate::aws::arn::RoleArn;
use crate::derive::Derived;
use crate::derive::container::ContainerView;
use crate::derive::pod_state::Trouble;
use crate::finding::{Doubt, Severity};
use crate::mechanism::Mechanism;

pub(super) fn proof(derived: &Derived<'_>) -> Proof {
    if derived.probed.pod().is_some_and(|seen| seen.proves_identity()) {
        Proof::Pod
    } else if derived.sts_answer.accepted() {
        Proof::Iam
    } else {
        Proof::Config
    }
}

pub(super) fn verdict(
    findings: &[Reported],
    errors: &[ReportedError],
    chain: &[Link],
    target: &Target,
    derived: &Derived<'_>,
) -> Verdict {
    let mut faults = findings.iter().filter(|finding| finding.severity == Severity::Error).peekable();
    if faults.peek().is_some() {
        let on_target = faults.any(|finding| {
            finding.subject.container.is_none() || finding.subject.container == target.container
        });
        return if on_target { Verdict::Broken } else { Verdict::Degraded };
    }
    let is_doubted = |doubt| findings.iter().any(|finding| finding.doubt == Some(doubt));
    if is_doubted(Doubt::SomeFail) {
        return Verdict::Degraded;
    }
    if is_doubted(Doubt::MayFail) || unexplained(errors).is_some() {
        return Verdict::Inconclusive;
    }
    if chain.iter().any(|link| {
        matches!(link.status, Status::Unknown)
            || link.reason.as_ref().is_some_and(|_| link.status == Status::Warn)
    }) {
        return Verdict::Inconclusive;
    }
    match derived.intent.mechanism {
        Mechanism::Unknown => Verdict::Inconclusive,
        // Nothing shows what the process would be to AWS if it ran.
        _ if trouble(derived).is_some() => Verdict::Inconclusive,
        _ => Verdict::Healthy,
    }
}

/// What keeps the target container from running. A pod that is being deleted, and an init container that has nothing to do with
/// AWS, say nothing about it.
fn trouble<'f>(derived: &Derived<'f>) -> Option<Trouble<'f>> {
    let target = derived.target().map(ContainerView::name);
    let of_target = |trouble: &Trouble<'_>| match trouble.container {
        Some(name) => Some(name) == target,
        None => trouble.reason != Trouble::BEING_DELETED,
    };
    Trouble::all(&derived.facts.subject.pod()?.value).into_iter().find(of_target)
}

/// The first error that nothing explains.
fn unexplained(errors: &[ReportedError]) -> Option<&ReportedError> {
    errors.iter().find(|error| error.fate == Fate::Unexplained)
}

pub(super) fn summary(
    verdict: Verdict,
    root: Option<&Reported>,
    findings: &[Reported],
    errors: &[ReportedError],
    target: &Target,
    chain: &[Link],
    derived: &Derived<'_>,
) -> String {
    if let Some(root) = root {
        return root.summary.clone();
    }
    let who = match &target.pod {
        Some(pod) => format!("pod/{pod}"),
        None => format!("{}/{}", target.kind, target.name),
    };
    match verdict {
        Verdict::Inconclusive if let Some(error) = unexplained(errors) => {
            let speaker = target.container.as_ref().map(|name| format!("container {name}"));
            let speaker = speaker.unwrap_or(who);
            format!("{speaker} reports an error that nothing found here explains: {}", error.error)
        }
        Verdict::Inconclusive
            if let Some(doubted) = findings.iter().find(|finding| finding.doubt.is_some()) =>
        {
            doubted.summary.clone()
        }
        Verdict::Inconclusive if let Some(trouble) = trouble(derived) => {
            format!("no problem found in the identity of {who} so far, but it does not run: {trouble}")
        }
        Verdict::Inconclusive => {
            let labels = not_checked(chain);
            format!("no problem found in {who} so far; could not check: {}", labels.join(", "))
        }
        _ => match role(derived) {
            Some(role) => format!("{who} {role}"),
            None => format!("no problems found for {who}"),
        },
    }
}

/// `is role checkout, by IRSA`, if the target has one.
fn role(derived: &Derived<'_>) -> Option<String> {
    let (role, by) = match derived.intent.mechanism {
        Mechanism::Irsa => (derived.intent.role.as_ref().map(|role| role.raw), "IRSA"),
        Mechanism::PodIdentity => (derived.expected_role(), "EKS Pod Identity"),
        _ => return None,
    };
    let name = RoleArn::parse(role?).ok()?.name();
    let is = match proof(derived) {
        Proof::Pod => "is",
        // What runs in the pod was not asked.
        Proof::Iam | Proof::Config => "is set up as",
    };
    Some(format!("{is} role {name}, by {by}"))
}

/// The links that could not be checked; a run of them by its first and last, to keep the sentence short.
fn not_checked(chain: &[Link]) -> Vec<String> {
    let unknown = |link: &Link| link.status == Status::Unknown;
    let runs = chain.chunk_by(|a, b| unknown(a) == unknown(b));
    runs.filter(|run| run.first().is_some_and(unknown))
        .flat_map(|run| match run {
            [first, _, .., last] => vec![format!("{} to {}", first.step.label(), last.step.label())],
            few => few.iter().map(|link| link.step.label().to_owned()).collect(),
        })
        .collect()
}
