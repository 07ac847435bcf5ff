//! # The second role is not given
//!
//! IRSA works, and the application goes on from the pod's role to another one. For that hop both sides have to agree: a policy of the
//! first role allows `sts:AssumeRole` on the second, and the trust policy of the second names the first; an `ExternalId` or session
//! tags, where they are asked for, too.
//!
//! **You see**: `User: arn:aws:sts::111122223333:assumed-role/shop-checkout/… is not authorized to perform: sts:AssumeRole
//! on resource: arn:aws:iam::444455556666:role/reports`, or the same with `sts:TagSession`.
//!
//! **Decided by**: caller and resource of AWS's own words. AWS does not say which side it is, unless it names the policy.
//!
//! **Not a fault**: of the pod's own trust policy. The same role on both sides is `config-role-arn-double-assume`.
//!
//! **Repair**: allow the hop on both sides.

use super::denied;
use crate::aws::arn::RoleArn;
use crate::checks::prelude::*;
use crate::derive::denial::{Culprit, Denial};
use crate::derive::trust::FIELD;
use crate::repair::role;

/// See the module's page.
pub const META: Meta = Meta {
    id: "perm-chained-role",
    step: Step::Permissions,
    title: "the second role is not given",
    explains: &[],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    denied::outcome(&META, Culprit::Chain, derived, |finding, denial| repair(derived, finding, denial))
}

fn repair(derived: &Derived<'_>, finding: Finding, denial: &Denial<'_>) -> Finding {
    let what = denial.what();
    let first = denial.role.name.as_deref().unwrap_or("the pod's role");
    let second = denial.resource.and_then(|arn| RoleArn::parse(arn).ok());
    let finding = match &second {
        Some(second) => finding.fix(Fix::inspect(
            format!("look whom the second role trusts (in account {})", second.account),
            role::look(derived, second.name(), FIELD),
        )),
        None => finding,
    };
    let finding = finding.fix(Fix::advice(format!(
        "let the trust policy of the second role name {first} for {what}, with the ExternalId that the application sends if it asks for one"
    )));
    let finding = finding.fix(Fix::advice(format!(
        "allow {first} {what} on {} in a policy of its own",
        denial.resource.unwrap_or("the second role")
    )));
    match (what, derived.intent.mechanism) {
        ("sts:TagSession", Mechanism::PodIdentity) => finding.fix(Fix::advice(
            "EKS Pod Identity tags its sessions, and the tags go along: the trust policy needs sts:TagSession too",
        )),
        _ => finding,
    }
}
