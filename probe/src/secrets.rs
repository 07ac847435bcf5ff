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
    /// JSON stays JSON: its own characters and its escapes stand between words.
    pub fn scrub(&self, text: &str) -> String {
        let secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut clean = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let (word, after) = rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
            let hidden =
                looks_like_a_token(word) || secrets.iter().any(|secret| shares(word.as_bytes(), secret));
            clean.push_str(if hidden { "[withheld]" } else { word });
            let (between, after) = after.split_at(between(after));
            clean.push_str(between);
            rest = after;
        }
        clean
    }
}

/// The length of what stands before the next word: one character, or an escape of JSON, whose letter begins no word.
fn between(text: &str) -> usize {
    let escape = match text.as_bytes() {
        [b'\\', b'u', ..] => text.get(..6),
        [b'\\', ..] => text.get(..2),
        _ => None,
    };
    escape.map_or(text.chars().next().map_or(0, char::len_utf8), str::len)
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
    fn json_stays_json() {
        let secrets = Secrets::default();
        secrets.add(SECRET.as_bytes());
        let token = format!("eyJ{}", "hbGciOi".repeat(10));
        for before in ["\n", "\t", "\\", "\"", "\u{1}", "\u{7f}", "\\n", "é\n\r\n"] {
            for secret in [SECRET, token.as_str()] {
                let json = serde_json::to_string(&format!("{before}{secret}\n")).unwrap();
                let clean: String = serde_json::from_str(&secrets.scrub(&json)).unwrap();
                // A letter before it is a part of the word.
                let kept = before.trim_end_matches('n');
                assert_eq!(clean, format!("{kept}[withheld]\n"));
            }
        }
        for text in ["\\", "\\u", "\\u00", "\\é", "\\u00é", "a\\"] {
            assert_eq!(secrets.scrub(text), text);
        }
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
