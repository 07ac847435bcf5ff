//! The STS endpoint that an SDK would call.

use crate::environment::Env;
use crate::net::endpoint::Endpoint;
use irsa_probe::{Fault, FaultKind, Why};

/// Where a call to STS goes.
#[derive(Debug)]
pub struct StsEndpoint {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Why this one.
    pub why: Why,
    /// The Region of a signature.
    pub region: String,
}

/// The endpoint by the environment's settings.
pub fn sts(env: &Env) -> Result<StsEndpoint, (Why, Fault)> {
    let region = env.get("AWS_REGION").or_else(|| env.get("AWS_DEFAULT_REGION"));
    let ignored = env.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    let url = env.get("AWS_ENDPOINT_URL_STS").or_else(|| env.get("AWS_ENDPOINT_URL"));
    if let Some(url) = url.filter(|_| !ignored) {
        let endpoint = Endpoint::parse(url).map_err(|fault| (Why::Override, fault))?;
        let region = region.unwrap_or("us-east-1").to_owned();
        return Ok(StsEndpoint { endpoint, why: Why::Override, region });
    }
    let global = |why| {
        let endpoint = Endpoint::of_service("sts.amazonaws.com".into());
        Ok(StsEndpoint { endpoint, why, region: "us-east-1".into() })
    };
    let Some(region) = region else { return global(Why::NoRegion) };
    let is_label = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if !region.chars().all(is_label) {
        return Err((Why::Regional, Fault::new(FaultKind::Invalid, "the Region is not part of a host name")));
    }
    let legacy =
        env.get("AWS_STS_REGIONAL_ENDPOINTS").is_some_and(|value| value.eq_ignore_ascii_case("legacy"));
    if region == "aws-global" || legacy && irsa_probe::has_global_endpoint(region) {
        return global(Why::Legacy);
    }
    let fips = env.is_true("AWS_USE_FIPS_ENDPOINT");
    let dual = env.is_true("AWS_USE_DUALSTACK_ENDPOINT");
    let endpoint = Endpoint::of_service(irsa_probe::sts_host(region, fips, dual));
    Ok(StsEndpoint { endpoint, why: Why::Regional, region: region.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(variables: &[(&str, &str)]) -> (String, Why) {
        let found = sts(&Env::of(variables)).unwrap();
        (found.endpoint.url(), found.why)
    }

    #[test]
    fn the_endpoint_is_the_sdk_s() {
        let region = ("AWS_REGION", "eu-west-1");
        for (variables, expected, why) in [
            (vec![region], "https://sts.eu-west-1.amazonaws.com/", Why::Regional),
            (
                vec![("AWS_DEFAULT_REGION", "cn-north-1")],
                "https://sts.cn-north-1.amazonaws.com.cn/",
                Why::Regional,
            ),
            (
                vec![("AWS_REGION", "us-isob-east-1")],
                "https://sts.us-isob-east-1.sc2s.sgov.gov/",
                Why::Regional,
            ),
            (
                vec![region, ("AWS_USE_FIPS_ENDPOINT", "true")],
                "https://sts-fips.eu-west-1.amazonaws.com/",
                Why::Regional,
            ),
            (
                vec![region, ("AWS_USE_DUALSTACK_ENDPOINT", "True")],
                "https://sts.eu-west-1.api.aws/",
                Why::Regional,
            ),
            (
                vec![region, ("AWS_STS_REGIONAL_ENDPOINTS", "legacy")],
                "https://sts.amazonaws.com/",
                Why::Legacy,
            ),
            (
                vec![("AWS_REGION", "af-south-1"), ("AWS_STS_REGIONAL_ENDPOINTS", "legacy")],
                "https://sts.af-south-1.amazonaws.com/",
                Why::Regional,
            ),
            (vec![], "https://sts.amazonaws.com/", Why::NoRegion),
            (vec![region, ("AWS_ENDPOINT_URL", "http://minio:9000")], "http://minio:9000/", Why::Override),
            (
                vec![
                    ("AWS_ENDPOINT_URL", "http://minio:9000"),
                    ("AWS_ENDPOINT_URL_STS", "https://vpce.example"),
                ],
                "https://vpce.example/",
                Why::Override,
            ),
            (
                vec![
                    region,
                    ("AWS_ENDPOINT_URL", "http://m"),
                    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
                ],
                "https://sts.eu-west-1.amazonaws.com/",
                Why::Regional,
            ),
        ] {
            assert_eq!(url(&variables), (expected.to_owned(), why));
        }
    }

    #[test]
    fn a_region_is_no_way_to_another_host() {
        for region in ["evil.example/", "a@b", "eu-west-1\n", "x:1"] {
            let (why, fault) = sts(&Env::of(&[("AWS_REGION", region)])).unwrap_err();
            assert_eq!((why, fault.kind), (Why::Regional, FaultKind::Invalid));
        }
    }
}
