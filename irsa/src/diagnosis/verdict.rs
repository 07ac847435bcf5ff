//! The verdict, the sentence that says it, and how far its proof reaches.

use super::report::{Link, Proof, Reported, Status, Target, Verdict};
use crate::derive::Derived;
use crate::finding::Severity;
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
    chain: &[Link],
    target: &Target,
    derived: &Derived<'_>,
) -> Verdict {
    let mut errors = findings.iter().filter(|finding| finding.severity == Severity::Error).peekable();
    if errors.peek().is_some() {
        let on_target = errors.any(|finding| {
            finding.subject.container.is_none() || finding.subject.container == target.container
        });
        return if on_target { Verdict::Broken } else { Verdict::Degraded };
    }
    if chain.iter().any(|link| {
        matches!(link.status, Status::Unknown)
            || link.reason.as_ref().is_some_and(|_| link.status == Status::Warn)
    }) {
        return Verdict::Inconclusive;
    }
    match derived.intent.mechanism {
        Mechanism::Unknown => Verdict::Inconclusive,
        _ => Verdict::Healthy,
    }
}

pub(super) fn summary(verdict: Verdict, root: Option<&Reported>, target: &Target, chain: &[Link]) -> String {
    if let Some(root) = root {
        return root.summary.clone();
    }
    let who = match &target.pod {
        Some(pod) => format!("pod/{pod}"),
        None => format!("{}/{}", target.kind, target.name),
    };
    match verdict {
        Verdict::Inconclusive => {
            let labels = not_checked(chain);
            format!("no problem found in {who} so far; could not check: {}", labels.join(", "))
        }
        _ => format!("no problems found for {who}"),
    }
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
