//! How the cluster is reached: kubeconfig and flags, who signs in, the connection.
//!
//! Own code rather than kube's client, for what it does to this plugin's users (kube 5.0): it runs an exec plugin such as
//! `aws eks get-token` three times for one connection, one after the other and without a deadline; it compares `NO_PROXY` with the
//! proxy's name instead of the API server's; it needs the machine's certificate authorities even where the kubeconfig names one.
//! It would be a fifth of the binary, too.

mod access;
mod connection;
mod dial;
mod eks_hints;
mod kubeconfig;
mod sign_in;
mod tls;

pub use access::{Access, AccessError, Server};
pub(super) use connection::Connection;
pub use connection::ConnectionError;
pub(super) use dial::Dial;
pub use eks_hints::EksHints;
pub use kubeconfig::Kubeconfig;
