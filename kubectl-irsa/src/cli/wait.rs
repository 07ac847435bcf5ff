//! `debug --wait`: the same diagnosis again and again, until it is healthy or the time is up.

use std::time::Duration;

use tokio::time::Instant;

use super::CliError;
use crate::collect::probe::Cleanup;
use crate::collect::{Deadline, Progress};
use irsa::diagnosis::{Diagnosis, exit_code};
use irsa::rounds::CollectError;
use irsa::target::{self, Kind, Target};

/// What a diagnosis of all targets finds: the diagnoses, and the errors of the targets that could not be read.
pub(super) type Found = (Vec<Diagnosis>, Vec<CliError>);

/// How long one try may take; also the time limit of a run that does not wait.
pub(super) const A_TRY: Duration = Duration::from_secs(60);
/// After so many tries what somebody has changed in IAM is known to STS, as far as it is going to be.
pub(super) const SETTLED: usize = 3;
/// The pause after the first try. Each is twice as long as the one before.
const SHORTEST: Duration = Duration::from_secs(2);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(15);

/// Diagnoses until it is healthy, or until the deadline; what the last whole try found.
///
/// # Errors
/// The first try fails: that is no state from which a repair leads on.
pub(super) async fn until_healthy(
    deadline: &Deadline,
    progress: &Progress,
    cleanup: &Cleanup,
    mut targets: Vec<Target>,
    mut again: impl AsyncFnMut(&[Target], &Deadline) -> Result<Found, CliError>,
) -> Result<Found, CliError> {
    let (began, first) = (Instant::now(), deadline.part(A_TRY));
    let mut last = again(&targets, &first).await?;
    let mut state = state_of(&last);
    if is_healthy(&last) || !last.1.is_empty() {
        return Ok(last);
    }
    let cut_short = match deadline.over() {
        None => {
            progress.say(&format!("{state}; waiting until it is healthy (Ctrl-C ends it with a report)"));
            None
        }
        Some(_) => first.blame(),
    };
    let mut pause = SHORTEST;
    while deadline.over().is_none() {
        progress.pause(&format!("{state}; the next try is in {} s", pause.as_secs()));
        if !deadline.pause(pause).await {
            break;
        }
        pause = LONGEST.min(pause * 2);
        let found = again(&targets, &deadline.part(A_TRY)).await;
        let found = found.unwrap_or_else(|error| (Vec::new(), vec![error]));
        // Between the old pods and the new ones, the template alone proves nothing.
        let is_healthy = is_healthy(&found) && (has_pods(&found) || !has_pods(&last));
        // What was cut short tells less than the try before.
        if deadline.over().is_some() && !is_healthy {
            break;
        }
        let now = state_of(&found);
        if now != state {
            progress.say(&format!("{} s: {state} → {now}", began.elapsed().as_secs()));
            state = now;
        }
        for (gone, owner) in found.1.iter().filter_map(|failure| owner_of_gone(failure, &last.0)) {
            let kind = owner.kind.word();
            progress.say(&format!("pod/{gone} is gone; now {kind}/{}, which it was of", owner.name));
            targets.retain(|target| (target.kind, target.name.as_str()) != (Kind::Pod, gone));
            targets.extend(Some(owner).filter(|owner| !targets.contains(owner)));
        }
        if is_healthy {
            return Ok(found);
        }
        // A target that cannot be read now, or has no pods, says nothing about what is wrong with it.
        if found.1.is_empty() && (has_pods(&found) || !has_pods(&last)) {
            last = found;
        }
    }
    let end = cut_short.unwrap_or_else(|| deadline.end());
    progress.say(&format!("{end}: {state}; {cleanup}"));
    Ok(last)
}

fn is_healthy((diagnoses, failures): &Found) -> bool {
    exit_code(diagnoses, !failures.is_empty()) == 0
}

fn has_pods((diagnoses, _): &Found) -> bool {
    diagnoses.iter().any(|diagnosis| diagnosis.target.pod.is_some())
}

/// What a user wants to know of it: `trust-sub-mismatch, healthy`.
fn state_of((diagnoses, failures): &Found) -> String {
    let of = |diagnosis: &Diagnosis| match &diagnosis.root_cause {
        Some(root) => root.id.to_owned(),
        None if diagnosis.target.pod.is_none() => format!("{}, no pods", diagnosis.verdict.name()),
        None => diagnosis.verdict.name().to_owned(),
    };
    let failed = |failure: &CliError| failure.to_string().lines().next().unwrap_or_default().to_owned();
    let mut words: Vec<String> = Vec::new();
    for word in diagnoses.iter().map(of).chain(failures.iter().map(failed)) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(", ")
}

/// The pod that is gone, as a repair of its workload replaces its pods, and the workload, which has others.
fn owner_of_gone<'e>(failure: &'e CliError, before: &[Diagnosis]) -> Option<(&'e str, Target)> {
    let CliError::Collect(CollectError::NotFound { kind, name, .. }) = failure else { return None };
    let was = before.iter().map(|diagnosis| &diagnosis.target);
    let was = was.filter(|_| *kind == Kind::Pod.word()).find(|target| target.pod.as_ref() == Some(name))?;
    let owner = target::parse(&[was.owner.clone()?]).ok()?.pop()?;
    Some((name, owner))
}
