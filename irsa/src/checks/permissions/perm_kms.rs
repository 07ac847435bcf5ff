//! # The role may not use the KMS key
//!
//! IRSA works, and so may the permission for the bucket, the secret or the queue; but its content is encrypted with a KMS key,
//! and the role may not use that key. Access to a key is decided by its own policy; the role's policies count only if that
//! policy delegates to IAM (the statement for `arn:aws:iam::ACCOUNT:root`).
//!
//! **You see**: `… is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:…:key/…`; through S3 often only `Access
//! Denied`, which names neither caller nor key.
//!
//! **Decided by**: AWS's error in the application's log, or IAM's simulator for what `--action` names (it does not read the
//! key's policy).
//!
//! **Not a fault**: the permission for the object itself.
//!
//! **Repair**: allow the role the action on the key, and check that the key's policy lets the account's policies count. A key in
//! another account needs both sides.

use super::denied;
use crate::aws::arn::Arn;
use crate::checks::prelude::*;
use crate::derive::denial::{Culprit, Denial};
use crate::repair::permissions::{self, Allow};

pub(super) const META: Meta = Meta {
    id: "perm-kms",
    step: Step::Permissions,
    title: "the role may not use the KMS key",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    denied::outcome(&META, Culprit::Key, derived, |finding, denial| repair(derived, finding, denial))
}

fn repair(derived: &Derived<'_>, finding: Finding, denial: &Denial<'_>) -> Finding {
    let finding = match denial.resource.and_then(|key| look(derived, key)) {
        Some(command) => finding.fix(Fix::inspect("check the key's policy", command)),
        None => finding,
    };
    if denial.is_explicit() {
        return finding.fix(Fix::advice(
            "exempt the role from the Deny, which is in the key's policy or in the role's",
        ));
    }
    let finding = match permissions::allow(derived, denial) {
        Allow::Act(act) => {
            let (act, policy) = *act;
            finding.fix(Fix::shared("allow the role exactly this on exactly this key", act).changing(policy))
        }
        Allow::Done(name) => denied::done(finding, &name),
        Allow::Ask => finding.fix(Fix::advice(format!("allow the role {} on the key", denial.what()))),
    };
    if denied::account_of(denial) == denial.role.account.as_deref() {
        finding.fix(Fix::advice("if the key's policy has no statement for its account's root, allow the role in the key's policy too"))
    } else {
        finding.fix(Fix::advice("the key belongs to another account: allow the role in the key's policy too"))
    }
}

fn look(derived: &Derived<'_>, key: &str) -> Option<Command> {
    let region = Arn::split(key).map(|arn| arn.region);
    let region = region.filter(|region| !region.is_empty() && permissions::is_exact(key))?;
    let words = [
        "kms",
        "get-key-policy",
        "--region",
        region,
        "--key-id",
        key,
        "--policy-name",
        "default",
        "--output",
        "text",
    ];
    Some(Command::aws(derived, &words))
}
