//! # The role ARN is malformed
//!
//! White space or an invisible character around it, quotes as part of the value, a template placeholder that was never filled
//! in, a missing `role/`, a bare role name, an account id that is not twelve digits. The webhook only logs `arn is invalid` and
//! injects the value as it is, so the pod looks right.
//!
//! ```text
//! bad   eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:shop-checkout
//! bad   eks.amazonaws.com/role-arn: shop-checkout
//! good  eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/shop-checkout
//! ```
//!
//! **You see**: `ValidationError: Request ARN is invalid`; boto3 and the AWS CLI refuse it themselves (`ParamValidationError`).
//! Java v2 trims the value, so the same ARN works there.
//!
//! **Decided by**: the webhook's own pattern, matched against the raw value.
//!
//! **Not a fault**: a bare role name where the webhook runs with `--compose-role-arn`.
//!
//! **Repair**: set the right ARN and recreate the pods. Where the value lacks parts (only the name, no account, a leading zero
//! lost), the role of that name in your account tells them, if you may `iam:GetRole`.

use crate::aws::arn::{ArnProblem, RoleArn, may_mean, repaired};
use crate::checks::prelude::*;
use crate::repair::service_account;
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "role-arn-malformed",
    step: Step::ServiceAccount,
    title: "the role ARN is malformed",
    explains: &["wrong-partition", "env-preset-stale-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if derived.intent.mechanism == Mechanism::PodIdentity {
        return Outcome::NotApplicable("the pod gets its identity from EKS Pod Identity");
    }
    let Some(role) = &derived.intent.role else {
        return match derived.account_unknown() {
            Some(why) => unknown(why),
            None => Outcome::NotApplicable("no role is named"),
        };
    };
    let problem = match RoleArn::parse(role.raw) {
        Ok(_) => return Outcome::Pass,
        Err(ArnProblem::NameOnly) if derived.settings.compose_role_arn => return Outcome::Pass,
        Err(ArnProblem::NameOnly) if !derived.settings.certain && derived.platform != Platform::Eks => {
            // Only the flags of a self-hosted webhook could tell whether it completes the name.
            return match &derived.facts.cluster.webhook_workload {
                Fact::Unknown(why) => unknown(why),
                Fact::Known(_) | Fact::Absent { .. } => {
                    Outcome::NotApplicable("the webhook's flags are not known")
                }
            };
        }
        Err(problem) => problem,
    };
    let (name, namespace) = (&derived.facts.service_account_name, &derived.facts.namespace_name);
    let summary = format!("the role ARN of service account {namespace}/{name} {}", problem.words());
    // IAM knows the role that the value names, if nothing of the value speaks against it.
    let namesake = derived.facts.aws.namesake.known();
    let namesake =
        namesake.filter(|known| RoleArn::parse(&known.value.arn).is_ok_and(|arn| may_mean(role.raw, &arn)));
    let (expected, title) = match (repaired(role.raw), namesake) {
        (None, Some(known)) => {
            (Some(known.value.arn.clone()), "set the ARN of the role of that name in your account")
        }
        (expected, _) => (expected, "correct the ARN"),
    };
    let shown =
        expected.clone().unwrap_or_else(|| String::from("arn:aws:iam::<12 digits>:role/<path and name>"));
    let mut finding = match role.origin {
        RoleOrigin::Manifest => {
            META.on_subject(derived, format!("the role ARN in the pod's manifest {}", problem.words()))
        }
        RoleOrigin::Annotation | RoleOrigin::WebhookConfigMap => META.on_account(derived, summary),
    };
    finding = finding.evidence("role ARN", shown, role.raw, &role.source);
    if let Some(namesake) = namesake {
        finding = finding.seen("role of that name in your account", &namesake.value.arn, &namesake.source);
    }
    if role.origin != RoleOrigin::Annotation {
        return finding.fix(Fix::advice("correct the ARN where it is set")).into();
    }
    finding = match expected {
        Some(arn) => {
            let arn = Assignment::set(format!("{}/role-arn", derived.settings.annotation_prefix), arn);
            finding.fix(service_account::annotate(derived, title, arn))
        }
        None => finding.fix(service_account::annotate_unknown_role(derived, "set the right ARN")),
    };
    finding.fixes(workload::restart(derived)).into()
}
