//! # The role trusts another cluster
//!
//! Every EKS cluster has its own issuer. After a cluster was recreated, or next to its blue or green twin, roles still trust the
//! old issuer, and its provider may be the only one in IAM.
//!
//! **You see**: `Not authorized to perform sts:AssumeRoleWithWebIdentity` if the new cluster's provider exists, `No
//! OpenIDConnect provider found in your account` if it does not.
//!
//! **Decided by**: the providers that the role's trust policy names, against the tokens' issuer: all belong to other clusters.
//!
//! **Not a fault**: a role that trusts this cluster too, in whatever statement. Nor does it matter that another role of the same
//! account trusts another cluster.
//!
//! **Repair**: create the cluster's provider if it is missing, and add a statement for it. The present statements stay: the
//! other cluster may still use the role.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::issuer::eks_id;
use crate::derive::provider::{Because, Provider};
use crate::derive::trust::FaultKind;
use crate::repair::{oidc_provider, trust_policy};

pub(super) const META: Meta = Meta {
    id: "oidc-other-cluster",
    step: Step::OidcProvider,
    title: "the role trusts another cluster",
    explains: trust::EXPLAINS,
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let judged = match trust::judged(derived) {
        Ok(judged) => judged,
        Err(Outcome::Unknown(_)) => {
            return Outcome::NotApplicable("the trust policy link says what could not be checked");
        }
        Err(outcome) => return outcome,
    };
    let fault = judged.fault.as_ref().filter(|fault| fault.kind == FaultKind::OtherCluster);
    let Some((fault, first)) = fault.and_then(|fault| Some((fault, fault.misses.first()?))) else {
        return Outcome::Pass;
    };
    let cluster = |issuer: &'_ str| eks_id(issuer).unwrap_or(issuer).to_owned();
    let other = first.found.first().map_or("another", |found| trust::issuer_in(found));
    let summary = format!(
        "role {} trusts cluster {}; the tokens come from cluster {}",
        judged.role.name,
        cluster(other),
        cluster(&judged.token.issuer)
    );
    let finding = trust::found(derived, &META, judged, fault, summary);
    let finding = match derived.provider() {
        Provider::Missing(missing) if matches!(missing.because, Because::OtherCluster) => {
            if !missing.issuer.is_eks() {
                return Outcome::NotApplicable("the issuer itself is checked separately");
            }
            finding.fix(oidc_provider::create(derived, missing))
        }
        // The provider exists, or is checked separately: what is broken is the trust policy.
        _ => Finding { step: Step::TrustPolicy, ..finding },
    };
    finding.fixes(trust_policy::let_in(derived, judged, fault)).into()
}
