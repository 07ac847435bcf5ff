//! Checks of which identity the application has at AWS.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::derive::app_errors::AppError;
use crate::derive::caller::Who;

super::checks! {
    "caller" [Caller]:
    static_env_keys,
    shared_credentials_file,
    aws_profile,
    sdk_no_sts_module,
    custom_provider_list,
    sdk_too_old,
    app_assumes_with_node_role,
    silent_fallback_to_node_role,
    imds_intercepted_kiam,
    config_role_arn_double_assume,
    clock_skew,
    app_caches_token,
    error_names_another_role,
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
