//! # The application sends the agent an expired token
//!
//! The kubelet refreshes the token file of EKS Pod Identity; an application that read it once keeps sending the old token
//! forever.
//!
//! **You see**: some hours or a day after the start `(ExpiredTokenException): The token included in the request is expired:
//! current date/time … must be before the expiration date/time …`.
//!
//! **Decided by**: this message from the application. The probe sees whether the file itself is fresh; without the probe, this
//! is inferred.
//!
//! **Not a fault** of the application if the file itself is old: that is `token-expired`.
//!
//! **Repair**: have the SDK read the file each time. A restart helps until the next expiry.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors::{self, UNREPORTED};
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "pi-token-stale",
    step: Step::Caller,
    title: "the application sends the agent an expired token",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if derived.intent.mechanism != Mechanism::PodIdentity {
        return Outcome::NotApplicable("the pod does not use EKS Pod Identity");
    }
    let Some(said) = derived.app_errors.find(|kind| kind == Kind::PodIdentityTokenExpired) else {
        return UNREPORTED;
    };
    let who = app_errors::speaker(derived);
    let summary = format!("{who} sends the EKS Pod Identity agent an expired token");
    let finding = app_errors::finding(&META, derived, said, &summary).evidence(
        "token sent to the agent",
        "fresh",
        "expired",
        said.source,
    );
    let in_file = derived.probed.pod().and_then(|seen| Some((seen.expiry()?, seen.true_now()?)));
    let finding = match in_file {
        Some(((expiry, _), now)) if expiry <= now => {
            return Outcome::NotApplicable("the token file itself is old: see token-expired");
        }
        Some(((expiry, source), _)) => {
            finding.seen("expiry of the token in the file", expiry.to_string(), &source)
        }
        None => finding.inferred(),
    };
    let finding = finding.fix(Fix::advice(
        "have the application use its SDK's container credentials provider, which reads the token file each time",
    ));
    finding
        .fixes(workload::restart_as(derived, "as a stopgap, restart: it helps until the next expiry"))
        .into()
}
