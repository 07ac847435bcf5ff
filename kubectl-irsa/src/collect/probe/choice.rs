//! Which of the subjects is probed: one pod of a run.

use irsa::derive::Derived;
use irsa::derive::container::Wiring;
use irsa::facts::probed::ProbeFacts;
use irsa::facts::{Fact, Subject, Why};

use super::Via;

/// The subjects of a run before the probe.
pub struct Choice {
    /// What is known of the inside of each without it.
    pub unseen: Vec<Fact<ProbeFacts>>,
    /// The one that is probed.
    pub chosen: Option<Chosen>,
}

/// The subject that is probed.
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
    can_start: CanStart,
}

impl Chosen {
    /// True if the application runs, too.
    pub fn is_beside_application(&self) -> bool {
        self.can_start == CanStart::BesideApplication
    }
}

/// What can start in a pod, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum CanStart {
    /// Nothing: it shows at least why it cannot be probed.
    Nothing,
    /// The probe, while the pod's own containers wait.
    Probe,
    /// The probe beside the application.
    BesideApplication,
}

/// A subject as one that may be probed; or what is known of its inside without.
pub type Candidate = Result<Chosen, Box<Fact<ProbeFacts>>>;

impl Choice {
    /// Chooses.
    pub fn among(candidates: &[Candidate]) -> Self {
        // Newest first: of those in which most can start, the last of the reversed list is the newest.
        let chosen = candidates.iter().flatten().rev().max_by_key(|candidate| candidate.can_start).cloned();
        let another = match chosen.as_ref().and_then(|chosen| chosen.pod.clone()) {
            Some(pod) => Fact::unknown_because(ProbeFacts::WHAT, Why::OneOfMany(pod), None),
            None => Fact::not_asked(ProbeFacts::WHAT, NO_POD),
        };
        let unseen = candidates.iter().map(|candidate| match candidate {
            Ok(_) => another.clone(),
            Err(known) => Fact::clone(known),
        });
        Self { unseen: unseen.collect(), chosen }
    }
}

const NO_POD: &str = "there is no pod";

/// The subject as one that may be probed.
pub fn candidate(index: usize, derived: &Derived<'_>, via: Via) -> Candidate {
    let facts = derived.facts;
    let chosen = |pod: Option<String>, container: String, can_start| Chosen {
        index,
        namespace: facts.namespace_name.clone(),
        account: facts.service_account_name.clone(),
        pod,
        container,
        can_start,
    };
    let Subject::Pod(pod) = &facts.subject else {
        // Without a pod the service account's own identity can still be looked at.
        return match via {
            Via::Pod => Ok(chosen(None, String::new(), CanStart::Nothing)),
            Via::Ephemeral => Err(Box::new(Fact::not_asked(ProbeFacts::WHAT, NO_POD))),
        };
    };
    let target = derived.target().filter(|view| view.wiring != Wiring::Nothing || view.pod_identity);
    let Some(target) = target else {
        let why = "the container has no AWS identity to probe";
        return Err(Box::new(Fact::not_asked(ProbeFacts::WHAT, why)));
    };
    let can_start = match pod.value.status.phase.as_str() {
        _ if pod.value.metadata.deletion_timestamp.is_known() => CanStart::Nothing,
        "Running" => CanStart::BesideApplication,
        "Pending" if !pod.value.spec.node_name.is_empty() => CanStart::Probe,
        _ => CanStart::Nothing,
    };
    Ok(chosen(Some(pod.value.metadata.name.clone()), target.name().to_owned(), can_start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use irsa::documents::Store;
    use irsa::facts::Facts;
    use irsa::rounds::of_documents;
    use irsa::target;
    use std::fmt::Write;

    /// The pods of service account `checkout`, newest first: name, phase and whether it has the webhook's variables.
    fn subjects(pods: &[(&str, &str, bool)]) -> Vec<Facts> {
        let mut yaml = String::from(
            "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: checkout, namespace: shop}\n",
        );
        for (age, (name, phase, wired)) in pods.iter().enumerate() {
            let env = "[{name: AWS_ROLE_ARN, value: 'arn:aws:iam::111122223333:role/r'}, {name: AWS_WEB_IDENTITY_TOKEN_FILE, value: /t}]";
            let env = if *wired { env } else { "[]" };
            let minute = 59 - age;
            writeln!(
                yaml,
                "---\napiVersion: v1\nkind: Pod\n\
                 metadata: {{name: {name}, namespace: shop, creationTimestamp: '2026-11-22T07:{minute}:00Z'}}\n\
                 spec: {{serviceAccountName: checkout, containers: [{{name: app, env: {env}}}]}}\n\
                 status: {{phase: {phase}}}"
            )
            .unwrap();
        }
        let mut store = Store::default();
        store.read("pods.yaml", yaml.into_bytes()).unwrap();
        let targets = target::parse(&[String::from("sa/checkout")]).unwrap();
        of_documents(&store, "shop", &targets[0], None).unwrap()
    }

    fn chosen(pods: &[(&str, &str, bool)], via: Via) -> (Option<Chosen>, Vec<String>) {
        let subjects = subjects(pods);
        let all = subjects.iter().enumerate();
        let candidates: Vec<_> =
            all.map(|(index, facts)| candidate(index, &Derived::of(facts), via)).collect();
        let choice = Choice::among(&candidates);
        let why = choice.unseen.iter().map(|fact| fact.unknown().unwrap().why.to_string());
        (choice.chosen, why.collect())
    }

    #[test]
    fn the_newest_that_runs_and_has_an_identity_is_looked_into() {
        let pods = [
            ("bare", "Running", false),
            ("waits", "Pending", true),
            ("runs", "Running", true),
            ("old", "Running", true),
        ];
        let (chosen, why) = chosen(&pods, Via::Ephemeral);
        let chosen = chosen.unwrap();
        assert_eq!(
            (chosen.index, chosen.pod.as_deref(), chosen.container.as_str()),
            (2, Some("runs"), "app")
        );
        assert!(why[0].contains("no AWS identity"), "{}", why[0]);
        assert!(
            why[1].contains("only pod/runs was probed") && why[3].contains("only pod/runs was probed"),
            "{why:?}"
        );
    }

    #[test]
    fn where_none_runs_the_newest_tells_why() {
        let (chosen, _) = chosen(&[("waits", "Pending", true), ("ended", "Failed", true)], Via::Ephemeral);
        assert_eq!(chosen.unwrap().pod.as_deref(), Some("waits"));
    }

    #[test]
    fn nothing_is_added_where_there_is_nothing_to_look_at() {
        let (none, why) = chosen(&[("bare", "Running", false)], Via::Ephemeral);
        assert!(none.is_none() && why[0].contains("no AWS identity"), "{why:?}");
        let (none, why) = chosen(&[], Via::Ephemeral);
        assert!(none.is_none() && why[0].contains("there is no pod"), "{why:?}");
    }

    #[test]
    fn a_pod_of_its_own_needs_only_the_service_account() {
        let (chosen, _) = chosen(&[], Via::Pod);
        let chosen = chosen.unwrap();
        assert_eq!((chosen.pod, chosen.account.as_str()), (None, "checkout"));
    }
}
