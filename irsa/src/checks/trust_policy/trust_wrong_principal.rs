//! # The role does not trust the cluster's OIDC provider
//!
//! No statement has the cluster's OIDC provider as its `Federated` principal: it trusts a service (`ec2.amazonaws.com`,
//! `eks.amazonaws.com`), an account, a CI system, or the issuer itself instead of the provider's ARN. `pods.eks.amazonaws.com`
//! is EKS Pod Identity, which is another mechanism.
//!
//! ```text
//! bad   "Service": "ec2.amazonaws.com"
//! bad   "Federated": "oidc.eks.eu-west-1.amazonaws.com/id/4F1E…"
//! good  "Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.eks.…/id/4F1E…"
//! ```
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403).
//!
//! **Decided by**: the principals of all statements against the ARN of the provider for the token's issuer.
//!
//! **Not a fault**: such a statement next to one that trusts the token.
//!
//! **Repair**: trust the provider; whoever else is trusted stays.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::FaultKind;

pub(super) const META: Meta = Meta {
    id: "trust-wrong-principal",
    step: Step::TrustPolicy,
    title: "the role does not trust the cluster's OIDC provider",
    explains: trust::EXPLAINS,
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    trust::check(derived, &META, FaultKind::WrongPrincipal, |judged, fault, first| {
        let role = &judged.role.name;
        if fault.place.is_none() {
            return format!("the trust policy of role {role} allows nobody");
        }
        if first.found.iter().any(|principal| principal == "Service pods.eks.amazonaws.com") {
            return format!("role {role} trusts EKS Pod Identity, but the pod uses a web identity token");
        }
        let trusted = trust::listed(&first.found);
        format!("role {role} trusts {trusted}, not the cluster's OIDC provider")
    })
}
