//! ARNs, read from the raw string.

/// The parts of an ARN, as they stand in it; none of them is checked.
///
/// `arn:partition:service:region:account:resource` (IAM User Guide, "Amazon Resource Names").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, …
    pub partition: &'a str,
    /// `iam`, `s3`, …
    pub service: &'a str,
    /// Empty for what is in no Region.
    pub region: &'a str,
    /// Empty for what has its name to itself, such as a bucket.
    pub account: &'a str,
    /// All that follows, colons included.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Takes a text apart; `None` if it does not have the six parts of an ARN.
    pub fn split(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next();
        let ("arn", partition, service, region, account, resource) =
            (next()?, next()?, next()?, next()?, next()?, next()?)
        else {
            return None;
        };
        Some(Self { partition, service, region, account, resource })
    }

    /// The account in an ARN, if it names one.
    pub fn account_of(text: &'a str) -> Option<&'a str> {
        Self::split(text).map(|arn| arn.account).filter(|account| !account.is_empty())
    }
}

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
    /// What [`Self::parse`] reads, as a regular expression for others.
    pub const PATTERN: &'static str =
        "^arn:aws[a-z0-9-]*:iam::[0-9]{12}:role/([A-Za-z0-9_/.@+=,-]*/)?[A-Za-z0-9_.@+=,-]{1,64}$";

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
        let Some(Arn { partition, service, region, account, resource }) = Arn::split(raw) else {
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

/// The name of the role that a malformed ARN is about, where it can be told: what follows the last slash or colon.
pub fn role_name(raw: &str) -> Option<&str> {
    let name = raw.trim().rsplit(['/', ':']).next()?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let is_name = (1..=64).contains(&name.len()) && name.chars().all(allowed);
    (is_name && !raw.contains('=') && RoleArn::parse(raw).is_err()).then_some(name)
}

/// True if nothing that a malformed ARN says speaks against this one: it may lack parts, and zeros before the account's number.
pub fn may_mean(raw: &str, arn: &RoleArn<'_>) -> bool {
    let parts: Vec<&str> = raw.trim().split(':').collect();
    let Some((resource, parts)) = parts.split_last() else { return false };
    let number = |text: &str| text.trim_start_matches('0').to_owned();
    let agrees = |part: &&str| match *part {
        "" | "arn" | "iam" => true,
        partition if partition.starts_with("aws") => partition == arn.partition,
        account => !number(account).is_empty() && number(account) == number(arn.account),
    };
    resource.rsplit('/').next() == Some(arn.name()) && parts.iter().all(agrees)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_malformed_arn_may_mean() {
        let arn = RoleArn::parse("arn:aws:iam::011122223333:role/team/app").unwrap();
        for raw in [
            "app",
            "role/app",
            "arn:aws:iam::11122223333:role/team/app",
            "arn:aws:iam:011122223333:role/app",
            "arn:aws:iam:::role/app",
            "arn:aws:iam::011122223333:app",
        ] {
            assert_eq!(role_name(raw), Some("app"), "{raw}");
            assert!(may_mean(raw, &arn), "{raw}");
        }
        for raw in [
            "arn:aws:iam::11122223334:role/app",
            "arn:aws:iam::1.11122E+10:role/app",
            "arn:aws-cn:iam:011122223333:role/app",
            "arn:aws:s3:::app",
            "other",
        ] {
            assert!(!may_mean(raw, &arn), "{raw}");
        }
        for raw in ["", "${ROLE}", "arn:aws:iam::111122223333:role/app", "<role>", "a b", "key=arn:x:app"] {
            assert_eq!(role_name(raw), None, "{raw}");
        }
    }

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
}
