//! Namespaces, nodes, events and the version of the API server.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Meta, null_default};

object!(
    /// A namespace.
    Namespace {
        /// Metadata; selectors of webhooks look at its labels.
        metadata: Meta,
    }
);

object!(
    /// A node.
    Node {
        /// Metadata; labels tell the operating system and the region.
        metadata: Meta,
        /// Spec.
        spec: NodeSpec,
    }
);

object!(
    /// `spec` of a node.
    NodeSpec {
        /// `aws:///eu-west-1a/i-0123…`.
        provider_id: String,
    }
);

object!(
    /// An event.
    Event {
        /// Metadata.
        metadata: Meta,
        /// What it is about.
        involved_object: ObjectRef,
        /// `FailedCreate`, `FailedMount`, …
        reason: String,
        /// The message.
        message: String,
        /// `Normal` or `Warning`.
        r#type: String,
        /// Last seen.
        last_timestamp: Option<Timestamp>,
    }
);

object!(
    /// `involvedObject`.
    ObjectRef {
        /// Kind.
        kind: String,
        /// Name.
        name: String,
        /// UID.
        uid: String,
    }
);

/// `GET /version`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServerVersion {
    /// `v1.33.5-eks-ba24e9c`.
    pub git_version: String,
}
