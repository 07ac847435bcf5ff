//! Test support of kubectl-irsa: world files and the fakes that act them out.
//!
//! Failing loudly is what test support is for, so `expect("why it cannot fail")` is allowed here.
#![forbid(unsafe_code)]
#![allow(clippy::expect_used)]

pub mod kube_api;
pub mod world;
