//! Everything that talks: the Kubernetes API, AWS, the issuer, files. Fills facts, judges nothing.
//!
//! What a user feels is the number of answers that must be waited for one after the other. Everything whose inputs are
//! known is asked at once: three rounds for a pod (the pod; what it refers to; what that refers to), four for a workload.

pub mod api;
pub mod aws;
pub mod chain;
pub mod cluster;
pub mod files;
mod gather;
mod identity;
pub mod issuer;
pub mod logs;
pub mod probe;
mod progress;
pub mod secret;
pub mod token;
pub mod web;

use jiff::Timestamp;
use thiserror::Error;

pub use gather::gather;
pub use identity::Cloud;
pub use progress::Progress;

use irsa::documents::Store;
use irsa::facts::kubernetes::ServerVersion;
use irsa::facts::kubernetes::resource::{Query, Resource};
use irsa::facts::{Fact, Listing};

/// Where facts are read from. Both ways answer in the same terms, so that all that follows is the same.
pub enum Reader {
    /// A live API server.
    Api(api::Api),
    /// The user's files.
    Files(Store),
}

impl Reader {
    /// One object.
    pub async fn get<T: Resource>(&self, namespace: Option<&str>, name: &str) -> Fact<T> {
        match self {
            Self::Api(api) => api.get(namespace, name).await,
            Self::Files(store) => store.get(namespace, name),
        }
    }

    /// A list.
    pub async fn list<T: Resource>(&self, namespace: Option<&str>, query: &Query) -> Fact<Listing<T>> {
        match self {
            Self::Api(api) => api.list(namespace, query).await,
            Self::Files(store) => store.list(namespace, query),
        }
    }

    /// The server's version.
    pub async fn version(&self) -> Fact<ServerVersion> {
        match self {
            Self::Api(api) => api.version().await,
            Self::Files(store) => store.version(),
        }
    }

    /// The server's clock, as told by the answers so far.
    pub fn clock(&self) -> Fact<Timestamp> {
        match self {
            Self::Api(api) => api.clock(),
            Self::Files(store) => store.clock(),
        }
    }
}

/// The run cannot go on: without the target there is nothing to say.
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
        /// Objects with a like name.
        near: Vec<String>,
    },
    /// The container that `-c` names is not there.
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
    /// The target stands in several namespaces of the files.
    #[error("{kind}/{name} stands in several namespaces of the files ({}): choose one with -n", .namespaces.join(", "))]
    Ambiguous {
        /// Kind.
        kind: &'static str,
        /// Name.
        name: String,
        /// Where it stands.
        namespaces: Vec<String>,
    },
}

fn did_you_mean(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("; did you mean {}?", names.join(" or ")) }
}

fn allow(grant: &Option<String>) -> String {
    grant.as_ref().map_or_else(String::new, |grant| format!("\nallow it with: {grant}"))
}
