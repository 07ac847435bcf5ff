//! # The role's policies do not allow it
//!
//! IRSA works: the caller is the pod's role, and AWS has nothing against it. No policy that hangs on the role allows the action,
//! or one of them forbids it.
//!
//! **You see**: `User: arn:aws:sts::111122223333:assumed-role/shop-checkout/botocore-session-… is not authorized to perform:
//! s3:GetObject on resource: … because no identity-based policy allows the s3:GetObject action`. Some services leave the reason out,
//! and S3 at times even the caller.
//!
//! **Decided by**: AWS's words in the application's log, or IAM's simulator for what `--action` and `--resource` name. The simulator
//! reads the role's policies, its boundary and what it may of the organization's; it does not read policies of buckets, keys or VPC
//! endpoints, so its *allowed* is no promise.
//!
//! **Not a fault**: of the trust policy, the provider or the pod: do not touch them. An `AccessDenied` that names the node's role or
//! a user is no fault of this role.
//!
//! **Repair**: allow exactly the action on exactly the resource, in the policy where the role's permissions are kept. The printed
//! inline policy covers the one thing that was denied; what else the application needs is for its owner to say.

use super::denied;
use crate::checks::prelude::*;
use crate::derive::denial::{Culprit, Denial};
use crate::repair::permissions::{self, Allow};

/// See the module's page.
pub const META: Meta = Meta {
    id: "perm-no-policy",
    step: Step::Permissions,
    title: "the role's policies do not allow it",
    explains: &[],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    denied::outcome(&META, Culprit::Identity, derived, |finding, denial| repair(derived, finding, denial))
}

fn repair(derived: &Derived<'_>, finding: Finding, denial: &Denial<'_>) -> Finding {
    let finding = match derived.facts.aws.policies.known().filter(|_| denial.role.expected) {
        Some(policies) => {
            let all: Vec<&str> =
                policies.value.attached.iter().chain(&policies.value.inline).map(String::as_str).collect();
            let all = if all.is_empty() { String::from("none") } else { all.join(", ") };
            finding.seen("policies of the role", all, &policies.source)
        }
        None => finding,
    };
    if denial.is_explicit() {
        return finding.fix(Fix::advice(
            "take the Deny out, or except this role from it: an Allow beside it changes nothing",
        ));
    }
    match permissions::allow(derived, denial) {
        Allow::Command(command) => finding
            .fix(Fix::shared("allow the role exactly this action on exactly this resource", command))
            .fix(Fix::advice(
                "if the application needs more of its kind, write that into the role's own policy instead",
            )),
        Allow::Done(name) => denied::done(finding, &name),
        Allow::Ask => finding.fixes(permissions::ask_simulator(derived, denial)).fix(Fix::advice(format!(
            "allow {} in a policy of the role, on the resources that the application needs",
            denial.what()
        ))),
    }
}
