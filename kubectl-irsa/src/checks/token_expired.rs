//! # The token that the application sends has expired
//!
//! The kubelet renews the token file at 80 % of its life. STS says that what it got is older than that: the file is not
//! renewed (a `subPath` mount, a deleted service account, a node that lost the API server, a paused container), or the
//! application sends a copy that it made once.
//!
//! **You see**: `ExpiredTokenException: Token expired: current date/time 1731098245 must be before the expiration date/time
//! 1731095240`, `Token too old`; after hours or a day of work, and a restart cures it for as long again.
//!
//! **Decided by**: STS's own words in the application's log. That STS takes a fresh token of the same service account does not
//! speak against it: the fault is in what the pod sends.
//!
//! **Not a fault**: `The security token included in the request is expired`, which is about the session and not about the
//! token: see `app-caches-token`.
//!
//! **Repair**: let the SDK read the file each time (its web identity provider does); if the file itself is old, see
//! `subpath-mount`, and the node. A restart helps until the next expiry.

use super::hearsay;
use super::prelude::*;
use crate::aws_error::Kind;

/// See the module's page.
pub const META: Meta = Meta {
    id: "token-expired",
    step: Step::TokenClaims,
    title: "the token that the application sends has expired",
    explains: &["silent-fallback-to-node-role"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let expired = |kind| matches!(kind, Kind::TokenExpired { .. } | Kind::TokenTooOld);
    let said = match hearsay::of_irsa(derived, expired) {
        Ok(said) => said,
        Err(outcome) => return outcome,
    };
    let who = hearsay::speaker(derived);
    let times = match said.error.kind {
        Kind::TokenExpired { now: Some(now), expired: Some(expired) } if now >= expired => {
            Some((now, expired))
        }
        _ => None,
    };
    let finding = match times.and_then(|(now, expired)| Some((instant(now)?, instant(expired)?))) {
        Some((now, expired)) => {
            let late = crate::derive::heard::words_of(now.duration_since(expired));
            hearsay::finding(
                &META,
                derived,
                said,
                &format!("{who} sends STS a token that had expired {late} before"),
            )
            .evidence(
                "expiry of the token",
                format!("after {now}"),
                expired.to_string(),
                said.source,
            )
        }
        None => hearsay::finding(&META, derived, said, &format!("{who} sends STS a token that has expired"))
            .evidence("token", "not expired", "expired", said.source),
    };
    let finding = finding.advice(
        "let the application use its SDK's web identity provider, which reads the token file each time, in place of a copy \
         that was read once; if the file itself is old, its mount or the node keeps it from being renewed",
    );
    match derived.restart() {
        Some((_, command)) => finding.fix("until then: restart; it helps until the next expiry", command),
        None => finding,
    }
    .into()
}

fn instant(seconds: u64) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}
