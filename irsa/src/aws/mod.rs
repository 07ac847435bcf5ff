//! The names of AWS: ARNs, partitions and Regions, endpoints.

pub mod arn;
pub mod endpoint;
pub mod partition;
