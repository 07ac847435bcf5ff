//! # The pod's role cannot assume the second role
//!
//! IRSA works, and the application goes on from the pod's role to another one. For that hop both sides have to agree: a policy
//! of the first role allows `sts:AssumeRole` on the second, and the trust policy of the second names the first, along with an
//! `ExternalId` or session tags if it requires them.
//!
//! **You see**: `User: arn:aws:sts::111122223333:assumed-role/shop-checkout/… is not authorized to perform: sts:AssumeRole on
//! resource: arn:aws:iam::444455556666:role/reports`, or the same with `sts:TagSession`.
//!
//! **Decided by**: caller and resource in AWS's error message. AWS does not say which side it is, unless it names the policy.
//!
//! **Not a fault**: the pod's own trust policy. The same role on both sides is `config-role-arn-double-assume`.
//!
//! **Repair**: allow the hop on both sides.

use super::denied;
use crate::aws::arn::RoleArn;
use crate::checks::prelude::*;
use crate::derive::denial::{Culprit, Denial};
use crate::derive::trust::FIELD;
use crate::repair::role;

pub(super) const META: Meta = Meta {
    id: "perm-chained-role",
    step: Step::Permissions,
    title: "cannot assume the second role",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    denied::outcome(&META, Culprit::Chain, derived, |finding, denial| repair(derived, finding, denial))
}

fn repair(derived: &Derived<'_>, finding: Finding, denial: &Denial<'_>) -> Finding {
    let what = denial.what();
    let first = denial.role.name.as_deref().unwrap_or("the pod's role");
    let second = denial.resource.and_then(|arn| RoleArn::parse(arn).ok());
    let finding = match &second {
        Some(second) => finding.fix(Fix::inspect(
            format!("check who the second role trusts (in account {})", second.account),
            role::look(derived, second.name(), FIELD),
        )),
        None => finding,
    };
    let finding = finding.fix(Fix::advice(format!(
        "trust {first} for {what} in the second role's trust policy, with the ExternalId that the application sends if it requires one"
    )));
    let finding = finding.fix(Fix::advice(format!(
        "allow {what} on {} in a policy of {first}",
        denial.resource.unwrap_or("the second role")
    )));
    match (what, derived.intent.mechanism) {
        ("sts:TagSession", Mechanism::PodIdentity) => finding.fix(Fix::advice(
            "EKS Pod Identity tags its sessions, and the tags are passed on: the trust policy needs sts:TagSession too",
        )),
        _ => finding,
    }
}
