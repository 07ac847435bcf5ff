//! Test support of kubectl-irsa: world files and the fakes that act them out.
//!
//! Failing loudly is what test support is for, so `expect` and `panic!` are allowed here.
#![forbid(unsafe_code)]
#![allow(clippy::expect_used, clippy::panic)]

pub mod aws;
mod certificates;
pub mod fault;
pub mod kube_api;
pub mod kubelet;
pub mod proxy;
mod query;
pub mod run;
mod server;
#[cfg(test)]
mod test_client;
pub mod timeline;
pub mod world;
