//! What to do about a finding, as values: each step says what it touches, which decides what a program may run unasked.
//!
//! A file for each thing that is repaired. It reads facts and derived results; only checks call it, nothing below them.

pub mod env;
pub mod oidc_provider;
pub mod permissions;
pub mod pod_identity;
pub mod role;
pub mod service_account;
pub mod trust_policy;
pub mod vpc_endpoint;
pub mod webhook;
pub mod workload;

mod command;
mod fix;

pub use command::{Command, Placeholder};
pub use fix::{Fix, Kind};

/// Everything in it serves the whole cluster.
const SYSTEM: &str = "kube-system";
