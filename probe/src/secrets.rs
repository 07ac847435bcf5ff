//! What may never be printed, found by value and by looks, however it is written: plain, in a URL, in JSON, in XML, in Base64.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use zeroize::Zeroizing;

/// Stands for what is not repeated.
pub const WITHHELD: &str = "[withheld]";
/// The same for what is shorter than that, so that scrubbing makes no text longer.
const SHORT: &str = "[…]";
/// As much of a secret as may show: less tells nothing.
const SHOWN: usize = 15;
/// What is shorter is no secret worth the name, and would blacken ordinary words.
const SHORTEST: usize = 8;
/// As often may one notation be wrapped in another: a URL in JSON in JSON.
const DEEPEST: usize = 4;

/// Every secret that a program has held. What it writes goes through [`Secrets::scrub`]: a server may quote what it was sent,
/// as STS does with the session token when a signature does not match.
#[derive(Default)]
pub struct Secrets(Mutex<Held>);

/// The parts of secrets that may not show. Hashed, under a key of this process: what is looked for need not be kept.
#[derive(Default)]
struct Held {
    key: RandomState,
    parts: HashSet<u64>,
    /// Which lengths parts have.
    lengths: [bool; SHOWN + 2],
}

impl Secrets {
    /// This may never be printed. Of what is longer than [`SHOWN`], no part that is longer may be, either. A short word of letters
    /// alone is left to its name: it may be a word of anybody's.
    pub fn add(&self, secret: &[u8]) {
        let secret = secret.trim_ascii();
        let is_word = secret.len() <= SHOWN && secret.iter().all(u8::is_ascii_alphabetic);
        if secret.len() < SHORTEST || is_word {
            return;
        }
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.add(secret);
        for before in 0..3 {
            let text = Zeroizing::new([[0; 2].get(..before).unwrap_or_default(), secret].concat());
            for engine in [STANDARD, URL_SAFE] {
                let encoded = Zeroizing::new(engine.encode(&*text));
                // The characters that also hold bits of what stands around the secret differ.
                let whole = (before * 8).div_ceil(6)..text.len() * 8 / 6;
                held.add(encoded.as_bytes().get(whole).unwrap_or_default());
            }
        }
    }

    /// Forgets them.
    pub fn wipe(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Held::default();
    }

    /// Blackens what is held, and what is a token by its looks. JSON stays JSON: an escape is blackened as a whole.
    pub fn scrub(&self, text: &str) -> String {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hidden = Vec::new();
        for view in views(text) {
            view.find(tokens, &mut hidden);
            if !held.parts.is_empty() {
                // Whoever lays out a text may break a secret in two.
                view.packed().find(|text, found| held.find(text, found), &mut hidden);
            }
        }
        without(text, hidden, |hidden| if hidden < WITHHELD.len() { SHORT } else { WITHHELD })
    }
}

impl Held {
    fn add(&mut self, secret: &[u8]) {
        let packed: Zeroizing<Vec<u8>> =
            Zeroizing::new(secret.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect());
        let length = packed.len().min(SHOWN + 1);
        if length < SHORTEST {
            return;
        }
        if let Some(has) = self.lengths.get_mut(length) {
            *has = true;
        }
        for part in packed.windows(length) {
            self.parts.insert(self.key.hash_one(part));
        }
    }

    fn find(&self, text: &[u8], found: &mut Vec<Range<usize>>) {
        for length in (0..self.lengths.len()).filter(|length| self.lengths.get(*length) == Some(&true)) {
            for (at, part) in text.windows(length).enumerate() {
                if self.parts.contains(&self.key.hash_one(part)) {
                    found.push(at..at + length);
                }
            }
        }
    }
}

/// A text as it reads when its notation is resolved, and where each of its bytes was written.
pub struct View {
    bytes: Vec<u8>,
    /// Start and end, 4 GiB being more than anybody writes.
    from: Vec<(u32, u32)>,
}

