//! Answers of AWS in the user's files: as printed by the AWS CLI if that is unambiguous (`aws iam get-role`,
//! `aws eks describe-cluster`), or in an envelope of kind `AwsAnswer` that names the request and the account.

use jiff::Timestamp;
use serde::Deserialize;

use super::file_source;
use super::shape::{self, Misfit};
use super::yaml::Node;
use crate::facts::Source;
use crate::facts::aws::{Caller, EksCluster, Provider, Providers, Role};
use crate::policy::Json;

/// What AWS answered, and where it was read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) said: Reply,
    pub(super) source: Source,
}

/// Its content.
#[derive(Debug)]
pub(super) enum Reply {
    Caller(Caller),
    Role(Role),
    Cluster(EksCluster),
    Providers(Providers),
    Provider(Provider),
    /// An error: what was asked in which account, and AWS's code and words.
    Error {
        action: String,
        account: Option<String>,
        code: String,
        message: String,
    },
}

/// The envelope.
#[derive(Deserialize)]
struct Envelope {
    action: String,
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    error: Option<WireError>,
    #[serde(default)]
    request: WireRequest,
}

#[derive(Deserialize)]
struct WireError {
    #[serde(alias = "Code")]
    code: String,
    #[serde(default, alias = "Message")]
    message: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct WireRequest {
    #[serde(rename = "OpenIDConnectProviderArn")]
    provider_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireRole {
    arn: String,
    role_name: String,
    assume_role_policy_document: Json,
    #[serde(default)]
    create_date: Option<Timestamp>,
    #[serde(default)]
    max_session_duration: Option<i32>,
    #[serde(default)]
    permissions_boundary: Option<WireBoundary>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireBoundary {
    permissions_boundary_arn: Option<String>,
}

#[derive(Deserialize)]
struct WireCluster {
    name: String,
    arn: String,
    #[serde(default)]
    identity: Option<WireIdentity>,
}

#[derive(Deserialize)]
struct WireIdentity {
    oidc: Option<WireOidc>,
}

#[derive(Deserialize)]
struct WireOidc {
    issuer: Option<String>,
}

#[derive(Deserialize)]
struct WireProviderEntry {
    #[serde(rename = "Arn")]
    arn: String,
}

#[derive(Deserialize)]
struct WireProvider {
    #[serde(rename = "Url")]
    url: String,
    #[serde(rename = "ClientIDList", default)]
    client_ids: Vec<String>,
    #[serde(rename = "ThumbprintList", default)]
    thumbprints: Vec<String>,
    #[serde(rename = "CreateDate", default)]
    created: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireCaller {
    account: String,
    arn: String,
}

/// The answer in a document without a kind, if it is one that the AWS CLI prints.
pub(super) fn as_printed(node: &Node, file: &str, document: usize) -> Option<Result<Answer, Misfit>> {
    said(node, None).map(|said| said.map(|said| answer(said, node, file, document)))
}

/// The answer in an envelope; `None` if nothing reads such answers.
pub(super) fn enveloped(node: &Node, file: &str, document: usize) -> Result<Option<Answer>, Misfit> {
    let envelope: Envelope = shape::read(node)?;
    let said = match (envelope.error, node.get("response")) {
        (Some(WireError { code, message }), _) => {
            Some(Reply::Error { action: envelope.action, account: envelope.account, code, message })
        }
        (None, Some(response)) => said(response, envelope.request.provider_arn.as_deref()).transpose()?,
        (None, None) => None,
    };
    Ok(said.map(|said| answer(said, node, file, document)))
}

fn answer(said: Reply, node: &Node, file: &str, document: usize) -> Answer {
    let object = match &said {
        Reply::Caller(_) => "sts:GetCallerIdentity",
        Reply::Role(_) => "iam:GetRole",
        Reply::Cluster(_) => "eks:DescribeCluster",
        Reply::Providers(_) => "iam:ListOpenIDConnectProviders",
        Reply::Provider(_) => "iam:GetOpenIDConnectProvider",
        Reply::Error { action, .. } => action,
    };
    Answer { source: file_source(file, document, object, node), said }
}

/// Recognises each answer by a field that only it has.
fn said(node: &Node, provider_arn: Option<&str>) -> Option<Result<Reply, Misfit>> {
    if let Some(role) = node.get("Role").filter(|role| role.get("AssumeRolePolicyDocument").is_some()) {
        return Some(shape::read(role).map(|role: WireRole| {
            Reply::Role(Role {
                arn: role.arn,
                name: role.role_name,
                created: role.create_date,
                // The AWS CLI prints the document as JSON within the JSON; the API has text.
                trust: match role.assume_role_policy_document {
                    Json::String(text) => text,
                    document => document.line(),
                },
                max_session: role.max_session_duration,
                boundary: role.permissions_boundary.and_then(|boundary| boundary.permissions_boundary_arn),
            })
        }));
    }
    if let Some(cluster) = node.get("cluster").filter(|cluster| cluster.get("arn").is_some()) {
        return Some(shape::read(cluster).map(|cluster: WireCluster| {
            Reply::Cluster(EksCluster {
                name: cluster.name,
                arn: cluster.arn,
                issuer: cluster.identity.and_then(|identity| identity.oidc?.issuer),
            })
        }));
    }
    if let Some(list) = node.get("OpenIDConnectProviderList") {
        return Some(shape::read(list).map(|entries: Vec<WireProviderEntry>| {
            Reply::Providers(Providers { arns: entries.into_iter().map(|entry| entry.arn).collect() })
        }));
    }
    if node.get("ClientIDList").is_some() && node.get("Url").is_some() {
        // It does not contain its own ARN; only the envelope's request does.
        let arn = provider_arn?;
        return Some(shape::read(node).map(|provider: WireProvider| {
            Reply::Provider(Provider {
                arn: arn.to_owned(),
                url: provider.url,
                client_ids: provider.client_ids,
                thumbprints: provider.thumbprints,
                created: provider.created,
            })
        }));
    }
    if node.get("UserId").is_some() && node.get("Account").is_some() {
        return Some(
            shape::read(node)
                .map(|caller: WireCaller| Reply::Caller(Caller { account: caller.account, arn: caller.arn })),
        );
    }
    None
}
