//! Words of others that are repeated to people: cut to a length that can be read, and without what is a credential by its form.
//! A server, a proxy or an SDK may quote what it was sent.

/// Characters of foreign words that are kept.
const LONGEST: usize = 1000;
/// Stands for what is not repeated.
pub const WITHHELD: &str = "[withheld]";

/// What may be repeated of foreign words.
pub fn quoted(text: &str) -> String {
    let (start, more) = match text.char_indices().nth(LONGEST) {
        Some((end, _)) => text.split_at(end),
        None => (text, ""),
    };
    let mut kept = without_credentials(start);
    if !more.is_empty() {
        kept.push_str(&format!("… ({} characters more)", more.chars().count()));
    }
    kept
}

/// The text without what is a credential by its form: private keys, tokens, signatures, what follows the names of these, and
/// the logins in URLs.
fn without_credentials(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    // What was named last: its value follows.
    let mut named = false;
    while !rest.is_empty() {
        if let Some(after) = private_key(rest) {
            clean.push_str(WITHHELD);
            rest = after;
            continue;
        }
        let (word, after) = rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
        if word.is_empty() {
            let (between, after) = rest.split_at(rest.chars().next().map_or(0, char::len_utf8));
            // A sentence goes on about something else.
            named &= !matches!(between, "," | ";" | "&" | "\n" | ")");
            if let Some(after) = between.eq("/").then(|| login(rest)).flatten() {
                clean.push_str("//");
                clean.push_str(WITHHELD);
                rest = after;
                continue;
            }
            clean.push_str(between);
            rest = after;
            continue;
        }
        if looks_secret(word) || (named && !is_scheme(word)) {
            clean.push_str(WITHHELD);
            named = false;
            // Base64 goes on.
            rest = after.trim_start_matches(|c| is_word(c) || matches!(c, '/' | '='));
            continue;
        } else {
            clean.push_str(word);
            // `Bearer` alone is an English word: what follows at once is long where it is a token.
            named = is_scheme(word) && (named || follows_long(after)) || (is_name(word) && has_value(after));
        }
        rest = after;
    }
    clean
}

/// The characters of tokens and keys, plain and in a URL.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '%')
}

/// A JWT begins with `{"`, in base64.
fn looks_secret(word: &str) -> bool {
    word.find("eyJ").is_some_and(|start| word.len() - start > 30)
}

fn is_scheme(word: &str) -> bool {
    word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic")
}

/// Names of what is secret, as headers, parameters and settings have them.
fn is_name(word: &str) -> bool {
    const NAMES: [&str; 14] = [
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "webidentitytoken",
        "x-amz-signature",
        "x-amz-security-token",
        "x-amz-credential",
        "signature",
        "sessiontoken",
        "secretaccesskey",
        "aws_secret_access_key",
        "aws_session_token",
        "password",
    ];
    NAMES.iter().any(|name| word.eq_ignore_ascii_case(name))
}

/// True if a value is given to the name before: `name=value`, `name: value`, `"name":"value"`, `<name>value`.
fn has_value(after: &str) -> bool {
    let after = after.trim_start_matches(['"', '\'', '\\', ' ']);
    after.starts_with(['=', ':', '>'])
}

fn follows_long(after: &str) -> bool {
    let word = after.trim_start();
    word.len() < after.len()
        && word.find(|c| !is_word(c) && !matches!(c, '/' | '=')).unwrap_or(word.len()) >= 16
}

/// What follows the login of a URL, from its `@`, if the text begins with `//` and a login.
fn login(text: &str) -> Option<&str> {
    let authority = text.strip_prefix("//")?;
    let end = authority.find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<'));
    let (authority, _) = authority.split_at(end.unwrap_or(authority.len()));
    let at = authority.rfind('@')?;
    text.get(2 + at..)
}

/// What follows a private key in PEM; nothing if its end is missing.
fn private_key(text: &str) -> Option<&str> {
    const END: &str = "PRIVATE KEY-----";
    let rest = text.strip_prefix("-----BEGIN ")?;
    let head = rest.find("-----")?;
    let body =
        rest.get(head..).filter(|_| rest.get(..head).is_some_and(|kind| kind.ends_with("PRIVATE KEY")))?;
    Some(body.find(END).and_then(|end| body.get(end + END.len()..)).unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_withheld_by_their_form() {
        let jwt = format!("eyJhbGciOiJSUzI1NiJ9.{}.c2ln", "eyJzdWIiOiJ4In0".repeat(3));
        for (text, clean) in [
            (format!("Value '{jwt}' at"), "Value '[withheld]' at"),
            ("Authorization: Bearer abc.def, then".into(), "Authorization: Bearer [withheld], then"),
            ("Authorization: Basic bWU6/aHVu+ZGVy==".into(), "Authorization: Basic [withheld]"),
            ("bad token Bearer 0123456789abcdef0".into(), "bad token Bearer [withheld]"),
            (
                "GET /?X-Amz-Signature=0a1b&X-Amz-Date=2".into(),
                "GET /?X-Amz-Signature=[withheld]&X-Amz-Date=2",
            ),
            (r#"{"SecretAccessKey": "wJal", "n": 1}"#.into(), r#"{"SecretAccessKey": "[withheld]", "n": 1}"#),
            ("via http://me:hunter2@proxy:3128/ now".into(), "via http://[withheld]@proxy:3128/ now"),
            (
                "a -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- b".into(),
                "a [withheld] b",
            ),
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
        ] {
            assert_eq!(quoted(text), text);
        }
    }

    #[test]
    fn endless_words_are_cut() {
        let cut = quoted(&"ä".repeat(5000));
        assert_eq!(cut, format!("{}… (4000 characters more)", "ä".repeat(LONGEST)));
    }
}
