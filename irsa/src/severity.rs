//! How bad something is.

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The pod cannot get its identity, or gets another one.
    Error,
    /// It works, but something will break it or weakens it.
    Warning,
    /// Worth knowing; no fault.
    Info,
}
