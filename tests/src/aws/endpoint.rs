//! Host names of AWS, as the SDKs build them: partitions, Regions and services.

use serde::Deserialize;

/// A part of AWS with accounts and names of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Partition {
    /// Commercial Regions.
    #[default]
    #[serde(rename = "aws")]
    Aws,
    /// China.
    #[serde(rename = "aws-cn")]
    China,
    /// AWS GovCloud (US).
    #[serde(rename = "aws-us-gov")]
    GovCloud,
}

/// The Regions of the partitions; botocore `partitions.json` of November 2026.
const REGIONS: &[(Partition, &[&str])] = &[
    (
        Partition::Aws,
        &[
            "af-south-1",
            "ap-east-1",
            "ap-east-2",
            "ap-northeast-1",
            "ap-northeast-2",
            "ap-northeast-3",
            "ap-south-1",
            "ap-south-2",
            "ap-southeast-1",
            "ap-southeast-2",
            "ap-southeast-3",
            "ap-southeast-4",
            "ap-southeast-5",
            "ap-southeast-6",
            "ap-southeast-7",
            "ca-central-1",
            "ca-west-1",
            "eu-central-1",
            "eu-central-2",
            "eu-north-1",
            "eu-south-1",
            "eu-south-2",
            "eu-west-1",
            "eu-west-2",
            "eu-west-3",
            "il-central-1",
            "me-central-1",
            "me-south-1",
            "me-west-1",
            "mx-central-1",
            "sa-east-1",
            "sa-west-1",
            "us-east-1",
            "us-east-2",
            "us-west-1",
            "us-west-2",
        ],
    ),
    (Partition::China, &["cn-north-1", "cn-northwest-1"]),
    (Partition::GovCloud, &["us-gov-east-1", "us-gov-west-1"]),
];

/// The partition that has this Region.
pub fn partition_of(region: &str) -> Option<Partition> {
    REGIONS.iter().find(|(_, regions)| regions.contains(&region)).map(|(partition, _)| *partition)
}

impl Partition {
    /// As it stands in ARNs.
    pub fn name(self) -> &'static str {
        match self {
            Partition::Aws => "aws",
            Partition::China => "aws-cn",
            Partition::GovCloud => "aws-us-gov",
        }
    }

    /// The end of host names.
    pub fn dns_suffix(self) -> &'static str {
        match self {
            Partition::China => "amazonaws.com.cn",
            Partition::Aws | Partition::GovCloud => "amazonaws.com",
        }
    }

    /// IAM has one endpoint for a partition; the Region is the one its signatures name.
    fn iam(self) -> (&'static str, &'static str) {
        match self {
            Partition::Aws => ("iam.amazonaws.com", "us-east-1"),
            Partition::China => ("iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            Partition::GovCloud => ("iam.us-gov.amazonaws.com", "us-gov-west-1"),
        }
    }
}

/// The services that the fake knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Security Token Service.
    Sts,
    /// Identity and Access Management.
    Iam,
    /// Elastic Kubernetes Service.
    Eks,
    /// CloudTrail.
    CloudTrail,
}

impl Service {
    /// As it stands in host names, signatures and actions.
    pub fn name(self) -> &'static str {
        match self {
            Service::Sts => "sts",
            Service::Iam => "iam",
            Service::Eks => "eks",
            Service::CloudTrail => "cloudtrail",
        }
    }
}

/// What a host name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The service.
    pub service: Service,
    /// The Region that signatures must name.
    pub region: String,
    /// The partition.
    pub partition: Partition,
    /// `sts.amazonaws.com`, which no account can switch off.
    pub global: bool,
}

impl Endpoint {
    /// Reads a host name. Hosts of Regions that do not exist have no address, as in DNS.
    pub fn of(host: &str) -> Option<Endpoint> {
        if host == "sts.amazonaws.com" {
            let region = "us-east-1".to_owned();
            return Some(Endpoint { service: Service::Sts, region, partition: Partition::Aws, global: true });
        }
        let iam = |&(partition, _): &(Partition, _)| {
            let (name, region) = partition.iam();
            (name == host).then(|| Endpoint {
                service: Service::Iam,
                region: region.to_owned(),
                partition,
                global: true,
            })
        };
        REGIONS.iter().find_map(iam).or_else(|| regional(host))
    }
}

fn regional(host: &str) -> Option<Endpoint> {
    let (service, rest) = host.split_once('.')?;
    let (region, suffix) = rest.split_once('.')?;
    let services = [Service::Sts, Service::Eks, Service::CloudTrail];
    let service = services.into_iter().find(|known| known.name() == service)?;
    let partition = partition_of(region).filter(|partition| partition.dns_suffix() == suffix)?;
    Some(Endpoint { service, region: region.to_owned(), partition, global: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for (host, service, region, partition, global) in [
            ("sts.amazonaws.com", Service::Sts, "us-east-1", Partition::Aws, true),
            ("sts.eu-west-1.amazonaws.com", Service::Sts, "eu-west-1", Partition::Aws, false),
            ("sts.cn-north-1.amazonaws.com.cn", Service::Sts, "cn-north-1", Partition::China, false),
            ("iam.amazonaws.com", Service::Iam, "us-east-1", Partition::Aws, true),
            ("iam.cn-north-1.amazonaws.com.cn", Service::Iam, "cn-north-1", Partition::China, true),
            ("iam.us-gov.amazonaws.com", Service::Iam, "us-gov-west-1", Partition::GovCloud, true),
            ("eks.us-gov-east-1.amazonaws.com", Service::Eks, "us-gov-east-1", Partition::GovCloud, false),
            ("cloudtrail.af-south-1.amazonaws.com", Service::CloudTrail, "af-south-1", Partition::Aws, false),
        ] {
            let expected = Endpoint { service, region: region.to_owned(), partition, global };
            assert_eq!(Endpoint::of(host), Some(expected), "{host}");
        }
    }

    #[test]
    fn names_that_do_not_resolve() {
        for host in [
            "sts.eu-west-9.amazonaws.com",
            "sts.cn-north-1.amazonaws.com",
            "sts.eu-west-1.amazonaws.com.cn",
            "iam.eu-west-1.amazonaws.com",
            "s3.eu-west-1.amazonaws.com",
            "example.com",
        ] {
            assert_eq!(Endpoint::of(host), None, "{host}");
        }
    }
}
