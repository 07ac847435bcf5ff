//! Who each container should be to AWS, and who it is.

use super::report::{Actual, Expected, Identity};
use crate::derive::Derived;
use crate::derive::caller::Who;
use crate::derive::container::{ContainerView, ROLE_ARN, Wiring};
use crate::mechanism::Mechanism;

pub(super) fn identity(view: &ContainerView<'_>, derived: &Derived<'_>) -> Identity {
    // The errors are those of the target container.
    let caller = derived.app_errors.caller().and_then(|said| said.caller).filter(|_| view.is_target);
    Identity {
        container: view.name().to_owned(),
        expected: Expected {
            mechanism: derived.intent.mechanism,
            role_arn: derived.intent.role.as_ref().map(|role| role.raw.to_owned()),
        },
        actual: Actual {
            mechanism: match caller.map(|caller| caller.who) {
                Some(Who::Node) => Mechanism::NodeRole,
                _ => actual_mechanism(view),
            },
            role_arn: view.env.get(ROLE_ARN).and_then(|entry| entry.text()).map(str::to_owned),
            caller_arn: caller.map(|caller| caller.principal.arn.clone()),
        },
    }
}

/// What the SDK will use, as far as the spec alone tells: static keys take precedence over everything but .NET v3's web
/// identity (failures.md, section 3).
fn actual_mechanism(view: &ContainerView<'_>) -> Mechanism {
    let set = |name: &str| view.env.get(name).is_some_and(|entry| entry.is_set());
    if set("AWS_ACCESS_KEY_ID") && set("AWS_SECRET_ACCESS_KEY") {
        return Mechanism::StaticKeys;
    }
    match view.wiring {
        Wiring::Complete => Mechanism::Irsa,
        _ if view.pod_identity => Mechanism::PodIdentity,
        Wiring::Unknown => Mechanism::Unknown,
        _ if set("AWS_PROFILE") => Mechanism::Profile,
        Wiring::NoMount | Wiring::RoleOnly | Wiring::TokenFileOnly | Wiring::Nothing => Mechanism::None,
    }
}
