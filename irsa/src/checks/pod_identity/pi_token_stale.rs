//! # The application keeps a token for the agent that has expired
//!
//! The kubelet renews the token file of EKS Pod Identity; an application that read it once sends the old token for ever.
//!
//! **You see**: some hours or a day after the start `(ExpiredTokenException): The token included in the request is expired:
//! current date/time … must be before the expiration date/time …`.
//!
//! **Decided by**: these words of the application. The probe sees whether the file itself is fresh; without it, this is a
//! conclusion.
//!
//! **Not a fault**: of the application, where the file itself is old: that is `token-expired`.
//!
//! **Repair**: let the SDK read the file, each time. A restart helps until the next expiry.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors::{self, UNREPORTED};
use crate::repair::workload;

/// See the module's page.
pub const META: Meta = Meta {
    id: "pi-token-stale",
    step: Step::Caller,
    title: "the application keeps a token for the agent that has expired",
    explains: &[],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    if derived.intent.mechanism != Mechanism::PodIdentity {
        return Outcome::NotApplicable("the pod does not use EKS Pod Identity");
    }
    let Some(said) = derived.app_errors.find(|kind| kind == Kind::PodIdentityTokenExpired) else {
        return UNREPORTED;
    };
    let who = app_errors::speaker(derived);
    let summary = format!("{who} sends the EKS Pod Identity agent a token that has expired");
    let finding = app_errors::finding(&META, derived, said, &summary).evidence(
        "token that is sent to the agent",
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
        "let the application use its SDK's container credentials provider, which reads the token file each time",
    ));
    finding.fixes(workload::restart_as(derived, "until then: restart; it helps until the next expiry")).into()
}
