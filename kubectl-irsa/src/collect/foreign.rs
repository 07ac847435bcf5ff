//! The door through which the words of servers, proxies and SDKs enter. The secrets that this run holds are known here by value:
//! an answer may quote them without their names.

use std::sync::LazyLock;

use irsa::text::foreign::quoted;
use irsa_probe::secrets::Secrets;
use percent_encoding::percent_decode_str;

/// Bytes of foreign words that are looked through: many times what is kept of them.
const FARTHEST: usize = 64 << 10;

/// Of the whole process, as words enter wherever something is asked.
static HELD: LazyLock<Secrets> = LazyLock::new(Secrets::default);

/// This may never be printed.
pub fn hold(secret: &str) {
    HELD.add(secret.as_bytes());
}

/// Nor may the login of a URL.
pub fn hold_login(url: &str) {
    let Some((before, _)) = url.rsplit_once('@') else { return };
    let login = before.split_once("://").map_or(before, |(_, login)| login);
    let password = login.split_once(':').map_or(login, |(_, password)| password);
    hold(password);
    hold(&percent_decode_str(password).decode_utf8_lossy());
}

/// Nor may a private key in PEM, whose frame is no secret.
pub fn hold_key(pem: &[u8]) {
    let text = String::from_utf8_lossy(pem);
    text.split("-----").filter(|part| !part.contains("PRIVATE KEY")).for_each(hold);
}

/// What may be repeated of foreign words: without secrets, and cut.
pub fn foreign(words: &str) -> String {
    let near = words.get(..words.floor_char_boundary(FARTHEST)).unwrap_or_default();
    quoted(&without_held(near))
}

/// The text without the secrets that are held, and without what looks like a token.
pub fn without_held(text: &str) -> String {
    HELD.scrub(text)
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
        hold_login("http://me:canary%2Fof%2Fa%2Flogin@proxy:3128");
        assert_eq!(foreign("canary/of/a/login, canary%2Fof%2Fa%2Flogin"), "[withheld], [withheld]");
    }
}
