//! The real probe, in a pod made of a temporary directory, against services that misbehave on demand.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod chain;
mod endings;
mod file;
mod network;
mod pod;
mod proxy;
mod server;
mod sts;
mod target;
mod token;
