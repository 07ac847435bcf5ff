//! Events of CloudTrail, as its console, its files and `aws cloudtrail lookup-events` have them.

use serde_json::Value;

use super::kind::Subject;
use super::principal::principal;
use super::sdk::Sdk;
use super::{ServiceAccountName, Sighting, note, pieces, record, sts};

/// The errors of a text that consists of events; `None` for any other text.
pub(super) fn errors(text: &str) -> Option<Vec<Sighting>> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let mut events = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        collect(value.ok()?, &mut events);
    }
    if events.is_empty() {
        return None;
    }
    let mut seen = Vec::new();
    note(&mut seen, events.iter().filter_map(error).collect());
    Some(seen)
}

/// The events in a value: itself, in a file's `Records`, in the `Events` of an answer, or in a list.
fn collect(value: Value, events: &mut Vec<Value>) {
    match value {
        Value::Array(values) => values.into_iter().for_each(|value| collect(value, events)),
        Value::Object(ref fields)
            if fields.contains_key("eventName") && fields.contains_key("eventSource") =>
        {
            events.push(value);
        }
        Value::Object(mut fields) => {
            for list in ["Records", "Events"] {
                fields.remove(list).into_iter().for_each(|value| collect(value, events));
            }
            if let Some(Value::String(inner)) = fields.remove("CloudTrailEvent")
                && let Ok(value @ Value::Object(_)) = serde_json::from_str::<Value>(&inner)
                && value.get("CloudTrailEvent").is_none()
            {
                collect(value, events);
            }
        }
        _ => {}
    }
}

/// What went wrong in an event, if anything did.
fn error(event: &Value) -> Option<Sighting> {
    let text = |path: &str| event.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let (code, message, operation) = (text("/errorCode"), text("/errorMessage"), text("/eventName"));
    if code.is_empty() {
        return None;
    }
    let said = format!("{code}: {message}");
    let mut found = match operation {
        // CloudTrail often has `An unknown error occurred` where STS said more.
        "AssumeRoleWithWebIdentity" => {
            Sighting { kind: sts::sts(code, message), ..read(&format!("operation error STS: {said}")) }
        }
        "AssumeRoleForPodIdentity" => read(&format!("operation error EKS Auth: {said}")),
        _ => read(&format!("operation error {}: {operation}, api error {said}", text("/eventSource"))),
    };
    if found.kind.about() != Subject::Unrelated {
        found.principal = found.principal.or_else(|| principal(text("/userIdentity/arn")));
    }
    let caller = text("/userIdentity/userName").strip_prefix("system:serviceaccount:");
    let caller = caller.and_then(|name| pieces::service_account_at_start(name, ':'));
    let caller = caller.map(|(namespace, name)| ServiceAccountName {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    });
    let role = text("/requestParameters/roleArn");
    found.operation = pieces::operation_at_start(operation).map(str::to_owned);
    found.service_account = found.service_account.or(caller);
    found.resource = found.resource.or_else(|| pieces::arn(role).map(|_| role.to_owned()));
    found.sdk = Sdk::of_user_agent(text("/userAgent"));
    found.request_id = pieces::uuid_at_start(text("/requestID")).map(str::to_owned);
    Some(found)
}

fn read(text: &str) -> Sighting {
    record::read(text, 1).into_iter().next().unwrap_or_else(Sighting::of_unknown_text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_error::Kind;

    const REFUSED: &str = r#"{
        "eventVersion": "1.11",
        "userIdentity": {"type": "WebIdentityUser", "userName": "system:serviceaccount:shop:checkout"},
        "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRoleWithWebIdentity",
        "userAgent": "Boto3/1.34.0 md/Botocore#1.34.0",
        "errorCode": "AccessDenied",
        "errorMessage": "An unknown error occurred",
        "requestParameters": {"roleArn": "arn:aws:iam::111122223333:role/checkout", "roleSessionName": "x"},
        "requestID": "5c3f9ce5-ba7d-495e-98b1-ffcd5cf85133"
    }"#;

    #[test]
    fn an_event_is_the_error_that_it_records() {
        let found = errors(REFUSED).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].kind, Kind::NotAuthorizedToAssume);
        assert_eq!(found[0].operation.as_deref(), Some("AssumeRoleWithWebIdentity"));
        assert_eq!(found[0].resource.as_deref(), Some("arn:aws:iam::111122223333:role/checkout"));
        assert_eq!(found[0].service_account.as_ref().map(|it| it.name.as_str()), Some("checkout"));
        assert_eq!(found[0].request_id.as_deref(), Some("5c3f9ce5-ba7d-495e-98b1-ffcd5cf85133"));
    }

    #[test]
    fn events_stand_in_files_answers_and_lines() {
        let event: Value = serde_json::from_str(REFUSED).unwrap();
        let answer = serde_json::json!({"Events": [{"EventId": "1", "CloudTrailEvent": event.to_string()}]});
        for text in [
            format!("{event}\n{event}"),
            serde_json::json!({"Records": [event]}).to_string(),
            answer.to_string(),
            serde_json::json!([event]).to_string(),
        ] {
            assert_eq!(errors(&text).unwrap()[0].kind, Kind::NotAuthorizedToAssume, "{text}");
        }
    }

    #[test]
    fn whose_call_it_was_and_what_it_was_about() {
        let event = |source: &str, name: &str, code: &str, message: &str| {
            let text = serde_json::json!({
                "eventSource": source, "eventName": name, "errorCode": code, "errorMessage": message,
                "userIdentity": {"arn": "arn:aws:sts::111122223333:assumed-role/ci-runner/build-1199"},
            });
            errors(&text.to_string()).unwrap().remove(0)
        };
        let denied = event(
            "s3.amazonaws.com",
            "PutObject",
            "AccessDenied",
            "User: arn:aws:sts::111122223333:assumed-role/ci-runner/build-1199 is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::shelf/a\" because no identity-based policy allows the s3:PutObject action",
        );
        assert_eq!((denied.kind, denied.action.as_deref()), (Kind::NotAuthorized, Some("s3:PutObject")));
        assert!(denied.principal.is_some() && denied.because.is_some());
        let silent = event("s3.amazonaws.com", "GetObject", "AccessDenied", "Access Denied");
        assert!(silent.kind == Kind::AccessDenied && silent.principal.is_some());
        let expired =
            event("eks-auth.amazonaws.com", "AssumeRoleForPodIdentity", "ExpiredTokenException", "");
        assert_eq!(expired.kind, Kind::PodIdentityTokenExpired);
        let missing = event("s3.amazonaws.com", "GetBucketPolicy", "NoSuchBucketPolicy", "x");
        assert!(missing.kind.about() == Subject::Unrelated && missing.principal.is_none());
    }

    #[test]
    fn other_json_is_no_event() {
        for text in
            ["", "{}", "[1]", r#"{"errorCode": "AccessDenied"}"#, r#"{"Events": []}"#, "[error] x", "{broken"]
        {
            assert_eq!(errors(text), None, "{text}");
        }
        let fine = r#"{"eventSource": "s3.amazonaws.com", "eventName": "GetObject"}"#;
        assert_eq!(errors(fine), Some(Vec::new()));
    }
}
