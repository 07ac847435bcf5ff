//! CloudTrail: the events of the caller's account that the endpoint's Region recorded.

use super::account::{Account, TrailEvent, without_scheme};
use super::call::Call;
use super::endpoint::Service;
use super::failure::Failure;
use super::serve::Server;
use super::sts::account_of;
use crate::world::uid_of;
use serde_json::{Value, json};

/// CloudTrail's operations.
pub fn answer(server: &Server, call: &Call, account: &Account) -> Result<Value, Failure> {
    match call.operation.as_str() {
        "LookupEvents" => lookup(server, call, account),
        other => Err(Failure::NotModelled(format!("cloudtrail:{other}"))),
    }
}

/// The newest first, in pages of 50 at most.
fn lookup(server: &Server, call: &Call, account: &Account) -> Result<Value, Failure> {
    let bound = |name: &str| call.json[name].as_f64();
    let (start, end) = (bound("StartTime"), bound("EndTime"));
    if start.zip(end).is_some_and(|(start, end)| start > end) {
        return Err(Failure::NotModelled("LookupEvents with a start after its end".to_owned()));
    }
    let attribute = attribute(&call.json["LookupAttributes"])?;
    let mut found = Vec::new();
    for event in account.trail.iter().filter(|event| event.region == call.endpoint.region) {
        let at = event.time.as_second() as f64;
        let in_time = start.is_none_or(|start| at >= start) && end.is_none_or(|end| at <= end);
        if in_time && fits(event, attribute)? {
            found.push(event);
        }
    }
    found.sort_by_key(|event| std::cmp::Reverse(event.time));
    let limit = call.json["MaxResults"].as_u64().unwrap_or(MOST);
    if !(1..=MOST).contains(&limit) {
        return Err(Failure::NotModelled(format!("LookupEvents with MaxResults {limit}")));
    }
    let start = call.json["NextToken"].as_str().map_or(Ok(0), str::parse::<usize>);
    let start = start.map_err(|_| Failure::NotModelled("a NextToken of somebody else".to_owned()))?;
    let rest = found.split_off(start.min(found.len()));
    let length = usize::try_from(limit).unwrap_or(usize::MAX);
    let events = rest.iter().take(length).map(|event| shown(server, account, event));
    let mut answer = json!({ "Events": events.collect::<Vec<_>>() });
    if length < rest.len() {
        answer["NextToken"] = json!((start + length).to_string());
    }
    Ok(answer)
}

/// The most events of a page.
const MOST: u64 = 50;

/// The one attribute that a lookup can name.
fn attribute(given: &Value) -> Result<Option<(&str, &str)>, Failure> {
    match given.as_array().map_or(&[][..], Vec::as_slice) {
        [] => Ok(None),
        [one] => Ok(one["AttributeKey"].as_str().zip(one["AttributeValue"].as_str())),
        _ => Err(Failure::NotModelled("LookupEvents by several attributes".to_owned())),
    }
}

fn fits(event: &TrailEvent, attribute: Option<(&str, &str)>) -> Result<bool, Failure> {
    match attribute {
        None => Ok(true),
        Some(("EventName", value)) => Ok(event.event_name == value),
        Some(("Username", value)) => Ok(event.subject == value),
        Some(("EventSource", value)) => Ok(value == SOURCE),
        // A refused call has no resources.
        Some(("ResourceName", value)) => Ok(event.role_arn == value && event.error_code.is_none()),
        Some((other, _)) => Err(Failure::NotModelled(format!("LookupEvents by {other}"))),
    }
}

const SOURCE: &str = "sts.amazonaws.com";

/// CloudTrail records the session tokens that STS issues.
pub const SESSION_TOKEN: &str = "recorded-session-token//number+1==";

fn shown(server: &Server, account: &Account, event: &TrailEvent) -> Value {
    let record = record(server, account, event);
    let resources: Vec<Value> = record["resources"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|resource| json!({ "ResourceType": resource["type"], "ResourceName": resource["ARN"] }))
        .collect();
    json!({
        "EventId": record["eventID"], "EventName": event.event_name, "ReadOnly": "true",
        "EventTime": event.time.as_second(), "EventSource": SOURCE, "Username": event.subject,
        "Resources": resources, "CloudTrailEvent": record.to_string(),
    })
}

/// The record as CloudTrail writes it for a call without AWS credentials.
fn record(server: &Server, account: &Account, event: &TrailEvent) -> Value {
    let issuer = without_scheme(&server.header.issuer);
    let provider = account.iam_arn(&format!("oidc-provider/{issuer}"));
    let id = |what: &str| uid_of(&format!("{what} {} {} {}", event.time, event.subject, event.session_name));
    let suffix = account.partition.dns_suffix();
    let host = format!("{}.{}.{suffix}", Service::Sts.name(), event.region);
    let mut record = json!({
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "WebIdentityUser",
            "principalId": format!("{provider}:sts.amazonaws.com:{}", event.subject),
            "userName": event.subject, "identityProvider": provider,
        },
        "eventTime": event.time.to_string(), "eventSource": SOURCE, "eventName": event.event_name,
        "awsRegion": event.region, "sourceIPAddress": event.source_ip, "userAgent": event.user_agent,
        "requestParameters": { "roleArn": event.role_arn, "roleSessionName": event.session_name },
        "responseElements": null, "requestID": id("request"), "eventID": id("event"), "readOnly": true,
        "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": account.account,
        "eventCategory": "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": host,
        },
    });
    match (&event.error_code, &event.error_message) {
        (None, _) => {
            let role = json!({ "accountId": account_of(&event.role_arn), "type": "AWS::IAM::Role", "ARN": event.role_arn });
            record["resources"] = json!([role]);
            record["responseElements"] = json!({
                "credentials": { "accessKeyId": "ASIARECORDED00000001", "sessionToken": SESSION_TOKEN },
                "subjectFromWebIdentityToken": event.subject, "provider": provider,
                "audience": "sts.amazonaws.com",
            });
        }
        (Some(code), message) => {
            record["errorCode"] = json!(code);
            record["errorMessage"] = json!(message.as_deref().unwrap_or("An unknown error occurred"));
        }
    }
    record
}
