//! # A resource control policy does not allow it
//!
//! IRSA works. The organization that owns the resource limits who may use its buckets, keys, queues and secrets, whatever the
//! role's policies and the resource's own policy allow.
//!
//! **You see**: `… is not authorized to perform: s3:GetObject on resource: … with an explicit deny in a resource control
//! policy`.
//!
//! **Decided by**: AWS's error in the application's log. IAM's simulator does not see such policies.
//!
//! **Not a fault**: anything in the role. The policy applies to the *resource's* account, which may be another one.
//!
//! **Repair**: the administrators of the resource's organization exempt the role, or the identity provider.

use super::denied;
use crate::checks::prelude::*;
use crate::derive::denial::Culprit;
use crate::repair::permissions;

pub(super) const META: Meta = Meta {
    id: "perm-rcp",
    step: Step::Permissions,
    title: "a resource control policy does not allow it",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    denied::outcome(&META, Culprit::ResourceControl, derived, |finding, denial| {
        let finding = match denied::account_of(denial) {
            Some(account) => finding.fix(Fix::inspect(
                "list the resource control policies of the resource's account (from its organization's management account)",
                permissions::policies_of(derived, account, "RESOURCE_CONTROL_POLICY"),
            )),
            None => finding,
        };
        finding.fix(Fix::advice(
            "have the administrators of the resource's organization exempt the role from the policy",
        ))
    })
}
