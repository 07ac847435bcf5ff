//! Everything that talks: the Kubernetes API and files. Fills facts, judges nothing.

pub mod files;
pub mod resource;
