//! Who runs: the probe, the application, and what they were started with.

use super::fault::Fault;
use serde::{Deserialize, Serialize};

/// The probe's own process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Process {
    /// Its number in its PID namespace; 1 means that it shares none.
    pub pid: u32,
    /// As whom it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// Why that could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// The credentials of a process, as `/proc/<pid>/status` has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Identity {
    /// The user: real, effective, saved, for files.
    pub uid: [u32; 4],
    /// The group: real, effective, saved, for files.
    pub gid: [u32; 4],
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// Effective capabilities, a bit set in hexadecimal.
    pub capabilities: String,
    /// The most that it could ever have, likewise.
    pub bounding: String,
    /// If it can gain nothing by exec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_new_privs: Option<bool>,
    /// Its seccomp mode: 0 none, 1 strict, 2 filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seccomp: Option<u8>,
    /// Its label under SELinux, AppArmor or another security module.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// The application's first process, and others of its container that run as somebody else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Target {
    /// Its number in the shared PID namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// If it was found by the container's id; else it is the first process of the namespace.
    pub by_container_id: bool,
    /// The name of its program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// As whom it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// Why it could not be found or read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Why its file system is closed to the probe; absent when it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_fault: Option<Fault>,
    /// Its root directory, when that is not the container's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Processes of the same container with another user, group, root or wiring: one of each sort.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Other>,
    /// If there were more processes than were looked at.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// A process of the target's container that differs from its first one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Other {
    /// Its number.
    pub pid: u32,
    /// The name of its program.
    pub name: String,
    /// Its user for files.
    pub uid: u32,
    /// Its group for files.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// Effective capabilities, a bit set in hexadecimal.
    pub capabilities: String,
    /// Its root directory, when that is not the container's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// If its credentials let it read the token file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub may_read_token: Option<bool>,
    /// Variables that give the first process its role, and that this one does not have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<String>,
}

/// The environment whose settings were followed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Environment {
    /// Whose it is.
    pub of: Origin,
    /// Why it is not the target's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// What matters to an AWS SDK, by name.
    pub variables: Vec<Variable>,
}

/// Whose view it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The probe's own.
    #[default]
    Probe,
    /// The application's process.
    Target,
}

/// An environment variable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value, where that is no secret: a password in a URL is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// If it is set to nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub empty: bool,
}
