//! Which of the subjects is looked into: one pod of a run.

use crate::derive::Derived;
use crate::derive::container::Wiring;
use crate::facts::inside::Inside;
use crate::facts::{Fact, Facts, Subject, Why};

use super::Via;
use super::report::INSIDE;

/// The subjects of a run before the probe.
pub struct Choice {
    /// What is known of the inside of each without it.
    pub unseen: Vec<Fact<Inside>>,
    /// The one that is looked into.
    pub chosen: Option<Chosen>,
}

/// The subject that is looked into.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// Which one it is.
    pub index: usize,
    /// Its namespace.
    pub namespace: String,
    /// Its service account.
    pub account: String,
    /// The pod; `None` for a service account that no pod uses now.
    pub pod: Option<String>,
    /// The pod's container.
    pub container: String,
    runs: bool,
}

impl Choice {
    /// Chooses.
    pub fn of(subjects: &[Facts], via: Via) -> Self {
        let candidates: Vec<Option<Chosen>> =
            subjects.iter().enumerate().map(|(index, facts)| candidate(index, facts, via)).collect();
        // Newest first; one that does not run tells at least why it cannot be looked into.
        let all = || candidates.iter().flatten();
        let chosen = all().find(|candidate| candidate.runs).or_else(|| all().next()).cloned();
        let pod = chosen.as_ref().and_then(|chosen| chosen.pod.as_deref());
        let unseen = subjects
            .iter()
            .zip(&candidates)
            .map(|(facts, candidate)| unseen(facts, pod.filter(|_| candidate.is_some())))
            .collect();
        Self { unseen, chosen }
    }
}

/// What is known of a subject that is not looked into, because another pod is or because there is nothing to look at.
fn unseen(facts: &Facts, other: Option<&str>) -> Fact<Inside> {
    match (&facts.subject, other) {
        (_, Some(pod)) => Fact::unknown_because(INSIDE, Why::OneOfMany(pod.to_owned()), None),
        (Subject::Pod(_), None) => {
            Fact::not_asked(INSIDE, "the container has no AWS identity that could be looked at")
        }
        (Subject::Template(_) | Subject::ServiceAccount, None) => Fact::not_asked(INSIDE, "there is no pod"),
    }
}

fn candidate(index: usize, facts: &Facts, via: Via) -> Option<Chosen> {
    let chosen = |pod: Option<String>, container: String, runs| Chosen {
        index,
        namespace: facts.namespace_name.clone(),
        account: facts.service_account_name.clone(),
        pod,
        container,
        runs,
    };
    let Subject::Pod(pod) = &facts.subject else {
        // Without a pod the service account's own identity can still be looked at.
        return (via == Via::Pod).then(|| chosen(None, String::new(), false));
    };
    let derived = Derived::of(facts);
    let target = derived.target().filter(|view| view.wiring != Wiring::Nothing || view.pod_identity)?;
    let runs = pod.value.status.phase == "Running" && pod.value.metadata.deletion_timestamp.is_none();
    Some(chosen(Some(pod.value.metadata.name.clone()), target.name().to_owned(), runs))
}
