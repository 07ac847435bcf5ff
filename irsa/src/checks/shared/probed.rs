//! What the checks that use the probe have in common.

use irsa_probe::FileStat;

use crate::checks::prelude::*;
use crate::derive::probed::ProbedPod;
use crate::facts::probed::Place;

/// The probe's report on a pod that should have a role by web identity.
pub(in crate::checks) fn of_irsa<'d, 'f>(derived: &'d Derived<'f>) -> Option<&'d ProbedPod<'f>> {
    derived.probed.pod().filter(|_| derived.intent.mechanism == Mechanism::Irsa)
}

/// Starts an error about the container that the probe looked at; in a copy of the pod it is inferred.
pub(in crate::checks) fn finding(
    meta: &Meta,
    derived: &Derived<'_>,
    seen: &ProbedPod<'_>,
    summary: String,
) -> Finding {
    let finding = meta.on_subject(derived, summary).container(seen.container());
    match seen.place() {
        Place::Pod => finding,
        Place::Copy => finding.inferred(),
    }
}

/// The answer where nothing is wrong: a pass if the probe saw the check's link, else `otherwise`.
pub(in crate::checks) fn or_pass(derived: &Derived<'_>, step: Step, otherwise: Outcome) -> Outcome {
    let saw = of_irsa(derived).is_some() && derived.probed.gap(step).is_none();
    match otherwise {
        Outcome::NotApplicable(_) if saw => Outcome::Pass,
        otherwise => otherwise,
    }
}

/// `0600, user 0, group 0`.
pub(in crate::checks) fn shown(stat: &FileStat) -> String {
    format!("{}, user {}, group {}", stat.mode, stat.uid, stat.gid)
}
