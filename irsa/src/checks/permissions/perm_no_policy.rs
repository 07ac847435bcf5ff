//! # The role's policies do not allow it
//!
//! IRSA works: the caller is the pod's role, and AWS accepts it. No policy attached to the role, or inline in it, allows the
//! action, or one of them denies it.
//!
//! **You see**: `User: arn:aws:sts::111122223333:assumed-role/shop-checkout/botocore-session-… is not authorized to perform:
//! s3:GetObject on resource: … because no identity-based policy allows the s3:GetObject action`. Some services leave out the
//! reason, and S3 sometimes even the caller.
//!
//! **Decided by**: AWS's error in the application's log, or IAM's simulator for what `--action` and `--resource` name. The
//! simulator reads the role's policies, its boundary and what it may of the organization's; it does not read policies of
//! buckets, keys or VPC endpoints, so its *allowed* is no promise. A denial that names no caller (S3) may be another
//! identity's, and is a warning. So is a role without any policy: then only policies of resources can allow it anything.
//!
//! **Not a fault**: the trust policy, the provider or the pod: do not touch them. An `AccessDenied` that names the node's role
//! or a user is no fault of this role.
//!
//! **Repair**: allow exactly the action on exactly the resource, in the policy where the role's permissions are kept. The
//! printed inline policy covers the one thing that was denied; what else the application needs is for its owner to say.

use super::denied;
use crate::aws::arn::RoleArn;
use crate::checks::prelude::*;
use crate::derive::denial::{Culprit, Denial};
use crate::repair::permissions::{self, Allow};

pub(super) const META: Meta = Meta {
    id: "perm-no-policy",
    step: Step::Permissions,
    title: "the role's policies do not allow it",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let outcome = denied::outcome(&META, Culprit::Identity, derived, |finding, denial| {
        repair(derived, finding, denial)
    });
    match outcome {
        Outcome::NotApplicable(_) => bare(derived).map_or(outcome, Outcome::from),
        outcome => outcome,
    }
}

/// The role has no policy at all. Where nobody gets it, that does not matter yet.
fn bare(derived: &Derived<'_>) -> Option<Finding> {
    match derived.sts_answer {
        StsVerdict::Refused(_) => return None,
        StsVerdict::Accepted { .. } | StsVerdict::Open(_) | StsVerdict::NotApplicable => {}
    }
    let policies = derived.facts.aws.policies.known()?;
    let is_empty = policies.value.attached.is_empty() && policies.value.inline.is_empty();
    let arn = derived.plan().role_arn.filter(|_| is_empty)?;
    let name = RoleArn::parse(&arn).ok()?.name().to_owned();
    let summary =
        format!("role {name} has no policies: it can do only what the policies of resources allow it");
    let mut finding = META.on_subject(derived, summary).severity(Severity::Warning).inferred().evidence(
        "policies of the role",
        "at least one, attached or inline",
        "none",
        &policies.source,
    );
    finding.title = "the role has no policies";
    Some(finding.fix(Fix::advice(
        "attach the policy that the application needs, unless the policies of its buckets, queues or keys name the role",
    )))
}

fn repair(derived: &Derived<'_>, finding: Finding, denial: &Denial<'_>) -> Finding {
    let finding = match derived.facts.aws.policies.known().filter(|_| denial.role.expected) {
        Some(policies) => {
            let all: Vec<&str> =
                policies.value.attached.iter().chain(&policies.value.inline).map(String::as_str).collect();
            let all = if all.is_empty() { String::from("none") } else { all.join(", ") };
            finding.seen("the role's policies", all, &policies.source)
        }
        None => finding,
    };
    if denial.is_nameless() {
        let mut finding = finding;
        finding.title = "AWS does not name the caller that it denies";
        finding.doubt = denial.is_current().then_some(Doubt::MayFail);
        return finding
            .fix(Fix::advice(
                "find out who the caller is before changing a policy: CloudTrail's data events or the bucket's access log name it, as does \
                 a call that AWS answers with the caller's name (sts:GetCallerIdentity from the application)",
            ))
            .fix(Fix::advice(
                "then look at the policies of the role and of the bucket; S3 also denies what does not exist to those who may not list it",
            ));
    }
    if denial.is_explicit() {
        return finding.fix(Fix::advice(
            "remove the Deny, or exempt this role from it: adding an Allow changes nothing",
        ));
    }
    match permissions::allow(derived, denial) {
        Allow::Act(act) => {
            let (act, policy) = *act;
            let title = "allow the role exactly this action on exactly this resource";
            finding.fix(Fix::shared(title, act).changing(policy)).fix(Fix::advice(
                "if the application needs more like it, add that to the role's own policy instead",
            ))
        }
        Allow::Done(name) => denied::done(finding, &name),
        Allow::Ask => finding.fixes(permissions::ask_simulator(derived, denial)).fix(Fix::advice(format!(
            "allow {} in a policy of the role, on the resources that the application needs",
            denial.what()
        ))),
    }
}
