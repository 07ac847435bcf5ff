//! Namespaces, nodes, events and the version of the API server.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Meta, null_default, outlined};
use crate::facts::alike::Varying;
use crate::text::foreign::Quoted;

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
        provider_id: Varying<String>,
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
        message: Quoted,
        /// `Normal` or `Warning`.
        r#type: String,
        /// Last seen, as controllers with the older API write it.
        last_timestamp: Option<Timestamp>,
        /// First seen, as controllers with the newer API write it.
        event_time: Option<Timestamp>,
        /// Its repetitions, in the newer API.
        series: Option<EventSeries>,
    }
);

object!(
    /// `series`.
    EventSeries {
        /// Last seen.
        last_observed_time: Option<Timestamp>,
    }
);

impl Event {
    /// When it was last seen.
    pub fn last_seen(&self) -> Option<Timestamp> {
        let in_series = self.series.as_ref().and_then(|series| series.last_observed_time);
        in_series.or(self.last_timestamp).or(self.event_time).or(self.metadata.creation_timestamp.time())
    }
}

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
