//! # STS refuses calls from the pod's network only
//!
//! A pod's call to STS may go through a VPC endpoint, whose policy must allow it. The call is not signed, so it has no
//! principal: a policy that requires an account, a role or the organization (`aws:PrincipalOrgID`) blocks it.
//!
//! **You see**: `Not authorized to perform sts:AssumeRoleWithWebIdentity`; newer answers add `because no VPC endpoint policy
//! allows the sts:AssumeRoleWithWebIdentity action`.
//!
//! **Decided by**: the application reports this now, while STS accepts a fresh token of the same service account for the same
//! role from this machine; or AWS itself says "VPC endpoint policy". Endpoint policies are not read.
//!
//! **Not a fault**: messages from before the role was repaired. A mounted credentials or config file, or a profile, explains
//! such a refusal first (`shared-credentials-file`, `aws-profile`). Trust policy conditions on networks and session names are
//! checked separately (`trust-network-conditions`, `trust-session-name-or-tag`).
//!
//! **Repair**: allow `sts:AssumeRoleWithWebIdentity` for everyone (`"Principal": "*"`) in the endpoint's policy, with the roles
//! as resources to keep it narrow.

use crate::aws_error::{Because, Kind, Layer};
use crate::checks::prelude::*;
use crate::checks::shared::{app_errors, probed};
use crate::derive::app_errors::Weight;
use crate::derive::shared_file;
use crate::policy::Decision;
use crate::repair::vpc_endpoint;

pub(super) const META: Meta = Meta {
    id: "vpce-policy-denies-sts",
    step: Step::Network,
    title: "STS refuses calls from the pod's network only",
    explains: &["sts-refused", "silent-fallback-to-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if let Some(finding) = refused_inside(derived) {
        return finding.into();
    }
    let said = match app_errors::of_irsa(derived, |kind| kind == Kind::NotAuthorizedToAssume) {
        Ok(said) => said,
        Err(outcome) => return probed::or_pass(derived, META.step, outcome),
    };
    let named = by_endpoint(said.error.because);
    let pod_accepted = derived.probed.sts_answer().is_some_and(|attempt| attempt.accepted());
    let here_only = derived.from_here.accepted() && !pod_accepted && said.weight == Weight::Current;
    if !named && (!here_only || told_apart(derived) || shared_file::explains_a_refusal(derived)) {
        return Outcome::NotApplicable("nothing points to the pod's path to STS");
    }
    let who = app_errors::speaker(derived);
    let summary = if named {
        format!("the policy of a VPC endpoint for STS does not allow {who} to assume its role")
    } else {
        format!(
            "STS refuses {who}, but accepts its service account from this machine: the policy of a VPC endpoint, or another role that \
             the application asks for"
        )
    };
    let mut finding = app_errors::finding(&META, derived, said, &summary);
    if let StsVerdict::Accepted { attempt, source } = &derived.from_here {
        finding = finding
            .evidence("STS's answer", "accepted, as from this machine", "AccessDenied", said.source)
            .seen(format!("answer of {} to this machine", attempt.host), "the token is accepted", source);
    } else {
        finding = finding.evidence(
            "policy of the VPC endpoint",
            "allows it",
            "no statement allows it",
            said.source,
        );
    }
    if !named {
        finding = finding.inferred().fix(Fix::advice(
            "check which role the application asks for: its own settings or code may name another than its service account",
        ));
    }
    repaired(derived, finding).into()
}

/// STS accepted a fresh token from this machine, and refused the pod's own at a stage that the first one passed.
fn refused_inside(derived: &Derived<'_>) -> Option<Finding> {
    let seen = probed::of_irsa(derived)?;
    let Some(StsVerdict::Refused(refusal)) = derived.probed.sts_answer() else { return None };
    let named = by_endpoint(refusal.because);
    let here_only = derived.from_here.accepted() && !told_apart(derived);
    if refusal.kind != Kind::NotAuthorizedToAssume || !(named || here_only) {
        return None;
    }
    let container = seen.container();
    let summary = if named {
        format!(
            "the policy of a VPC endpoint for STS does not allow container {container} to assume its role"
        )
    } else {
        format!(
            "STS refuses container {container}, but accepts its service account from this machine: most likely the policy of a \
             VPC endpoint"
        )
    };
    let found = format!("{}: {}", refusal.code, refusal.message);
    let mut finding = probed::finding(&META, derived, seen, summary).evidence(
        format!("answer of {} to the pod", refusal.attempt.host),
        "accepted",
        found,
        refusal.source,
    );
    if let StsVerdict::Accepted { attempt, source } = &derived.from_here {
        finding = finding.seen(
            format!("answer of {} to a fresh token from this machine", attempt.host),
            "accepted",
            source,
        );
    }
    if let Some((_, way)) = seen.way()
        && let Some(lookup) = &way.lookup
    {
        let at = seen.at("network.connection.lookup.addresses");
        finding = finding.seen(format!("addresses of {}", lookup.name), lookup.addresses.join(" "), &at);
    }
    Some(repaired(derived, if named { finding } else { finding.inferred() }))
}

fn by_endpoint(because: Option<Because>) -> bool {
    because.is_some_and(|because| because.layer == Layer::VpcEndpointPolicy)
}

fn repaired(derived: &Derived<'_>, finding: Finding) -> Finding {
    let region = derived.plan().region;
    finding
        .fix(Fix::inspect(
            "check the policies of the endpoints for STS, in the account of the pod's VPC",
            vpc_endpoint::policies(derived, &region, "sts"),
        ))
        .fix(Fix::advice(
            "allow sts:AssumeRoleWithWebIdentity for \"Principal\": \"*\" there: the call is not signed",
        ))
}

/// True if the trust policy itself may distinguish the pod's call from one that this machine makes.
fn told_apart(derived: &Derived<'_>) -> bool {
    derived.trust().judged().is_some_and(|judged| !matches!(judged.decision, Decision::Allow { .. }))
}
