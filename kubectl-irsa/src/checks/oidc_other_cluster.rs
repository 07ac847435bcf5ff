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

use super::prelude::*;
use super::{repair, role_asked, trust, with_answer};
use crate::derive::issuer::eks_id;
use crate::derive::provider::{Because, Missing, Provider, Trusted};
use crate::derive::trust::FaultKind;
use crate::facts::aws::Role;

/// See the module's page.
pub const META: Meta = Meta {
    id: "oidc-other-cluster",
    step: Step::OidcProvider,
    title: "the role trusts another cluster",
    explains: &["sts-refused"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    if let Err(outcome) = role_asked(derived) {
        return outcome;
    }
    if derived.trial.accepted() {
        return Outcome::Pass;
    }
    let missing = match derived.provider() {
        Provider::Missing(missing) => missing,
        Provider::Found(_) => return trusted(derived).unwrap_or(Outcome::Pass),
        Provider::Unknown(unknowns) => {
            return trusted(derived).unwrap_or_else(|| Outcome::Unknown(unknowns.clone()));
        }
    };
    let role = match &derived.facts.aws.role {
        Fact::Known(role) => role,
        Fact::Unknown(why) => return unknown(why),
        Fact::Absent { .. } => return Outcome::NotApplicable("there is no such role"),
    };
    let Because::OtherIssuer(others) = &missing.because else { return Outcome::Pass };
    let Some(finding) = finding(role, others, missing) else {
        return Outcome::NotApplicable("the issuer is not one of EKS");
    };
    let finding = match &missing.refusal {
        Some(refusal) => with_answer(finding, refusal),
        None => finding,
    };
    let finding = repair::create_provider(derived, finding, missing);
    repair::add_statement(derived, finding, role, &missing.arn).into()
}

/// What the trust policy itself says, where the cluster's provider is not known to be missing.
fn trusted(derived: &Derived<'_>) -> Option<Outcome> {
    let outcome = trust::check(derived, &META, FaultKind::OtherCluster, |judged, _, first| {
        let trusted = trust::listed(&first.found);
        let (role, own) = (&judged.role.name, &judged.token.issuer);
        format!("role {role} trusts another cluster ({trusted}); the tokens are of {own}")
    });
    let Outcome::Fail(findings) = outcome else { return None };
    // The link that holds is not shown as broken.
    let of_policy = findings.into_iter().map(|finding| Finding { step: Step::TrustPolicy, ..finding });
    Some(Outcome::Fail(of_policy.collect()))
}

fn finding(role: &Sourced<Role>, others: &[Trusted], missing: &Missing<'_>) -> Option<Finding> {
    let (first, issuer) = (others.first()?, &missing.issuer);
    let (own, other) = (eks_id(issuer.url)?, eks_id(first.url()).unwrap_or(first.url()));
    let summary = format!("role {} trusts cluster {other}; the tokens are of cluster {own}", role.value.name);
    let finding = META.on("Role", "", &role.value.arn, summary).evidence(
        "provider that the role trusts",
        &missing.arn,
        &first.arn,
        &first.source,
    );
    let finding = others.iter().skip(1).fold(finding, |finding, other| {
        finding.seen("provider that the role trusts", &other.arn, &other.source)
    });
    Some(finding.seen("issuer of the tokens", issuer.url, &issuer.source))
}
