//! Every command that some world is offered is tried in a world: `tests/tests/repairs.rs` runs what the table lists.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::offered::{Offer, table, table_path};

/// What is offered in no world of the table, or no longer in its own. With `UPDATE_DOCS` the table is brought up to date; worlds that are
/// in it stay.
pub fn problems(offered: &BTreeMap<String, BTreeSet<Offer>>) -> String {
    let all: BTreeSet<&Offer> = offered.values().flatten().collect();
    let mut table = table();
    let stale: Vec<Offer> = table
        .iter()
        .filter(|(offer, world)| !offered.get(*world).is_some_and(|offers| offers.contains(offer)))
        .map(|(offer, _)| offer.clone())
        .collect();
    let missing: Vec<&Offer> = all.into_iter().filter(|offer| !table.contains_key(*offer)).collect();
    if stale.is_empty() && missing.is_empty() {
        return String::new();
    }
    if std::env::var_os("UPDATE_DOCS").is_none() {
        let mut problems = String::from("repairs.tsv is out of date (UPDATE_DOCS=1 updates it):\n");
        for offer in stale.iter().chain(missing) {
            let _ = writeln!(problems, "  {offer:?}");
        }
        return problems;
    }
    table.retain(|offer, _| !stale.contains(offer));
    add(&mut table, offered);
    let lines = table
        .iter()
        .map(|(Offer { check, kind, command }, world)| format!("{check}\t{kind}\t{command}\t{world}\n"));
    std::fs::write(table_path(), lines.collect::<String>()).unwrap();
    String::new()
}

/// Adds what is missing: in worlds of the table if they have it, else in those that have most of it.
fn add(table: &mut BTreeMap<Offer, String>, offered: &BTreeMap<String, BTreeSet<Offer>>) {
    loop {
        let used: BTreeSet<&String> = table.values().collect();
        let missing =
            |offers: &BTreeSet<Offer>| offers.iter().filter(|offer| !table.contains_key(*offer)).count();
        let of_own_check = |world: &str, offers: &BTreeSet<Offer>| {
            let folder = world.split('/').next().unwrap_or_default();
            offers.iter().any(|offer| offer.check == folder && !table.contains_key(offer))
        };
        // The last of equals is the first by name.
        let best = offered.iter().rev().max_by_key(|(world, offers)| {
            let gained = missing(offers);
            (
                gained > 0,
                used.contains(world),
                world.contains("/broken."),
                of_own_check(world, offers),
                gained,
            )
        });
        let Some((world, offers)) = best.filter(|(_, offers)| missing(offers) > 0) else { break };
        let new: Vec<Offer> = offers.iter().filter(|offer| !table.contains_key(*offer)).cloned().collect();
        table.extend(new.into_iter().map(|offer| (offer, world.clone())));
    }
}
