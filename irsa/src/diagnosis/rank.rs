//! Which finding is a cause, which a consequence, and in which order to repair them.

use std::collections::BTreeMap;

use super::report::Reported;
use crate::checks::{self, Check, Outcome};
use crate::derive::Derived;
use crate::derive::container::ContainerView;
use crate::derive::rollout::{self, Outgoing};
use crate::finding::{About, Doubt, Finding, Severity};
use crate::repair::Fix;
use crate::step::Step;

/// Findings in the order of repair, consequences pointing at their cause.
pub(super) fn report(outcomes: &[(&Check, Outcome)], derived: &Derived<'_>) -> Vec<Reported> {
    let target = derived.target().map(ContainerView::name);
    let mut findings: Vec<(usize, &Finding)> = Vec::new();
    for (index, (_, outcome)) in outcomes.iter().enumerate() {
        if let Outcome::Fail(found) = outcome {
            findings.extend(found.iter().map(|finding| (index, finding)));
        }
    }
    // Stable: within a link and a severity the registry's order is the order of repair.
    findings.sort_by_key(|(index, finding)| {
        (severity(finding, derived), !is_on_target(finding, target), finding.step, *index)
    });

    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    let keys: Vec<String> = findings
        .iter()
        .map(|(_, finding)| {
            let count = used.entry(finding.id).or_default();
            *count += 1;
            if *count == 1 { finding.id.to_owned() } else { format!("{}-{count}", finding.id) }
        })
        .collect();
    let explains = |id: &str| checks::by_id(id).map_or(&[][..], |check| check.meta.explains);
    findings
        .iter()
        .zip(&keys)
        .map(|((_, finding), key)| {
            let causes = findings.iter().zip(&keys).filter(|((_, other), _)| {
                // A warning cannot cause an error, and each container has its own causes.
                severity(other, derived) <= severity(finding, derived)
                    && explains(other.id).contains(&finding.id)
                    && same_subject(&other.about, &finding.about)
            });
            // What STS answers follows from what AWS knows, and only then from what the pod lacks. Otherwise the first counts.
            let of_sts = finding.step == Step::Sts;
            let cause = causes.min_by_key(|((_, other), _)| of_sts && other.step < Step::Issuer);
            Reported {
                key: key.clone(),
                id: finding.id,
                severity: severity(finding, derived),
                confidence: finding.confidence,
                step: finding.step,
                title: finding.title,
                summary: finding.summary.clone(),
                subject: finding.about.clone(),
                evidence: finding.evidence.clone(),
                doubt: finding.doubt.filter(|_| severity(finding, derived) == Severity::Warning),
                fixes: fixes(finding, derived),
                caused_by: cause.map(|(_, key)| key.clone()),
                docs: docs(finding.id),
            }
        })
        .collect()
}

/// What is wrong with a pod of an older revision alone needs no repair: a rollout is replacing it.
fn fixes(finding: &Finding, derived: &Derived<'_>) -> Vec<Fix> {
    match rollout::outgoing(derived.facts) {
        Some(Outgoing { own, current }) if finding.about.kind == "Pod" => vec![Fix::advice(format!(
            "leave it: the pod is of revision {own}, and the rollout replaces it; look at a pod of revision {current}"
        ))],
        _ => finding.fixes.clone(),
    }
}

/// What STS itself accepted cannot be what is wrong, whatever the configuration says. STS's answer says nothing about what a
/// container does its own way (its session name, its token).
fn severity(finding: &Finding, derived: &Derived<'_>) -> Severity {
    let of_container = finding.about.container.is_some();
    match finding.severity {
        Severity::Error if !of_container && derived.sts_answer.proves(finding.step) => Severity::Info,
        severity => severity,
    }
}

/// The URL of an id's page.
pub fn docs(id: &str) -> String {
    format!("https://github.com/kubectl-irsa/kubectl-irsa/blob/main/docs/checks/{id}.md")
}

/// A fault of the whole pod explains one of its containers; a fault of one container does not explain another's.
fn same_subject(cause: &About, consequence: &About) -> bool {
    match (&cause.container, &consequence.container) {
        (Some(cause), Some(consequence)) => cause == consequence,
        _ => true,
    }
}

fn is_on_target(finding: &Finding, target: Option<&str>) -> bool {
    finding.about.container.as_deref().is_none_or(|container| Some(container) == target)
}

/// The first error along the chain that nothing explains; without one, the first link that fails for some clients.
pub(super) fn root_cause(findings: &[Reported]) -> Option<&Reported> {
    let first = |is: fn(&Reported) -> bool| {
        findings.iter().find(|finding| is(finding) && finding.caused_by.is_none())
    };
    let of = |key: &String| findings.iter().find(|finding| finding.key == *key);
    first(|finding| finding.severity == Severity::Error).or_else(|| {
        let fails = findings.iter().find(|finding| finding.doubt == Some(Doubt::SomeFail))?;
        Some(fails.caused_by.as_ref().and_then(of).unwrap_or(fails))
    })
}
