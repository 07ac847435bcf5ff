//! Answers that are not objects: `Status` bodies as the API server words them, and its plain-text 404 page.

use super::resources::qualified;
use super::route::{ResourcePath, Route};
use crate::world::AdmissionPolicy;
use serde_json::{Value, json};

/// An answer before it is put on the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status code.
    pub code: u16,
    /// Content-Type header.
    pub content_type: &'static str,
    /// Body bytes.
    pub body: Vec<u8>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}

/// Content type of nearly everything.
pub const JSON: &str = "application/json";

impl Answer {
    /// A JSON document.
    pub fn json(code: u16, body: &Value) -> Answer {
        Answer::bytes(code, JSON, body.to_string().into_bytes())
    }

    /// Bytes of any type.
    pub fn bytes(code: u16, content_type: &'static str, body: Vec<u8>) -> Answer {
        Answer { code, content_type, body, headers: Vec::new() }
    }

    fn with_header(mut self, name: &'static str, value: &str) -> Answer {
        self.headers.push((name, value.to_owned()));
        self
    }
}

fn status(code: u16, reason: &str, message: &str, details: Option<Value>) -> Answer {
    let mut body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "code": code,
    });
    if !reason.is_empty() {
        body["reason"] = json!(reason);
    }
    if let Some(details) = details {
        body["details"] = details;
    }
    Answer::json(code, &body)
}

/// `{"name", "group", "kind"}` without the empty ones, as Go's `omitempty` leaves them out.
fn details(name: &str, group: &str, kind: &str) -> Value {
    let fields = [("name", name), ("group", group), ("kind", kind)];
    fields.into_iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| (k.to_owned(), json!(v))).collect()
}

/// 401, recording `unauthorized`.
pub fn unauthorized() -> Answer {
    status(401, "Unauthorized", "Unauthorized", None)
}

/// 404 for an object, recording `pod-not-found`.
pub fn not_found(group: &str, plural: &str, name: &str) -> Answer {
    let message = format!("{} \"{name}\" not found", qualified(group, plural));
    status(404, "NotFound", &message, Some(details(name, group, plural)))
}

/// 404 for a resource that the server does not have in a group it has (go-restful's ServiceError, in the source).
pub fn no_such_resource() -> Answer {
    status(404, "NotFound", "the server could not find the requested resource", Some(json!({})))
}

/// 404 for a group or path the server does not have: not a Status but Go's `http.NotFound` page.
pub fn no_such_path() -> Answer {
    Answer::bytes(404, "text/plain; charset=utf-8", b"404 page not found\n".to_vec())
        .with_header("X-Content-Type-Options", "nosniff")
}

/// 405 for a method that the resource has no route for.
pub fn method_not_allowed() -> Answer {
    let message = "the server does not allow this method on the requested resource";
    status(405, "MethodNotAllowed", message, Some(json!({})))
}

/// 400 with the API server's words, recording `pods-list-bad-continue`.
pub fn bad_request(message: &str) -> Answer {
    status(400, "BadRequest", message, None)
}

/// 409, e.g. for a `boundObjectRef.uid` that is not the pod's.
pub fn conflict(group: &str, plural: &str, name: &str, why: &str) -> Answer {
    let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", qualified(group, plural));
    status(409, "Conflict", &message, Some(details(name, group, plural)))
}

/// 422 for one wrong field, recording `token-request-too-short`.
pub fn invalid_field(group: &str, kind: &str, field: &str, value: &Value, why: &str) -> Answer {
    let problem = format!("Invalid value: {value}: {why}");
    let message = format!("{kind}.{group} \"\" is invalid: {field}: {problem}");
    let mut body = details("", group, kind);
    body["causes"] = json!([{ "reason": "FieldValueInvalid", "message": problem, "field": field }]);
    status(422, "Invalid", &message, Some(body))
}

/// One complaint of the validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    reason: &'static str,
    field: String,
    message: String,
}

impl Cause {
    /// A value that is not allowed.
    pub fn invalid(field: String, message: &str) -> Cause {
        Cause { reason: "FieldValueInvalid", field, message: message.to_owned() }
    }

    /// A field that must not be set.
    pub fn forbidden(field: String, why: &str) -> Cause {
        Cause { reason: "FieldValueForbidden", field, message: format!("Forbidden: {why}") }
    }

