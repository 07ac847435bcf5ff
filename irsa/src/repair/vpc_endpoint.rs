//! A VPC's endpoints for an AWS service. They are the network team's, so they are only read.

use super::Command;
use crate::derive::Derived;

/// Lists the endpoints for a service (`sts`).
pub(crate) fn list(derived: &Derived<'_>, region: &str, service: &str) -> Command {
    let filter = format!("Name=service-name,Values=com.amazonaws.{region}.{service}");
    Command::aws(derived, &["ec2", "describe-vpc-endpoints", "--region", region, "--filters", &filter])
}

/// Prints their policies.
pub(crate) fn policies(derived: &Derived<'_>, region: &str, service: &str) -> Command {
    let query = "VpcEndpoints[].[VpcEndpointId,VpcId,PolicyDocument]";
    let filter = format!("Name=service-name,Values=com.amazonaws.{region}.{service}");
    let words = ["ec2", "describe-vpc-endpoints", "--region", region, "--filters", &filter, "--query", query];
    Command::aws(derived, &words)
}
