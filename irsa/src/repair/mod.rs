//! What to do about a finding, as values: each step says what it touches, which decides what a program may run unasked.
//!
//! A file for each thing that is repaired. It reads facts and derived results; only checks call it, nothing below them.

pub(crate) mod env;
pub(crate) mod oidc_provider;
pub(crate) mod permissions;
pub(crate) mod pod_identity;
pub(crate) mod role;
pub(crate) mod service_account;
pub(crate) mod trust_policy;
pub(crate) mod vpc_endpoint;
pub(crate) mod webhook;
pub(crate) mod workload;

mod act;
mod change;
mod command;
mod fix;
mod policy_change;

pub use act::Act;
pub use change::{
    Assignment, AwsCall, AwsChange, Change, Edit, Given, InEks, Object, ObjectChange, ObjectKind, PatchType,
};
pub use command::{Command, Placeholder};
pub use fix::{Fix, Kind};
pub use policy_change::{PolicyChange, StatementChange};

/// Everything in it serves the whole cluster.
const SYSTEM: &str = "kube-system";
