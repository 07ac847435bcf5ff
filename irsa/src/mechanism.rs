//! How a container gets its credentials.

use serde::Serialize;

/// How a container gets credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mechanism {
    /// IAM roles for service accounts: a web identity token.
    Irsa,
    /// EKS Pod Identity.
    PodIdentity,
    /// Access keys in the environment.
    StaticKeys,
    /// A profile or a credentials file.
    Profile,
    /// The instance profile of the node.
    NodeRole,
    /// No mechanism at all.
    None,
    /// Cannot be told from what was read.
    Unknown,
}
