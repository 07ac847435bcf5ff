//! What differs from run to run, or from one set of checks to the next, without meaning anything, taken out of what a snapshot
//! keeps.

use std::collections::BTreeSet;

use irsa_tests::world::World;
use jiff::Timestamp;

/// The name of a probe's container or pod without its random end.
const PROBE: &str = "irsa-probe-";
/// The length of such a name.
const NAME: usize = 16;
/// Clocks of pods go on while the world's stands still; no run of a world takes longer.
const LONGEST: i64 = 60;

/// The text as every run of the world prints it.
pub fn neutral(world: &World, text: String) -> String {
    let text = without_counts(&without_key_ids(text));
    let Some(kubelet) = &world.header.kubelet else { return text };
    let text = without_number(&without_names(text), " ms", "N ms");
    at(kubelet.clock.unwrap_or(world.header.now), text)
}

/// Every fake cluster and issuer has keys of its own; their ids are SHA-256 in Base64.
fn without_key_ids(text: String) -> String {
    replaced(text, |word| word.len() == 43 && !word.starts_with("allow-"), "(id of a key)")
}

fn without_names(text: String) -> String {
    replaced(text, |word| word.len() == NAME && word.starts_with(PROBE), "irsa-probe-xxxxx")
}

/// The text with another in place of every word that is one of these.
fn replaced(text: String, is: impl Fn(&str) -> bool, by: &str) -> String {
    let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let words: BTreeSet<String> =
        text.split(|c| !in_word(c)).filter(|word| is(word)).map(str::to_owned).collect();
    words.iter().fold(text, |text, word| text.replace(word.as_str(), by))
}

/// A new check changes how many there are in each world, and what is found in few.
fn without_counts(text: &str) -> String {
    [" check passed", " checks passed"]
        .iter()
        .fold(text.to_owned(), |text, unit| without_number(&text, unit, "N checks passed"))
}

/// The text with another in place of every number with this unit: `12 ms`.
fn without_number(text: &str, unit: &str, by: &str) -> String {
    let mut parts = text.split(unit).peekable();
    let mut out = String::new();
    while let Some(part) = parts.next() {
        let number = part.trim_end_matches(|c: char| c.is_ascii_digit());
        if parts.peek().is_none() {
            out += part;
        } else if number.len() < part.len() {
            out += number;
            out += by;
        } else {
            out += part;
            out += unit;
        }
    }
    out
}

/// The clocks of pods at the time at which they started.
fn at(start: Timestamp, text: String) -> String {
    let later = (1..=LONGEST).map(|seconds| start + jiff::SignedDuration::from_secs(seconds));
    later.fold(text, |text, later| text.replace(&later.to_string(), &start.to_string()))
}
