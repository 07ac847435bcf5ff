//! # The node's clock is wrong
//!
//! AWS refuses requests signed more than five minutes ahead of its clock or fifteen minutes behind it. The token exchange is not
//! signed and works; the first call after it fails.
//!
//! **You see**: `SignatureDoesNotMatch: Signature not yet current: 20261122T080000Z is still later than …`, `Signature expired:
//! … is now earlier than …`, `RequestTimeTooSkewed`.
//!
//! **Decided by**: the clock that the probe read, or AWS's error message. A container has no clock of its own, only the node's.
//!
//! **Not a fault**: anything in the token, the role or the trust policy. A workstation whose clock is wrong does not matter to
//! the pod. A process that was paused for minutes between signing and sending gets the same error once.
//!
//! **Repair**: set the node's clock (chrony with the Amazon Time Sync Service at 169.254.169.123), or replace the node.

use jiff::SignedDuration;

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors::{self, UNREPORTED};
use crate::checks::shared::probed;

pub(super) const META: Meta =
    Meta { id: "clock-skew", step: Step::Caller, title: "the node's clock is wrong", explains: &[] };

/// How far a clock may be ahead of AWS's, and how far behind, before signatures are refused (failures.md, 90).
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
const BEHIND: SignedDuration = SignedDuration::from_mins(15);

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let skewed =
        |kind| matches!(kind, Kind::SignatureNotYetCurrent | Kind::SignatureExpired | Kind::ClockSkewed);
    if let Some(finding) = measured(derived) {
        return finding.into();
    }
    let Some(said) = derived.app_errors.find(skewed) else {
        return probed::or_pass(derived, META.step, UNREPORTED);
    };
    let (how, expected) = match said.error.kind {
        Kind::SignatureNotYetCurrent => ("ahead of AWS's", "at most 5 min ahead of AWS's"),
        Kind::SignatureExpired => ("behind AWS's", "at most 15 min behind AWS's"),
        _ => ("not AWS's", "AWS's, within minutes"),
    };
    let (place, who) = (place(derived), app_errors::speaker(derived));
    let summary = format!("the clock of {place} is {how}, so AWS refuses what {who} signs");
    app_errors::finding(&META, derived, said, &summary)
        .inferred()
        .evidence("clock used for signing", expected, format!("{how} by more"), said.source)
        .fix(Fix::advice(advice(&place)))
        .into()
}

/// The probe read the pod's clock and STS's at the same moment.
fn measured(derived: &Derived<'_>) -> Option<Finding> {
    let seen = probed::of_irsa(derived)?;
    let ahead = seen.clock_ahead()?;
    let (how, by) = match ahead {
        ahead if ahead > AHEAD => ("ahead of", ahead),
        ahead if ahead < -BEHIND => ("behind", -ahead),
        _ => return None,
    };
    let (place, by) = (place(derived), crate::text::duration::words(by));
    let clock = seen.report().clock.as_ref()?;
    let local = jiff::Timestamp::from_second(clock.local).ok()?;
    let summary = format!("the clock of {place} is {by} {how} STS's, so AWS refuses what the pod signs");
    Some(
        probed::finding(&META, derived, seen, summary)
            .evidence("the pod's clock", &clock.remote, local.to_string(), &seen.at("clock"))
            .fix(Fix::advice(advice(&place))),
    )
}

fn place(derived: &Derived<'_>) -> String {
    let node = derived.facts.subject.pod().map(|pod| pod.value.spec.node_name.as_str());
    match node.filter(|node| !node.is_empty()) {
        Some(node) => format!("node {node}"),
        None => String::from("the pod's node"),
    }
}

fn advice(place: &str) -> String {
    format!(
        "set the clock of {place} (chrony with the Amazon Time Sync Service, 169.254.169.123), or replace the node"
    )
}
