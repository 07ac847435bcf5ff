//! # The session name is invalid
//!
//! `AWS_ROLE_SESSION_NAME` is sent to STS as it is. STS accepts 2 to 64 characters of `A-Z a-z 0-9 _ + = , . @ -`; a name built
//! from namespace, pod and node is easily longer, and a slash, a colon or a space is refused.
//!
//! ```text
//! bad   AWS_ROLE_SESSION_NAME=shop/checkout-7d9f8b6c5d-x2x4z
//! good  AWS_ROLE_SESSION_NAME=checkout-7d9f8b6c5d-x2x4z
//! ```
//!
//! **You see**: `ValidationError: 1 validation error detected: Value '…' at 'roleSessionName' failed to satisfy constraint:
//! Member must have length less than or equal to 64`, or `… must satisfy regular expression pattern: [\w+=,.@-]*`.
//!
//! **Decided by**: the value, after `$(NAME)` and `fieldRef` are resolved as the kubelet does it; or STS's refusal, where the name
//! is the application's own.
//!
//! **Not a fault**: the name of a pod that a controller made: never longer than 63 characters, all of which STS accepts.
//!
//! **Repair**: unset the variable, and SDKs make up a name of their own; or shorten it. Trust policies with a condition on
//! `sts:RoleSessionName` need the exact one.

use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors;
use crate::repair::env;

pub(super) const META: Meta = Meta {
    id: "session-name-invalid",
    step: Step::Sts,
    title: "the session name is invalid",
    explains: &["silent-fallback-to-node-role"],
};

const VARIABLE: &str = "AWS_ROLE_SESSION_NAME";

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    match derived.intent.mechanism {
        _ if derived.containers.is_empty() => return Outcome::NotApplicable("no pod to look at"),
        Mechanism::PodIdentity => {
            return Outcome::NotApplicable("EKS Pod Identity names its sessions itself");
        }
        _ => {}
    }
    let mut findings: Vec<Finding> = derived.judged().filter_map(|view| invalid(derived, view)).collect();
    if findings.is_empty() {
        findings.extend(refused(derived));
    }
    let unread = derived.judged().filter_map(|view| {
        let entry = view.env.get(VARIABLE).filter(|entry| entry.is_set())?;
        entry.text().is_none().then(|| entry.unread(VARIABLE, view.name()))
    });
    Outcome::with_unread(findings, unread.collect())
}

/// STS refused the name, and no variable has it.
fn refused(derived: &Derived<'_>) -> Option<Finding> {
    let said = derived.app_errors.find(|kind| kind == Kind::SessionNameInvalid)?;
    let who = app_errors::speaker(derived);
    let summary = format!("{who} gives its session a name of its own, which STS refuses");
    Some(
        app_errors::finding(&META, derived, said, &summary)
            .missing("session name", "2 to 64 characters of A-Z a-z 0-9 _ + = , . @ -", said.source)
            .fix(Fix::advice("shorten or correct the session name in the application's settings")),
    )
}

fn invalid(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    let entry = view.env.get(VARIABLE).filter(|entry| entry.is_set())?;
    let text = entry.text()?;
    let length = text.chars().count();
    let refused = text.chars().find(|c| !c.is_ascii_alphanumeric() && !"_+=,.@-".contains(*c));
    let problem = match refused {
        Some(c) => format!("contains {c:?}, which STS refuses"),
        None if length > 64 => format!("has {length} characters; STS allows 64"),
        None if length < 2 => String::from("has 1 character; STS requires 2"),
        None => return None,
    };
    let finding = META
        .on_container(
            derived,
            view,
            Severity::Error,
            format!("the session name of container {} {problem}", view.name()),
        )
        .evidence(VARIABLE, "2 to 64 characters of A-Z a-z 0-9 _ + = , . @ -", text, &entry.source);
    Some(finding.fix(env::take_out(derived, view, &[(VARIABLE, entry)])))
}
