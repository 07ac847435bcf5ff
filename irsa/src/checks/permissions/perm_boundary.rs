//! # The permissions boundary does not allow it
//!
//! IRSA works, and the role's own policies may well allow the action, but its permissions boundary limits what they can grant,
//! and the boundary does not include it.
//!
//! **You see**: `… is not authorized to perform: s3:PutObject on resource: … because no permissions boundary allows the
//! s3:PutObject action`, or `with an explicit deny in a permissions boundary`.
//!
//! **Decided by**: AWS's error in the application's log, or IAM's simulator for what `--action` names.
//!
//! **Not a fault**: the role's own policies: adding to them changes nothing.
//!
//! **Repair**: have whoever owns the boundary allow the action in it, or give the role another boundary. Removing it grants the
//! role more than was meant, so no command is printed for that.

use super::denied;
use crate::checks::prelude::*;
use crate::derive::denial::Culprit;
use crate::repair::role;

pub(super) const META: Meta = Meta {
    id: "perm-boundary",
    step: Step::Permissions,
    title: "the permissions boundary does not allow it",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    denied::outcome(&META, Culprit::Boundary, derived, |finding, denial| {
        let boundary = derived.facts.aws.role.known().filter(|_| denial.role.expected);
        let finding = match boundary.and_then(|role| Some((role.value.boundary.as_ref()?, &role.source))) {
            Some((boundary, source)) => {
                finding.seen("the role's boundary", boundary, &source.at("Role.PermissionsBoundary"))
            }
            None => finding,
        };
        let finding = match &denial.role.name {
            Some(role) => finding.fix(Fix::inspect(
                "check which policy is the boundary",
                role::look(derived, role, "Role.PermissionsBoundary"),
            )),
            None => finding,
        };
        finding.fix(Fix::advice(format!("have whoever owns the boundary allow {} in it", denial.what())))
    })
}
