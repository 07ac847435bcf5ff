//! The probe: what the pod looks like from inside. It runs beside the target container, as its user, and reports.

#[cfg(test)]
mod admission;
mod calls;
mod choice;
mod cleanup;
mod container;
mod copy;
mod image;
#[cfg(test)]
mod not_its_own;
mod obstacle;
mod pod;
mod run;
mod security;
mod settings;
mod watch;
mod when;

use tokio::time::Instant;

use super::Progress;
use super::cluster::Api;
use irsa::derive::Derived;
use irsa::facts::probed::ProbeFacts;
use irsa::facts::{Fact, Why};
use irsa::rounds::without_probe;

use choice::Chosen;
pub(super) use choice::{Candidate, Choice};
pub use cleanup::Cleanup;
pub use image::{Image, ImageError};
pub use when::When;

/// How the probe comes into the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Via {
    /// As an ephemeral container of the pod itself.
    #[default]
    Ephemeral,
    /// In a short-lived copy of the pod.
    Pod,
}

/// The probe as the user wants it.
pub struct Probing {
    /// Its image.
    pub image: Image,
    /// Where it runs.
    pub via: Via,
    /// When it does.
    pub when: When,
    /// False with `--no-assume`.
    pub assume: bool,
    /// When its report must be here, so that the diagnosis is still printed.
    pub until: Instant,
    /// For what must be said before it happens.
    pub progress: Progress,
    /// What it leaves in the cluster.
    pub cleanup: Cleanup,
}

impl Probing {
    /// A subject of a run as one that may be probed. A pod gets one ephemeral container of a run, which cannot be removed.
    pub(super) fn candidate(&self, index: usize, derived: &Derived<'_>) -> Candidate {
        let pod = derived.facts.subject.pod().filter(|_| self.via == Via::Ephemeral);
        let mut containers = pod.into_iter().flat_map(|pod| &pod.value.spec.ephemeral_containers);
        if containers.any(|container| self.cleanup.has_added(&container.name)) {
            let why = String::from(
                "this run has added one probe to the pod, which did not report, and adds no other",
            );
            return Err(Box::new(without_probe(derived, &Why::Failed(why))));
        }
        choice::candidate(index, derived, self.via)
    }

    /// Probes the chosen one; returns what is known about the inside of each.
    async fn look(&self, api: &Api, choice: Choice) -> Vec<Fact<ProbeFacts>> {
        let Choice { mut unseen, chosen } = choice;
        let Some(chosen) = chosen else { return unseen };
        let seen = self.look_into(api, &chosen).await;
        // What kept it from looking into one pod leaves the others alike unknown, too: nobody has chosen that.
        if let Fact::Unknown(failed) = &seen {
            for other in &mut unseen {
                if matches!(other, Fact::Unknown(unknown) if matches!(unknown.why, Why::OneOfMany(_))) {
                    *other = Fact::Unknown(failed.clone());
                }
            }
        }
        if let Some(slot) = unseen.get_mut(chosen.index) {
            *slot = seen;
        }
        unseen
    }

    async fn look_into(&self, api: &Api, chosen: &Chosen) -> Fact<ProbeFacts> {
        let Chosen { namespace, account, container, .. } = chosen;
        match (&chosen.pod, self.via) {
            (Some(pod), Via::Ephemeral) => {
                run::run(api, self, &run::Into { namespace, pod, container }).await
            }
            (pod, _) => {
                let pod = pod.as_ref().map(|pod| (pod.as_str(), container.as_str()));
                copy::run(api, self, &copy::Like { namespace, account, pod }).await
            }
        }
    }
}
