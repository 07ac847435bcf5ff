//! Regions, as far as probe and plugin must agree on them.

/// True if `AWS_STS_REGIONAL_ENDPOINTS=legacy` means the global endpoint in this Region; everywhere else it means the
/// regional one (AWS SDKs and Tools reference guide, "AWS STS Regional endpoints").
pub fn has_global_endpoint(region: &str) -> bool {
    const LEGACY: [&str; 15] = [
        "ap-northeast-1",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-north-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    ];
    LEGACY.contains(&region)
}

/// The host of STS in a Region, as the SDKs build it from their endpoint rules; `fips` and `dual` are
/// `AWS_USE_FIPS_ENDPOINT` and `AWS_USE_DUALSTACK_ENDPOINT`. That they build a name does not mean that it exists.
pub fn sts_host(region: &str, fips: bool, dual: bool) -> String {
    // The DNS suffixes of the partitions, by the beginning of their Regions' names; the second one is for dual stack.
    const SUFFIXES: [(&str, &str, &str); 8] = [
        ("cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
        ("eusc-", "amazonaws.eu", "api.amazonwebservices.eu"),
        ("us-isob-", "sc2s.sgov.gov", "api.aws.scloud"),
        ("us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
        ("us-iso-", "c2s.ic.gov", "api.aws.ic.gov"),
        ("eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
        ("us-gov-", "amazonaws.com", "api.aws"),
        ("", "amazonaws.com", "api.aws"),
    ];
    let found = SUFFIXES.iter().find(|(start, ..)| region.starts_with(start));
    let &(start, single_suffix, dual_suffix) = found.unwrap_or(&("", "amazonaws.com", "api.aws"));
    // In GovCloud every endpoint is a FIPS one, under the plain name.
    let service = if fips && (dual || start != "us-gov-") { "sts-fips" } else { "sts" };
    format!("{service}.{region}.{}", if dual { dual_suffix } else { single_suffix })
}
