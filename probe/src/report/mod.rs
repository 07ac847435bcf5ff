//! The report, one file for each part of it.

pub(crate) mod chain;
pub(crate) mod fault;
pub(crate) mod file;
pub(crate) mod network;
pub(crate) mod process;
pub(crate) mod sts;

use chain::{ContainerCredentials, Imds, Sdks, SharedFile};
use fault::Fault;
use file::TokenFile;
use network::Network;
use process::{Environment, Process, Target};
use serde::{Deserialize, Serialize};
use sts::{Clock, Sts};

/// Version of the report that this crate writes.
pub const SCHEMA: &str = "irsa-probe/v1";

/// What the probe saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// [`SCHEMA`] of the probe that wrote it.
    pub schema: String,
    /// The probe's own version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How the run ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// What was wrong with the arguments, or where in the probe's source it panicked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Steps that had not ended when the report was written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unfinished: Vec<String>,
    /// Sections that were seen, but had no room.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
    /// Why the termination log could not be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub termination_fault: Option<Fault>,
    /// The pod's clock when the report was written, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<i64>,
    /// How long the run took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub millis: Option<u64>,
    /// What STS said to the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sts: Option<Sts>,
    /// The pod's clock beside that of STS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Clock>,
    /// The web identity token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenFile>,
    /// The way to STS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// The probe's own process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// The application's process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// The environment whose settings were followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// Container credentials: the EKS Pod Identity agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_credentials: Option<ContainerCredentials>,
    /// The node's metadata service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imds: Option<Imds>,
    /// The shared config and credentials files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_files: Vec<SharedFile>,
    /// AWS SDKs in the target's file system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdks: Option<Sdks>,
}

impl Report {
    /// A report that says nothing yet, in the current schema.
    pub fn empty() -> Report {
        Report { schema: SCHEMA.into(), ..Report::default() }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Every step came to its end.
    Complete,
    /// The time was up.
    Deadline,
    /// SIGTERM or SIGINT.
    Signal,
    /// A step panicked; the others came to their end.
    Panic,
    /// The arguments were wrong: nothing was looked at.
    Usage,
    /// Of a newer probe.
    #[serde(other)]
    Other,
}