/// The text, and as it reads in URLs, JSON and XML, as often as these are wrapped in each other.
pub fn views(text: &str) -> impl Iterator<Item = View> {
    let bytes = text.as_bytes().to_vec();
    let from = (0..bytes.len()).map(|at| (short(at), short(at + 1))).collect();
    std::iter::successors(Some(View { bytes, from }), View::resolved).take(DEEPEST)
}

fn short(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn long(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

impl View {
    /// One notation less; `None` if there is none.
    fn resolved(&self) -> Option<Self> {
        if !self.bytes.iter().any(|byte| matches!(byte, b'%' | b'\\' | b'&')) {
            return None;
        }
        let mut resolved = Self { bytes: Vec::with_capacity(self.bytes.len()), from: Vec::new() };
        let mut rest = self.bytes.as_slice();
        let mut at = 0;
        while let [first, ..] = rest {
            let (meant, length) = escape(rest).unwrap_or((char::from(0), 0));
            let mut utf8 = [0; 4];
            // A byte of a URL is one, also if it is a part of a character only.
            let meant = match (length, first) {
                (0, byte) => std::slice::from_ref(byte),
                (_, b'%') => {
                    utf8[0] = u8::try_from(u32::from(meant)).unwrap_or_default();
                    &utf8[..1]
                }
                _ => meant.encode_utf8(&mut utf8).as_bytes(),
            };
            let length = length.max(1);
            let from = (
                self.from.get(at).map_or(0, |from| from.0),
                self.from.get(at + length - 1).map_or(0, |from| from.1),
            );
            resolved.bytes.extend_from_slice(meant);
            resolved.from.extend(meant.iter().map(|_| from));
            at += length;
            rest = rest.get(length..).unwrap_or_default();
        }
        (resolved.bytes.len() < self.bytes.len()).then_some(resolved)
    }

    /// Without spaces and line breaks.
    fn packed(&self) -> Self {
        let seen = self.bytes.iter().zip(&self.from).filter(|(byte, _)| !byte.is_ascii_whitespace());
        let (bytes, from) = seen.map(|(byte, from)| (*byte, *from)).unzip();
        Self { bytes, from }
    }

    /// Adds what is found in it, as ranges of the text that it is a view of.
    pub fn find(&self, find: impl FnOnce(&[u8], &mut Vec<Range<usize>>), hidden: &mut Vec<Range<usize>>) {
        let mut found = Vec::new();
        find(&self.bytes, &mut found);
        hidden.extend(found.into_iter().filter_map(|found| {
            let first = self.from.get(found.start)?;
            let last = self.from.get(found.end.checked_sub(1)?)?;
            Some(long(first.0)..long(last.1))
        }));
    }
}

/// What an escape at the start means, and its length.
fn escape(text: &[u8]) -> Option<(char, usize)> {
    let number = |digits: Option<&[u8]>, radix| {
        u32::from_str_radix(std::str::from_utf8(digits?).ok()?, radix).ok().and_then(char::from_u32)
    };
    match text {
        [b'%', b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..] => Some((number(text.get(1..3), 16)?, 3)),
        [b'\\', b'u', b'{', ..] => {
            let end = text.iter().take(10).position(|byte| *byte == b'}')?;
            Some((number(text.get(3..end), 16)?, end + 1))
        }
        [b'\\', b'u', ..] => Some((number(text.get(2..6), 16)?, 6)),
        [b'\\', b'x', ..] => Some((number(text.get(2..4), 16)?, 4)),
        [b'\\', letter @ (b'n' | b'r' | b't'), ..] => {
            let meant = match letter {
                b'n' => '\n',
                b'r' => '\r',
                _ => '\t',
            };
            Some((meant, 2))
        }
        [b'\\', punctuation, ..] if punctuation.is_ascii_punctuation() => Some((char::from(*punctuation), 2)),
        [b'&', ..] => {
            let end = text.iter().take(10).position(|byte| *byte == b';')?;
            let meant = match text.get(1..end)? {
                b"amp" => '&',
                b"lt" => '<',
                b"gt" => '>',
                b"quot" => '"',
                b"apos" => '\'',
                [b'#', b'x' | b'X', digits @ ..] => number(Some(digits), 16)?,
                [b'#', digits @ ..] => number(Some(digits), 10)?,
                _ => return None,
            };
            Some((meant, end + 1))
        }
        _ => None,
    }
}

/// The text with these ranges replaced, by a word for how many bytes are gone.
pub fn without(text: &str, hidden: Vec<Range<usize>>, word: impl Fn(usize) -> &'static str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut done = 0;
    for range in merged(merged(hidden).into_iter().map(|range| whole(text, range)).collect()) {
        clean.push_str(text.get(done..range.start).unwrap_or_default());
        clean.push_str(word(range.len()));
        done = range.end;
    }
    clean.push_str(text.get(done..).unwrap_or_default());
    clean
}

/// The ranges in order; those that touch are one.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges.into_iter().filter(|range| !range.is_empty()) {
        match merged.last_mut().filter(|last| range.start <= last.end) {
            Some(last) => last.end = last.end.max(range.end),
            None => merged.push(range),
        }
    }
    merged
}

