//! The other links of an SDK's credential chain.

use super::fault::Fault;
use super::file::{FileSeen, TokenFile};
use super::network::Connection;
use super::sts::Answer;
use serde::{Deserialize, Serialize};

/// Container credentials: the EKS Pod Identity agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerCredentials {
    /// The agent's URL, without a password.
    pub url: String,
    /// The token that the agent wants to see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenFile>,
    /// The way to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<Connection>,
    /// Its answer; absent when the user does not want credentials to be asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// The answer to GetCallerIdentity with the credentials that it gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<Answer>,
    /// Why it was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// The node's metadata service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Imds {
    /// Its URL.
    pub url: String,
    /// What it answered to the request for a session (`PUT /latest/api/token`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_status: Option<u16>,
    /// What it answered to the question for the node's role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_status: Option<u16>,
    /// The node's role, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// How long it took.
    pub millis: u64,
    /// Why it did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// A shared config or credentials file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SharedFile {
    /// The file, in the target's file system.
    pub file: FileSeen,
    /// What is in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<Profile>,
}

/// A section of such a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Profile {
    /// Its heading.
    pub name: String,
    /// The names of its settings; with their values where these are no secret.
    pub settings: Vec<super::process::Variable>,
}

/// AWS SDKs that left a trace in the target's file system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Sdks {
    /// What was found.
    pub found: Vec<Sdk>,
    /// If everything was looked through; else there may be more.
    pub complete: bool,
}

/// An AWS SDK.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Sdk {
    /// Its package, as its language names it.
    pub package: String,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where it is.
    pub path: String,
}
