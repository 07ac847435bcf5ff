//! # The session's policy does not allow it
//!
//! Whoever created the session passed a policy with it (`Policy`, `PolicyArns`), and a session can do only what both that policy
//! and the role allow. SDKs pass none by themselves: the application does, or the EKS Pod Identity association has one.
//!
//! **You see**: `… is not authorized to perform: … because no session policy allows the … action`.
//!
//! **Decided by**: AWS's error in the application's log. IAM's simulator does not see such policies.
//!
//! **Not a fault**: the role's own policies: adding to them changes nothing.
//!
//! **Repair**: allow the action where the session is created: in the application's call, or in the association's policy.

use super::denied;
use crate::checks::prelude::*;
use crate::derive::denial::Culprit;

pub(super) const META: Meta = Meta {
    id: "perm-session-policy",
    step: Step::Permissions,
    title: "the session's policy does not allow it",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    denied::outcome(&META, Culprit::Session, derived, |finding, denial| {
        let place = if derived.intent.mechanism == Mechanism::PodIdentity {
            "the policy of the Pod Identity association, or the one that the application passes"
        } else {
            "the policy (Policy, PolicyArns) that the application passes when it assumes the role"
        };
        finding.fix(Fix::advice(format!("allow {} in {place}", denial.what())))
    })
}
