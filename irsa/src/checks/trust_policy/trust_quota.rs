//! # The trust policy would exceed its quota
//!
//! IAM allows a trust policy 2048 characters, not counting white space, unless the account's quota was raised: about four
//! clusters or a dozen service accounts. A longer update is rejected, and the role keeps its old policy.
//!
//! **You see**: `LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048` where the policy is written (Terraform, the CLI),
//! and later `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403) in the pods that it was meant for.
//!
//! **Decided by**: the length of the policy that would trust the token. It is checked only if another check found that the
//! policy does not, and not if the policy is too long already.
//!
//! **Not a fault**: a long policy that trusts the token.
//!
//! **Repair**: one `StringLike` pattern for many service accounts, a role for each workload, EKS Pod Identity, which needs one
//! statement for all clusters; or request a higher quota for "Role trust policy length".

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::QUOTA;
use crate::policy::Path;

pub(super) const META: Meta = Meta {
    id: "trust-quota",
    step: Step::TrustPolicy,
    title: "the trust policy would exceed its quota",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let judged = match trust::judged(derived) {
        Ok(judged) => judged,
        Err(outcome) => return outcome,
    };
    let Some(length) = judged.change.as_ref().and_then(|change| judged.over_quota(change)) else {
        return Outcome::Pass;
    };
    let (role, quota) = (&judged.role.name, QUOTA);
    let summary = format!(
        "a trust policy of role {role} that trusts the pod has {length} characters; IAM allows {quota}"
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
        .fix(Fix::advice("or request a higher quota: Service Quotas, AWS IAM, \"Role trust policy length\""))
        .into()
}