/// The range, so that no character and no escape of JSON is cut.
fn whole(text: &str, range: Range<usize>) -> Range<usize> {
    let start = escape_around(text.as_bytes(), range.start).map_or(range.start, |escape| escape.start);
    let end = escape_around(text.as_bytes(), range.end).map_or(range.end, |escape| escape.end);
    text.floor_char_boundary(start)..text.ceil_char_boundary(end)
}

/// The escape of JSON in whose middle a place is.
fn escape_around(text: &[u8], place: usize) -> Option<Range<usize>> {
    let start = (place.saturating_sub(5)..place).rev().find(|at| text.get(*at) == Some(&b'\\'))?;
    // Of several backslashes, every second is an escape's.
    let backslashes = text.get(..=start)?.iter().rev().take_while(|byte| **byte == b'\\').count();
    let start = if backslashes % 2 == 0 { start.checked_sub(1)? } else { start };
    let length = if text.get(start + 1) == Some(&b'u') { 6 } else { 2 };
    (start + length > place).then(|| start..(start + length).min(text.len()))
}

/// Tokens, by their looks.
pub fn tokens(text: &[u8], found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    for word in text.split(|byte| !is_word(*byte)) {
        if let Some(start) = token(word) {
            found.push(at + start..at + word.len());
        }
        at += word.len() + 1;
    }
}

/// Where the token begins that a word is: a JWT begins with `{"` in Base64, a session token of AWS, EKS's token for its API server
/// and one of OpenShift as they all do.
fn token(word: &[u8]) -> Option<usize> {
    const STARTS: [&[u8]; 6] =
        [b"eyJ", b"IQoJb3JpZ2lu", b"FwoGZXIvYXdz", b"FQoGZXIvYXdz", b"k8s-aws-v1.", b"sha256~"];
    let start =
        STARTS.iter().filter_map(|start| word.windows(start.len()).position(|part| part == *start)).min()?;
    (word.len() - start > 2 * SHOWN).then_some(start)
}

/// True if a word is a token by its looks.
pub fn looks_like_a_token(word: &str) -> bool {
    token(word.as_bytes()).is_some()
}

