//! The door through which the words of servers, proxies and SDKs enter. The secrets that this run holds are known here by value:
//! an answer may quote them without their names.

use std::sync::{Mutex, PoisonError};

use irsa::text::foreign::{WITHHELD, quoted};
use zeroize::Zeroizing;

/// What is shorter is no secret worth the name, and would blacken ordinary words.
const SHORTEST: usize = 8;

/// Of the whole process, as words enter wherever something is asked; wiped when forgotten.
static HELD: Mutex<Vec<Zeroizing<String>>> = Mutex::new(Vec::new());

/// This may never be printed.
pub fn hold(secret: &str) {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    if secret.len() >= SHORTEST && !held.iter().any(|known| known.as_str() == secret) {
        held.push(Zeroizing::new(secret.to_owned()));
    }
}

/// What may be repeated of foreign words: without secrets, and cut.
pub fn foreign(words: &str) -> String {
    quoted(&without_held(words))
}

/// The text without the secrets that are held.
pub fn without_held(text: &str) -> String {
    let held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    held.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), WITHHELD))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_withheld_without_its_name() {
        hold("opaque-canary-of-foreign-rs");
        hold("short");
        assert_eq!(foreign("a short opaque-canary-of-foreign-rs!"), "a short [withheld]!");
        // Before it is cut, so that no part of a secret remains at the end.
        let long = format!("{}opaque-canary-of-foreign-rs", "x".repeat(990));
        assert!(!foreign(&long).contains("opaque"));
    }
}
