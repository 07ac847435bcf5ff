//! Host names: those of AWS, above all of STS, and those that are certainly not.

use core::net::IpAddr;

/// The host of STS in a region: `sts.eu-west-1.amazonaws.com`.
pub fn regional_host(region: &str) -> String {
    irsa_probe::sts_host(region, false, false)
}

/// A name of STS's, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StsName<'h> {
    /// What stands where the Region does; `None` in the name of the global endpoint.
    pub region: Option<&'h str>,
    /// `sts-fips` instead of `sts`.
    pub fips: bool,
}

impl<'h> StsName<'h> {
    /// Reads `sts.REGION.…` and `sts-fips.REGION.…`; `None` for other hosts, the names of VPC endpoints among them.
    pub fn parse(host: &'h str) -> Option<Self> {
        let (service, rest) = host.trim_end_matches('.').split_once('.').filter(|_| is_aws(host))?;
        let fips = service.eq_ignore_ascii_case("sts-fips");
        let global = ["amazonaws.com", "amazonaws.com.cn"].iter().any(|all| rest.eq_ignore_ascii_case(all));
        let region = rest.split('.').next().filter(|_| !global);
        (fips || service.eq_ignore_ascii_case("sts")).then_some(Self { region, fips })
    }
}

/// The Regions in which STS has a name for FIPS besides its usual one (AWS general reference, "AWS Security Token Service
/// endpoints"). SDKs build such a name for any Region. In GovCloud the usual name is the FIPS one.
pub const FIPS_REGIONS: [&str; 4] = ["us-east-1", "us-east-2", "us-west-1", "us-west-2"];

/// False for a name `sts-fips.…` that AWS does not publish.
pub fn is_published(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    StsName::parse(&host)
        .filter(|name| name.fips)
        .and_then(|name| name.region)
        .is_none_or(|region| FIPS_REGIONS.contains(&region) && host.ends_with(".amazonaws.com"))
}

/// True for the API server of an EKS cluster: `0123….yl4.eu-west-1.eks.amazonaws.com`.
pub fn is_cluster_api(host: &str) -> bool {
    let labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
    matches!(labels[..], [id, _, _, service, ..] if service.eq_ignore_ascii_case("eks")
        && id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
        && is_aws(host)
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
    const SUFFIXES: [&str; 14] = [
        ".amazonaws.com",
        ".amazonaws.com.cn",
        ".amazonaws.eu",
        ".api.aws",
        ".api.amazonwebservices.com.cn",
        ".api.amazonwebservices.eu",
        ".api.aws.ic.gov",
        ".api.aws.scloud",
        ".api.aws.hci.ic.gov",
        ".api.cloud-aws.adc-e.uk",
        ".c2s.ic.gov",
        ".sc2s.sgov.gov",
        ".cloud.adc-e.uk",
        ".csp.hci.ic.gov",
    ];
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    SUFFIXES.iter().any(|suffix| host.ends_with(suffix))
}

/// True if AWS serves the host with a certificate that Mozilla's list verifies: in the commercial partition, in GovCloud and in China.
/// What another authority vouches for is then the certificate of something in between.
pub fn has_public_certificate(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"].iter().any(|suffix| host.ends_with(suffix))
}

/// True if the host is this very machine, or pod.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
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

    #[test]
    fn names_of_sts_are_taken_apart() {
        let name = |region, fips| Some(StsName { region, fips });
        for (host, expected) in [
            ("sts.amazonaws.com", name(None, false)),
            ("sts.eu-west-1.amazonaws.com.", name(Some("eu-west-1"), false)),
            ("sts.eu-central-1b.amazonaws.com", name(Some("eu-central-1b"), false)),
            ("STS-FIPS.us-gov-west-1.amazonaws.com", name(Some("us-gov-west-1"), true)),
            ("vpce-0123456789abcdef0-abcdefgh.sts.eu-west-1.vpce.amazonaws.com", None),
            ("sts.minio.svc", None),
        ] {
            assert_eq!(StsName::parse(host), expected, "{host}");
        }
        assert!(
            is_published("sts-fips.us-west-2.amazonaws.com") && is_published("sts.eu-west-1.amazonaws.com")
        );
        for host in [
            "sts-fips.us-gov-west-1.amazonaws.com",
            "sts-fips.eu-west-1.amazonaws.com",
            "sts-fips.us-east-1.api.aws",
        ] {
            assert!(!is_published(host), "{host}");
        }
    }

    #[test]
    fn hosts_with_public_certificates() {
        for host in ["oidc.eks.eu-west-1.amazonaws.com", "oidc-eks.eu-west-1.api.aws", "S3.amazonaws.com.cn."]
        {
            assert!(has_public_certificate(host), "{host}");
        }
        for host in ["oidc.example.com", "oidc.eks.us-iso-east-1.c2s.ic.gov", "amazonaws.com.example.com"] {
            assert!(!has_public_certificate(host), "{host}");
        }
    }

    #[test]
    fn the_api_server_of_a_cluster_is_no_service() {
        assert!(is_cluster_api("0123456789ABCDEF0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com"));
        for host in ["eks.eu-west-1.amazonaws.com", "sts.eu-west-1.amazonaws.com", "a.b.c.eks.example.com"] {
            assert!(!is_cluster_api(host), "{host}");
        }
    }
}