    /// A name that occurs twice.
    pub fn duplicate(field: String, value: &Value) -> Cause {
        Cause { reason: "FieldValueDuplicate", field, message: format!("Duplicate value: {value}") }
    }

    /// A reference to nothing.
    pub fn not_found(field: String, value: &Value) -> Cause {
        Cause { reason: "FieldValueNotFound", field, message: format!("Not found: {value}") }
    }

    /// A field that is missing.
    pub fn required(field: String) -> Cause {
        Cause { reason: "FieldValueRequired", field, message: "Required value".to_owned() }
    }

    /// A field that is missing, and why it must not.
    pub fn required_because(field: &str, why: &str) -> Cause {
        let message = format!("Required value: {why}");
        Cause { reason: "FieldValueRequired", field: field.to_owned(), message }
    }
}

/// 422 for an object of the core group, recordings `ec-patch-*`.
pub fn invalid_object(kind: &str, name: &str, causes: &[Cause]) -> Answer {
    invalid_in("", kind, name, causes)
}

/// 422 for an object of any group.
pub fn invalid_in(group: &str, kind: &str, name: &str, causes: &[Cause]) -> Answer {
    let problems: Vec<String> = causes
        .iter()
        .map(|cause| match cause.field.as_str() {
            "" => cause.message.clone(),
            field => format!("{field}: {}", cause.message),
        })
        .collect();
    let problems = match problems.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    };
    let causes: Vec<Value> = causes
        .iter()
        .map(|cause| json!({"reason": cause.reason, "message": cause.message, "field": cause.field}))
        .collect();
    let mut body = details(name, group, kind);
    body["causes"] = json!(causes);
    let kind = qualified(group, kind);
    status(422, "Invalid", &format!("{kind} \"{name}\" is invalid: {problems}"), Some(body))
}

/// 403 of an admission plugin, recording `ec-patch-psa-refused`.
pub fn forbidden_object(plural: &str, name: &str, why: &str) -> Answer {
    let message = format!("{plural} \"{name}\" is forbidden: {why}");
    status(403, "Forbidden", &message, Some(details(name, "", plural)))
}

/// The refusal of a policy, as Kubernetes 1.36 words it: 422 of a ValidatingAdmissionPolicy, with the words of a 403; 400 and no
/// reason of a webhook that names no code.
pub fn denied_by_policy(plural: &str, name: &str, policy: &AdmissionPolicy) -> Answer {
    match policy {
        AdmissionPolicy::Validating { name: policy, binding, message } => {
            let cause = format!(
                "ValidatingAdmissionPolicy '{policy}' with binding '{binding}' denied request: {message}"
            );
            let message = format!("{plural} \"{name}\" is forbidden: {cause}");
            let mut body = details(name, "", plural);
            body["causes"] = json!([{ "message": cause }]);
            status(422, "Invalid", &message, Some(body))
        }
        AdmissionPolicy::Webhook { webhook, message } => {
            status(400, "", &format!("admission webhook \"{webhook}\" denied the request: {message}"), None)
        }
    }
}

/// 409 for a name that is taken.
pub fn already_exists(group: &str, plural: &str, name: &str) -> Answer {
    let message = format!("{} \"{name}\" already exists", qualified(group, plural));
    status(409, "AlreadyExists", &message, Some(details(name, group, plural)))
}

/// 422 for a JSON patch that cannot be applied.
pub fn unprocessable(message: &str) -> Answer {
    let message = format!("the server rejected our request due to an error in our request: {message}");
    status(422, "Invalid", &message, Some(json!({})))
}

/// 200 for an object that is gone.
pub fn deleted(group: &str, plural: &str, name: &str, uid: &Value) -> Answer {
    let mut body = details(name, group, plural);
    body["uid"] = uid.clone();
    let body =
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": body});
    Answer::json(200, &body)
}

/// 415 for a patch of another sort than the only one that the fake knows.
pub fn unsupported_patch(known: &str) -> Answer {
    let message =
        format!("the body of the request was in an unknown format - accepted media types include: {known}");
    status(415, "UnsupportedMediaType", &message, None)
}

/// 406 of an API resource, in the words of `errNotAcceptable`.
pub fn not_acceptable(message: &str) -> Answer {
    status(406, "NotAcceptable", message, None)
}

