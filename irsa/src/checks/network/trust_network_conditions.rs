//! # The trust policy has a network condition
//!
//! A condition on `aws:SourceIp`, `aws:SourceVpc`, `aws:SourceVpce` or `aws:VpcSourceIp`. A call through a VPC endpoint for STS
//! has `aws:SourceVpce` and `aws:VpcSourceIp`, and no `aws:SourceIp`; a call through a NAT gateway has `aws:SourceIp` and
//! nothing else. Adding such an endpoint, or removing it, breaks the other kind of condition.
//!
//! **You see**: `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity` (403), from one network and not from
//! another.
//!
//! **Decided by**: the trust policy depends on such a key, and the pod itself reports that STS refused it. What STS answers this
//! machine decides nothing: its call takes another path than the pod's.
//!
//! **Not a fault**: a refusal of this machine while the pod works.
//!
//! **Repair**: make the condition match the pod's path: the id of the endpoint, or the address of the NAT gateway.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::{About, Judgement, Open, Trust};
use crate::repair::vpc_endpoint;

pub(super) const META: Meta = Meta {
    id: "trust-network-conditions",
    step: Step::Network,
    title: "the trust policy has a network condition",
    explains: trust::EXPLAINS,
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let judged = match derived.trust() {
        Trust::Judged(judged) => judged,
        Trust::NotApplicable(reason) => return Outcome::NotApplicable(reason),
        // The trust policy link reports that.
        Trust::Unknown(_) => return Outcome::NotApplicable("the trust policy is not known"),
    };
    let pod_accepted = derived.probed.sts_answer().is_some_and(|attempt| attempt.accepted());
    if !judged.depends_on(About::Network) || pod_accepted {
        return Outcome::Pass;
    }
    match trust::pod_was_refused(derived) {
        Some(source) => refused(derived, judged, source).into(),
        None => trust::undecided(judged),
    }
}

fn refused(derived: &Derived<'_>, judged: &Judgement<'_>, source: &Source) -> Finding {
    let networks = || judged.open.iter().filter(|open| open.about == About::Network);
    let asked = networks().map(|open: &Open| open.what.as_str()).collect::<Vec<_>>().join(" and ");
    let summary = format!(
        "STS refuses the pod, and the trust policy of role {} depends on the network: {asked}",
        judged.role.name
    );
    let mut finding = trust::on_role(&META, judged, summary).inferred();
    for open in networks() {
        finding = finding.seen(&open.what, trust::listed(&open.values), &judged.at(&open.place));
    }
    finding = finding.seen("the pod's own attempt", trust::NOT_AUTHORIZED, source);
    if let StsVerdict::Accepted { source, .. } = &derived.from_here {
        finding = finding.seen("the same from this machine", "accepted", source);
    }
    let region = derived.plan().region;
    finding
        .fix(Fix::inspect(
            "check whether the VPC has an endpoint for STS: with one there is no aws:SourceIp, without one no aws:SourceVpce",
            vpc_endpoint::list(derived, &region, "sts"),
        ))
        .fix(Fix::advice("make the condition match the pod's path: the id of that endpoint, or the address of the NAT gateway"))
}
