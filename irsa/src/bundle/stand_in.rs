//! Stand-ins for words.
//!
//! What checks compare must compare the same: that two names are equal, that one begins with the other, that a letter is missing, that
//! only the case differs, that a pattern covers it. So a stand-in is made letter by letter, and words that are alike get theirs from
//! one alphabet. Words that have nothing to do with each other get theirs from different ones, so that the letters of a file tell
//! nothing about each other. The alphabets come from all words of the file together: the same facts give the same file.

use std::collections::{BTreeMap, BTreeSet};

use hmac_sha256::{HMAC, Hash};

use super::vocabulary;

/// Letters and digits stand for others of their class: hexadecimal stays hexadecimal, a digit a digit. `0` stays.
const CLASSES: [&[u8]; 3] = [b"abcdef", b"ghijklmnopqrstuvwxyz", b"123456789"];
/// More words than this are not compared with each other: they share one alphabet.
const MOST: usize = 2000;
/// How often an alphabet is made anew because a stand-in would be another word.
const TRIES: u32 = 200;
/// Words with this many slips between them are alike, as they are to whoever looks for a name that was meant.
const SLIPS: usize = 2;
/// A shorter part of a word makes no words alike.
const PART: usize = 3;

/// What stands for which word; words are in lower case.
#[derive(Debug, Default)]
pub(super) struct StandIns(BTreeMap<String, String>);

impl StandIns {
    /// For these words; `parts` are those next to a wildcard, which may be a part of others however short.
    pub(super) fn of(words: &BTreeSet<String>, parts: &BTreeSet<String>) -> Self {
        let mut key = Hash::new();
        for word in words {
            key.update(word.as_bytes());
            key.update([0]);
        }
        let key = key.finalize();
        let mut all = BTreeMap::new();
        let mut taken = BTreeSet::new();
        for group in groups(words, parts) {
            let made = (0..TRIES).map(|attempt| {
                let alphabet = Alphabet::new(&key, group.first().copied().unwrap_or_default(), attempt);
                group.iter().map(|word| alphabet.apply(word)).collect::<Vec<String>>()
            });
            // A stand-in that is a word already would be taken for it.
            let mut made = made.skip_while(|made| {
                made.iter().any(|stand_in| taken.contains(stand_in) || vocabulary::holds(stand_in))
            });
            let alphabet = Alphabet::new(&key, group.first().copied().unwrap_or_default(), TRIES);
            let made = made.next().unwrap_or_else(|| group.iter().map(|word| alphabet.apply(word)).collect());
            taken.extend(made.iter().cloned());
            all.extend(group.into_iter().map(str::to_owned).zip(made));
        }
        Self(all)
    }

    /// What stands for a word, in its case.
    pub(super) fn get(&self, word: &str) -> Option<String> {
        let stand_in = self.0.get(&word.to_ascii_lowercase())?;
        let cased = word.chars().zip(stand_in.chars());
        Some(
            cased
                .map(|(own, new)| if own.is_ascii_uppercase() { new.to_ascii_uppercase() } else { new })
                .collect(),
        )
    }
}

