//! The pieces that may leave a text: each must match a grammar, and nothing that could be a secret gets through.

use crate::aws::arn::Arn;

/// Longest ARN that is kept.
const LONGEST_ARN: usize = 600;
/// The most characters allowed between an ARN and the end of its word: `).`
const PUNCTUATION: usize = 4;
/// Longest host or URL that is kept, as DNS has it.
const LONGEST_HOST: usize = 253;

/// Reads a whole ARN; nothing that could be a secret passes for one.
pub(super) fn arn(text: &str) -> Option<Arn<'_>> {
    let Arn { partition, service, region, account, resource } = Arn::split(text)?;
    let label = |part: &str, most: usize| {
        part.len() <= most && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let sound = text.len() <= LONGEST_ARN
        && partition.starts_with("aws")
        && label(partition, 16)
        && !service.is_empty()
        && label(service, 32)
        && label(region, 32)
        && (account.is_empty() || is_account(account))
        && !resource.is_empty()
        && resource.chars().all(is_arn_char)
        && !may_be_secret(text);
    sound.then_some(Arn { partition, service, region, account, resource })
}

/// The ARN that the text starts with, if it is whole: what follows must be a space, a quotation mark or a full stop.
///
/// Looks no further than an ARN can be long, so that a line full of ARN prefixes is read in linear time.
pub(super) fn arn_at_start(text: &str) -> Option<&str> {
    let text = text.trim_start_matches([' ', '"', '\'', '`']);
    let near = &text[..text.floor_char_boundary(LONGEST_ARN + PUNCTUATION)];
    let end = near.find(|c| !is_arn_char(c)).or((near.len() == text.len()).then_some(text.len()))?;
    let run = &text[..end];
    let ends = text[run.len()..].chars().next();
    if ends.is_some_and(|c| !c.is_whitespace() && !"\"'`<>\\".contains(c)) {
        return None;
    }
    let arn = run.trim_end_matches(['.', ',', ';', ':', ')', ']']);
    self::arn(arn).map(|_| arn)
}

fn is_arn_char(c: char) -> bool {
    c.is_ascii_graphic() && !"\"'`\\<>{}|^".contains(c)
}

/// Twelve digits.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && is_digits(text)
}

pub(super) fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

pub(super) fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// `8-4-4-4-12` in lower case.
pub(super) fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(|part| is_hex(part))
}

/// A name as IAM and STS allow it.
pub(super) fn is_iam_name(text: &str, most: usize) -> bool {
    !text.is_empty()
        && text.len() <= most
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
        && !may_be_secret(text)
}

/// The last `length` bytes.
pub(super) fn tail(text: &str, length: usize) -> Option<&str> {
    text.len().checked_sub(length).and_then(|at| text.get(at..))
}

/// The longest start of the text whose characters are all allowed.
pub(super) fn run(text: &str, allowed: impl Fn(char) -> bool) -> &str {
    &text[..text.find(|c| !allowed(c)).unwrap_or(text.len())]
}

/// The UUID that the text starts with.
pub(super) fn uuid_at_start(text: &str) -> Option<&str> {
    let id = run(text.trim_start(), |c| c.is_ascii_alphanumeric() || c == '-');
    is_uuid(id).then_some(id)
}

/// The number that the text starts with.
pub(super) fn number_at_start(text: &str) -> Option<u64> {
    run(text.trim_start(), |c| c.is_ascii_digit()).parse().ok()
}

