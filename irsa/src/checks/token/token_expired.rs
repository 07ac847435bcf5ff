//! # The application sends an expired token
//!
//! The kubelet refreshes the token file at 80 % of its lifetime. STS reports that the token it received is past its expiry:
//! either the file is not being refreshed (a `subPath` mount, a deleted service account, a node that lost the API server, a
//! paused container), or the application sends a copy that it made once.
//!
//! **You see**: `ExpiredTokenException: Token expired: current date/time 1731098245 must be before the expiration date/time
//! 1731095240`, `Token too old`; after hours or a day of normal work. A restart helps for as long again.
//!
//! **Decided by**: STS's error message in the application's log. That STS accepts a fresh token of the same service account
//! does not contradict it: the fault is in what the pod sends.
//!
//! **Not a fault**: `The security token included in the request is expired`, which is about the session, not the token: see
//! `app-caches-token`.
//!
//! **Repair**: have the SDK read the file each time (its web identity provider does). If the file itself is old, see
//! `subpath-mount`, and check the node. A restart helps until the next expiry.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::{app_errors, probed};
use crate::derive::probed::ProbedPod;
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "token-expired",
    step: Step::TokenClaims,
    title: "the application sends an expired token",
    explains: &["sts-refused", "silent-fallback-to-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if let Some(finding) = derived.probed.pod().and_then(|seen| in_file(derived, seen)) {
        return finding.into();
    }
    let expired = |kind| matches!(kind, Kind::TokenExpired { .. } | Kind::TokenTooOld);
    let said = match app_errors::of_irsa(derived, expired) {
        Ok(said) => said,
        Err(outcome) => return probed::or_pass(derived, META.step, outcome),
    };
    let who = app_errors::speaker(derived);
    let times = match said.error.kind {
        Kind::TokenExpired { now: Some(now), expired: Some(expired) } if now >= expired => {
            Some((now, expired))
        }
        _ => None,
    };
    let finding = match times.and_then(|(now, expired)| Some((instant(now)?, instant(expired)?))) {
        Some((now, expired)) => {
            let late = crate::text::duration::words(now.duration_since(expired));
            app_errors::finding(
                &META,
                derived,
                said,
                &format!("{who} sends STS a token that had expired {late} earlier"),
            )
            .evidence(
                "expiry of the token",
                format!("after {now}"),
                expired.to_string(),
                said.source,
            )
        }
        None => {
            app_errors::finding(&META, derived, said, &format!("{who} sends STS a token that has expired"))
                .evidence("token", "not expired", "expired", said.source)
        }
    };
    let fresh = probed::of_irsa(derived).and_then(ProbedPod::expiry);
    let finding = match fresh {
        Some((expiry, source)) => finding
            .seen("expiry of the token in the file", expiry.to_string(), &source)
            .fix(Fix::advice(
                "the file is fresh, so the application keeps a copy: use its SDK's web identity provider, which reads the \
                 file each time",
            )),
        None => finding.fix(Fix::advice(
            "have the application use its SDK's web identity provider, which reads the token file each time, not a copy that was \
             read once; if the file itself is old, its mount or the node keeps it from being refreshed",
        )),
    };
    finding
        .fixes(workload::restart_as(derived, "as a stopgap, restart: it helps until the next expiry"))
        .into()
}

fn instant(seconds: u64) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

/// The token in the file has expired, by the clock of STS if STS told the time, else by the pod's.
fn in_file(derived: &Derived<'_>, seen: &ProbedPod<'_>) -> Option<Finding> {
    let ((expiry, source), now) = (seen.expiry()?, seen.true_now()?);
    if expiry > now {
        return None;
    }
    let (file, field) = seen.token_file()?;
    let late = crate::text::duration::words(now.duration_since(expiry));
    let summary = format!("the token in {} in container {} expired {late} ago", file.path, seen.container());
    let mut finding = probed::finding(&META, derived, seen, summary).evidence(
        "expiry of the token in the file",
        format!("after {now}"),
        expiry.to_string(),
        &source,
    );
    let written = file.stat.as_ref().and_then(|stat| jiff::Timestamp::from_second(stat.modified).ok());
    if let Some(written) = written {
        finding = finding.seen(
            "file last written",
            written.to_string(),
            &seen.at(&format!("{field}.stat.modified")),
        );
    }
    let node = derived.facts.subject.pod().map(|pod| pod.value.spec.node_name.as_str());
    finding = match node.filter(|node| !node.is_empty()) {
        Some(node) => finding.fix(Fix::inspect(
            "the kubelet should have refreshed it: check the node",
            Command::kubectl(derived, &["describe", "node", node]),
        )),
        None => finding.fix(Fix::advice("the kubelet should have refreshed it: check the node")),
    };
    let restart = workload::restart_as(derived, "a new pod gets a new token");
    Some(finding.fix(restart.unwrap_or_else(|| Fix::advice("recreate the pod: a new pod gets a new token"))))
}
