//! # The role trusts another cluster
//!
//! Every EKS cluster has an issuer of its own. After a cluster was made again, or beside its blue or green twin, roles still
//! trust the old one's, and its provider may be the only one in IAM.
//!
//! **You see**: `Not authorized to perform sts:AssumeRoleWithWebIdentity` where the new cluster's provider exists, `No
//! OpenIDConnect provider found in your account` where it does not.
//!
//! **Decided by**: the providers that the role's trust policy names, against the issuer of the tokens: all are of other clusters.
//!
//! **Not a fault**: a role that trusts this cluster too, in whatever statement. That a role of the same account trusts another
//! cluster says nothing either.
//!
//! **Repair**: create the cluster's provider where it is missing, and add a statement for it. The present statements stay: the
//! other cluster may still use the role.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::issuer::eks_id;
use crate::derive::provider::{Because, Provider};
use crate::derive::trust::FaultKind;
use crate::repair::{oidc_provider, trust_policy};

/// See the module's page.
pub const META: Meta = Meta {
    id: "oidc-other-cluster",
    step: Step::OidcProvider,
    title: "the role trusts another cluster",
    explains: trust::EXPLAINS,
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let judged = match trust::judged(derived) {
        Ok(judged) => judged,
        Err(Outcome::Unknown(_)) => {
            return Outcome::NotApplicable("the link of the trust policy says what is not known of it");
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
        "role {} trusts cluster {}; the tokens are of cluster {}",
        judged.role.name,
        cluster(other),
        cluster(&judged.token.issuer)
    );
    let finding = trust::found(derived, &META, judged, fault, summary);
    let finding = match derived.provider() {
        Provider::Missing(missing) if matches!(missing.because, Because::OtherCluster) => {
            if !missing.issuer.is_eks() {
                return Outcome::NotApplicable("the issuer itself is looked at");
            }
            finding.fix(oidc_provider::create(derived, missing))
        }
        // The provider is there, or is looked at on its own: what is broken is the trust policy.
        _ => Finding { step: Step::TrustPolicy, ..finding },
    };
    finding.fix(trust_policy::let_in(derived, judged, fault)).into()
}
