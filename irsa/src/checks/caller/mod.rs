//! Checks of which identity the application has at AWS.

use crate::aws_error::{Kind, Sdk, Subject as Matter, Wrapper};
use crate::checks::prelude::*;
use crate::checks::shared::{app_errors, probed};
use crate::derive::app_errors::AppError;
use crate::derive::caller::Who;
use crate::derive::probed::ProbedPod;
use irsa_probe::Other;

super::checks! {
    "caller" [Caller]:
    static_env_keys,
    shared_credentials_file,
    aws_profile,
    sdk_no_sts_module,
    app_reads_token_elsewhere,
    app_needs_imds,
    process_environment_differs,
    sdk_too_old,
    custom_provider_list,
    app_assumes_with_node_role,
    silent_fallback_to_node_role,
    imds_intercepted_kiam,
    config_role_arn_double_assume,
    clock_skew,
    credentials_client_closed,
    app_caches_token,
    error_names_another_role,
    ambient_credentials_off,
}

/// The application found no credentials, though its container has all that an SDK needs, STS accepts the token, and no other
/// error says why. What is left is in the image: the SDK's age, its providers, or the environment of the process.
fn found_nothing<'d, 'f>(derived: &'d Derived<'f>) -> Option<&'d AppError<'f>> {
    let is_wired = derived.target().is_some_and(|view| view.wiring == Wiring::Complete);
    if derived.intent.mechanism != Mechanism::Irsa || !is_wired || !derived.sts_answer.accepted() {
        return None;
    }
    let said = derived.app_errors.find(|kind| kind == Kind::NoCredentials)?;
    let says_why = |other: &AppError<'_>| {
        let kind = other.error.kind;
        let on_the_way = matches!(kind.about(), Matter::Exchange | Matter::Network | Matter::Configuration);
        on_the_way && kind != Kind::MissingRegion && other.weight <= said.weight
    };
    (!derived.app_errors.iter().any(says_why)).then_some(said)
}

/// Starts a finding on credentials that were not found, with what rules the rest out.
fn by_exclusion(meta: &Meta, derived: &Derived<'_>, said: &AppError<'_>, summary: &str) -> Finding {
    let finding = app_errors::finding(meta, derived, said, summary).inferred().seen(
        "the SDK says",
        "no credentials found",
        said.source,
    );
    match derived.sts_answer.source() {
        Some(source) => finding.seen("STS", "accepts the pod's token", source),
        None => finding,
    }
}

/// A process that the probe saw in the container, and that lacks variables which give its first process the role.
fn unwired_process<'d, 'f>(derived: &'d Derived<'f>) -> Option<(&'d ProbedPod<'f>, usize, &'f Other)> {
    let seen = probed::of_irsa(derived)?;
    let others = &seen.report().target.as_ref()?.others;
    let (index, other) = others.iter().enumerate().find(|(_, other)| !other.lacks.is_empty())?;
    Some((seen, index, other))
}

/// True if the process may have another environment than the container.
fn differs(derived: &Derived<'_>) -> bool {
    unwired_process(derived).is_some() || wrapper(derived).is_some()
}

/// A program that takes the container's variables away: from its command, or from the application's log.
fn wrapper(derived: &Derived<'_>) -> Option<(Wrapper, Source)> {
    let of_command = || {
        let view = derived.target()?;
        let wrapper = view.container.command.wrapper()?;
        Some((wrapper, derived.spec_at("")?.at(format!("{}.command", view.path))))
    };
    let in_log = || {
        derived.app_errors.iter().find_map(|said| match said.error.kind {
            Kind::Wrapper(wrapper) => Some((wrapper, said.source.clone())),
            _ => None,
        })
    };
    of_command().or_else(in_log)
}

/// True if CloudTrail shows that this SDK has requested the role.
fn asked_for_the_role(derived: &Derived<'_>, sdk: &Sdk) -> bool {
    let subject = derived.plan().subject();
    let trail = derived.facts.aws.trail.known().into_iter().flat_map(|listing| &listing.value.items);
    let mut asked = trail.filter(|event| event.value.subject.as_deref() == Some(subject.as_str()));
    asked.any(|event| event.value.sdk.as_ref().is_some_and(|other| other.name == sdk.name))
}

/// True if the SDK is too old for web identity, and CloudTrail does not show that it requested the role all the same.
fn is_too_old(derived: &Derived<'_>, sdk: &Sdk) -> bool {
    sdk.is_too_old(Mechanism::Irsa) == Some(true) && !asked_for_the_role(derived, sdk)
}

/// An SDK that found nothing, of a version that is not known: one from before web identity finds nothing either. Not if the
/// probe found a recent one in the image.
fn may_be_too_old<'s>(derived: &Derived<'_>, said: &'s AppError<'_>) -> Option<(&'s Sdk, &'static str)> {
    let sdk = said.error.sdk.as_ref().filter(|sdk| sdk.version.is_none())?;
    let minimum = sdk.minimum(Mechanism::Irsa)?;
    let image = probed::of_irsa(derived).and_then(|seen| seen.report().sdks.as_ref());
    let mut packages = image.into_iter().flat_map(|sdks| &sdks.found);
    let is_recent = packages.any(|found| {
        let other = found.version.as_deref().and_then(|version| Sdk::of_package(&found.package, version));
        other.is_some_and(|other| other.name == sdk.name && other.is_too_old(Mechanism::Irsa) == Some(false))
    });
    (!is_recent && !asked_for_the_role(derived, sdk)).then_some((sdk, minimum))
}

/// True for a role that is named in a credentials file and nowhere else: the token is mounted, no variable names it.
fn profile_is_the_mechanism(derived: &Derived<'_>) -> bool {
    derived.intent.mechanism == Mechanism::Irsa
        && derived.intent.role.is_none()
        && derived.target().is_some_and(|view| matches!(view.wiring, Wiring::Nothing | Wiring::Unknown))
}

/// True if the node asked for the pod's own role.
fn node_asks_for_the_role(derived: &Derived<'_>, said: &AppError<'_>) -> bool {
    said.error.kind == Kind::NotAuthorizedToChain
        && said.caller.is_some_and(|caller| caller.who == Who::Node)
        && said.error.resource.is_some()
        && said.error.resource.as_deref() == derived.plan().role_arn.as_deref()
}
