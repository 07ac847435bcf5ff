//! When the probe runs: where it decides something. Its container cannot be removed from the pod, and may never start.

use std::pin::pin;

use tokio::time::{Instant, timeout};

use super::{Candidate, Choice, Probing};
use crate::collect::cluster::Api;
use irsa::diagnosis::{self, FromOutside, from_outside};
use irsa::facts::probed::ProbeFacts;
use irsa::facts::{Fact, Facts, Why};

/// When the probe runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// In any case.
    Always,
    /// Where nothing that is seen from outside proves the cause.
    Undecided,
    /// Where everything that is seen from outside is healthy; where it is `unclear`, if so, beside an application that runs.
    Healthy {
        /// If some of it cannot be seen, the probe looks all the same.
        unclear: bool,
    },
}

const PROVEN: &str = "the cause is proven from outside (--probe to look)";
const NOT_YET: &str = "--wait looks once everything else is healthy (--probe to look)";

impl Probing {
    /// Probes one of the candidates, if there is anything to decide, while or after the rest is read, which `reading` gives; returns
    /// what is known of the inside of each.
    pub(in crate::collect) async fn beside<'f>(
        &self,
        api: &Api,
        mut candidates: Vec<Candidate>,
        checks: &diagnosis::Choice,
        reading: impl Future<Output = &'f mut Vec<Facts>>,
    ) -> Vec<Fact<ProbeFacts>> {
        let choice = Choice::among(&candidates);
        let mut reading = pin!(reading);
        if choice.chosen.is_none() {
            reading.await;
            return choice.unseen;
        }
        // An answer that is late must not cost the view from inside.
        let patience = self.until.saturating_duration_since(Instant::now()) / 2;
        let subjects = match self.when {
            When::Always => None,
            When::Undecided => timeout(patience, &mut reading).await.ok(),
            When::Healthy { .. } => Some(reading.as_mut().await),
        };
        let Some(subjects) = subjects else {
            return tokio::join!(reading, self.look(api, choice)).1;
        };
        for (facts, candidate) in subjects.iter_mut().zip(&candidates) {
            facts.probed = candidate.as_ref().map_or_else(|known| Fact::clone(known), |_| left_out(PROVEN));
        }
        let known = from_outside(subjects, checks, &|| api.deadline().over().is_some());
        self.leave_out(&mut candidates, &known);
        self.look(api, Choice::among(&candidates)).await
    }

    /// Takes from the candidates those in which there is nothing to decide.
    fn leave_out(&self, candidates: &mut [Candidate], known: &[FromOutside]) {
        let faultless = |known: &FromOutside| matches!(known, FromOutside::Healthy | FromOutside::Unclear);
        let all_faultless = known.iter().all(faultless);
        let all_healthy = known.iter().all(|known| *known == FromOutside::Healthy);
        for (candidate, known) in candidates.iter_mut().zip(known) {
            let Ok(chosen) = candidate else { continue };
            let why = match (self.when, known) {
                (When::Undecided | When::Healthy { .. }, FromOutside::Proven) => PROVEN,
                (When::Healthy { unclear }, _) => {
                    let looks = all_healthy || (unclear && all_faultless && chosen.is_beside_application());
                    if looks { continue } else { NOT_YET }
                }
                (When::Always | When::Undecided, _) => continue,
            };
            *candidate = Err(Box::new(left_out(why)));
        }
    }
}

/// What is known of the inside of a pod that need not be looked into.
fn left_out(why: &str) -> Fact<ProbeFacts> {
    Fact::unknown_because(ProbeFacts::WHAT, Why::LeftOut(why.to_owned()), None)
}
