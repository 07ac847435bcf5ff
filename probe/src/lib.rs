//! The probe's report: what it saw from inside the pod, as plain observations.
//!
//! This crate is the wire schema, shared by the probe (which writes it) and the plugin (which judges it). The report has a
//! version of its own, so that a newer plugin reads what an older probe wrote.

use serde::{Deserialize, Serialize};

/// Version of the report that this crate writes.
pub const SCHEMA: &str = "irsa-probe/v1";

/// What the probe saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// [`SCHEMA`] of the probe that wrote it.
    pub schema: String,
}
