//! # The application assumes its role with the node's credentials
//!
//! The application calls plain `AssumeRole` for the role of its service account, and does so as the node: it does not know web
//! identity, or builds its own list of credential providers without it.
//!
//! **You see**: `User: arn:aws:sts::111122223333:assumed-role/eks-node/i-0123456789abcdef0 is not authorized to perform:
//! sts:AssumeRole on resource: arn:aws:iam::111122223333:role/shop-checkout`.
//!
//! **Decided by**: AWS's error message: the caller's session is an instance's id, and the resource is the pod's own role. The
//! container is wired for IRSA; if it were not, that would be the fault.
//!
//! **Not a fault**: anything in the role. Do not make it trust the node's role: every pod on the node could assume it.
//!
//! **Repair**: remove the role from the application's own configuration, so that its SDK uses the web identity; or update an SDK
//! that does not know it.

use crate::checks::prelude::*;
use crate::checks::shared::app_errors::{self, UNREPORTED};

pub(super) const META: Meta = Meta {
    id: "app-assumes-with-node-role",
    step: Step::Caller,
    title: "the application assumes its role with the node's credentials",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    match derived.intent.mechanism {
        Mechanism::Irsa if app_errors::is_wired(derived) => {}
        Mechanism::Irsa => return Outcome::NotApplicable("the container is not wired for a role"),
        _ => return Outcome::NotApplicable("no role is named"),
    }
    let Some(said) = derived.app_errors.iter().find(|said| super::node_asks_for_the_role(derived, said))
    else {
        return UNREPORTED;
    };
    let (Some(caller), Some(role)) = (&said.error.principal, &said.error.resource) else { return UNREPORTED };
    let who = app_errors::speaker(derived);
    app_errors::finding(
        &META,
        derived,
        said,
        &format!("{who} assumes its role {role} with the node's credentials, not with its web identity token"),
    )
    .evidence("caller of sts:AssumeRole", "none: the SDK exchanges the token", &caller.arn, said.source)
    .seen("role to assume", role, said.source)
    .fix(Fix::advice(
        "remove the role from the application's own configuration (role_arn, assume-role), so that its SDK uses \
         AWS_ROLE_ARN and the pod's token; or update an SDK that does not know web identity",
    ))
    .fix(Fix::advice("do not make the role trust the node's role: every pod on the node could assume it"))
    .into()
}
