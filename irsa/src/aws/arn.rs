//! Role ARNs, read from the raw string.

/// The parts of a well-formed role ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleArn<'a> {
    /// `aws`, `aws-cn`, …
    pub partition: &'a str,
    /// Twelve digits.
    pub account: &'a str,
    /// Path and name: `team/app`.
    pub path_and_name: &'a str,
}

impl<'a> RoleArn<'a> {
    /// Reads what the webhook accepts: `^arn:aws[a-z0-9-]*:iam::\d{12}:role\/[\w-\/.@+=,]+$` (webhook `pkg/cache`).
    pub fn parse(raw: &'a str) -> Result<Self, ArnProblem> {
        let trimmed = raw.trim_matches(|c: char| {
            c.is_whitespace() || c.is_control() || crate::text::safe::is_invisible(c)
        });
        if trimmed != raw {
            return Err(ArnProblem::Surrounded);
        }
        if raw.chars().any(|c| c.is_control() || crate::text::safe::is_invisible(c)) {
            return Err(ArnProblem::Invisible);
        }
        if raw.starts_with(['"', '\'']) || raw.ends_with(['"', '\'']) {
            return Err(ArnProblem::Quoted);
        }
        // None of these can be part of an ARN.
        if raw.contains(['$', '<', '>', '{', '}', '%']) {
            return Err(ArnProblem::Template);
        }
        if let Some((key, value)) = raw.split_once('=')
            && key.contains("role-arn")
            && value.starts_with("arn:")
        {
            return Err(ArnProblem::WholeAssignment);
        }
        if !raw.starts_with("arn:") {
            return Err(ArnProblem::NameOnly);
        }
        let parts: Vec<&str> = raw.splitn(6, ':').collect();
        let [_, partition, service, region, account, resource] = parts[..] else {
            return Err(ArnProblem::NotAnArn);
        };
        let partition_tail = partition.strip_prefix("aws").ok_or(ArnProblem::Partition)?;
        if !partition_tail.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Err(ArnProblem::Partition);
        }
        if service != "iam" || resource.starts_with("instance-profile/") || resource.starts_with("user/") {
            return Err(ArnProblem::NotARole);
        }
        if !region.is_empty() {
            return Err(ArnProblem::NotAnArn);
        }
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ArnProblem::Account);
        }
        let path_and_name = resource.strip_prefix("role/").ok_or(ArnProblem::NoRolePrefix)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_-/.@+=,".contains(c);
        // IAM allows a name 64 characters.
        let too_long = path_and_name.rsplit('/').next().is_some_and(|name| name.len() > 64);
        if too_long
            || path_and_name.is_empty()
            || path_and_name.ends_with('/')
            || !path_and_name.chars().all(allowed)
        {
            return Err(ArnProblem::Name);
        }
        Ok(Self { partition, account, path_and_name })
    }

    /// The role's name, without its path.
    pub fn name(&self) -> &'a str {
        self.path_and_name.rsplit('/').next().unwrap_or(self.path_and_name)
    }
}

/// Why a string is no role ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArnProblem {
    /// White space, a newline or an invisible character before or after it.
    Surrounded,
    /// An invisible or control character within it.
    Invisible,
    /// Quotes are part of the value.
    Quoted,
    /// A template that was never filled in.
    Template,
    /// The whole `key=value` was pasted as the value.
    WholeAssignment,
    /// Only a name or a path.
    NameOnly,
    /// Not six parts separated by colons.
    NotAnArn,
    /// No partition that AWS has.
    Partition,
    /// An ARN of something else than a role.
    NotARole,
    /// The account is not twelve digits.
    Account,
    /// `role/` is missing.
    NoRolePrefix,
    /// A name that IAM does not allow.
    Name,
}

impl ArnProblem {
    /// The problem as the end of the sentence "the role ARN …".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Surrounded => "has white space or an invisible character at its start or end",
            Self::Invisible => "contains an invisible character",
            Self::Quoted => "has quotation marks as part of the value",
            Self::Template => "is a template that was never filled in",
            Self::WholeAssignment => "repeats the annotation key in its value",
            Self::NameOnly => "is not an ARN",
            Self::NotAnArn => "does not have the six parts of a role ARN",
            Self::Partition => "names a partition that does not exist",
            Self::NotARole => "is the ARN of something else than an IAM role",
            Self::Account => "has an account id that is not twelve digits",
            Self::NoRolePrefix => "lacks `role/` before the role's name",
            Self::Name => "has a role name that IAM does not allow",
        }
    }
}

