//! What ends a run: without its target there is nothing to diagnose.

use thiserror::Error;

use crate::bundle::BundleError;
use crate::facts::Unknown;

/// The run cannot continue: without the target there is nothing to diagnose.
#[derive(Debug, Error)]
pub enum CollectError {
    /// No such object.
    #[error("{kind}/{name} not found in namespace {namespace}{hint}")]
    NotFound {
        /// Kind as shown.
        kind: &'static str,
        /// Name.
        name: String,
        /// Namespace.
        namespace: String,
        /// Where it is instead, or what may be meant.
        hint: String,
    },
    /// The namespace does not exist.
    #[error("namespace {namespace} does not exist{hint}")]
    NoNamespace {
        /// Namespace.
        namespace: String,
        /// Where the object is instead, or what may be meant.
        hint: String,
    },
    /// Nothing was named, and there is nothing to name.
    #[error(
        "no service account of namespace {namespace} has a role, by annotation or by an EKS Pod Identity association; kubectl irsa debug \
         pod/NAME says why a pod has none"
    )]
    NoneWithRole {
        /// Namespace.
        namespace: String,
    },
    /// The container that `-c` names does not exist.
    #[error("{pod} has no container \"{name}\": it has {}", .there.join(", "))]
    NoContainer {
        /// The pod or workload.
        pod: String,
        /// The name asked for.
        name: String,
        /// The names there.
        there: Vec<String>,
    },
    /// The target may not be read.
    #[error("cannot read {what}: {why}{}", allow(.grant))]
    Unreadable {
        /// What could not be read.
        what: String,
        /// The server's words.
        why: String,
        /// What would allow it.
        grant: Option<String>,
    },
    /// The server does not answer.
    #[error("cannot reach the API server at {address}: {cause}")]
    Unreachable {
        /// Its URL.
        address: String,
        /// What happened.
        cause: String,
    },
    /// It is in a bundle that cannot be read.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The target is in several namespaces of the files.
    #[error("{kind}/{name} is in several namespaces of the files ({}): choose one with -n", .namespaces.join(", "))]
    Ambiguous {
        /// Kind.
        kind: &'static str,
        /// Name.
        name: String,
        /// The namespaces.
        namespaces: Vec<String>,
    },
}

impl From<Unknown> for CollectError {
    fn from(unknown: Unknown) -> Self {
        Self::Unreadable {
            what: unknown.what,
            why: unknown.why.to_string(),
            grant: unknown.grant.map(|grant| grant.to_string()),
        }
    }
}

fn allow(grant: &Option<String>) -> String {
    grant.as_ref().map_or_else(String::new, |grant| format!("\nallow it with: {grant}"))
}
