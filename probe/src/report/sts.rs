//! What STS said.

use super::fault::Fault;
use serde::{Deserialize, Serialize};

/// What STS said to the token in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Sts {
    /// Why the token was not tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<Skipped>,
    /// The role that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The name of the session that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
    /// The answer to AssumeRoleWithWebIdentity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assume: Option<Answer>,
    /// The answer to GetCallerIdentity with the credentials that it gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<Answer>,
}

/// Why the token was not tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Skipped {
    /// The user does not want credentials to be asked for.
    NoAssume,
    /// No role is named.
    NoRoleArn,
    /// There is no token file in the settings.
    NoTokenFile,
    /// The token file could not be read.
    NoToken,
    /// There is no way to the endpoint.
    NoConnection,
    /// The endpoint is neither HTTPS nor in this pod: the token would travel in the clear.
    PlainHttp,
    /// Of a newer probe.
    #[serde(other)]
    Other,
}

/// An answer of an AWS service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Answer {
    /// The HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The error's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The error's message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The request's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The ARN of the caller, or of the session that was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// The caller's account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// When the credentials expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<String>,
    /// What the answer is, when it is not the service's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// How such an answer that reports a failure begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// How long it took.
    pub millis: u64,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// Two clocks, read at the same moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Clock {
    /// The pod's, in seconds since 1970.
    pub local: i64,
    /// The header `Date` of the endpoint's answer.
    pub remote: String,
}
