//! Words of others that are repeated to people: cut to a length that can be read, and without what is a credential by its form.
//! A server, a proxy or an SDK may quote what it was sent. What is said in prose by others is a [`Quoted`], which can be made in
//! no other way.

use std::fmt;
use std::ops::{Deref, Range};

use irsa_probe::secrets::{tokens, views, without};
use serde::{Deserialize, Deserializer, Serialize};

pub use irsa_probe::secrets::WITHHELD;

/// Characters of foreign words that are kept.
const LONGEST: usize = 1000;
/// How many are looked through for these.
const FARTHEST: usize = 4 * LONGEST;
/// How often a text is looked through; what nobody made on purpose is at rest after the first time.
const ROUNDS: usize = 8;

/// What others say, without what is a credential by its form.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Quoted(String);

impl Deref for Quoted {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<&str> for Quoted {
    fn from(text: &str) -> Self {
        Self(quoted(text))
    }
}

impl From<String> for Quoted {
    fn from(text: String) -> Self {
        Self(quoted(&text))
    }
}

impl From<Quoted> for String {
    fn from(quoted: Quoted) -> Self {
        quoted.0
    }
}

impl From<&Quoted> for String {
    fn from(quoted: &Quoted) -> Self {
        quoted.0.clone()
    }
}

impl PartialEq<str> for Quoted {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Quoted {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl<'de> Deserialize<'de> for Quoted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// What may be repeated of foreign words. What it gives, it leaves as it is.
pub fn quoted(text: &str) -> String {
    let (text, note) = noted(text);
    let near = text.char_indices().nth(FARTHEST).map_or(text.len(), |(end, _)| end);
    let (near, far) = text.split_at(near);
    let clean = without_credentials(near);
    let Some((end, _)) = clean.char_indices().nth(LONGEST) else { return clean + note };
    // Half a sign that something is withheld is none.
    let near = clean.split_at(clean.floor_char_boundary(end + WITHHELD.len())).0;
    let sign = near.rfind(WITHHELD);
    let end = sign.filter(|start| (*start..start + WITHHELD.len()).contains(&end)).unwrap_or(end);
    let (kept, more) = clean.split_at(end);
    format!("{kept}… ({} characters more)", more.chars().count() + far.chars().count())
}

/// A text that is cut already, and what says so.
fn noted(text: &str) -> (&str, &str) {
    let start = text.rfind("… (").filter(|start| {
        let (before, note) = text.split_at(*start);
        let number = note.strip_prefix("… (").and_then(|note| note.strip_suffix(" characters more)"));
        number.is_some_and(|number| number.len() < 20 && number.bytes().all(|byte| byte.is_ascii_digit()))
            && before.chars().nth(LONGEST).is_none()
    });
    text.split_at(start.unwrap_or(text.len()))
}

/// The text without what is a credential by its form, whatever notation it is in: private keys, tokens, signatures, what
/// follows the names of these, and the logins in URLs. What is left may read as one in turn; a text that does not come to
/// rest is made to do that, and is withheld.
pub fn without_credentials(text: &str) -> String {
    let mut clean = text.to_owned();
    for _ in 0..ROUNDS {
        let mut hidden = Vec::new();
        for view in views(&clean) {
            view.find(tokens, &mut hidden);
            view.find(private_keys, &mut hidden);
            view.find(credentials, &mut hidden);
        }
        let next = without(&clean, hidden, |_| WITHHELD);
        if next == clean {
            return clean;
        }
        clean = next;
    }
    String::from(WITHHELD)
}

/// Finds credentials by their form.
fn credentials(text: &[u8], found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let word = rest.iter().take_while(|byte| is_name_byte(**byte)).count();
        let hidden = if word > 0 {
            rest.split_at_checked(word).and_then(|(name, after)| value(name, after))
        } else {
            login(rest)
        };
        match hidden {
            Some(Range { start, end }) => {
                found.push(at + start..at + end);
                at += end.max(1);
            }
            None => at += word.max(1),
        }
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// What a name is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    /// A value that is secret.
    Secret,
    /// A value of several words, to the end of the line.
    Line,
    /// A value that is secret where the notation says that it is one; in prose, the word is a word.
    Word,
    /// A way to sign in, which what it takes may follow.
    Scheme,
}

impl Name {
    /// Names of what is secret, as headers, parameters and settings have them.
    fn of(name: &[u8]) -> Option<Self> {
        // Longer than all of them.
        if name.len() > 40 {
            return None;
        }
        let plain: Vec<u8> =
            name.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
        let of = |name: &[u8]| match name {
            b"authorization"
            | b"proxyauthorization"
            | b"webidentitytoken"
            | b"xamzsignature"
            | b"xamzsecuritytoken"
            | b"xamzcredential"
            | b"signature"
            | b"sessiontoken"
            | b"securitytoken"
            | b"secretaccesskey"
            | b"secretkey"
            | b"awssecretaccesskey"
            | b"awssessiontoken"
            | b"password"
            | b"passwd"
            | b"clientsecret"
            | b"accesstoken"
            | b"refreshtoken"
            | b"idtoken"
            | b"apikey"
            | b"privatekey"
            | b"clientkeydata"
            | b"authtoken"
            | b"clienttoken" => Some(Self::Secret),
            b"cookie" | b"setcookie" => Some(Self::Line),
            b"token" | b"secret" => Some(Self::Word),
            b"bearer" | b"basic" | b"digest" | b"negotiate" => Some(Self::Scheme),
            _ => None,
        };
        // `DB_PASSWORD`, `x-vault-token`: the last part says what it is.
        of(&plain).or_else(|| {
            let last = name.rsplit(|byte| matches!(byte, b'-' | b'_')).next()?;
            of(&last.to_ascii_lowercase()).filter(|name| *name != Self::Scheme && last != b"signature")
        })
    }
}

/// The value of a secret that is named, as a range of both: `name=value`, `name: value`, `"name":"value"`, `<name>value`.
fn value(name: &[u8], after: &[u8]) -> Option<Range<usize>> {
    let kind = Name::of(name)?;
    let spaces = after.iter().take_while(|byte| **byte == b' ').count();
    if kind == Name::Scheme {
        // `Bearer` alone is an English word: what follows is long where it is a token.
        let length = word(after.get(spaces..)?);
        return (spaces > 0 && length >= 16).then(|| {
            let start = name.len() + spaces;
            start..start + length
        });
    }
    let quotes = after.iter().take_while(|byte| matches!(byte, b'"' | b'\'' | b'\\')).count();
    let gap = quotes + after.get(quotes..)?.iter().take_while(|byte| **byte == b' ').count();
    let sign = after.get(gap).filter(|sign| matches!(sign, b'=' | b':' | b'>'))?;
    let mut start = gap + 1;
    start += after.get(start..)?.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let open = after.get(start..)?.iter().take_while(|byte| **byte == b'\\').count();
    let quote = after.get(start + open).copied().filter(|byte| matches!(byte, b'"' | b'\''));
    if kind == Name::Word && *sign != b'=' && (quote.is_none() || gap != quotes) {
        return None;
    }
    if quote.is_some() {
        start += open + 1;
    }
    start += scheme(after.get(start..)?);
    let rest = after.get(start..)?;
    let length = match (quote, kind, sign) {
        (Some(quote), _, _) => Some(in_quotes(rest, quote, open > 0)),
        (None, _, b'>') => rest.iter().position(|byte| *byte == b'<'),
        (None, Name::Line, _) => rest.iter().enumerate().position(|(at, byte)| {
            matches!(byte, b'\n' | b'\r' | b'"' | b'<') || (*byte == b'\\' && is_line_break(rest.get(at + 1)))
        }),
        _ => Some(word(rest)),
    };
    let length = length.unwrap_or(rest.len());
    let start = name.len() + start;
    (length > 0).then_some(start..start + length)
}

/// The length of a scheme before what it takes, which tells nothing.
fn scheme(text: &[u8]) -> usize {
    let name = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let is_scheme = text.get(..name).and_then(Name::of) == Some(Name::Scheme);
    if is_scheme && text.get(name) == Some(&b' ') { name + 1 } else { 0 }
}

/// The length of a value before the quotation mark that ends it, which has a backslash before it if the first one had.
fn in_quotes(text: &[u8], quote: u8, escaped: bool) -> usize {
    let mut at = 0;
    while let Some(byte) = text.get(at).filter(|byte| **byte != b'\n' && **byte != quote) {
        at += match byte {
            b'\\' if escaped => {
                let backslashes = text.iter().skip(at).take_while(|byte| **byte == b'\\').count();
                if text.get(at + backslashes) == Some(&quote) {
                    return at;
                }
                backslashes
            }
            b'\\' => 2,
            _ => 1,
        };
    }
    at.min(text.len())
}

/// The letter of an escape that ends a line.
fn is_line_break(letter: Option<&u8>) -> bool {
    matches!(letter, Some(b'n' | b'r'))
}

/// The length of a value that has no quotation marks around it.
fn word(text: &[u8]) -> usize {
    let ends = |at: usize| {
        let next_is_space = text.get(at + 1).is_none_or(u8::is_ascii_whitespace);
        match text.get(at) {
            Some(b'"' | b'\'' | b'<' | b'&') | None => true,
            Some(b',' | b';' | b')' | b'.') => next_is_space,
            Some(b'\\') => is_line_break(text.get(at + 1)) || text.get(at + 1) == Some(&b'"'),
            Some(byte) => byte.is_ascii_whitespace(),
        }
    };
    (0..text.len()).find(|at| ends(*at)).unwrap_or(text.len())
}

/// The login of a URL, if the text begins with `//` and a login.
fn login(text: &[u8]) -> Option<Range<usize>> {
    let authority = text.strip_prefix(b"//")?;
    let ends =
        |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'<');
    let end = authority.iter().position(ends).unwrap_or(authority.len());
    let at = authority.get(..end)?.iter().rposition(|byte| *byte == b'@')?;
    Some(2..2 + at)
}

/// Finds private keys in PEM; to the end of the text if their own is missing.
fn private_keys(text: &[u8], found: &mut Vec<Range<usize>>) {
    const BEGIN: &[u8] = b"-----BEGIN ";
    const DASHES: &[u8] = b"-----";
    let find = |from: usize, what: &[u8]| {
        let rest = text.get(from..)?;
        Some(from + rest.windows(what.len()).position(|part| part == what)? + what.len())
    };
    // `ENCRYPTED PRIVATE KEY-----`: the kind, if dashes end it.
    let kind = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        let letters = rest.iter().take_while(|byte| byte.is_ascii_uppercase() || **byte == b' ').count();
        rest.split_at_checked(letters).filter(|(_, rest)| rest.starts_with(DASHES)).map(|(kind, _)| kind)
    };
    // Its own end is of the same kind (RFC 7468).
    let end_of = |of: &[u8], from: usize| {
        let mut at = from;
        while let Some(end) = find(at, b"-----END ") {
            at = end;
            if kind(end) == Some(of) {
                return Some(end + of.len());
            }
        }
        None
    };
    let mut at = 0;
    while let Some(begun) = find(at, BEGIN) {
        at = begun;
        if let Some(kind) = kind(begun).filter(|kind| kind.ends_with(b"PRIVATE KEY")) {
            let end = end_of(kind, begun);
            found.push(begun - BEGIN.len()..end.map_or(text.len(), |end| end + DASHES.len()));
            // With the dashes that end it, the next one may begin.
            at = end.unwrap_or(text.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn jwt() -> String {
        format!("eyJhbGciOiJSUzI1NiJ9.{}.c2ln", "eyJzdWIiOiJ4In0".repeat(3))
    }

    #[test]
    fn credentials_are_withheld_by_their_form() {
        for (text, clean) in [
            (format!("Value '{}' at", jwt()), "Value '[withheld]' at"),
            ("Authorization: Bearer abc.def, then".into(), "Authorization: Bearer [withheld], then"),
            ("Authorization: Basic bWU6/aHVu+ZGVy==".into(), "Authorization: Basic [withheld]"),
            ("bad token Bearer 0123456789abcdef0".into(), "bad token Bearer [withheld]"),
            (
                "GET /?X-Amz-Signature=0a1b&X-Amz-Date=2".into(),
                "GET /?X-Amz-Signature=[withheld]&X-Amz-Date=2",
            ),
            (r#"{"SecretAccessKey": "wJal", "n": 1}"#.into(), r#"{"SecretAccessKey": "[withheld]", "n": 1}"#),
            (r#"{\"token\":\"a b\",\"n\":1}"#.into(), r#"{\"token\":\"[withheld]\",\"n\":1}"#),
            ("via http://me:hunter2@proxy:3128/ now".into(), "via http://[withheld]@proxy:3128/ now"),
            (
                "a -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- b".into(),
                "a [withheld] b",
            ),
            ("DB_PASSWORD=p@ss!/w:d next".into(), "DB_PASSWORD=[withheld] next"),
            (r#"{"password": "a\"b\\c d"}"#.into(), r#"{"password": "[withheld]"}"#),
            ("Cookie: a=b; c=d\nHost: e".into(), "Cookie: [withheld]\nHost: e"),
            ("<Password>a b</Password>".into(), "<Password>[withheld]</Password>"),
            ("?WebIdentityToken%3Dabc%26RoleArn%3Dr".into(), "?WebIdentityToken%3D[withheld]%26RoleArn%3Dr"),
        ] {
            assert_eq!(quoted(&text), clean);
        }
    }

    #[test]
    fn what_people_need_stays() {
        for text in [
            "User: arn:aws:sts::111122223333:assumed-role/dev/me is not authorized to perform: iam:GetRole",
            "serviceaccounts \"checkout\" is forbidden: User \"system:serviceaccount:shop:checkout\" cannot get",
            "the bearer of https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE, basic or not; signature expired",
            "InvalidClientTokenId for AKIAIOSFODNN7EXAMPLE (request 0a1b2c3d-0000-4000-8000-0123456789ab)",
            "IncompleteSignature: the request lacks it; InvalidToken: the token is malformed; invalid token: no",
            "MountVolume.SetUp failed for volume \"aws-iam-token\" : failed to fetch token: the server could not",
            "https://sts.amazonaws.com/ me@example.com -----BEGIN CERTIFICATE----- Signature expired: 2026",
        ] {
            assert_eq!(quoted(text), text);
        }
    }

    #[test]
    fn endless_words_are_cut() {
        let cut = quoted(&"ä".repeat(5000));
        assert_eq!(cut, format!("{}… (4000 characters more)", "ä".repeat(LONGEST)));
        assert_eq!(
            quoted(&"Bearer a ".repeat(1 << 20)).chars().count(),
            LONGEST + "… (9436184 characters more)".chars().count()
        );
    }

    /// Pieces of which credentials and hostile texts are made.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "Authorization",
            "Bearer ",
            "Basic ",
            "password",
            "token",
            "Cookie",
            "X-Amz-Signature",
            ": ",
            "=",
            ":",
            "\"",
            "\\",
            "\\\"",
            "&",
            "&amp;",
            "%",
            "%3D",
            "%253D",
            "//",
            "@",
            "me:pw@",
            "https://",
            "-----BEGIN ",
            "PRIVATE KEY-----",
            "-----END ",
            "eyJ",
            "hbGciOiJSUzI1NiIsImtpZCI6IjEifQ",
            ".",
            " ",
            "\n",
            "\\n",
            "\\u0041",
            "<",
            ">",
            ",",
            ";",
            "… (",
            " characters more)",
            "12",
            "[withheld]",
            "[with",
            "held]",
            "ä",
            "😀",
            "a",
        ]);
        prop::collection::vec(piece, 0..60).prop_flat_map(|pieces| {
            (Just(pieces.concat()), 1..40_usize).prop_map(|(text, times)| text.repeat(times))
        })
    }

    #[test]
    fn half_an_end_of_a_key_ends_nothing() {
        let begin = "-----BEGIN EC PRIVATE KEY-----\nMHcK\n";
        let whole = "-----BEGIN PRIVATE KEY-----\nc4n4ry\n-----END PRIVATE KEY-----";
        for end in ["-----END EC PRIVATE KEY---", "-----END EC ", "-----END EC", "-----END ", ""] {
            let half = format!("{begin}{end}");
            for between in ["", " ", " b "] {
                let quoted = quoted(&format!("a {half}{between}{whole} c"));
                assert!(quoted.starts_with("a [withheld]") && !quoted.contains("c4n4ry"), "{end}: {quoted}");
            }
            assert_eq!(quoted(&format!("a {half} b")), "a [withheld]");
        }
        let next = format!("{begin}-----END EC PRIVATE KEY{whole} c");
        assert_eq!(quoted(&next), "[withheld] c");
    }

    proptest! {
        // Each text is long.
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_quoted_is_short_and_stays_as_it_is(text in pieces()) {
            let once = quoted(&text);
            prop_assert!(once.chars().count() <= LONGEST + 50);
            prop_assert_eq!(quoted(&once), once);
        }

        #[test]
        fn a_credential_is_withheld_wherever_it_stands(before in pieces(), after in pieces(), times in 0..3_usize) {
            const KEY: &str = "-----BEGIN PRIVATE KEY-----\ncanary-of-a-key\n-----END PRIVATE KEY-----";
            for secret in [&jwt(), KEY, "\nAuthorization: Basic canary-of-a-header\n"] {
                let mut written = secret.to_owned();
                for _ in 0..times {
                    written = serde_json::to_string(&written).unwrap();
                }
                let quoted = quoted(&format!("{before} {written} {after}"));
                prop_assert!(!quoted.contains("canary-of-") && !quoted.contains(&jwt()[30..]), "{}", quoted);
            }
        }
    }
}
