//! # The resource's own policy does not allow it
//!
//! IRSA works. The bucket, queue, topic or secret has its own policy, which denies the call, or does not allow it where it must:
//! across accounts both sides have to. A policy that named a role which was deleted and recreated now holds a dead id (`AROA…`)
//! instead of its ARN, and does not apply to the new role.
//!
//! **You see**: `… is not authorized to perform: … because no resource-based policy allows the … action`, or `with an explicit
//! deny in a resource-based policy`.
//!
//! **Decided by**: AWS's error in the application's log. For KMS keys see `perm-kms`.
//!
//! **Not a fault**: the trust policy, which is the role's own resource-based policy and has already allowed the token.
//!
//! **Repair**: allow the role in the resource's policy, or exempt it from the Deny. Writing a policy replaces the whole of it,
//! so no command is printed for that.

use super::denied;
use crate::aws::arn::Arn;
use crate::checks::prelude::*;
use crate::derive::denial::{Culprit, Denial};
use crate::repair::permissions;

pub(super) const META: Meta = Meta {
    id: "perm-resource-policy",
    step: Step::Permissions,
    title: "the resource's own policy does not allow it",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    denied::outcome(&META, Culprit::Resource, derived, |finding, denial| {
        let finding = match look(derived, denial) {
            Some(command) => finding.fix(Fix::inspect("check the resource's policy", command)),
            None => finding,
        };
        let what = denial.what();
        if denial.is_explicit() {
            finding
                .fix(Fix::advice(format!("exempt the role from the Deny of {what} in the resource's policy")))
        } else {
            finding.fix(Fix::advice(format!(
                "allow {what} for the role in the resource's policy; a principal AROA… in it is a deleted role"
            )))
        }
    })
}

/// The command that prints the policy of the requested resource.
fn look(derived: &Derived<'_>, denial: &Denial<'_>) -> Option<Command> {
    let arn = denial.resource.filter(|arn| permissions::is_exact(arn))?;
    let Arn { service, region, resource, .. } = Arn::split(arn)?;
    let words: Vec<&str> = match service {
        "s3" => vec!["s3api", "get-bucket-policy", "--bucket", resource.split('/').next()?],
        "secretsmanager" => {
            vec!["secretsmanager", "get-resource-policy", "--region", region, "--secret-id", arn]
        }
        "sns" => vec!["sns", "get-topic-attributes", "--region", region, "--topic-arn", arn],
        "lambda" => vec!["lambda", "get-policy", "--region", region, "--function-name", arn],
        _ => return None,
    };
    Some(Command::aws(derived, &words))
}
