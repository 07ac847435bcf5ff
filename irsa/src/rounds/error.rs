//! What ends a run: without its target there is nothing to diagnose.

use thiserror::Error;

/// The run cannot continue: without the target there is nothing to diagnose.
#[derive(Debug, Error)]
pub enum CollectError {
    /// No such object.
    #[error("{kind}/{name} not found in namespace {namespace}{}", did_you_mean(.near))]
    NotFound {
        /// Kind as shown.
        kind: &'static str,
        /// Name.
        name: String,
        /// Namespace.
        namespace: String,
        /// Objects with a similar name.
        near: Vec<String>,
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

fn did_you_mean(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("; did you mean {}?", names.join(" or ")) }
}

fn allow(grant: &Option<String>) -> String {
    grant.as_ref().map_or_else(String::new, |grant| format!("\nallow it with: {grant}"))
}
