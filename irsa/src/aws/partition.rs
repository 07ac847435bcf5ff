//! Partitions and Regions of AWS.

/// The partition of a region, by the prefixes in AWS's `partitions.json`.
pub fn partition_of_region(region: &str) -> &'static str {
    const PREFIXES: [(&str, &str); 8] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("eusc-", "aws-eusc"),
        ("eu-isof-", "aws-iso-f"),
    ];
    PREFIXES.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}

/// Regions to offer where one is misspelt or to be completed; AWS adds more, so that none is refused for not being among them.
pub const REGIONS: [&str; 38] = [
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
    "cn-north-1",
    "cn-northwest-1",
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
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// True if the string has the form of a region: `eu-west-1`, `us-gov-east-1`, `ap-southeast-5`.
///
/// The form is checked, not a list: AWS adds regions faster than clusters update tools.
pub fn is_region_shaped(region: &str) -> bool {
    let parts: Vec<&str> = region.split('-').collect();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    match parts[..] {
        [ref area @ .., direction, number] if !area.is_empty() && area.len() <= 2 => {
            const AREAS: [&str; 13] =
                ["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx", "cn", "eusc", "us-gov", "us-iso"];
            const DIRECTIONS: [&str; 9] = [
                "north",
                "south",
                "east",
                "west",
                "central",
                "northeast",
                "northwest",
                "southeast",
                "southwest",
            ];
            let number_ok =
                number.len() <= 2 && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            let joined = area.join("-");
            let area_ok = AREAS.contains(&joined.as_str())
                || joined.starts_with("us-iso")
                || joined.starts_with("eu-iso")
                || joined.starts_with("eusc");
            area.iter().all(word) && DIRECTIONS.contains(&direction) && number_ok && area_ok
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions() {
        for region in [
            "eu-west-1",
            "us-gov-east-1",
            "ap-southeast-5",
            "cn-north-1",
            "us-isob-east-1",
            "eusc-de-east-1",
            "mx-central-1",
        ] {
            assert!(is_region_shaped(region), "{region}");
        }
        assert!(REGIONS.into_iter().all(is_region_shaped) && REGIONS.is_sorted());
        for region in [
            "minio",
            "us-east",
            "eu-west-1a",
            "us-esat-1",
            "",
            "global",
            "aws-global",
            "EU-WEST-1",
            "a-b-c-d-1",
        ] {
            assert!(!is_region_shaped(region), "{region}");
        }
        assert_eq!(partition_of_region("cn-north-1"), "aws-cn");
        assert_eq!(partition_of_region("eu-west-1"), "aws");
    }
}