/// Words that are alike, together.
fn groups<'w>(words: &'w BTreeSet<String>, parts: &BTreeSet<String>) -> Vec<Vec<&'w str>> {
    let all: Vec<&str> = words.iter().map(String::as_str).collect();
    if all.len() > MOST {
        return vec![all];
    }
    // Of each the first that it is alike to, directly or by others.
    let mut first: Vec<usize> = (0..all.len()).collect();
    for (index, word) in all.iter().enumerate() {
        for (other, earlier) in all.iter().enumerate().take(index) {
            let (from, to) = (first.get(index).copied(), first.get(other).copied());
            if from != to && alike(word, earlier, parts) {
                let (Some(from), Some(to)) = (from, to) else { continue };
                first.iter_mut().filter(|of| **of == from).for_each(|of| *of = to);
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (word, group) in all.into_iter().zip(first) {
        groups.entry(group).or_default().push(word);
    }
    groups.into_values().collect()
}

fn alike(one: &str, other: &str, parts: &BTreeSet<String>) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let is_part = (short.len() >= PART || parts.contains(short)) && long.contains(short);
    is_part || (long.len() - short.len() <= SLIPS && strsim::osa_distance(one, other) <= SLIPS)
}

/// What stands for each byte.
struct Alphabet([u8; 256]);

impl Alphabet {
    fn new(key: &[u8; 32], group: &str, attempt: u32) -> Self {
        let mut bytes = Stream { key, group, attempt, block: 0, left: Vec::new() };
        let mut table: [u8; 256] = std::array::from_fn(|byte| u8::try_from(byte).unwrap_or_default());
        for class in CLASSES {
            let mut shuffled = class.to_vec();
            for end in (1..shuffled.len()).rev() {
                shuffled.swap(end, bytes.below(end + 1));
            }
            for (from, to) in class.iter().zip(shuffled) {
                if let Some(slot) = table.get_mut(usize::from(*from)) {
                    *slot = to;
                }
            }
        }
        Self(table)
    }

    fn apply(&self, word: &str) -> String {
        let bytes = word.bytes().map(|byte| self.0.get(usize::from(byte)).copied().unwrap_or(byte));
        bytes.map(char::from).collect()
    }
}

/// Bytes that nobody foresees without the key.
struct Stream<'k> {
    key: &'k [u8; 32],
    group: &'k str,
    attempt: u32,
    block: u32,
    left: Vec<u8>,
}

impl Stream<'_> {
    fn below(&mut self, limit: usize) -> usize {
        // The few that would make the first ones more frequent are passed over.
        let fair = 256 / limit * limit;
        loop {
            let Some(byte) = self.left.pop() else {
                let mut mac = HMAC::new(self.key);
                mac.update(self.group.as_bytes());
                mac.update([0]);
                mac.update(self.attempt.to_be_bytes());
                mac.update(self.block.to_be_bytes());
                self.left = mac.finalize().to_vec();
                self.block += 1;
                continue;
            };
            if usize::from(byte) < fair {
                return usize::from(byte) % limit;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use strsim::osa_distance;

    use super::*;

    fn of(words: &[&str]) -> StandIns {
        StandIns::of(&words.iter().map(|word| (*word).to_owned()).collect(), &BTreeSet::new())
    }

    #[test]
    fn alike_stays_alike_and_case_stays() {
        let words = ["checkout", "chekout", "checkouts", "ledger", "4f1e27d9"];
        let stand_ins = of(&words);
        let get = |word: &str| stand_ins.get(word).unwrap();
        assert_eq!(osa_distance(&get("checkout"), &get("chekout")), 1);
        assert!(get("checkouts").starts_with(&get("checkout")));
        assert_eq!(get("Checkout").to_ascii_lowercase(), get("checkout"));
        assert!(get("Checkout").starts_with(|c: char| c.is_ascii_uppercase()));
        assert!(get("4f1e27d9").bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(stand_ins.get("elsewhere"), None);
        // The same words, the same stand-ins; with another word, others.
        assert_eq!(of(&words).0, stand_ins.0);
        assert_ne!(
            of(&["checkout", "chekout", "checkouts", "ledger"]).get("checkout"),
            Some(get("checkout"))
        );
    }

    proptest! {
        #[test]
        fn what_is_compared_compares_the_same(words in prop::collection::btree_set("[a-h]{3,6}[0-9]?", 1..12)) {
            let stand_ins = StandIns::of(&words, &BTreeSet::new());
            for one in &words {
                for other in &words {
                    let (new, new_other) = (stand_ins.get(one).unwrap(), stand_ins.get(other).unwrap());
                    prop_assert_eq!(one == other, new == new_other);
                    if alike(one, other, &BTreeSet::new()) {
                        prop_assert_eq!(osa_distance(one, other), osa_distance(&new, &new_other));
                        prop_assert_eq!(one.starts_with(other.as_str()), new.starts_with(&new_other));
                    }
                }
            }
        }
    }
}
