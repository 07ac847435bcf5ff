//! From a request line to what is asked: the verb, resource, namespace and name that RBAC, the log and the handlers
//! share. The rules are those of the API server's `RequestInfoFactory`.

use crate::query::{parse_query, percent_decode};
use http::Method;

/// What a request asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// `get`, `list`, `watch`, `create`, … as RBAC names it.
    pub verb: String,
    /// The decoded path without the query.
    pub path: String,
    /// Present when the path names a resource; everything else is a "non-resource URL" for RBAC.
    pub resource: Option<ResourcePath>,
    /// Decoded query parameters, in order.
    pub query: Vec<(String, String)>,
}

/// The resource part of a [`Route`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourcePath {
    /// API group, empty for core.
    pub group: String,
    /// API version as written in the path.
    pub version: String,
    /// Plural name.
    pub plural: String,
    /// Namespace, empty at the cluster scope.
    pub namespace: String,
    /// Object name, empty for collections. For RBAC a list with `fieldSelector=metadata.name=x` has the name x.
    pub name: String,
    /// Whether the path itself ends in a name (and not in a collection).
    pub named: bool,
    /// Subresource, e.g. `token`.
    pub subresource: String,
}

impl ResourcePath {
    /// `serviceaccounts/token` or `pods`.
    pub fn with_subresource(&self) -> String {
        if self.subresource.is_empty() {
            self.plural.clone()
        } else {
            format!("{}/{}", self.plural, self.subresource)
        }
    }
}

impl Route {
    /// Reads a request line.
    pub fn parse(method: &Method, path: &str, query: Option<&str>) -> Route {
        let query = parse_query(query.unwrap_or_default());
        let resource = parse_resource(path, &query);
        let verb = match &resource {
            Some(resource) => resource_verb(method, resource, &query),
            None => method.as_str().to_ascii_lowercase(),
        };
        Route { verb, path: percent_decode(path, false), resource, query }
    }

    /// The first value of a query parameter; an empty one counts as absent.
    pub fn param(&self, name: &str) -> Option<&str> {
        param(&self.query, name)
    }

    /// Whether a boolean parameter is set, with the values that the API server's conversion accepts.
    pub fn flag(&self, name: &str) -> bool {
        flag(&self.query, name)
    }

    /// What the log shows: the resource, or the path of a non-resource URL.
    pub fn label(&self) -> String {
        self.resource.as_ref().map_or_else(|| self.path.clone(), ResourcePath::with_subresource)
    }
}

fn param<'q>(query: &'q [(String, String)], name: &str) -> Option<&'q str> {
    query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|v| !v.is_empty())
}

fn flag(query: &[(String, String)], name: &str) -> bool {
    matches!(param(query, name), Some(value) if value != "false" && value != "0")
}

fn resource_verb(method: &Method, resource: &ResourcePath, query: &[(String, String)]) -> String {
    let verb = match *method {
        Method::GET | Method::HEAD if resource.named => "get",
        Method::GET | Method::HEAD if flag(query, "watch") => "watch",
        Method::GET | Method::HEAD => "list",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if resource.named => "delete",
        Method::DELETE => "deletecollection",
        _ => "",
    };
    verb.to_owned()
}

/// `/api/v1/…` and `/apis/GROUP/VERSION/…`; anything shorter (discovery) is not a resource.
fn parse_resource(path: &str, query: &[(String, String)]) -> Option<ResourcePath> {
    let segments: Vec<String> =
        path.split('/').filter(|s| !s.is_empty()).map(|s| percent_decode(s, false)).collect();
    let (group, version, rest) = match segments.as_slice() {
        [api, version, rest @ ..] if api == "api" => (String::new(), version, rest),
        [apis, group, version, rest @ ..] if apis == "apis" => (group.clone(), version, rest),
        _ => return None,
    };
    if rest.is_empty() {
        return None;
    }
    let (namespace, rest) = split_namespace(rest);
    let part = |index: usize| rest.get(index).cloned().unwrap_or_default();
    let named = rest.len() > 1;
    let name = if named { part(1) } else { name_from_field_selector(query) };
    Some(ResourcePath {
        group,
        version: version.clone(),
        plural: part(0),
        namespace,
        name,
        named,
        subresource: part(2),
    })
}

