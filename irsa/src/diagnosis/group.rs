//! Pods with the same result are reported once.

use std::collections::HashMap;

use super::report::{Diagnosis, Target, Unchecked, Verdict};
use super::{Choice, Run, diagnose};
use crate::derive::rollout::{self, Outgoing};
use crate::derive::situation::{Situations, own_names};
use crate::facts::{Fact, Facts, Why};

/// What a run found out about its subjects.
#[derive(Debug)]
pub struct Judged {
    /// One for each distinct result.
    pub diagnoses: Vec<Diagnosis>,
    /// For how many subjects the result was worked out; those in the same situation share one.
    pub worked_out: usize,
    /// How many subjects were not judged, because the run was stopped. The first diagnosis says so.
    pub left: usize,
}

/// What can be seen of a subject from outside.
type Outside<'f> = (String, Option<Outgoing<'f>>);

/// Pods with the same result.
struct Group {
    /// The whole result of those that were probed.
    probed: Option<String>,
    diagnosis: Diagnosis,
}

/// The distinct results so far.
#[derive(Default)]
struct Groups<'f> {
    all: Vec<Group>,
    /// The first of each that looks such from outside.
    by_outside: HashMap<Outside<'f>, usize>,
    /// Those that were probed, by the whole result, too.
    by_probed: HashMap<(Outside<'f>, String), usize>,
}

/// Diagnoses the subjects of one target and reports each distinct result once: of pods that differ only in their name, one
/// represents the others. Keeps the order, so the newest pod comes first.
///
/// Few pods of a run are probed. What is found in one is likely to be found in those that look the same from outside, which are
/// therefore not called healthy beside it; another one that was probed speaks for itself.
pub fn diagnose_all(subjects: &[Facts], choice: &Choice) -> Vec<Diagnosis> {
    diagnose_until(subjects, choice, &|| None).diagnoses
}

/// The same, unless it is stopped: `stop` is asked before each subject but the first, and says why. Those that are left are
/// counted, and the first diagnosis says that they are.
pub fn diagnose_until(subjects: &[Facts], choice: &Choice, stop: &dyn Fn() -> Option<Why>) -> Judged {
    let run = Run::of(subjects);
    let (mut groups, mut situations) = (Groups::default(), Situations::default());
    let (mut worked_out, mut stopped) = (0, None);
    for (index, facts) in subjects.iter().enumerate() {
        if index > 0
            && let Some(why) = stop()
        {
            stopped = Some((subjects.len() - index, why));
            break;
        }
        let mut judge = || {
            worked_out += 1;
            groups.judge(facts, &run, choice, subjects.len() == 1)
        };
        // A probed pod speaks for itself.
        if facts.probed.known().is_some() {
            judge();
            continue;
        }
        let mut new = None;
        let known = situations.once(
            facts,
            || {
                let (group, signature) = judge();
                new = Some(signature);
                (group, own_names(facts).all(|name| !new.as_ref().is_some_and(|text| text.contains(name))))
            },
            |(_, holds)| *holds,
        );
        if new.is_none() {
            groups.join(known.0, facts);
        }
    }
    let mut diagnoses: Vec<Diagnosis> = groups.all.into_iter().map(|group| group.diagnosis).collect();
    let left = stopped.as_ref().map_or(0, |(left, _)| *left);
    if let (Some((left, why)), Some(first)) = (stopped, diagnoses.first_mut()) {
        say_what_is_left(first, left, &why);
    }
    Judged { diagnoses, worked_out, left }
}

impl<'f> Groups<'f> {
    /// Diagnoses a subject: which group it belongs to, and its own signature.
    fn judge(&mut self, facts: &'f Facts, run: &Run<'f>, choice: &Choice, alone: bool) -> (usize, String) {
        let mut diagnosis = diagnose(facts, run, choice);
        let signature = signature(&diagnosis);
        let probed = facts.probed.known().map(|_| signature.clone());
        let seen = if alone || probed.is_none() { signature.clone() } else { outside(facts, run, choice) };
        let outside = (seen, rollout::outgoing(facts));
        let first = self.by_outside.get(&outside).copied();
        let same = match &probed {
            None => first,
            // One that was not probed takes the result of one that was.
            Some(_)
                if first
                    .and_then(|first| self.all.get(first))
                    .is_some_and(|group| group.probed.is_none()) =>
            {
                first
            }
            Some(result) => self.by_probed.get(&(outside.clone(), result.clone())).copied(),
        };
        let index = same.unwrap_or(self.all.len());
        if let Some(result) = &probed {
            self.by_probed.entry((outside.clone(), result.clone())).or_insert(index);
        }
        self.by_outside.entry(outside).or_insert(index);
        match self.all.get_mut(index) {
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
            None => self.all.push(Group { probed, diagnosis }),
        }
        (index, signature)
    }

    /// Adds a subject to a group.
    fn join(&mut self, index: usize, facts: &Facts) {
        if let (Some(group), Some(pod)) = (self.all.get_mut(index), facts.subject.pod()) {
            group.diagnosis.target.represents.push(pod.value.metadata.name.clone());
        }
    }
}

/// What can be seen of a probed pod from outside.
fn outside<'f>(facts: &Facts, run: &Run<'f>, choice: &Choice) -> String {
    let mut outside = facts.clone();
    outside.probed = Fact::unknown_because("", Why::OneOfMany(String::new()), None);
    signature(&diagnose(&outside, run, choice))
}

/// Nothing is called healthy while others of the target were not looked at.
fn say_what_is_left(first: &mut Diagnosis, left: usize, why: &Why) {
    let others = if left == 1 { String::from("1 other pod") } else { format!("{left} other pods") };
    if matches!(first.verdict, Verdict::Healthy | Verdict::NotConfigured) {
        first.verdict = Verdict::Inconclusive;
        first.summary = format!("{}; could not check {others}: {why}", first.summary);
    }
    first.unknowns.push(Unchecked { what: others, why: why.to_string(), grant: None, denied: false });
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