/// `GetObject`: the operation that the text starts with.
pub(super) fn operation_at_start(text: &str) -> Option<&str> {
    let name = run(text.trim_start(), |c| c.is_ascii_alphanumeric());
    let sound = (3..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().any(|b| b.is_ascii_lowercase())
        && !may_be_secret(name);
    sound.then_some(name)
}

/// `s3:GetObject`: the action that the text starts with.
pub(super) fn action_at_start(text: &str) -> Option<&str> {
    let action = run(text.trim_start(), |c| c.is_ascii_alphanumeric() || c == '-' || c == ':');
    let (service, name) = action.split_once(':')?;
    let sound = (2..=40).contains(&service.len())
        && service.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && (2..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric())
        && !may_be_secret(name);
    sound.then_some(action)
}

/// True for a name of the DNS with at least two labels, or an IP address.
pub(super) fn is_host(text: &str) -> bool {
    if text.parse::<core::net::IpAddr>().is_ok() {
        return true;
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= LONGEST_HOST && text.contains('.') && text.split('.').all(label) && !may_be_secret(text)
}

/// The issuer's URL that the text starts with.
pub(super) fn issuer_at_start(text: &str) -> Option<&str> {
    let url = run(text.trim_start(), |c| c.is_ascii_alphanumeric() || ":/._~-".contains(c));
    let url = url.trim_end_matches(['.', ':']);
    let rest = url.strip_prefix("https://")?;
    let (authority, _) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let sound = url.len() <= LONGEST_HOST
        && (is_host(host) || host == "localhost")
        && port.parse::<u16>().is_ok()
        && !may_be_secret(url);
    sound.then_some(url)
}

/// `<namespace>:<name>`, or with another character between.
pub(super) fn service_account_at_start(text: &str, between: char) -> Option<(&str, &str)> {
    let (namespace, rest) = text.split_once(between)?;
    let name = run(rest, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.');
    let name = name.trim_end_matches('.');
    (is_label(namespace) && is_subdomain(name)).then_some((namespace, name))
}

/// A valid name of a namespace.
pub(super) fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !may_be_secret(text)
}

/// A valid name of a service account.
pub(super) fn is_subdomain(text: &str) -> bool {
    text.len() <= LONGEST_HOST && text.split('.').all(is_label)
}

/// True if the text contains anything that could be a token, an access key or a secret key. It errs on the side of silence.
pub(super) fn may_be_secret(text: &str) -> bool {
    // A JWT starts with `{"` in Base64; the others start the session tokens of AWS.
    const TOKENS: [&str; 4] = ["eyJ", "IQoJ", "FwoG", "FQoG"];
    const ACCESS_KEYS: [&str; 5] = ["AKIA", "ASIA", "ABIA", "ACCA", "APKA"];
    let starts = |prefix: &str, least: usize, allowed: fn(char) -> bool| {
        text.match_indices(prefix).any(|(at, _)| run(&text[at + prefix.len()..], allowed).len() >= least)
    };
    let is_token_char = |c: char| c.is_ascii_alphanumeric() || "+/=_-".contains(c);
    TOKENS.iter().any(|prefix| starts(prefix, 8, is_token_char))
        || ACCESS_KEYS
            .iter()
            .any(|prefix| starts(prefix, 12, |c| c.is_ascii_uppercase() || c.is_ascii_digit()))
        || text.split(|c: char| !c.is_ascii_alphanumeric() && c != '+' && c != '/').any(is_secret_key)
        || text
            .split(|c: char| !c.is_ascii_alphanumeric() && !"+=_".contains(c))
            .any(|word| word.len() >= 100)
}

/// 40 characters of Base64, unlike a word or a hash.
fn is_secret_key(word: &str) -> bool {
    word.len() == 40
        && word.bytes().any(|b| b.is_ascii_digit())
        && word.bytes().any(|b| b.is_ascii_lowercase())
        && word.bytes().any(|b| b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_shape() {
        for secret in [
            "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ",
            "arn:aws:s3:::bucket/AKIAIOSFODNN7EXAMPLE",
            "ASIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKE1",
            "IQoJb3JpZ2luX2VjEJr",
        ] {
            assert!(may_be_secret(secret), "{secret}");
        }
        for name in [
            "arn:aws:iam::111122223333:role/team/shop-checkout",
            "NjlmOWY0NWYtNmYwZi00YjNlLTlmMGUtMGYxZDJjM2I0YTU5",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E",
        ] {
            assert!(!may_be_secret(name), "{name}");
        }
    }

    #[test]
    fn a_piece_is_whole_or_nothing() {
        let role = "arn:aws:iam::111122223333:role/app";
        for text in
            [role.to_owned(), format!(" \"{role}\" because"), format!("{role}. Next"), format!("{role})")]
        {
            assert_eq!(arn_at_start(&text), Some(role), "{text}");
        }
        assert_eq!(arn_at_start("arn:aws:s3:::bucket/caf\u{e9}"), None);
        assert_eq!(arn_at_start("arn:aws:iam::ACCOUNT:role/app"), None);
        let long = format!("arn:aws:s3:::{}", "a/".repeat(LONGEST_ARN));
        assert_eq!(arn_at_start(&long[..LONGEST_ARN]), Some(&long[..LONGEST_ARN]));
        assert_eq!(arn_at_start(&format!("{}).", &long[..LONGEST_ARN])), Some(&long[..LONGEST_ARN]));
        assert_eq!((arn_at_start(&long[..LONGEST_ARN + 1]), arn_at_start(&long)), (None, None));
        assert_eq!(issuer_at_start("https://idp.example.com/a. "), Some("https://idp.example.com/a"));
        for bad in ["http://idp.example.com", "https://user@idp.example.com", "https://", "https://a_b:x/"] {
            assert!(issuer_at_start(bad).is_none_or(|url| !url.contains('@')), "{bad}");
        }
        assert_eq!(action_at_start("s3:GetObject on"), Some("s3:GetObject"));
        assert_eq!(action_at_start("S3:GetObject"), None);
        assert_eq!(operation_at_start("GetObject operation"), Some("GetObject"));
        assert_eq!(
            uuid_at_start(" 5c3f9ce5-ba7d-495e-98b1-ffcd5cf85133\""),
            Some("5c3f9ce5-ba7d-495e-98b1-ffcd5cf85133")
        );
        assert_eq!(uuid_at_start("5c3f9ce5"), None);
        assert_eq!(service_account_at_start("shop:checkout\"", ':'), Some(("shop", "checkout")));
        assert!(is_host("sts.eu-west-1.amazonaws.com") && is_host("fd00:ec2::23") && !is_host("a..b"));
    }
}