/// The ARN that the string was meant to be, where that can be told without guessing.
pub fn repaired(raw: &str) -> Option<String> {
    let mut text: String =
        raw.chars().filter(|c| !c.is_control() && !crate::text::safe::is_invisible(*c)).collect();
    text = text.trim().trim_matches(['"', '\'']).trim().to_owned();
    if let Some((key, value)) = text.split_once('=')
        && key.contains("role-arn")
        && value.starts_with("arn:")
    {
        text = value.to_owned();
    }
    // The console shows account ids as 1111-2222-3333.
    let mut parts: Vec<String> = text.splitn(6, ':').map(str::to_owned).collect();
    if let Some(account) = parts.get_mut(4).filter(|account| account.len() == 14) {
        *account = account.replace('-', "");
    }
    let text = parts.join(":");
    RoleArn::parse(&text).is_ok().then_some(text)
}

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
    fn good_arns() {
        for arn in [
            "arn:aws:iam::111122223333:role/app",
            "arn:aws-cn:iam::111122223333:role/team/app",
            "arn:aws-us-gov:iam::111122223333:role/a.b@c+d=e,f-g_h",
        ] {
            assert!(RoleArn::parse(arn).is_ok(), "{arn}");
        }
    }

    #[test]
    fn bad_arns_say_what_is_bad() {
        for (arn, problem) in [
            ("arn:aws:iam::111122223333:role/app ", ArnProblem::Surrounded),
            ("arn:aws:iam::111122223333:role/app\n", ArnProblem::Surrounded),
            ("\u{feff}arn:aws:iam::111122223333:role/app", ArnProblem::Surrounded),
            ("arn:aws:iam::111122223333:role/a\u{200b}pp", ArnProblem::Invisible),
            ("\"arn:aws:iam::111122223333:role/app\"", ArnProblem::Quoted),
            ("${ROLE_ARN}", ArnProblem::Template),
            ("$ROLE_ARN", ArnProblem::Template),
            ("arn:aws:iam::1111-2222-3333:role/app", ArnProblem::Account),
            ("arn:aws:iam::<ACCOUNT_ID>:role/app", ArnProblem::Template),
            ("eks.amazonaws.com/role-arn=arn:aws:iam::111122223333:role/app", ArnProblem::WholeAssignment),
            ("app", ArnProblem::NameOnly),
            ("arn:aws:iam:::role/app", ArnProblem::Account),
            ("arn:aws:iam::1.11122223333e+11:role/app", ArnProblem::Account),
            ("arn:aws:iam::1111222233334:role/app", ArnProblem::Account),
            ("arn:aws:iam::111122223333:app", ArnProblem::NoRolePrefix),
            ("arn:aws:iam::111122223333:instance-profile/app", ArnProblem::NotARole),
            ("arn:aws:sts::111122223333:assumed-role/app/x", ArnProblem::NotARole),
            ("arn:gcp:iam::111122223333:role/app", ArnProblem::Partition),
            ("arn:aws:iam::111122223333:role/", ArnProblem::Name),
            ("arn:aws:iam::111122223333", ArnProblem::NotAnArn),
        ] {
            assert_eq!(RoleArn::parse(arn), Err(problem), "{arn:?}");
        }
    }

    #[test]
    fn repairs_only_what_is_certain() {
        assert_eq!(
            repaired("'arn:aws:iam::111122223333:role/app'\n").as_deref(),
            Some("arn:aws:iam::111122223333:role/app")
        );
        assert_eq!(
            repaired("arn:aws:iam::1111-2222-3333:role/a:b").as_deref(),
            None,
            "a colon is no part of a role's name"
        );
        assert_eq!(
            repaired("arn:aws:iam::1111-2222-3333:role/app").as_deref(),
            Some("arn:aws:iam::111122223333:role/app")
        );
        assert_eq!(repaired("app"), None);
        assert_eq!(repaired("arn:aws:iam:::role/app"), None);
    }

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
