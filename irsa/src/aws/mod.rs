//! The names of AWS: ARNs, partitions, Regions.

pub mod arn;
