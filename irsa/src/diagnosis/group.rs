//! Pods with the same result are reported once.

use super::report::{Diagnosis, Target};
use super::{Choice, diagnose};
use crate::derive::peer::Peer;
use crate::facts::{Fact, Facts, Why};
use crate::finding::Severity;

/// Diagnoses the subjects of one target and reports each distinct result once: of pods that differ only in their name, one
/// represents the others. Keeps the order, so the newest pod comes first.
pub fn diagnose_all(subjects: &[Facts], choice: &Choice) -> Vec<Diagnosis> {
    let alone = subjects.len() == 1;
    let peers = Peer::all(subjects);
    let mut groups: Vec<(String, Diagnosis)> = Vec::new();
    for facts in subjects {
        let mut diagnosis = diagnose(facts, &peers, choice);
        let situation =
            if alone { signature(&diagnosis) } else { situation(facts, &peers, &diagnosis, choice) };
        match groups.iter_mut().find(|(known, _)| *known == situation) {
            Some((_, first)) => {
                // The one that was probed knows more.
                if diagnosis.probe.is_some() {
                    std::mem::swap(first, &mut diagnosis);
                }
                let represents = &mut first.target.represents;
                represents.extend(diagnosis.target.pod);
                represents.append(&mut diagnosis.target.represents);
            }
            None => groups.push((situation, diagnosis)),
        }
    }
    groups.into_iter().map(|(_, diagnosis)| diagnosis).collect()
}

/// What two subjects with the same result have in common. Only one pod of several is probed: if the probe found nothing new, the
/// result counts as the one seen from outside, which its siblings share.
fn situation(facts: &Facts, peers: &[Peer<'_>], diagnosis: &Diagnosis, choice: &Choice) -> String {
    if facts.probed.known().is_none() {
        return signature(diagnosis);
    }
    let mut outside = facts.clone();
    outside.probed = Fact::unknown_because("", Why::OneOfMany(String::new()), None);
    let outside = diagnose(&outside, peers, choice);
    let findings = |diagnosis: &Diagnosis| -> Vec<(&'static str, Severity)> {
        diagnosis.findings.iter().map(|finding| (finding.id, finding.severity)).collect()
    };
    let same = outside.verdict == diagnosis.verdict && findings(&outside) == findings(diagnosis);
    signature(if same { &outside } else { diagnosis })
}

/// The workload that a repair would change. The Jobs of one CronJob differ only in their number and count as one.
fn workload(target: &Target) -> Option<&str> {
    let owner = target.owner.as_deref()?;
    let numbered = owner.strip_prefix("Job/").and_then(|_| owner.rsplit_once('-'));
    let name = numbered.filter(|(_, number)| number.len() >= 8 && number.bytes().all(|b| b.is_ascii_digit()));
    Some(name.map_or(owner, |(cron_job, _)| cron_job))
}

fn signature(diagnosis: &Diagnosis) -> String {
    let findings = diagnosis.findings.iter().map(|finding| {
        let values = finding.evidence.iter().map(|evidence| (&evidence.what, &evidence.expected));
        format!(
            "{:?}",
            (finding.id, finding.severity, &finding.subject.container, values.collect::<Vec<_>>())
        )
    });
    // The caller's session name differs in every pod.
    let identities = diagnosis.identities.iter().map(|identity| {
        let actual = &identity.actual;
        format!("{:?}", (&identity.container, &identity.expected, actual.mechanism, &actual.role_arn))
    });
    let statuses = diagnosis.chain.iter().map(|link| format!("{:?}", link.status));
    let target = &diagnosis.target;
    std::iter::once(format!(
        "{:?}",
        (
            diagnosis.verdict,
            &target.container,
            &target.service_account,
            workload(target),
            target.pod.is_some()
        )
    ))
    .chain(findings)
    .chain(identities)
    .chain(statuses)
    .collect::<Vec<_>>()
    .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_of_one_cron_job_are_one_workload() {
        let of = |owner: Option<&str>| {
            let target = Target {
                kind: String::new(),
                namespace: String::new(),
                name: String::new(),
                pod: None,
                container: None,
                service_account: String::new(),
                owner: owner.map(str::to_owned),
                represents: Vec::new(),
            };
            workload(&target).map(str::to_owned)
        };
        assert_eq!(of(Some("Job/ledger-29923110")).as_deref(), Some("Job/ledger"));
        assert_eq!(of(Some("Job/ledger-2")).as_deref(), Some("Job/ledger-2"));
        assert_eq!(of(Some("Deployment/web-29923110")).as_deref(), Some("Deployment/web-29923110"));
        assert_eq!(of(None), None);
    }
}
