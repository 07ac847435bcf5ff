//! # The application assumes its role with the node's credentials
//!
//! The application calls plain `AssumeRole` for the role that its service account names, and does so as the node: it does not
//! know web identity, or builds its own list of credential providers without it.
//!
//! **You see**: `User: arn:aws:sts::111122223333:assumed-role/eks-node/i-0123456789abcdef0 is not authorized to perform:
//! sts:AssumeRole on resource: arn:aws:iam::111122223333:role/shop-checkout`.
//!
//! **Decided by**: AWS's own words: the session of the caller is an instance's id, and the resource is the pod's own role. The
//! container is wired for IRSA; where it is not, that is the fault.
//!
//! **Not a fault**: of the role. Do not let it trust the node's role: every pod of the node would have it.
//!
//! **Repair**: take the role out of the application's own configuration, so that its SDK finds the web identity; or update an
//! SDK that does not know it.

use crate::checks::prelude::*;
use crate::checks::shared::app_errors::{self, UNREPORTED};

/// See the module's page.
pub const META: Meta = Meta {
    id: "app-assumes-with-node-role",
    step: Step::Caller,
    title: "the application assumes its role with the node's credentials",
    explains: &[],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
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
        &format!("{who} asks for its role {role} as the node, and not with its web identity token"),
    )
    .evidence("caller of sts:AssumeRole", "none: the SDK exchanges the token", &caller.arn, said.source)
    .seen("role to assume", role, said.source)
    .fix(Fix::advice(
        "take the role out of the application's own configuration (role_arn, assume-role), so that its SDK uses \
         AWS_ROLE_ARN and the token of the pod; or update an SDK that does not know web identity",
    ))
    .fix(Fix::advice("do not let the role trust the node's role: every pod of the node would have it"))
    .into()
}
