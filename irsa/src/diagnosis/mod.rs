//! From outcomes to one verdict: root cause, consequences, chain, exit code. All decided here, before anything is rendered.

mod app_errors;
mod chain;
mod group;
mod identities;
mod outside;
mod plan;
mod rank;
mod report;
mod rerun;
mod unknowns;
mod verdict;

pub use group::{Judged, diagnose_all, diagnose_until};
pub use outside::{FromOutside, from_outside};
pub use plan::{ByHand, Plan, Step};
pub use rank::docs;
pub use report::{
    API_VERSION, Actual, CanMean, Diagnosis, Expected, Fate, Identity, Link, Proof, Reported, ReportedError,
    Status, Target, Tool, Unchecked, Verdict, exit_code,
};

use std::sync::Arc;

use crate::checks::{self, Check, Outcome};
use crate::derive::Derived;
use crate::derive::peer::Peer;
use crate::derive::siblings::SiblingIndex;
use crate::facts::Facts;

/// Which checks to run.
#[derive(Debug, Default, Clone)]
pub struct Choice {
    /// Only these ids; empty means all.
    pub only: Vec<String>,
    /// Not these.
    pub skip: Vec<String>,
}

impl Choice {
    fn runs(&self, check: &Check) -> bool {
        let id = check.meta.id;
        (self.only.is_empty() || self.only.iter().any(|only| only == id))
            && !self.skip.iter().any(|skip| skip == id)
    }
}

/// What a run as a whole tells of each of its subjects.
struct Run<'f> {
    /// What STS proved in some of them.
    peers: Vec<Peer<'f>>,
    siblings: Arc<SiblingIndex<'f>>,
}

impl<'f> Run<'f> {
    fn of(subjects: &'f [Facts]) -> Self {
        Self { peers: Peer::all(subjects), siblings: Arc::new(SiblingIndex::of(subjects)) }
    }
}

/// Diagnoses one subject of a run.
fn diagnose<'f>(facts: &'f Facts, run: &Run<'f>, choice: &Choice) -> Diagnosis {
    examine(facts, run, choice).0
}

/// The same, and how far it reaches without a look into the pod.
fn examine<'f>(facts: &'f Facts, run: &Run<'f>, choice: &Choice) -> (Diagnosis, FromOutside) {
    let derived = Derived::of(facts).beside(&run.peers, &run.siblings);
    let (chosen, excluded): (Vec<_>, Vec<_>) = checks::all().partition(|check| choice.runs(check));
    let outcomes: Vec<(&Check, Outcome)> =
        chosen.into_iter().map(|check| (check, (check.run)(&derived))).collect();

    let target = target(facts, &derived);
    let findings = rank::report(&outcomes, &derived);
    let root = rank::root_cause(&findings).cloned();
    let proof = verdict::proof(&derived);
    let errors = app_errors::account(&derived, &outcomes, &findings, proof);
    let chain = chain::chain(&derived, &outcomes, &excluded, &findings, &errors);
    let verdict = verdict::verdict(&findings, &errors, &chain, &target, &derived);
    let from_outside = outside::of(verdict, root.as_ref(), &derived);
    let diagnosis = Diagnosis {
        api_version: API_VERSION,
        kind: "Diagnosis",
        observed_at: facts.cluster.server_clock.known().map(|clock| clock.value),
        tool: Tool { version: env!("CARGO_PKG_VERSION") },
        caller: facts.aws.caller.known().map(|caller| caller.value.clone()),
        summary: verdict::summary(verdict, root.as_ref(), &findings, &errors, &target, &chain, &derived),
        rerun: rerun::rerun(verdict, &findings, &target, facts),
        target,
        verdict,
        proof,
        root_cause: root,
        findings,
        application_errors: errors,
        chain,
        identities: derived.containers.iter().map(|view| identities::identity(view, &derived)).collect(),
        unknowns: unknowns::unknowns(&derived, &outcomes),
        probe: derived.probed.pod().map(|seen| seen.report().clone()),
    };
    (diagnosis, from_outside)
}

fn target(facts: &Facts, derived: &Derived<'_>) -> Target {
    Target {
        kind: facts.request.kind.clone(),
        namespace: facts.namespace_name.clone(),
        name: facts.request.name.clone(),
        pod: facts.subject.pod().map(|pod| pod.value.metadata.name.clone()),
        container: derived.target().map(|view| view.name().to_owned()),
        service_account: facts.service_account_name.clone(),
        owner: derived.owner_key().map(|(kind, name)| format!("{kind}/{name}")),
        represents: Vec::new(),
    }
}
