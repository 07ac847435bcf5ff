//! Host names: those of AWS, above all of STS, and those that are certainly not.

use core::net::IpAddr;

use super::partition::{dns_suffix, partition_of_region};

/// The host of STS in a region: `sts.eu-west-1.amazonaws.com`.
pub fn regional_host(region: &str) -> String {
    format!("sts.{region}.{}", dns_suffix(partition_of_region(region)))
}

/// True if `legacy` means the global endpoint in this region, or in this pseudo region of SDKs.
pub fn has_global_endpoint(region: &str) -> bool {
    region == "aws-global" || irsa_probe::has_global_endpoint(region)
}

/// The host of a URL, without port; brackets of an IPv6 address are taken off.
pub fn host_of_url(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match authority.strip_prefix('[') {
        Some(inner) => inner.split_once(']')?.0,
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    };
    (!host.is_empty()).then_some(host)
}

/// True if the host is one of AWS's own for STS: regional, global, FIPS, dual-stack, or a VPC endpoint.
pub fn serves_sts(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    is_aws(&host) && host.split('.').any(|label| label == "sts" || label == "sts-fips")
}

/// The Region that `aws:RequestedRegion` has for requests to an endpoint of STS; the global one is in us-east-1, whichever
/// Region serves it. `None` for a host that is not STS's.
pub fn requested_region(host: &str) -> Option<&str> {
    let host = host.trim_end_matches('.');
    let mut labels = host.split('.').filter(|_| serves_sts(host));
    labels.find(|label| label.eq_ignore_ascii_case("sts") || label.eq_ignore_ascii_case("sts-fips"))?;
    labels.next().map(|next| if next == "amazonaws" { "us-east-1" } else { next })
}

/// True if the host lies under one of AWS's DNS suffixes.
pub fn is_aws(host: &str) -> bool {
    const SUFFIXES: [&str; 9] = [
        ".amazonaws.com",
        ".amazonaws.com.cn",
        ".amazonaws.eu",
        ".api.aws",
        ".api.amazonwebservices.com.cn",
        ".c2s.ic.gov",
        ".sc2s.sgov.gov",
        ".cloud.adc-e.uk",
        ".csp.hci.ic.gov",
    ];
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    SUFFIXES.iter().any(|suffix| host.ends_with(suffix))
}

/// True if the host is in the cluster, in the pod or in a private network by its very name: never AWS.
pub fn is_local(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if let Ok(address) = host.parse::<IpAddr>() {
        return match address {
            IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
        };
    }
    let in_cluster = host.ends_with(".svc") || host.ends_with(".cluster.local") || host.contains(".svc.");
    !host.contains('.') || in_cluster || host == "localhost.localstack.cloud"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_urls() {
        for (url, host) in [
            ("https://sts.eu-west-1.amazonaws.com/", Some("sts.eu-west-1.amazonaws.com")),
            ("http://minio:9000", Some("minio")),
            ("http://[withheld]@minio:9000/x", Some("minio")),
            ("http://[fd00:ec2::23]/v1/credentials", Some("fd00:ec2::23")),
            ("localstack:4566", Some("localstack")),
            ("", None),
        ] {
            assert_eq!(host_of_url(url), host, "{url}");
        }
    }

    #[test]
    fn hosts_that_serve_sts() {
        for host in [
            "sts.amazonaws.com",
            "sts.cn-north-1.amazonaws.com.cn",
            "sts-fips.us-east-1.amazonaws.com",
            "sts.eu-west-1.api.aws",
            "vpce-0123456789abcdef0-abcdefgh.sts.eu-west-1.vpce.amazonaws.com",
            "STS.eu-west-1.amazonaws.com.",
        ] {
            assert!(serves_sts(host), "{host}");
        }
        for host in ["s3.eu-west-1.amazonaws.com", "sts.minio", "sts.amazonaws.com.evil.example", "localhost"]
        {
            assert!(!serves_sts(host), "{host}");
        }
    }

    #[test]
    fn regions_of_hosts() {
        for (host, region) in [
            ("sts.amazonaws.com", Some("us-east-1")),
            ("sts.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("sts-fips.us-east-2.amazonaws.com", Some("us-east-2")),
            ("sts.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("vpce-0123456789abcdef0-abcdefgh.sts.eu-west-1.vpce.amazonaws.com", Some("eu-west-1")),
            ("s3.eu-west-1.amazonaws.com", None),
            ("localhost", None),
        ] {
            assert_eq!(requested_region(host), region, "{host}");
        }
    }

    #[test]
    fn local_hosts() {
        for host in [
            "minio",
            "localhost",
            "127.0.0.1",
            "10.0.0.7",
            "::1",
            "minio.storage.svc",
            "a.b.svc.cluster.local",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in ["sts.amazonaws.com", "aws-gateway.corp.example.com", "52.94.5.1"] {
            assert!(!is_local(host), "{host}");
        }
    }

    #[test]
    fn hosts_of_regions() {
        assert_eq!(regional_host("eu-west-1"), "sts.eu-west-1.amazonaws.com");
        assert_eq!(regional_host("cn-north-1"), "sts.cn-north-1.amazonaws.com.cn");
        assert!(has_global_endpoint("us-east-1") && !has_global_endpoint("af-south-1"));
    }
}
