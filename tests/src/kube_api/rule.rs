//! Rules that pick requests: `VERB RESOURCE[/SUBRESOURCE] [-A | -n NAMESPACE]` or `VERB /PATH`. Worlds use them to
//! deny, fail and hang. A rule that could never match (a typing error) is refused: a test whose denial does nothing
//! would pass for the wrong reason.

use super::resources::{RESOURCES, VIRTUAL};
use super::route::{ResourcePath, Route};
use serde::Deserialize;
use std::fmt;

const VERBS: &[&str] = &[
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "impersonate",
    "post",
    "*",
];

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Rule {
    verb: String,
    what: What,
    scope: Scope,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Everything,
    Path(String),
    Resource { plural: String, subresource: String },
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    Any,
    /// `-A`: only requests across all namespaces, as a user with a Role but no ClusterRole meets them.
    Cluster,
    Namespace(String),
}

impl TryFrom<String> for Rule {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut words = text.split_whitespace();
        let (Some(verb), Some(what)) = (words.next(), words.next()) else {
            return Err(format!("rule {text:?}: expected `VERB RESOURCE[/SUBRESOURCE] [-A | -n NAMESPACE]`"));
        };
        if !VERBS.contains(&verb) {
            return Err(format!(
                "rule {text:?}: unknown verb {verb:?}, expected one of {}",
                VERBS.join(", ")
            ));
        }
        let scope = match (words.next(), words.next(), words.next()) {
            (None, ..) => Scope::Any,
            (Some("-A"), None, _) => Scope::Cluster,
            (Some("-n"), Some(namespace), None) => Scope::Namespace(namespace.to_owned()),
            _ => {
                return Err(format!(
                    "rule {text:?}: after the resource only `-A` or `-n NAMESPACE` may follow"
                ));
            }
        };
        let what = parse_what(what).map_err(|why| format!("rule {text:?}: {why}"))?;
        Ok(Rule { verb: verb.to_owned(), what, scope })
    }
}

fn parse_what(text: &str) -> Result<What, String> {
    if text == "*" {
        return Ok(What::Everything);
    }
    if text.starts_with('/') {
        return Ok(What::Path(text.to_owned()));
    }
    let (plural, subresource) = text.split_once('/').unwrap_or((text, ""));
    check_plural(plural)?;
    Ok(What::Resource { plural: plural.to_owned(), subresource: subresource.to_owned() })
}

/// Refuses a plural name that the fake has never heard of.
pub fn check_plural(plural: &str) -> Result<(), String> {
    let known =
        RESOURCES.iter().any(|r| r.plural == plural) || VIRTUAL.iter().any(|(_, name)| *name == plural);
    if known { Ok(()) } else { Err(format!("unknown resource {plural:?} (write the plural, e.g. \"pods\")")) }
}

impl Rule {
    /// Whether the rule picks this request.
    pub fn matches(&self, route: &Route) -> bool {
        match &route.resource {
            Some(resource) => self.matches_resource(&route.verb, resource),
            None => self.matches_path(&route.verb, &route.path),
        }
    }

    /// Whether the rule picks this verb on a non-resource URL.
    pub fn matches_path(&self, verb: &str, path: &str) -> bool {
        let what = match &self.what {
            What::Everything => self.verb == "*",
            What::Path(own) => own == path,
            What::Resource { .. } => false,
        };
        what && self.matches_verb(verb)
    }

    /// Whether the rule picks this verb on this resource.
    pub fn matches_resource(&self, verb: &str, resource: &ResourcePath) -> bool {
        let what = match &self.what {
            What::Everything => true,
            What::Path(_) => false,
            What::Resource { plural, subresource } => {
                *plural == resource.plural && (subresource == "*" || *subresource == resource.subresource)
            }
        };
        let scope = match &self.scope {
            Scope::Any => true,
            Scope::Cluster => resource.namespace.is_empty(),
            Scope::Namespace(namespace) => *namespace == resource.namespace,
        };
        what && scope && self.matches_verb(verb)
    }

    fn matches_verb(&self, verb: &str) -> bool {
        self.verb == "*" || self.verb == verb
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Everything => write!(f, "{} *", self.verb)?,
            What::Path(path) => write!(f, "{} {path}", self.verb)?,
            What::Resource { plural, subresource } if subresource.is_empty() => {
                write!(f, "{} {plural}", self.verb)?
            }
            What::Resource { plural, subresource } => write!(f, "{} {plural}/{subresource}", self.verb)?,
        }
        match &self.scope {
            Scope::Any => Ok(()),
            Scope::Cluster => f.write_str(" -A"),
            Scope::Namespace(namespace) => write!(f, " -n {namespace}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    fn rule(text: &str) -> Rule {
        Rule::try_from(text.to_owned()).unwrap()
    }

    fn picks(text: &str, method: Method, path: &str) -> bool {
        rule(text).matches(&Route::parse(&method, path, None))
    }

    #[test]
    fn verb_and_resource() {
        let sa = "/api/v1/namespaces/shop/serviceaccounts/x";
        assert!(picks("get serviceaccounts", Method::GET, sa));
        assert!(picks("* serviceaccounts", Method::GET, sa));
        assert!(picks("get *", Method::GET, sa));
        assert!(!picks("list serviceaccounts", Method::GET, sa));
        assert!(!picks("get pods", Method::GET, sa));
    }

    #[test]
    fn a_subresource_is_its_own_resource() {
        let token = "/api/v1/namespaces/shop/serviceaccounts/x/token";
        assert!(picks("create serviceaccounts/token", Method::POST, token));
        assert!(picks("create serviceaccounts/*", Method::POST, token));
        assert!(!picks("create serviceaccounts", Method::POST, token));
        assert!(picks("* *", Method::POST, token));
    }

    #[test]
    fn scopes() {
        assert!(picks("list pods -A", Method::GET, "/api/v1/pods"));
        assert!(!picks("list pods -A", Method::GET, "/api/v1/namespaces/shop/pods"));
        assert!(picks("list pods -n shop", Method::GET, "/api/v1/namespaces/shop/pods"));
        assert!(!picks("list pods -n shop", Method::GET, "/api/v1/namespaces/other/pods"));
    }

    #[test]
    fn paths() {
        assert!(picks("get /version", Method::GET, "/version"));
        assert!(picks("* *", Method::GET, "/version"));
        assert!(
            !picks("get *", Method::GET, "/version"),
            "RBAC's resource * does not cover non-resource URLs"
        );
    }

    #[test]
    fn typing_errors_are_refused() {
        for (text, complaint) in [
            ("get", "expected `VERB RESOURCE"),
            ("fetch pods", "unknown verb \"fetch\""),
            ("get serviceacounts", "unknown resource \"serviceacounts\""),
            ("get pod", "unknown resource \"pod\""),
            ("get pods shop", "only `-A` or `-n NAMESPACE`"),
        ] {
            let error = Rule::try_from(text.to_owned()).unwrap_err();
            assert!(error.contains(complaint), "{text}: {error}");
        }
    }

    #[test]
    fn rules_print_as_written() {
        for text in [
            "get pods",
            "* *",
            "create serviceaccounts/token",
            "list pods -A",
            "get pods -n x",
            "get /version",
        ] {
            assert_eq!(rule(text).to_string(), text);
        }
    }
}
