//! Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and `${*}`, `${?}`, `${$}` for the characters.

use super::wildcard::Glyph;
use super::{Context, Found, Version};

/// Why a value with variables is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unresolved {
    /// The request does not have the key, and there is no default.
    Null,
    /// The key has several values, which a variable cannot take.
    Several,
    /// It is not known what the request has.
    Unknown,
}

/// A value of a policy as a pattern, with its variables replaced. What replaces them is literal.
pub(super) fn resolve(
    text: &str,
    version: Version,
    wildcards: bool,
    context: &Context,
) -> Result<Vec<Glyph>, Unresolved> {
    let plain = |c| if wildcards { Glyph::wild(c) } else { Glyph::Char(c) };
    let mut pattern = Vec::with_capacity(text.len());
    let mut rest = text;
    while version == Version::V2012
        && let Some((before, variable, after)) = next_variable(rest)
    {
        pattern.extend(before.chars().map(plain));
        pattern.extend(value(variable, context)?.chars().map(Glyph::Char));
        rest = after;
    }
    pattern.extend(rest.chars().map(plain));
    Ok(pattern)
}

/// The text before the next variable, its inside, and the text after it.
fn next_variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("${")?;
    let (inside, after) = rest.split_once('}')?;
    Some((before, inside, after))
}

fn value<'a>(variable: &'a str, context: &'a Context) -> Result<&'a str, Unresolved> {
    if let "*" | "?" | "$" = variable {
        return Ok(variable);
    }
    let (key, default) = match variable.split_once(',') {
        Some((key, default)) => (key, quoted(default)),
        None => (variable, None),
    };
    match context.get(key.trim()) {
        Found::Present([value]) => Ok(value),
        Found::Present(_) => Err(Unresolved::Several),
        Found::Absent => default.ok_or(Unresolved::Null),
        Found::Unknown(_) => Err(Unresolved::Unknown),
    }
}

fn quoted(text: &str) -> Option<&str> {
    text.trim().strip_prefix('\'')?.strip_suffix('\'')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Value;
    use crate::policy::wildcard::matches;

    fn check(text: &str, version: Version, found: &str) -> Result<bool, Unresolved> {
        let mut context = Context::default();
        context.set("aws:username", Value::Present(vec!["a*b".into()]));
        context.set("aws:TagKeys", Value::Present(vec!["a".into(), "b".into()]));
        context.set("aws:SourceIp", Value::Unknown("not from here".into()));
        resolve(text, version, true, &context).map(|pattern| matches(&pattern, found))
    }

    #[test]
    fn what_replaces_a_variable_is_literal() {
        assert_eq!(check("x/${AWS:UserName}/*", Version::V2012, "x/a*b/y"), Ok(true));
        assert_eq!(check("x/${aws:username}", Version::V2012, "x/acb"), Ok(false));
        assert_eq!(check("${*}${?}${$}", Version::V2012, "*?$"), Ok(true));
        assert_eq!(check("${*}", Version::V2012, "anything"), Ok(false));
    }

    #[test]
    fn defaults_and_missing_values() {
        assert_eq!(check("${aws:PrincipalTag/team, 'none'}", Version::V2012, "none"), Ok(true));
        assert_eq!(check("${aws:username, 'none'}", Version::V2012, "a*b"), Ok(true));
        assert_eq!(check("${aws:PrincipalTag/team}", Version::V2012, ""), Err(Unresolved::Null));
        assert_eq!(check("${aws:TagKeys}", Version::V2012, "a"), Err(Unresolved::Several));
        assert_eq!(check("${aws:SourceIp}", Version::V2012, "a"), Err(Unresolved::Unknown));
    }

    #[test]
    fn the_rules_of_2008_have_no_variables() {
        assert_eq!(check("${aws:username}", Version::V2008, "${aws:username}"), Ok(true));
        assert_eq!(check("${aws:username", Version::V2012, "${aws:username"), Ok(true));
    }
}
