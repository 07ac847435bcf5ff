//! Checks of what the webhook puts into new pods.

use crate::checks::prelude::*;
use crate::derive::webhook::Registration;
use crate::facts::Unknown;
use crate::repair::workload;

super::checks! {
    "injection" [Injection]:
    admission_policy_volume,
    skip_label,
    skip_containers,
    mwc_missing,
    mwc_cabundle_stale,
    mwc_v1_admissionreview,
    mwc_selector_excludes,
    webhook_in_cluster_flag,
    webhook_down_ignore,
    other_webhook_strips,
    injected_twice,
    old_webhook_drops_fields,
    sa_cache_race,
    pod_identity_cache_race,
    pod_created_before_annotation,
    only_some_containers_injected,
    not_injected,
}

/// The webhook's registrations, if injection is expected; otherwise the outcome of a check of them.
fn registered<'d, 'f>(derived: &'d Derived<'f>) -> Result<&'d [Registration<'f>], Outcome> {
    if !derived.intent.expects_injection() {
        return Err(Outcome::NotApplicable("no injection is expected"));
    }
    match &derived.registrations {
        Registrations::Found(found) => Ok(found),
        Registrations::Missing(_) => Err(Outcome::NotApplicable("no webhook is registered")),
        Registrations::Unknown(why) => Err(unread(derived, why)),
    }
}

/// How bad a webhook that cannot answer is: a pod that is injected works, and only the next one is broken.
fn severity(derived: &Derived<'_>) -> Severity {
    if injected(derived) { Severity::Warning } else { Severity::Error }
}

/// What could not be read about the webhook leaves the question open only if the pod itself does not answer it. Either
/// way it is listed among what could not be checked.
fn unread(derived: &Derived<'_>, why: &Unknown) -> Outcome {
    if injected(derived) {
        Outcome::NotApplicable("this pod was injected; could not check whether the next one will be")
    } else {
        unknown(why)
    }
}

fn injected(derived: &Derived<'_>) -> bool {
    // The webhook writes `env` only: variables from anywhere else are not its work.
    let declared = |view: &ContainerView<'_>| view.declares(ROLE_ARN) && view.declares(TOKEN_FILE);
    derived.facts.subject.pod().is_some() && !derived.is_bare() && derived.target().is_none_or(declared)
}

/// The restart that a pod without injection needs once its webhook answers again.
fn restart(derived: &Derived<'_>) -> Option<Fix> {
    derived.is_bare().then(|| workload::restart_or_advice(derived))
}