/// 415 for a request body that is not JSON, in the words of `errUnsupportedMediaType`. A real server reads protobuf
/// too, which kubectl sends for its own reviews; the plugin does not.
pub fn unsupported_media_type() -> Answer {
    let message =
        "the body of the request was in an unknown format - accepted media types include: application/json";
    status(415, "UnsupportedMediaType", message, None)
}

/// 406 of go-restful routes, recording `openid-jwks-accept-json`.
pub fn no_representation(available: &str) -> Answer {
    let message = format!("406: Not Acceptable\n\nAvailable representations: {available}");
    status(406, "NotAcceptable", &message, Some(json!({})))
}

/// 410 for a continue token whose revision was compacted away, with the token that continues inconsistently.
pub fn continue_expired(inconsistent: &str) -> Answer {
    let message = "The provided continue parameter is too old to display a consistent list result. You can start \
                   a new list without the continue parameter, or use the continue token in this response to \
                   retrieve the remainder of the results. Continuing with the provided token results in an \
                   inconsistent list - objects that were created, modified, or deleted between the time the first \
                   chunk was returned and now may show up in the list.";
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": { "continue": inconsistent }, "status": "Failure",
        "message": message, "reason": "Expired", "code": 410,
    });
    Answer::json(410, &body)
}

/// 403, recordings `rbac-denied-*`: namespace and cluster scope, subresource, and non-resource URLs.
pub fn forbidden(user: &str, route: &Route) -> Answer {
    let Some(r) = &route.resource else {
        let message = format!("forbidden: User {user:?} cannot {} path {:?}", route.verb, route.path);
        return status(403, "Forbidden", &message, Some(json!({})));
    };
    forbidden_resource(user, &route.verb, r)
}

/// 403 for a resource; impersonation asks for `users`, which no path names.
pub fn forbidden_resource(user: &str, verb: &str, r: &ResourcePath) -> Answer {
    let scope = if r.namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace {:?}", r.namespace)
    };
    let subject = qualified(&r.group, &r.plural);
    let subject = if r.name.is_empty() { subject } else { format!("{subject} {:?}", r.name) };
    let message = format!(
        "{subject} is forbidden: User {user:?} cannot {verb} resource {:?} in API group {:?} {scope}",
        r.with_subresource(),
        r.group
    );
    status(403, "Forbidden", &message, Some(details(&r.name, &r.group, &r.plural)))
}

