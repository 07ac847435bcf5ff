//! What STS proved in one pod of a run, for its peers. A token with the same issuer, subject and audience, for the same role,
//! meets the same provider and the same trust policy: if STS accepted it in one pod, it accepts it in the peers. Nothing else
//! carries over: each pod has its own mounts, its own path to STS, and its own process that may or may not read the file.

use super::Derived;
use super::issuer::Issuer;
use super::sts_answer::StsVerdict;
use crate::facts::aws::StsAttempt;
use crate::facts::issuer::Claims;
use crate::facts::{Facts, Sourced};

/// STS's acceptance of a token inside one of the pods of a run.
#[derive(Debug, Clone, Copy)]
pub struct Peer<'f> {
    /// The pod.
    pub pod: &'f str,
    attempt: &'f Sourced<StsAttempt>,
    claims: &'f Claims,
}

impl<'f> Peer<'f> {
    /// Those of a run.
    pub fn all(subjects: &'f [Facts]) -> Vec<Self> {
        subjects.iter().filter_map(Self::of).collect()
    }

    fn of(facts: &'f Facts) -> Option<Self> {
        // Few pods of a run are probed: nothing is worked out for the others.
        facts.probed.known()?;
        let derived = Derived::of(facts);
        let seen = derived.probed.pod()?;
        derived.probed.sts_answer().filter(StsVerdict::accepted)?;
        let pod = &facts.subject.pod()?.value.metadata.name;
        Some(Self { pod, attempt: seen.attempt()?, claims: seen.claims()? })
    }

    /// True if the acceptance also holds for this subject.
    pub fn speaks_for(&self, derived: &Derived<'_>) -> bool {
        let plan = derived.plan();
        let of_another_issuer =
            Issuer::of(derived).is_ok_and(|issuer| self.claims.iss.as_deref() != Some(issuer.url));
        plan.role_arn.as_deref() == Some(&self.attempt.value.role_arn)
            && self.claims.sub.as_deref() == Some(&plan.subject())
            && self.claims.aud.contains(&plan.audience)
            && !of_another_issuer
    }

    /// The answer.
    pub fn verdict(&self) -> StsVerdict<'f> {
        StsVerdict::answered(&self.attempt.value, &self.attempt.source)
    }
}
