//! Everything about the API server: the kubeconfig and the flags, who signs in, the way there, what is asked and what comes back.
//!
//! kube does the kubeconfig's model, URLs, TLS, impersonation, lists and watches. It gets no way to sign in and no proxy: for
//! one client it would run an exec plugin three times, without a deadline, and look for the proxy's own name in `NO_PROXY`.

mod access;
mod answer;
mod api;
mod connection;
mod dial;
pub(super) mod exec;
pub mod kubeconfig;
mod objects;
mod own;
mod pem;
mod sign_in;

pub use access::Access;
pub(crate) use access::{AccessError, Server};
pub use answer::NoAnswer;
pub use api::Api;
pub(crate) use api::{Answer, Asked, encode};
pub(super) use api::{Events, body, of_namespace};
pub(crate) use connection::ConnectionError;
pub(super) use dial::by_environment;
pub(super) use own::Own;
pub(crate) use own::Type;
