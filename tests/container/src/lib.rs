//! What the fake kubelet tells its container runtime, the program beside this library.

use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;
use std::path::PathBuf;

/// What the program is to do: its only argument, as JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Order {
    /// Be the network of a pod, with these addresses, until stdin ends. Every other address is silent.
    Network(Vec<Ipv4Addr>),
    /// Run a container, and end as it ends.
    Run(Container),
    /// The second half of that, inside the PID namespace.
    Enter(Container),
    /// Be the application: write [`READY`] and live until stdin ends.
    Application,
}

/// What is written to stdout when a network or an application is there.
pub const READY: &str = "ready";

/// A container.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// The network namespace of the pod.
    pub network: PathBuf,
    /// The PID namespace to join; a new one by default.
    pub processes: Option<PathBuf>,
    /// The directory that becomes the root. It holds every mount point.
    pub root: PathBuf,
    /// What is mounted into it.
    pub mounts: Vec<Mount>,
    /// Who runs the program.
    pub user: User,
    /// The whole environment of the program.
    pub env: Vec<(String, String)>,
    /// The program and its arguments, as paths in the container.
    pub command: Vec<String>,
}

/// A bind mount.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mount {
    /// On the host.
    pub source: PathBuf,
    /// In the container.
    pub target: PathBuf,
    /// Whether nobody can write there.
    pub read_only: bool,
}

/// The identity of a container's first process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// The bounding set of capabilities: bit N is capability N. Root has them all.
    pub capabilities: u64,
    /// Whether no program can gain privileges.
    pub no_new_privileges: bool,
}
