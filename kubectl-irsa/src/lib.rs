//! The plugin: `cli`, and `collect`, which does all I/O. What a pod's facts mean is the business of the [`irsa`] crate.

pub mod cli;
pub mod collect;
