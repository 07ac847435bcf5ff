//! The environment: every name that matters to an AWS SDK, and the values that are no secret.

use crate::secrets::looks_like_a_token;
use irsa_probe::{Environment, Fault, Origin, Variable, is_public, matters_to_aws};
use std::path::Path;
use zeroize::Zeroizing;

/// No value is longer in the report.
const LONGEST: usize = 1024;

/// An environment as the report has it, and the values that only the probe itself needs.
#[derive(Default)]
pub struct Env {
    /// For the report.
    pub seen: Environment,
    /// The public variables as they are: a proxy's URL with its password.
    values: Vec<(String, Zeroizing<String>)>,
}

impl Env {
    /// That of the target's process if it may be read, else the probe's own.
    pub fn read(target: Option<&Path>) -> Env {
        let read = |path: &Path| std::fs::read(path.join("environ")).map(Zeroizing::new).map_err(Fault::from);
        let fault = match target.map(read) {
            // The kernel shows nothing of a process that has no memory any more.
            Some(Ok(block)) if !block.is_empty() => return Env::parse(Origin::Target, &block),
            Some(Ok(_)) => Some(Fault::new(irsa_probe::FaultKind::NotFound, "the environment is empty")),
            Some(Err(fault)) => Some(fault),
            None => None,
        };
        let mut own = Env { seen: Environment { fault, ..Environment::default() }, values: Vec::new() };
        for (name, value) in std::env::vars_os() {
            own.add(&name.to_string_lossy(), Zeroizing::new(value.to_string_lossy().into_owned()));
        }
        own
    }

    /// These variables.
    #[cfg(test)]
    pub fn of(variables: &[(&str, &str)]) -> Env {
        let mut env = Env::default();
        for (name, value) in variables {
            env.add(name, Zeroizing::new((*value).to_owned()));
        }
        env
    }

    fn parse(of: Origin, block: &[u8]) -> Env {
        let mut env = Env { seen: Environment { of, ..Environment::default() }, values: Vec::new() };
        for entry in block.split(|&byte| byte == 0) {
            let Some(equals) = entry.iter().position(|&byte| byte == b'=') else { continue };
            let name = String::from_utf8_lossy(&entry[..equals]);
            env.add(&name, Zeroizing::new(String::from_utf8_lossy(&entry[equals + 1..]).into_owned()));
        }
        env
    }

    /// `getenv` answers with the first entry of a name.
    fn add(&mut self, name: &str, value: Zeroizing<String>) {
        let public = is_public(name);
        if !matters_to_aws(name) || self.seen.variables.iter().any(|variable| variable.name == name) {
            return;
        }
        let shown = (public && !value.is_empty()).then(|| showable(&value));
        self.seen.variables.push(Variable { name: name.to_owned(), value: shown, empty: value.is_empty() });
        if public {
            self.values.push((name.to_owned(), value));
        }
    }

    /// The value of a public variable; one that is set to nothing counts as not set, as SDKs have it.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.values.iter().find(|(other, _)| other == name)?;
        Some(found.1.as_str()).filter(|value| !value.is_empty())
    }

    /// If a switch is on.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// A value without a password, a token that was put in the wrong place, or undue length.
pub fn showable(value: &str) -> String {
    if looks_like_a_token(value) {
        return "[withheld: a token]".into();
    }
    without_password(&shortened(value, LONGEST))
}

/// Text of at most so many bytes.
pub fn shortened(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    const MARK: &str = "…";
    let end = (0..=longest.saturating_sub(MARK.len())).rev().find(|&end| text.is_char_boundary(end));
    format!("{}{MARK}", &text[..end.unwrap_or(0)])
}

/// A URL without `user:password@`. All before the last `@` goes: a password may itself hold `/`, `#` or `@`, and the scheme
/// may be missing.
fn without_password(value: &str) -> String {
    let Some((_, rest)) = value.rsplit_once('@') else { return value.to_owned() };
    let scheme = value.split_once("://").map_or(String::new(), |(scheme, _)| format!("{scheme}://"));
    format!("{scheme}[withheld]@{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(block: &[u8]) -> Env {
        Env::parse(Origin::Target, block)
    }

    #[test]
    fn secrets_are_named_and_not_kept() {
        let env =
            parse(b"AWS_SECRET_ACCESS_KEY=verysecret\0AWS_REGION=eu-west-1\0PASSWORD=x\0AWS_PROFILE=\0");
        let seen = |name: &str, value: Option<&str>, empty| Variable {
            name: name.into(),
            value: value.map(Into::into),
            empty,
        };
        let expected = vec![
            seen("AWS_SECRET_ACCESS_KEY", None, false),
            seen("AWS_REGION", Some("eu-west-1"), false),
            seen("AWS_PROFILE", None, true),
        ];
        assert_eq!(env.seen.variables, expected);
        assert_eq!(env.get("AWS_SECRET_ACCESS_KEY"), None);
        assert_eq!(env.get("AWS_PROFILE"), None);
    }

    #[test]
    fn the_first_entry_of_a_name_counts() {
        let env = parse(b"AWS_REGION=a\0AWS_REGION=b\0nonsense\0=\0AWS_ROLE_ARN=x=y");
        assert_eq!(env.get("AWS_REGION"), Some("a"));
        assert_eq!(env.get("AWS_ROLE_ARN"), Some("x=y"));
        assert_eq!(env.seen.variables.len(), 2);
    }

    #[test]
    fn a_password_is_used_and_not_shown() {
        let env = parse(b"https_proxy=http://me:p@ss@proxy:3128\0");
        assert_eq!(env.get("https_proxy"), Some("http://me:p@ss@proxy:3128"));
        assert_eq!(env.seen.variables[0].value.as_deref(), Some("http://[withheld]@proxy:3128"));
    }

    #[test]
    fn a_token_in_the_wrong_variable_is_not_shown() {
        let value = format!("AWS_WEB_IDENTITY_TOKEN_FILE=eyJ{}", "a".repeat(60));
        let shown = parse(value.as_bytes()).seen.variables.remove(0).value;
        assert_eq!(shown.as_deref(), Some("[withheld: a token]"));
    }

    #[test]
    fn text_is_shortened_between_characters() {
        assert_eq!(shortened("abc", 3), "abc");
        assert_eq!(shortened("abcdef", 5), "ab…");
        assert_eq!(shortened("ééé", 5), "é…");
        for longest in 3..20 {
            assert!(shortened("aé€😀".repeat(5).as_str(), longest).len() <= longest);
        }
    }
}
