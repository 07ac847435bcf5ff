//! # The provider does not accept the token's audience
//!
//! An OIDC provider lists the audiences that it accepts ("client ids"). The token's `aud` must be one of them, exactly. The
//! audience is only a label: on EKS it is `sts.amazonaws.com` in every partition and region, China included, and never the host
//! of an STS endpoint.
//!
//! ```text
//! bad   "ClientIDList": ["sts.eu-west-1.amazonaws.com"]
//! good  "ClientIDList": ["sts.amazonaws.com"]
//! ```
//!
//! **You see**: `InvalidIdentityToken: Incorrect token audience`.
//!
//! **Decided by**: STS's answer to a fresh token with the same audience as the pod's token; or that audience against the list of
//! the provider in the role's account. What the trust policy requires of `aud` is another link: its refusal reads `Not
//! authorized`.
//!
//! **Not a fault**: a trust policy without a condition on `aud`; more audiences in the list than are used.
//!
//! **Repair**: add the audience to the provider; if neither provider nor role accepts an unusual one, give the token the usual
//! one instead, mostly by removing the annotation `eks.amazonaws.com/audience`.

use crate::aws_error::{Kind, Stage};
use crate::checks::prelude::*;
use crate::checks::{role_asked, with_answer};
use crate::derive::provider::Provider;
use crate::derive::trust::FaultKind;
use crate::facts::aws::Provider as IamProvider;
use crate::repair::{oidc_provider, service_account, trust_policy, workload};

pub(super) const META: Meta = Meta {
    id: "oidc-client-id",
    step: Step::OidcProvider,
    title: "the provider does not accept the token's audience",
    explains: &["trust-aud-mismatch", "sts-refused"],
};

/// The audience of IRSA's tokens, in every partition.
const USUAL: &str = "sts.amazonaws.com";

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if let Err(outcome) = role_asked(derived) {
        return outcome;
    }
    if derived.sts_answer.passed(Stage::Audience) || derived.second_sts_answer.passed(Stage::Audience) {
        return Outcome::Pass;
    }
    let arn = match derived.provider() {
        Provider::Found(arn) => arn,
        Provider::Unknown(unknowns) => return Outcome::Unknown(unknowns.clone()),
        Provider::Missing(_) => return Outcome::NotApplicable("there is no provider"),
    };
    let refusal = derived.sts_answer.refusal().filter(|refusal| refusal.kind == Kind::IncorrectAudience);
    let provider = &derived.facts.aws.provider;
    let (audience, source) = audience(derived);
    let summary = format!("the OIDC provider does not accept the tokens' audience {audience:?}");
    let finding = META.on("OIDCProvider", "", arn, summary);
    let finding = match (provider, refusal) {
        (Fact::Known(provider), None) if provider.value.client_ids.contains(&audience) => {
            return Outcome::Pass;
        }
        (Fact::Known(provider), _) => {
            let accepted = match provider.value.client_ids.as_slice() {
                [] => String::from("(none)"),
                list => list.join(", "),
            };
            finding.evidence(
                "the provider's audiences",
                &audience,
                accepted,
                &provider.source.at("ClientIDList"),
            )
        }
        (_, Some(_)) => finding,
        (Fact::Unknown(why), None) => return unknown(why),
        // The list of providers shows it, or STS found it.
        (Fact::Absent { .. }, None) => return Outcome::Pass,
    };
    let finding = match source {
        Some(source) => finding.seen("aud of a fresh token", &audience, &source),
        None => finding.inferred(),
    };
    let finding = match refusal {
        Some(refusal) => with_answer(finding, refusal),
        None => finding,
    };
    repaired(derived, finding, arn, provider.known(), &audience).into()
}

/// The tokens' audience; without a source, what the cluster's settings say that it will be.
fn audience(derived: &Derived<'_>) -> (String, Option<Source>) {
    let claims = derived.claims();
    match claims.and_then(|(claims, source)| Some((claims.aud.first()?, source.claim("aud")))) {
        Some((audience, source)) => (audience.clone(), Some(source)),
        None => (derived.plan().audience, None),
    }
}

fn repaired(
    derived: &Derived<'_>,
    finding: Finding,
    arn: &str,
    provider: Option<&Sourced<IamProvider>>,
    audience: &str,
) -> Finding {
    let judged = derived.trust().judged();
    let refused = judged.and_then(|judged| Some((judged, judged.fault.as_ref()?)));
    let refused = refused.filter(|(_, fault)| fault.kind == FaultKind::AudMismatch);
    let takes_usual = provider.is_some_and(|provider| provider.value.client_ids.iter().any(|id| id == USUAL));
    // If neither the provider nor the role accepts the audience, the token's is the odd one.
    if takes_usual && (refused.is_some() || judged.is_none()) {
        return usual_audience(derived, finding, audience);
    }
    let finding = finding.fix(oidc_provider::accept(derived, arn, audience));
    match refused {
        Some((judged, fault)) => finding.fixes(trust_policy::let_in(derived, judged, fault)),
        None => finding,
    }
}

/// Adds the repair that gives the tokens the usual audience.
fn usual_audience(derived: &Derived<'_>, finding: Finding, audience: &str) -> Finding {
    let Some((annotated, source)) = derived.annotation("audience").filter(|(value, _)| *value == audience)
    else {
        let advice =
            format!("give the pod's projected token the audience {USUAL}, which the provider accepts");
        return finding.fix(Fix::advice(advice)).fixes(workload::restart_pod(derived));
    };
    let key = format!("{}/audience", derived.settings.annotation_prefix);
    let title = format!("remove the annotation: the provider accepts {USUAL}");
    finding
        .seen("annotation", annotated, &source)
        .fix(service_account::annotate(derived, title, Assignment::remove(key)))
        .fixes(workload::restart_pod(derived))
}
