//! What may never be printed.

use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// As much of a secret as may show: less tells nothing.
const SHOWN: usize = 15;

/// Every secret that the probe has held. What it writes goes through [`Secrets::scrub`]: a server may quote what it was
/// sent, as STS does with the session token when a signature does not match.
#[derive(Default)]
pub struct Secrets(Mutex<Vec<Zeroizing<Vec<u8>>>>);

impl Secrets {
    /// This may never be printed.
    pub fn add(&self, secret: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Zeroizing::new(secret.to_vec()));
    }

    /// Wipes them.
    pub fn wipe(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Blackens every word that shares more than [`SHOWN`] bytes with a secret, and every word that is a token by its looks.
    /// JSON stays JSON: its own characters stand between words.
    pub fn scrub(&self, text: &str) -> String {
        let secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut clean = String::with_capacity(text.len());
        for piece in text.split_inclusive(|c| !is_word(c)) {
            let word = piece.trim_end_matches(|c| !is_word(c));
            if looks_like_a_token(word) || secrets.iter().any(|secret| shares(word.as_bytes(), secret)) {
                clean.push_str("[withheld]");
                clean.push_str(&piece[word.len()..]);
            } else {
                clean.push_str(piece);
            }
        }
        clean
    }
}

/// The characters of tokens and keys, plain and in a URL.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '/' | '=' | '%')
}

/// A JWT begins with `{"`, in base64.
pub fn looks_like_a_token(word: &str) -> bool {
    word.find("eyJ").is_some_and(|start| word.len() - start > 2 * SHOWN)
}

fn shares(word: &[u8], secret: &[u8]) -> bool {
    word.windows(SHOWN + 1).any(|part| secret.windows(SHOWN + 1).any(|other| part == other))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY==";

    #[test]
    fn a_quoted_secret_is_blackened_and_the_rest_stays() {
        let secrets = Secrets::default();
        secrets.add(SECRET.as_bytes());
        let text = format!(r#"{{"message":"x-amz-security-token:{SECRET}\nhost: a.b"}}"#);
        let clean = r#"{"message":"x-amz-security-token:[withheld]\nhost: a.b"}"#;
        assert_eq!(secrets.scrub(&text), clean);
        let part = &SECRET[10..26];
        assert_eq!(secrets.scrub(&format!("…{part}…")), "…[withheld]…");
        assert_eq!(secrets.scrub(&SECRET[..SHOWN]), &SECRET[..SHOWN]);
    }

    #[test]
    fn a_foreign_token_is_blackened_by_its_looks() {
        let secrets = Secrets::default();
        let token = format!("eyJ{}", "hbGciOi".repeat(10));
        assert_eq!(secrets.scrub(&format!("Value '{token}' at")), "Value '[withheld]' at");
        assert_eq!(secrets.scrub("eyJ is how they begin"), "eyJ is how they begin");
    }

    #[test]
    fn text_without_a_secret_is_unchanged() {
        let secrets = Secrets::default();
        secrets.add(SECRET.as_bytes());
        secrets.add(b"");
        let text =
            "{\"path\":\"/var/run/secrets/eks.amazonaws.com/serviceaccount/token\",\"é\":\"\\u0000\"}\n";
        assert_eq!(secrets.scrub(text), text);
    }

    #[test]
    fn what_was_wiped_is_forgotten() {
        let secrets = Secrets::default();
        secrets.add(SECRET.as_bytes());
        secrets.wipe();
        assert_eq!(secrets.scrub(SECRET), SECRET);
    }
}