/// What a failing server says with this status code (the `fail` field of a world).
pub fn failure(code: u16) -> Answer {
    let (reason, message) = match code {
        401 => return unauthorized(),
        404 => return no_such_resource(),
        405 => return method_not_allowed(),
        400 => ("BadRequest", "the server rejected our request for an unknown reason"),
        403 => ("Forbidden", "forbidden"),
        406 => {
            ("NotAcceptable", "the server was unable to respond with a content type that the client supports")
        }
        409 => ("Conflict", "the server reported a conflict"),
        410 => ("Expired", "The provided resource version is too old."),
        422 => ("Invalid", "the server rejected our request due to an error in our request"),
        429 => (
            "TooManyRequests",
            "the server has received too many requests and has asked us to try again later",
        ),
        500 => ("InternalError", "Internal error occurred: etcdserver: request timed out"),
        503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
        504 => (
            "Timeout",
            "the server was unable to return a response in the time allotted, but may still be processing the request",
        ),
        _ => (
            "InternalError",
            "an error on the server (\"unknown\") has prevented the request from succeeding",
        ),
    };
    match code {
        429 | 503 => status(code, reason, message, Some(json!({ "retryAfterSeconds": 1 })))
            .with_header("Retry-After", "1"),
        500 => {
            let cause = json!({ "causes": [{ "message": "etcdserver: request timed out" }] });
            status(code, reason, message, Some(cause))
        }
        _ => status(code, reason, message, Some(json!({}))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    fn body(answer: &Answer) -> Value {
        serde_json::from_slice(&answer.body).unwrap()
    }

    fn denied(method: Method, path: &str) -> Value {
        body(&forbidden("system:serviceaccount:rec-shop:oncall", &Route::parse(&method, path, None)))
    }

    fn recorded(code: u16, reason: &str, message: &str, details: Value) -> Value {
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
               "reason": reason, "details": details, "code": code})
    }

    #[test]
    fn not_found_is_as_recorded() {
        let expected =
            recorded(404, "NotFound", "pods \"nope\" not found", json!({"name": "nope", "kind": "pods"}));
        assert_eq!(body(&not_found("", "pods", "nope")), expected);
        let grouped = body(&not_found("apps", "deployments", "d"));
        assert_eq!(grouped["message"], "deployments.apps \"d\" not found");
        assert_eq!(grouped["details"], json!({"name": "d", "group": "apps", "kind": "deployments"}));
    }

    #[test]
    fn unauthorized_is_as_recorded() {
        let expected = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                              "message": "Unauthorized", "reason": "Unauthorized", "code": 401});
        assert_eq!(body(&unauthorized()), expected);
    }

    #[test]
    fn denials_are_as_recorded() {
        let user = "User \"system:serviceaccount:rec-shop:oncall\"";
        let cases = [
            (
                denied(Method::GET, "/api/v1/namespaces/rec-shop/serviceaccounts/checkout"),
                format!(
                    "serviceaccounts \"checkout\" is forbidden: {user} cannot get resource \"serviceaccounts\" in API group \"\" in the namespace \"rec-shop\""
                ),
                json!({"name": "checkout", "kind": "serviceaccounts"}),
            ),
            (
                denied(Method::GET, "/api/v1/namespaces/rec-shop/pods"),
                format!(
                    "pods is forbidden: {user} cannot list resource \"pods\" in API group \"\" in the namespace \"rec-shop\""
                ),
                json!({"kind": "pods"}),
            ),
            (
                denied(Method::GET, "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"),
                format!(
                    "mutatingwebhookconfigurations.admissionregistration.k8s.io is forbidden: {user} cannot list resource \"mutatingwebhookconfigurations\" in API group \"admissionregistration.k8s.io\" at the cluster scope"
                ),
                json!({"group": "admissionregistration.k8s.io", "kind": "mutatingwebhookconfigurations"}),
            ),
            (
                denied(Method::PATCH, "/api/v1/namespaces/rec-shop/pods/uid1000/ephemeralcontainers"),
                format!(
                    "pods \"uid1000\" is forbidden: {user} cannot patch resource \"pods/ephemeralcontainers\" in API group \"\" in the namespace \"rec-shop\""
                ),
                json!({"name": "uid1000", "kind": "pods"}),
            ),
            (
                denied(Method::POST, "/api/v1/namespaces/rec-shop/serviceaccounts/checkout/token"),
                format!(
                    "serviceaccounts \"checkout\" is forbidden: {user} cannot create resource \"serviceaccounts/token\" in API group \"\" in the namespace \"rec-shop\""
                ),
                json!({"name": "checkout", "kind": "serviceaccounts"}),
            ),
        ];
        for (found, message, details) in cases {
            assert_eq!(found, recorded(403, "Forbidden", &message, details));
        }
    }

    #[test]
    fn a_denied_path_is_named() {
        let message = &denied(Method::GET, "/version")["message"];
        assert_eq!(
            message,
            "forbidden: User \"system:serviceaccount:rec-shop:oncall\" cannot get path \"/version\""
        );
    }

    #[test]
    fn too_short_a_token_is_as_recorded() {
        let why = "may not specify a duration less than 10 minutes";
        let answer =
            invalid_field("authentication.k8s.io", "TokenRequest", "spec.expirationSeconds", &json!(60), why);
        let expected = recorded(
            422,
            "Invalid",
            "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes",
            json!({"group": "authentication.k8s.io", "kind": "TokenRequest", "causes": [{
                "reason": "FieldValueInvalid",
                "message": "Invalid value: 60: may not specify a duration less than 10 minutes",
                "field": "spec.expirationSeconds"}]}),
        );
        assert_eq!(body(&answer), expected);
    }

    #[test]
    fn every_failure_is_a_status_of_its_code() {
        for code in [400, 401, 403, 404, 405, 406, 409, 410, 418, 422, 429, 500, 502, 503, 504] {
            let answer = failure(code);
            assert_eq!((answer.code, body(&answer)["code"].as_u64()), (code, Some(u64::from(code))));
            assert_eq!(body(&answer)["kind"], "Status");
        }
    }
}
