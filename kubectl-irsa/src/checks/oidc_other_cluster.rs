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
use super::{repair, role_asked, with_answer};
use crate::derive::issuer::{Issuer, eks_id};
use crate::derive::provider::{self, Because, Provider, Trusted};
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
    let issuer = match Issuer::of(derived.facts) {
        Ok(issuer) if issuer.is_eks() => issuer,
        Ok(_) => return Outcome::NotApplicable("the issuer is not one of EKS"),
        Err(unknowns) => return Outcome::Unknown(unknowns.into_iter().cloned().collect()),
    };
    let role = match &derived.facts.aws.role {
        Fact::Known(role) => role,
        Fact::Unknown(why) => return unknown(why),
        Fact::Absent { .. } => return Outcome::NotApplicable("there is no such role"),
    };
    match derived.provider() {
        Provider::Unknown(unknowns) => Outcome::Unknown(unknowns.clone()),
        Provider::Found(arn) => {
            let others = provider::other_issuers(provider::trusted(role), &issuer);
            match finding(role, &others, arn, &issuer) {
                // The link that holds is not shown as broken.
                Some(finding) => {
                    let finding = Finding { step: Step::TrustPolicy, ..finding };
                    repair::add_statement(derived, finding, role, arn).into()
                }
                None => Outcome::Pass,
            }
        }
        Provider::Missing(missing) => {
            let Because::OtherIssuer(others) = &missing.because else { return Outcome::Pass };
            let Some(finding) = finding(role, others, &missing.arn, &issuer) else { return Outcome::Pass };
            let finding = match &missing.refusal {
                Some(refusal) => with_answer(finding, refusal),
                None => finding,
            };
            let finding = repair::create_provider(derived, finding, missing);
            repair::add_statement(derived, finding, role, &missing.arn).into()
        }
    }
}

fn finding(role: &Sourced<Role>, others: &[Trusted], arn: &str, issuer: &Issuer<'_>) -> Option<Finding> {
    let first = others.first()?;
    let (own, other) = (eks_id(issuer.url)?, eks_id(first.url()).unwrap_or(first.url()));
    let summary = format!("role {} trusts cluster {other}; the tokens are of cluster {own}", role.value.name);
    let finding = META.on("Role", "", &role.value.arn, summary).evidence(
        "provider that the role trusts",
        arn,
        &first.arn,
        &first.source,
    );
    let finding = others.iter().skip(1).fold(finding, |finding, other| {
        finding.seen("provider that the role trusts", &other.arn, &other.source)
    });
    Some(finding.seen("issuer of the tokens", issuer.url, &issuer.source))
}
