//! The webhook's ConfigMap `pod-identity-webhook`, read as the webhook reads it (webhook `pkg/cache/cache.go`).

use serde_json::{Map, Value};

use crate::facts::Facts;

/// One entry: `"namespace/name": {"RoleARN": "…"}`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The key, raw.
    pub key: String,
    /// The role it names.
    pub role: Option<String>,
}

/// Why the webhook cannot take the configuration.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ConfigProblem {
    /// It keeps what it had before, and logs `failed to unmarshal new config`.
    Malformed(String),
    /// It crashes: the code assumes a slash in every key and fields in every entry.
    Crashes(String),
}

/// Reads the key `config`. Field names are matched without case, as Go's decoder does it.
pub(crate) fn entries(config: &str) -> Result<Vec<Entry>, ConfigProblem> {
    let parsed: Map<String, Value> =
        serde_json::from_str(config).map_err(|error| ConfigProblem::Malformed(error.to_string()))?;
    let mut entries = Vec::new();
    for (key, value) in parsed {
        let fields = match value {
            Value::Object(fields) => fields,
            Value::Null => return Err(ConfigProblem::Crashes(format!("entry `{key}` is null"))),
            _ => return Err(ConfigProblem::Malformed(format!("entry `{key}` is not an object"))),
        };
        if !key.contains('/') {
            return Err(ConfigProblem::Crashes(format!("key `{key}` is not of the form namespace/name")));
        }
        let role = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("RoleARN"));
        let role = match role.map(|(_, role)| role) {
            Some(Value::String(role)) if !role.is_empty() => Some(role.clone()),
            Some(Value::String(_) | Value::Null) | None => None,
            Some(_) => {
                return Err(ConfigProblem::Malformed(format!("RoleARN of entry `{key}` is not a string")));
            }
        };
        entries.push(Entry { key, role });
    }
    Ok(entries)
}

/// The entry that counts for the subject's service account: its own, then that of the literal namespace `*`.
pub(crate) fn entry_for<'e>(entries: &'e [Entry], facts: &Facts) -> Option<&'e Entry> {
    let account = &facts.service_account_name;
    let keys = [format!("{}/{account}", facts.namespace_name), format!("*/{account}")];
    keys.iter().find_map(|wanted| entries.iter().find(|entry| split(&entry.key) == split(wanted)))
}

/// The entry that seems to cover the service account by a wildcard which the webhook takes literally.
pub(crate) fn looks_covered<'e>(entries: &'e [Entry], facts: &Facts) -> Option<&'e Entry> {
    entries.iter().find(|entry| {
        entry.key.contains('*')
            && split(&entry.key).is_some_and(|(namespace, name)| {
                glob(namespace, &facts.namespace_name) && glob(name, &facts.service_account_name)
            })
    })
}

/// The first two parts; the webhook ignores any further.
fn split(key: &str) -> Option<(&str, &str)> {
    let mut parts = key.split('/');
    parts.next().zip(parts.next())
}

/// Whether a pattern with `*` covers the text, as a person reads it.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|tail| {
            let mut starts = tail.char_indices().map(|(at, _)| at).chain([tail.len()]);
            starts.any(|at| glob(rest, &tail[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_go_does() {
        let read = entries(r#"{"shop/checkout": {"rolearn": "arn:a"}, "*/bare": {}}"#).unwrap();
        assert_eq!(read[0], Entry { key: String::from("*/bare"), role: None });
        assert_eq!(read[1].role.as_deref(), Some("arn:a"));
        assert!(matches!(entries(""), Err(ConfigProblem::Malformed(_))));
        assert!(matches!(entries(r#"{"shop/a": "arn"}"#), Err(ConfigProblem::Malformed(_))));
        assert!(matches!(entries(r#"{"checkout": {}}"#), Err(ConfigProblem::Crashes(_))));
        assert!(matches!(entries(r#"{"shop/checkout": null}"#), Err(ConfigProblem::Crashes(_))));
    }

    #[test]
    fn wildcards() {
        assert!(glob("test-*", "test-1"));
        assert!(glob("*", "shop"));
        assert!(glob("a*c*", "abcd"));
        assert!(!glob("test-*", "shop"));
        assert!(!glob("a*c", "abd"));
    }
}
