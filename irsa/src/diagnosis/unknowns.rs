//! What could not be checked, each once.

use super::report::Unchecked;
use crate::checks::{Check, Outcome};
use crate::derive::Derived;
use crate::facts::Why;

pub(super) fn unknowns(derived: &Derived<'_>, outcomes: &[(&Check, Outcome)]) -> Vec<Unchecked> {
    let facts = derived.facts;
    let of_checks = outcomes.iter().flat_map(|(_, outcome)| match outcome {
        Outcome::Unknown(unknowns) => unknowns.as_slice(),
        _ => &[],
    });
    let mut all: Vec<Unchecked> = Vec::new();
    let outdated = derived.probed.outdated();
    for unknown in facts.unknowns().into_iter().chain(outdated).chain(of_checks) {
        let unchecked = Unchecked {
            what: unknown.what.clone(),
            why: unknown.why.to_string(),
            grant: unknown.grant.clone(),
            denied: matches!(unknown.why, Why::Denied(_)),
        };
        if !all.contains(&unchecked) {
            all.push(unchecked);
        }
    }
    all
}
