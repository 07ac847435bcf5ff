//! # A service control policy does not allow it
//!
//! IRSA works. The organization limits what anyone in the role's account may do, and the action is not included; nothing in the
//! account itself can change that.
//!
//! **You see**: `… is not authorized to perform: … with an explicit deny in a service control policy`, even if the policy merely
//! does not allow it.
//!
//! **Decided by**: AWS's error in the application's log, or IAM's simulator for what `--action` names.
//!
//! **Not a fault**: the role's policies or the account's administrators. Policies on regions are a usual cause: a call to a
//! region that the organization has closed.
//!
//! **Repair**: the organization's administrators allow the action, or exempt the role.

use super::denied;
use crate::checks::prelude::*;
use crate::derive::denial::Culprit;
use crate::repair::permissions;

pub(super) const META: Meta = Meta {
    id: "perm-scp",
    step: Step::Permissions,
    title: "a service control policy does not allow it",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    denied::outcome(&META, Culprit::ServiceControl, derived, |finding, denial| {
        let account = denial.role.account.as_deref();
        let finding = match account {
            Some(account) => finding.fix(Fix::inspect(
                "list the service control policies of the account (from the organization's management account)",
                permissions::policies_of(derived, account, "SERVICE_CONTROL_POLICY"),
            )),
            None => finding,
        };
        let or = if denial.role.of_agent { "" } else { ", or call a region that is open" };
        finding
            .fix(Fix::advice(format!("have the organization's administrators allow {}{or}", denial.what())))
    })
}
