//! # The controller requests tokens for other service accounts
//!
//! External Secrets and the AWS provider of the Secrets Store CSI driver ask the API server (TokenRequest) for tokens of the
//! service accounts that their users refer to, and read the role from *those* annotations. They do not act as their own service
//! account, so it need not name a role.
//!
//! **Decided by**: the labels of the public charts, on a pod whose service account names no role. This is inferred: External
//! Secrets uses its own identity for stores without `auth`, and then needs the annotation.
//!
//! **Repair**: nothing here; debug the service account that the store or the mounting pod refers to: `kubectl irsa debug
//! sa/NAME`.

use crate::checks::prelude::*;

pub(super) const META: Meta = Meta {
    id: "controller-uses-tokenrequest",
    step: Step::ServiceAccount,
    title: "the controller requests tokens for other service accounts",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some(controller) = derived.token_minter() else {
        return Outcome::NotApplicable("not a controller that requests tokens for other service accounts");
    };
    let account = match &*derived.facts.service_account {
        Fact::Known(account) => account,
        Fact::Unknown(why) => return unknown(why),
        Fact::Absent { .. } => return Outcome::NotApplicable("the service account does not exist"),
    };
    if derived.intent.mechanism != Mechanism::None {
        return Outcome::Pass;
    }
    let key = format!("{}/role-arn", derived.settings.annotation_prefix);
    let (name, namespace) = (&derived.facts.service_account_name, &derived.facts.namespace_name);
    let summary = format!(
        "service account {namespace}/{name} names no role, and needs none if {controller} only requests tokens for other service accounts"
    );
    META.on_account(derived, summary)
        .inferred()
        .severity(Severity::Info)
        .missing(&key, "a role, only if the controller uses its own identity", &account.source.at(annotation_path(&key)))
        .fix(Fix::advice("debug the service account that the store or the mounting pod refers to: kubectl irsa debug sa/NAME"))
        .into()
}
