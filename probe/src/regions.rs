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
