//! What a world says about its nodes: the header's field `kubelet`.

use crate::aws::account::VpcEndpoint;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The nodes of the cluster, and the network of their pods. A world without this field has no nodes that do anything: an
/// ephemeral container is accepted, and never starts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Setup {
    /// The nodes' clock, if it differs from the API server's. What stands in tokens is the API server's in any case.
    pub clock: Option<Timestamp>,
    /// The application's image.
    pub image: Image,
    /// What becomes of the containers that are added.
    pub containers: Fate,
    /// Whether the images of application and probe trust the CA of the fake AWS, as real ones trust public CAs: by
    /// `SSL_CERT_FILE`, which distroless images set too. Containers that set `SSL_CERT_FILE` or `AWS_CA_BUNDLE`
    /// themselves keep theirs.
    pub trusts_no_public_ca: bool,
    /// The name server of pods.
    pub dns: Dns,
    /// STS, seen from pods.
    pub sts: Sts,
    /// The address from which AWS sees the calls of pods; of no meaning behind a VPC endpoint.
    pub source_ip: Option<String>,
    /// The VPC and the VPC endpoint, if the calls go through one.
    pub endpoint: Option<VpcEndpoint>,
    /// The node's metadata service, if pods reach it.
    pub imds: Option<Imds>,
    /// The EKS Pod Identity agent, if there is one. It follows the associations of the world's EKS clusters.
    pub pod_identity_agent: bool,
}

/// What the application's image sets.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Image {
    /// `USER`: user and group, for containers of which neither spec nor status names one.
    pub user: Option<(u32, u32)>,
    /// `ENV`.
    pub env: BTreeMap<String, String>,
}

/// What becomes of a container that is added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It runs the probe.
    #[default]
    Runs,
    /// Its image cannot be pulled, with this message.
    ImagePull(String),
    /// It cannot be created, with this message.
    ConfigError(String),
    /// Nothing happens: the node does not answer any more.
    Never,
    /// It is killed as soon as it runs, as when the target restarts.
    Killed,
    /// It runs something that leaves this behind.
    Report(Report),
}

/// What a program leaves behind in place of the probe's report.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The termination message, before the kubelet cuts it; also the log.
    pub message: String,
    /// How often it is repeated.
    #[serde(default = "once")]
    pub times: usize,
    /// The exit code.
    #[serde(default)]
    pub exit: i32,
}

fn once() -> usize {
    1
}

/// How the name server answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dns {
    /// As it should.
    #[default]
    Answers,
    /// There is no such name.
    NxDomain,
    /// It has failed.
    ServFail,
    /// Names have no addresses.
    Empty,
    /// Not at all.
    Silent,
}

/// How STS can be reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sts {
    /// As it should.
    #[default]
    Answers,
    /// Connections are refused.
    Refused,
    /// Packets are lost.
    Silent,
    /// Requests get no answer.
    Hangs,
    /// Something in between shows a certificate of its own.
    Intercepted,
}

/// The node's metadata service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imds {
    /// The node's role, if it has one.
    #[serde(default)]
    pub role: Option<String>,
}
