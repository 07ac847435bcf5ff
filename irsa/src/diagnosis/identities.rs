//! Who each container should be to AWS, and who it is.

use super::report::{Actual, Expected, Identity};
use crate::derive::Derived;
use crate::derive::caller::Who;
use crate::derive::container::{CREDENTIALS_URI, ContainerView, ROLE_ARN, TOKEN_FILE, Wiring};
use crate::derive::probed::ProbedPod;
use crate::facts::probed::Place;
use crate::mechanism::Mechanism;

pub(super) fn identity(view: &ContainerView<'_>, derived: &Derived<'_>) -> Identity {
    // The errors are those of the target container.
    let caller = derived.app_errors.caller().and_then(|said| said.caller).filter(|_| view.is_target);
    let seen =
        derived.probed.pod().filter(|seen| seen.place() == Place::Pod && seen.container() == view.name());
    // What the process has counts more than what its spec says.
    let process = seen.filter(|seen| seen.environment_is_targets());
    let role_arn = match process {
        Some(seen) => seen.variable(ROLE_ARN),
        None => view.env.get(ROLE_ARN).and_then(|entry| entry.text()),
    };
    let proven = seen.filter(|seen| seen.proves_identity()).and_then(ProbedPod::caller).map(|(arn, _)| arn);
    Identity {
        container: view.name().to_owned(),
        expected: Expected {
            mechanism: derived.intent.mechanism,
            role_arn: match derived.intent.mechanism {
                Mechanism::PodIdentity => derived.expected_role().map(str::to_owned),
                _ => derived.intent.role.as_ref().map(|role| role.raw.to_owned()),
            },
        },
        actual: Actual {
            mechanism: match (caller.map(|caller| caller.who), process) {
                (Some(Who::Node), _) => Mechanism::NodeRole,
                (_, Some(seen)) => of_process(view, seen),
                (_, None) => of_spec(view),
            },
            role_arn: role_arn.map(str::to_owned),
            caller_arn: caller.map(|caller| caller.principal.arn.as_str()).or(proven).map(str::to_owned),
        },
    }
}

/// What the SDK will use, as far as the environment of the process tells. Of the files only the probe's own view is known, so
/// that the mount is taken from the spec.
fn of_process(view: &ContainerView<'_>, seen: &ProbedPod<'_>) -> Mechanism {
    let set = |name: &str| seen.variable(name).is_some();
    let irsa = match (set(ROLE_ARN) && set(TOKEN_FILE), view.wiring) {
        (true, Wiring::NoMount) => Wiring::NoMount,
        (true, _) => Wiring::Complete,
        (false, _) => Wiring::Nothing,
    };
    first(set, irsa, set(CREDENTIALS_URI))
}

/// The same, as far as the spec alone tells.
fn of_spec(view: &ContainerView<'_>) -> Mechanism {
    let set = |name: &str| view.env.get(name).is_some_and(|entry| entry.is_set());
    first(set, view.wiring, view.pod_identity)
}

/// Static keys take precedence over everything but .NET v3's web identity (failures.md, section 3).
fn first(set: impl Fn(&str) -> bool, wiring: Wiring, pod_identity: bool) -> Mechanism {
    if set("AWS_ACCESS_KEY_ID") && set("AWS_SECRET_ACCESS_KEY") {
        return Mechanism::StaticKeys;
    }
    match wiring {
        Wiring::Complete => Mechanism::Irsa,
        _ if pod_identity => Mechanism::PodIdentity,
        Wiring::Unknown => Mechanism::Unknown,
        _ if set("AWS_PROFILE") => Mechanism::Profile,
        Wiring::NoMount | Wiring::RoleOnly | Wiring::TokenFileOnly | Wiring::Nothing => Mechanism::None,
    }
}
