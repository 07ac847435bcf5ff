//! Pods with the same result are reported once.

use super::report::{Diagnosis, Target};
use super::{Choice, diagnose};
use crate::derive::peer::Peer;
use crate::derive::rollout::{self, Outgoing};
use crate::facts::{Fact, Facts, Why};

/// Pods with the same result.
struct Group<'f> {
    /// What can be seen of them from outside.
    outside: (String, Option<Outgoing<'f>>),
    /// The whole result of those that were probed.
    probed: Option<String>,
    diagnosis: Diagnosis,
}

/// Diagnoses the subjects of one target and reports each distinct result once: of pods that differ only in their name, one
/// represents the others. Keeps the order, so the newest pod comes first.
///
/// Few pods of a run are probed. What is found in one is likely to be found in those that look the same from outside, which are
/// therefore not called healthy beside it; another one that was probed speaks for itself.
pub fn diagnose_all(subjects: &[Facts], choice: &Choice) -> Vec<Diagnosis> {
    let alone = subjects.len() == 1;
    let peers = Peer::all(subjects);
    let mut groups: Vec<Group<'_>> = Vec::new();
    for facts in subjects {
        let mut diagnosis = diagnose(facts, &peers, choice);
        let signature = signature(&diagnosis);
        let probed = facts.probed.known().map(|_| signature.clone());
        let outside = if alone || probed.is_none() { signature } else { outside(facts, &peers, choice) };
        let outside = (outside, rollout::outgoing(facts));
        let same = |group: &&mut Group<'_>| {
            let probes = group.probed.as_ref().zip(probed.as_ref());
            group.outside == outside && probes.is_none_or(|(one, other)| one == other)
        };
        match groups.iter_mut().find(same) {
            Some(group) => {
                // The one that was probed knows more.
                if diagnosis.probe.is_some() {
                    std::mem::swap(&mut group.diagnosis, &mut diagnosis);
                }
                group.probed = group.probed.take().or(probed);
                let represents = &mut group.diagnosis.target.represents;
                represents.extend(diagnosis.target.pod);
                represents.append(&mut diagnosis.target.represents);
            }
            None => groups.push(Group { outside, probed, diagnosis }),
        }
    }
    groups.into_iter().map(|group| group.diagnosis).collect()
}

/// What can be seen of a probed pod from outside.
fn outside(facts: &Facts, peers: &[Peer<'_>], choice: &Choice) -> String {
    let mut outside = facts.clone();
    outside.probed = Fact::unknown_because("", Why::OneOfMany(String::new()), None);
    signature(&diagnose(&outside, peers, choice))
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
