//! Every failure mode, and every suspect that is not a fault: what `explain` lists and searches.

use super::{LINKS, NOT_A_FAULT};
use crate::step::Step;

/// One page.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its id.
    pub id: &'static str,
    /// Its title, a few words.
    pub title: String,
    /// The folder that it is in.
    pub link: &'static str,
    /// The link of the chain that it is about; none for what is not a fault.
    pub step: Option<Step>,
    /// The page, in Markdown.
    pub page: String,
}

/// The heading for suspects that are not faults.
const NO_FAULT: &str = "suspected, but not a fault";

/// Every page, in the order of the chain.
pub fn entries() -> impl Iterator<Item = Entry> {
    let checks = LINKS.iter().flat_map(|link| {
        link.checks.iter().map(|check| Entry {
            id: check.meta.id,
            title: check.meta.title.to_owned(),
            link: link.title,
            step: Some(check.meta.step),
            page: check.page(),
        })
    });
    let none = NOT_A_FAULT.iter().map(|(id, page)| Entry {
        id,
        title: page.lines().next().unwrap_or_default().trim_start_matches(['#', ' ']).to_owned(),
        link: NO_FAULT,
        step: None,
        page: (*page).to_owned(),
    });
    checks.chain(none)
}

/// The page of an id, whatever its case; or of the key of a finding, which ends in a number if an id occurs more than once in a
/// report: `trust-sub-mismatch-2`.
pub fn entry(id: &str) -> Option<Entry> {
    let exactly = |id: &str| entries().find(|entry| entry.id.eq_ignore_ascii_case(id));
    exactly(id).or_else(|| {
        let (id, number) = id.rsplit_once('-')?;
        (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then(|| exactly(id))?
    })
}

/// The pages of one link, by its name.
pub fn group(name: &str) -> Vec<Entry> {
    entries().filter(|entry| entry.link.eq_ignore_ascii_case(name)).collect()
}

/// Pages that match all the words: first those with all of them in the id or title, then those with all of them on one line.
pub fn search(words: &[&str]) -> Vec<Entry> {
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let has_all = |text: &str| {
        let text = text.to_lowercase();
        words.iter().all(|word| starts_a_word(&text, word))
    };
    let (named, mut others): (Vec<Entry>, Vec<Entry>) =
        entries().partition(|entry| has_all(&format!("{} {}", entry.id, entry.title)));
    others.retain(|entry| entry.page.lines().any(has_all));
    named.into_iter().chain(others).collect()
}

/// True if a word of the text begins with it: `role` is in `roles` and not in `enrolled`.
fn starts_a_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| !text[..at].ends_with(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(words: &[&str]) -> Vec<&'static str> {
        search(words).into_iter().map(|entry| entry.id).collect()
    }

    #[test]
    fn titles_come_before_pages() {
        let found = ids(&["thumbprint"]);
        assert_eq!(found.first(), Some(&"thumbprint"));
        assert!(found.len() > 1, "other pages mention thumbprints: {found:?}");
        assert!(ids(&["Node", "ROLE"]).contains(&"silent-fallback-to-node-role"));
    }

    #[test]
    fn all_words_are_needed_and_only_whole_beginnings_count() {
        assert!(ids(&["thumbprint", "qwertz"]).is_empty());
        assert!(starts_a_word("the roles of", "role") && !starts_a_word("enrolled", "role"));
    }

    #[test]
    fn every_page_is_found_by_its_id_and_its_group() {
        for entry in entries() {
            for name in [entry.id.to_uppercase(), format!("{}-2", entry.id)] {
                assert_eq!(super::entry(&name).map(|found| found.id), Some(entry.id), "{name}");
            }
            assert!(ids(&[entry.id]).contains(&entry.id), "{}", entry.id);
            assert!(group(entry.link).iter().any(|other| other.id == entry.id), "{}", entry.id);
        }
        for name in ["", "trust-sub-mismatch-", "trust-sub-mismatch-x", "-2", "2"] {
            assert!(super::entry(name).is_none(), "{name}");
        }
    }
}
