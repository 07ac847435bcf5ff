//! What the checks of the trust policy have in common: when they apply, and what they show.

use crate::aws_error::{Kind, Stage};
use crate::checks::prelude::*;
use crate::derive::app_errors::Weight;
use crate::derive::trust::{Fault, FaultKind, Judgement, Miss, Open, Trust};
use crate::facts::{Unknown, Why};
use crate::repair::trust_policy;

/// Ids that are explained by a trust policy that does not trust the token.
pub(in crate::checks) const EXPLAINS: &[&str] = &["sts-refused", "silent-fallback-to-node-role"];

/// STS's error for a token that the trust policy does not trust.
pub(in crate::checks) const NOT_AUTHORIZED: &str = "Not authorized to perform sts:AssumeRoleWithWebIdentity";

/// How many values of a condition are shown; the closest come first.
const VALUES: usize = 5;

/// A finding if the policy's fault is of this kind.
pub(in crate::checks) fn check(
    derived: &Derived<'_>,
    meta: &Meta,
    kind: FaultKind,
    summary: impl FnOnce(&Judgement<'_>, &Fault, &Miss) -> String,
) -> Outcome {
    let judged = match judged(derived) {
        Ok(judged) => judged,
        Err(outcome) => return outcome,
    };
    let fault = judged.fault.as_ref().filter(|fault| fault.kind == kind);
    match fault.and_then(|fault| Some((fault, fault.misses.first()?))) {
        Some((fault, first)) => {
            let finding = found(derived, meta, judged, fault, summary(judged, fault, first));
            finding.fixes(trust_policy::let_in(derived, judged, fault)).into()
        }
        None => Outcome::Pass,
    }
}

/// The policy, if its answer is certain; else what a check of it answers. What STS has accepted is not doubted.
pub(in crate::checks) fn judged<'d, 'f>(derived: &'d Derived<'f>) -> Result<&'d Judgement<'f>, Outcome> {
    if derived.sts_answer.accepted() {
        return Err(Outcome::Pass);
    }
    match derived.trust() {
        Trust::NotApplicable(reason) => Err(Outcome::NotApplicable(reason)),
        Trust::Unknown(unknowns) => Err(Outcome::Unknown(unknowns.clone())),
        Trust::Judged(judged) if judged.open.is_empty() => Ok(judged),
        Trust::Judged(judged) => Err(undecided(judged)),
    }
}

/// The answer if the policy's own depends on something unknown.
pub(in crate::checks) fn undecided(judged: &Judgement<'_>) -> Outcome {
    Outcome::Unknown(judged.open.iter().map(|open| not_known(judged, open)).collect())
}

fn not_known(judged: &Judgement<'_>, open: &Open) -> Unknown {
    let asked = format!("{} {}", open.what, listed(&open.values));
    Unknown {
        what: format!("whether role {} trusts the pod", judged.role.name),
        why: Why::NotAsked(format!("its trust policy depends on {}: {}", asked.trim_end(), open.why)),
        grant: None,
    }
}

/// Starts the finding: what differs, and what STS said to the same token.
pub(in crate::checks) fn found(
    derived: &Derived<'_>,
    meta: &Meta,
    judged: &Judgement<'_>,
    fault: &Fault,
    summary: String,
) -> Finding {
    let finding = on_role(meta, judged, summary);
    let mut finding = fault.misses.iter().fold(finding, |finding, miss| shown(judged, finding, miss));
    finding = match &judged.token.source {
        Some(source) => {
            let (claim, value) = claim(judged, fault.kind);
            let whose =
                if matches!(source, Source::Probe { .. }) { "the pod's token" } else { "a fresh token" };
            finding.seen(format!("{claim} of {whose}"), value, &source.claim(claim))
        }
        // Without a token the claims are those that one would have.
        None => finding.inferred(),
    };
    match derived.sts_answer.refused_at(Stage::Trust) {
        Some(refusal) => finding.seen(
            "STS's answer to it",
            format!("{}: {}", refusal.code, refusal.message),
            refusal.source,
        ),
        None => finding,
    }
}

/// Adds one thing that differs: the value closest to the token's, then the others.
fn shown(judged: &Judgement<'_>, finding: Finding, miss: &Miss) -> Finding {
    let source = judged.at(&miss.place);
    let (Some(expected), Some((nearest, others)), false) =
        (&miss.expected, miss.found.split_first(), miss.excludes)
    else {
        return finding.seen(&miss.what, listed(&miss.found), &source);
    };
    let finding = finding.evidence(&miss.what, expected, nearest, &source);
    if others.is_empty() { finding } else { finding.seen("other values", listed(others), &source) }
}

/// Starts an error about the role.
pub(in crate::checks) fn on_role(meta: &Meta, judged: &Judgement<'_>, summary: String) -> Finding {
    meta.on("IAMRole", "", &judged.role.name, summary)
}

/// The claim on which a fault turns.
fn claim(judged: &Judgement<'_>, kind: FaultKind) -> (&'static str, String) {
    let token = &judged.token;
    match kind {
        FaultKind::ProviderOtherAccount
        | FaultKind::WrongPrincipal
        | FaultKind::OtherCluster
        | FaultKind::IssuerTypo
        | FaultKind::TwoClustersAnded => ("iss", format!("https://{}", token.issuer)),
        FaultKind::AudMismatch => ("aud", token.aud.join(", ")),
        _ => ("sub", token.sub.clone()),
    }
}

/// Several values as one text.
pub(in crate::checks) fn listed(values: &[String]) -> String {
    let shown = values.iter().take(VALUES).map(String::as_str).collect::<Vec<_>>().join(", ");
    match values.len().saturating_sub(VALUES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The issuer as it is written in a provider's ARN or before the claim of a condition key.
pub(in crate::checks) fn issuer_in(found: &str) -> &str {
    match found.strip_prefix("Federated ") {
        Some(arn) => arn.split_once(":oidc-provider/").map_or(arn, |(_, issuer)| issuer),
        None => found.rsplit_once(':').map_or(found, |(issuer, _)| issuer),
    }
}

/// What shows that STS refuses the pod the role at present: the probe, else a current application error.
pub(in crate::checks) fn pod_was_refused<'f>(derived: &Derived<'f>) -> Option<&'f Source> {
    match derived.probed.sts_answer() {
        Some(StsVerdict::Refused(refusal)) => {
            return Some(refusal.source).filter(|_| refusal.kind == Kind::NotAuthorizedToAssume);
        }
        Some(StsVerdict::Accepted { .. } | StsVerdict::Open(_) | StsVerdict::NotApplicable) | None => {}
    }
    let said = derived.app_errors.find(|kind| kind == Kind::NotAuthorizedToAssume);
    said.filter(|said| said.weight == Weight::Current).map(|said| said.source)
}