/// `namespaces/shop/pods` is pods in shop; `namespaces/shop` is the namespace itself, which for RBAC lies *in* shop.
fn split_namespace(rest: &[String]) -> (String, &[String]) {
    match rest {
        [first, namespace, third, ..]
            if first == "namespaces" && third != "status" && third != "finalize" =>
        {
            (namespace.clone(), &rest[2..])
        }
        [first, namespace, ..] if first == "namespaces" => (namespace.clone(), rest),
        _ => (String::new(), rest),
    }
}

/// The API server authorizes a list that selects one name as if the name had been in the path, so that a Role with
/// `resourceNames` can allow it; the 403 message then carries the name.
fn name_from_field_selector(query: &[(String, String)]) -> String {
    param(query, "fieldSelector")
        .and_then(|selector| {
            selector.split(',').find_map(|term| {
                let value = term.strip_prefix("metadata.name=")?;
                Some(value.strip_prefix('=').unwrap_or(value).to_owned())
            })
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(target: &str) -> Route {
        let (path, query) = target.split_once('?').map_or((target, None), |(p, q)| (p, Some(q)));
        Route::parse(&Method::GET, path, query)
    }

    fn parts(route: &Route) -> (String, String, String, String) {
        let r = route.resource.clone().unwrap();
        (route.verb.clone(), r.with_subresource(), r.namespace, r.name)
    }

    fn owned(parts: (&str, &str, &str, &str)) -> (String, String, String, String) {
        (parts.0.into(), parts.1.into(), parts.2.into(), parts.3.into())
    }

    #[test]
    fn resource_paths() {
        for (target, expected) in [
            ("/api/v1/namespaces/shop/pods/x", ("get", "pods", "shop", "x")),
            ("/api/v1/namespaces/shop/pods?limit=2", ("list", "pods", "shop", "")),
            ("/api/v1/namespaces/shop/pods?watch=true", ("watch", "pods", "shop", "")),
            ("/api/v1/namespaces/shop/pods?watch=1&limit=2", ("watch", "pods", "shop", "")),
            ("/api/v1/namespaces/shop/pods?watch=false", ("list", "pods", "shop", "")),
            ("/api/v1/pods", ("list", "pods", "", "")),
            ("/apis/apps/v1/namespaces/shop/deployments/d", ("get", "deployments", "shop", "d")),
            ("/api/v1/namespaces/shop", ("get", "namespaces", "shop", "shop")),
            ("/api/v1/namespaces", ("list", "namespaces", "", "")),
            ("/api/v1/namespaces/shop/pods/x/log", ("get", "pods/log", "shop", "x")),
            ("/api/v1/namespaces/shop/pods?fieldSelector=metadata.name%3Dx", ("list", "pods", "shop", "x")),
        ] {
            assert_eq!(parts(&get(target)), owned(expected), "{target}");
        }
    }

    #[test]
    fn other_methods() {
        let route = |m: Method, p: &str| Route::parse(&m, p, None).verb;
        assert_eq!(route(Method::POST, "/api/v1/namespaces/shop/serviceaccounts/checkout/token"), "create");
        assert_eq!(route(Method::PATCH, "/api/v1/namespaces/shop/pods/x/ephemeralcontainers"), "patch");
        assert_eq!(route(Method::DELETE, "/api/v1/namespaces/shop/pods"), "deletecollection");
    }

    #[test]
    fn non_resource_paths() {
        for path in ["/version", "/api", "/api/v1", "/apis", "/apis/apps/v1", "/openid/v1/jwks"] {
            let route = get(path);
            assert_eq!((route.verb.as_str(), route.resource), ("get", None), "{path}");
        }
    }

    #[test]
    fn queries_are_decoded() {
        let route = get("/api/v1/pods?labelSelector=app%3Da+b%2Cx&limit=&fieldSelector=a=%zz%C3%A9");
        assert_eq!(route.param("labelSelector"), Some("app=a b,x"));
        assert_eq!(route.param("limit"), None);
        assert_eq!(route.param("fieldSelector"), Some("a=%zz\u{e9}"));
    }
}
