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
pub(super) struct Rule {
    /// The ids that it reports.
    pub ids: &'static [&'static str],
    /// Reports them.
    pub run: fn(&Change, &mut Found),
}

/// Every rule.
pub(super) const ALL: &[Rule] = &[
    Rule { ids: &["annotation-key-typo"], run: annotations::misspelt },
    Rule { ids: &["annotation-on-wrong-object"], run: annotations::misplaced },
    Rule { ids: &["sa-wrong-namespace"], run: namespaces::other_namespace },
    Rule { ids: &["wrong-partition"], run: partitions::of_providers },
    Rule { ids: &["trust-json-oddities", "trust-quota"], run: policies::form },
    Rule { ids: &["oidc-url-variant"], run: providers::url },
    Rule { ids: &["oidc-client-id"], run: providers::audiences },
];
