//! Everything that talks: the Kubernetes API, AWS, the issuer, files. Fills facts, judges nothing.
//! Which objects are asked for in which round is [`irsa::rounds`]'s business.

pub mod aws;
pub mod chain;
pub mod cluster;
pub mod files;
mod gather;
mod identity;
pub mod issuer;
pub mod logs;
mod objects;
pub mod probe;
mod progress;
pub mod token;
pub mod web;

pub use gather::gather;
pub use identity::Cloud;
pub use progress::Progress;
