//! # The permissions boundary does not allow it
//!
//! IRSA works, and the role's own policies may well allow the action: its permissions boundary is the most that they can give, and
//! it does not have it.
//!
//! **You see**: `… is not authorized to perform: s3:PutObject on resource: … because no permissions boundary allows the s3:PutObject
//! action`, or `with an explicit deny in a permissions boundary`.
//!
//! **Decided by**: AWS's words in the application's log, or IAM's simulator for what `--action` names.
//!
//! **Not a fault**: of the role's own policies: what is added to them changes nothing.
//!
//! **Repair**: whoever keeps the boundary allows the action in it, or the role gets another boundary. Taking it off gives the role
//! more than was meant, so no command is printed for that.

use super::denied;
use crate::checks::prelude::*;
use crate::derive::denial::Culprit;
use crate::repair::role;

/// See the module's page.
pub const META: Meta = Meta {
    id: "perm-boundary",
    step: Step::Permissions,
    title: "the permissions boundary does not allow it",
    explains: &[],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    denied::outcome(&META, Culprit::Boundary, derived, |finding, denial| {
        let boundary = derived.facts.aws.role.known().filter(|_| denial.role.expected);
        let finding = match boundary.and_then(|role| Some((role.value.boundary.as_ref()?, &role.source))) {
            Some((boundary, source)) => {
                finding.seen("boundary of the role", boundary, &source.at("Role.PermissionsBoundary"))
            }
            None => finding,
        };
        let finding = match &denial.role.name {
            Some(role) => finding.fix(Fix::inspect(
                "look which policy is the boundary",
                role::look(derived, role, "Role.PermissionsBoundary"),
            )),
            None => finding,
        };
        finding.fix(Fix::advice(format!("have whoever keeps the boundary allow {} in it", denial.what())))
    })
}
