//! How far a diagnosis reaches without a look into the pod: whether the probe has anything left to decide.

use super::report::{Reported, Verdict};
use super::{Choice, Run, examine};
use crate::aws_error::Stage;
use crate::derive::Derived;
use crate::derive::situation::Situations;
use crate::derive::sts_answer::{Open, StsVerdict};
use crate::facts::{Facts, Source, Why};
use crate::finding::Confidence;
use crate::step::Step;

/// What is known of a subject without a look into its pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FromOutside {
    /// Its root cause is proven, and must be repaired whatever the pod looks like from inside.
    Proven,
    /// No problem is found.
    Healthy,
    /// No problem is found, and something that matters is not known.
    Unclear,
    /// Something is wrong, and what is seen in the pod may change what it is.
    Open,
}

/// What is known of each subject of a run, as far as its pods have been looked into. Once `stop` says so, the others are open.
pub fn from_outside(subjects: &[Facts], choice: &Choice, stop: &dyn Fn() -> bool) -> Vec<FromOutside> {
    let (run, mut situations) = (Run::of(subjects), Situations::default());
    let known = subjects.iter().map(|facts| match stop() {
        true => FromOutside::Open,
        // It holds no name.
        false => situations.once(facts, || examine(facts, &run, choice).1, |_| true),
    });
    known.collect()
}

pub(super) fn of(verdict: Verdict, root: Option<&Reported>, derived: &Derived<'_>) -> FromOutside {
    match (verdict, root) {
        (Verdict::Healthy, _) => FromOutside::Healthy,
        (Verdict::Inconclusive, _) => FromOutside::Unclear,
        (Verdict::Broken, Some(root)) if is_proven(root, derived) => FromOutside::Proven,
        _ => FromOutside::Open,
    }
}

/// True if nothing that is seen in the pod can overturn the fault. What else may be broken in there does not matter: this has to
/// be repaired in any case.
fn is_proven(root: &Reported, derived: &Derived<'_>) -> bool {
    let by_objects = root.evidence.iter().all(|evidence| match evidence.source {
        Source::Api { .. }
        | Source::Aws { .. }
        | Source::Web { .. }
        | Source::Token { .. }
        | Source::File { .. } => true,
        Source::Probe { .. } | Source::Log { .. } => false,
    });
    root.confidence == Confidence::Observed
        && match root.step {
            // The cluster's own objects say so, and the probe reads none of them.
            Step::Target | Step::ServiceAccount | Step::Pod | Step::Injection => true,
            // The probe looks at these. What the objects say of the container stands; what the application says, the probe may
            // explain better.
            Step::TokenFile | Step::TokenClaims | Step::Caller => by_objects,
            // Which way the pod's requests take is only seen from there.
            Step::Network => false,
            // What STS refuses here, because of what stands in AWS, it refuses in the pod.
            Step::Issuer | Step::OidcProvider | Step::Role | Step::TrustPolicy => refused(derived, |_| true),
            // So it does for what it says itself; but a trust policy that nobody can read may refuse this machine alone.
            Step::Sts => by_objects && refused(derived, |stage| stage != Stage::Trust),
            // What an identity may do is not looked at in the pod.
            Step::Permissions => true,
        }
}

/// True if STS refuses a fresh token at such a stage; or if nobody may ask, in the pod either.
fn refused(derived: &Derived<'_>, at: impl Fn(Stage) -> bool) -> bool {
    match &derived.from_here {
        StsVerdict::Refused(refusal) => refusal.stage.is_some_and(at),
        StsVerdict::Open(Open::Unanswered(unknown)) => matches!(unknown.why, Why::Excluded(_)),
        StsVerdict::Open(Open::TurnedAway(_) | Open::Foreign(_))
        | StsVerdict::Accepted { .. }
        | StsVerdict::NotApplicable => false,
    }
}