/// The characters of tokens and keys, plain and in a URL.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'/' | b'=' | b'%' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY==";

    fn holding(secrets: &[&str]) -> Secrets {
        let held = Secrets::default();
        secrets.iter().for_each(|secret| held.add(secret.as_bytes()));
        held
    }

    #[test]
    fn a_quoted_secret_is_blackened_and_the_rest_stays() {
        let secrets = holding(&[SECRET]);
        let text = format!(r#"{{"message":"x-amz-security-token:{SECRET}\nhost: a.b"}}"#);
        let clean = r#"{"message":"x-amz-security-token:[withheld]\nhost: a.b"}"#;
        assert_eq!(secrets.scrub(&text), clean);
        let part = &SECRET[10..26];
        assert_eq!(secrets.scrub(&format!("…{part}…")), "…[withheld]…");
        assert_eq!(secrets.scrub(&SECRET[..SHOWN]), &SECRET[..SHOWN]);
    }

    #[test]
    fn a_secret_is_found_in_every_notation() {
        const AWKWARD: &str = "p\"ä<ss&w/o+r%d=1 2";
        let secrets = holding(&[AWKWARD]);
        let url: String = AWKWARD.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let json = serde_json::to_string(AWKWARD).unwrap();
        let json = json.trim_matches('"');
        let twice = serde_json::to_string(json).unwrap();
        let xml = AWKWARD.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&#34;");
        let in_json = serde_json::to_string(&url).unwrap();
        let broken = AWKWARD.replace("ss", "s\n    s");
        for written in [
            AWKWARD,
            &url,
            &url.to_lowercase(),
            json,
            twice.trim_matches('"'),
            &xml,
            in_json.trim_matches('"'),
            &broken,
        ] {
            assert_eq!(secrets.scrub(&format!("({written})")), "([withheld])", "{written}");
        }
        for before in ["", "m", "me", "me:"] {
            for engine in [STANDARD, URL_SAFE] {
                let encoded = engine.encode(format!("{before}{AWKWARD}after"));
                let clean = secrets.scrub(&encoded);
                assert!(clean.contains(WITHHELD) && clean.len() < encoded.len() - 10, "{encoded} {clean}");
            }
        }
    }

    #[test]
    fn what_is_short_is_found_whole_and_words_are_not() {
        let secrets = holding(&["hunter22", "short", "container", "kubernetes"]);
        assert_eq!(
            secrets.scrub("a hunter22, a short container, hunter2"),
            "a […], a short container, hunter2"
        );
    }

    #[test]
    fn a_foreign_token_is_blackened_by_its_looks() {
        let secrets = Secrets::default();
        for start in ["eyJ", "IQoJb3JpZ2lu", "k8s-aws-v1."] {
            let token = format!("{start}{}", "hbGciOi".repeat(10));
            assert_eq!(secrets.scrub(&format!("Value '{token}' at")), "Value '[withheld]' at");
        }
        assert_eq!(secrets.scrub("eyJ is how they begin"), "eyJ is how they begin");
    }

    #[test]
    fn json_stays_json() {
        let secrets = holding(&[SECRET]);
        let token = format!("eyJ{}", "hbGciOi".repeat(10));
        for before in ["\n", "\t", "\\", "\"", "\u{1}", "\u{7f}", "\\n", "é\n\r\n"] {
            for secret in [SECRET, token.as_str()] {
                let json = serde_json::to_string(&format!("{before}{secret}\n")).unwrap();
                let clean: String = serde_json::from_str(&secrets.scrub(&json)).unwrap();
                assert_eq!(clean, format!("{before}[withheld]\n"));
            }
        }
        // An escape whose letter is a part of the secret.
        let secrets = holding(&["n0123456789abcdefg"]);
        let json = serde_json::to_string("\n0123456789abcdefg").unwrap();
        assert_eq!(secrets.scrub(&json), "\"[withheld]\"");
        for text in ["\\", "\\u", "\\u00", "\\é", "\\u00é", "a\\"] {
            assert_eq!(secrets.scrub(text), text);
        }
    }

    #[test]
    fn text_without_a_secret_is_unchanged() {
        let secrets = holding(&[SECRET, ""]);
        let text =
            "{\"path\":\"/var/run/secrets/eks.amazonaws.com/serviceaccount/token\",\"é\":\"\\u0000\"}\n";
        assert_eq!(secrets.scrub(text), text);
    }

    #[test]
    fn what_was_wiped_is_forgotten() {
        let secrets = holding(&[SECRET]);
        secrets.wipe();
        assert_eq!(secrets.scrub(SECRET), SECRET);
    }
}
