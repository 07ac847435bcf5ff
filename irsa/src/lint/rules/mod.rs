//! What only files can have wrong, or what they show without a role or a service account beside it: one file for each kind.

mod annotations;
mod namespaces;
mod partitions;
mod policies;
mod providers;

use super::change::Change;
use super::findings::Found;

pub(super) use annotations::role_of;
pub(super) use partitions::of_naming as partition_of_naming;

/// A rule over all of a change.
type Rule = fn(&Change, &mut Found);

/// Every rule.
pub(super) const ALL: &[Rule] = &[
    annotations::misspelt,
    annotations::misplaced,
    namespaces::other_namespace,
    partitions::of_providers,
    policies::form,
    providers::url,
    providers::audiences,
];
