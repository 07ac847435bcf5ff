//! The plugin: `cli`; `collect`, which reads all there is; `apply`, which changes what a repair changes. What a pod's facts mean is the
//! business of the [`irsa`] crate.

pub mod apply;
pub mod cli;
pub mod collect;
