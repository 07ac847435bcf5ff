//! # The trust policy would grow too long
//!
//! IAM allows a trust policy 2048 characters, white space apart, unless the account asked for more: about four clusters or a
//! dozen service accounts. An update that would be longer is refused, and the role keeps its old policy.
//!
//! **You see**: `LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048` where the policy is written (Terraform, the CLI), and
//! later `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403) in the pods that it was to let in.
//!
//! **Decided by**: the length of the policy that would let the token in. It is asked only where another check found that the
//! policy does not, and not where the policy is longer already.
//!
//! **Not a fault**: a long policy that lets the token in.
//!
//! **Repair**: one `StringLike` pattern for many service accounts, a role for each workload, EKS Pod Identity, which needs one
//! statement for all clusters; or ask for a higher quota of "Role trust policy length".

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::QUOTA;
use crate::policy::Path;

/// See the module's page.
pub const META: Meta = Meta {
    id: "trust-quota",
    step: Step::TrustPolicy,
    title: "the trust policy would grow too long",
    explains: &[],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let judged = match trust::judged(derived) {
        Ok(judged) => judged,
        Err(outcome) => return outcome,
    };
    let Some(length) = judged.change.as_ref().and_then(|change| judged.over_quota(change)) else {
        return Outcome::Pass;
    };
    let (role, quota) = (&judged.role.name, QUOTA);
    let summary = format!(
        "a trust policy of role {role} that lets the pod in has {length} characters; IAM takes {quota}"
    );
    trust::on_role(&META, judged, summary)
        .severity(Severity::Warning)
        .inferred()
        .evidence(
            "characters of the corrected policy",
            format!("{quota}, unless the account's quota was raised"),
            length.to_string(),
            &judged.at(&Path::default()),
        )
        .fix(Fix::advice(
            "write one pattern for several service accounts, or give the workload a role of its own",
        ))
        .fix(Fix::advice("or ask for a higher quota: Service Quotas, AWS IAM, \"Role trust policy length\""))
        .into()
}
