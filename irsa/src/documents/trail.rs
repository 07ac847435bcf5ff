//! An event of CloudTrail, the JSON text within an answer to `cloudtrail:LookupEvents`.

use jiff::Timestamp;
use serde::Deserialize;

use crate::aws_error::Sdk;
use crate::facts::aws::TrailEvent;
use crate::text::foreign::Quoted;

/// The parts of an event that are read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    event_name: Option<String>,
    event_time: Option<String>,
    error_code: Option<String>,
    error_message: Option<Quoted>,
    user_agent: Option<String>,
    request_parameters: Option<Parameters>,
    user_identity: Option<Identity>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    role_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    user_name: Option<String>,
}

/// A refused attempt to assume a role with a token; `None` if the event is another one, or no event.
pub fn refusal(text: &str) -> Option<TrailEvent> {
    let event: Event = serde_json::from_str(text).ok()?;
    if event.event_name.is_some_and(|name| name != "AssumeRoleWithWebIdentity") {
        return None;
    }
    Some(TrailEvent {
        at: event.event_time.and_then(|time| time.parse::<Timestamp>().ok()),
        error_code: event.error_code?,
        error_message: event.error_message.unwrap_or_default(),
        role_arn: event.request_parameters.and_then(|parameters| parameters.role_arn),
        subject: event.user_identity.and_then(|identity| identity.user_name),
        sdk: event.user_agent.as_deref().and_then(Sdk::of_user_agent),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_refused_attempts_with_a_token_are_read() {
        let event = |name: &str, error: &str| {
            format!(
                r#"{{"eventName": "{name}", "eventTime": "2026-11-22T07:00:00Z"{error},
                    "userIdentity": {{"userName": "system:serviceaccount:shop:checkout"}},
                    "requestParameters": null, "errorMessage": null}}"#
            )
        };
        let denied = r#", "errorCode": "AccessDenied""#;
        let read = refusal(&event("AssumeRoleWithWebIdentity", denied)).unwrap();
        assert_eq!(read.at, "2026-11-22T07:00:00Z".parse().ok());
        assert!(read.is_about(None, "system:serviceaccount:shop:checkout"));
        assert!(!read.is_about(Some("arn:aws:iam::111122223333:role/x"), "system:serviceaccount:shop:cart"));
        assert_eq!(refusal(&event("AssumeRoleWithWebIdentity", "")), None);
        assert_eq!(refusal(&event("AssumeRole", denied)), None);
        assert_eq!(refusal("[]"), None);
    }
}
