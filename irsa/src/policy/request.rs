//! What is asked: who calls which action, and what is known of the circumstances.

use super::wildcard::{matches, wild};

/// A question to a policy.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who asks.
    pub principal: Principal,
    /// What for, such as `sts:AssumeRoleWithWebIdentity`.
    pub action: String,
    /// On what; a trust policy has no resource other than its role.
    pub resource: Option<String>,
    /// The condition keys.
    pub context: Context,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// Whoever holds a token of this provider.
    WebIdentity {
        /// ARN of the provider in IAM.
        provider_arn: String,
        /// Issuer without scheme, as IAM puts it before its condition keys: `oidc.eks.eu-west-1.amazonaws.com/id/…`.
        issuer: String,
    },
    /// An AWS service, such as `pods.eks.amazonaws.com`.
    Service(String),
    /// A user, a role or the session of a role.
    Aws {
        /// Its ARN.
        arn: String,
        /// The role's ARN, for a session: the session's own ARN lacks the role's path.
        role_arn: Option<String>,
    },
    /// Whoever the policy is attached to: identity policies and SCPs name no principal.
    Holder,
}

/// What is known of a condition key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// The request has it, with these values.
    Present(Vec<String>),
    /// The request does not have it.
    Absent,
    /// It cannot be known from here, because …
    Unknown(String),
}

/// What a policy finds when it asks for a condition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'a> {
    /// The request has it, with these values; never empty.
    Present(&'a [String]),
    /// The request does not have it.
    Absent,
    /// It cannot be known from here, because …
    Unknown(&'a str),
}

impl<'a> Found<'a> {
    /// The values; none if the request does not have the key, or may not have it.
    pub const fn values(self) -> &'a [String] {
        match self {
            Self::Present(values) => values,
            Self::Absent | Self::Unknown(_) => &[],
        }
    }
}

/// The condition keys of a request. Their names know no case.
#[derive(Debug, Clone, Default)]
pub struct Context {
    values: Vec<(String, Value)>,
    /// Patterns of keys that may or may not be there, and why that is not known.
    unknown: Vec<(String, String)>,
}

impl Context {
    /// Sets a key, in place of what was known of it.
    pub fn set(&mut self, key: impl Into<String>, value: Value) {
        let key = key.into();
        self.values.retain(|(known, _)| !known.eq_ignore_ascii_case(&key));
        self.values.push((key, value));
    }

    /// Says that keys of this pattern cannot be known, unless they are set. `*` and `?` are wildcards.
    pub fn set_unknown(&mut self, pattern: &str, why: impl Into<String>) {
        self.unknown.push((pattern.to_ascii_lowercase(), why.into()));
    }

    /// What is known of a key. One that nothing is said about is absent, and so is one without values.
    pub fn get(&self, key: &str) -> Found<'_> {
        if let Some((_, value)) = self.values.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)) {
            return match value {
                Value::Present(values) if values.is_empty() => Found::Absent,
                Value::Present(values) => Found::Present(values),
                Value::Absent => Found::Absent,
                Value::Unknown(why) => Found::Unknown(why),
            };
        }
        let key = key.to_ascii_lowercase();
        match self.unknown.iter().find(|(pattern, _)| matches(&wild(pattern), &key)) {
            Some((_, why)) => Found::Unknown(why),
            None => Found::Absent,
        }
    }
}

/// A call of `sts:AssumeRoleWithWebIdentity`, in plain strings.
#[derive(Debug, Clone, Copy)]
pub struct WebIdentity<'a> {
    /// ARN of the provider, in the role's account.
    pub provider_arn: &'a str,
    /// The token's issuer, with or without `https://`.
    pub issuer: &'a str,
    /// `sub` claim.
    pub sub: &'a str,
    /// `aud` claim.
    pub aud: &'a [&'a str],
}

/// What a web identity's call has, or may have, beside the token's claims.
const DEPENDS_ON_THE_CALL: [(&str, &str); 12] = [
    ("aws:SourceIp", "it depends on where the call comes from"),
    ("aws:VpcSourceIp", "it depends on where the call comes from"),
    ("aws:SourceVpc", "it depends on whether the call goes through a VPC endpoint"),
    ("aws:SourceVpcArn", "it depends on whether the call goes through a VPC endpoint"),
    ("aws:SourceVpce", "it depends on whether the call goes through a VPC endpoint"),
    ("aws:VpceOrg*", "it depends on whether the call goes through a VPC endpoint"),
    ("aws:VpceAccount", "it depends on whether the call goes through a VPC endpoint"),
    ("aws:CurrentTime", "it depends on when the call is made"),
    ("aws:EpochTime", "it depends on when the call is made"),
    ("aws:RequestedRegion", "it depends on the STS endpoint that is called"),
    ("aws:UserAgent", "it depends on the client"),
    ("sts:RoleSessionName", "the client chooses it"),
];

/// What describes the role, which a trust policy may ask for as well.
const DEPENDS_ON_THE_ROLE: [&str; 4] =
    ["aws:ResourceTag/*", "iam:ResourceTag/*", "aws:ResourceAccount", "aws:ResourceOrg*"];

impl Request {
    /// `sts:AssumeRoleWithWebIdentity` with a token. What the token does not say and the call does is unknown; set it if
    /// you know it. All other keys are absent.
    pub fn web_identity(identity: WebIdentity<'_>) -> Self {
        let issuer = identity.issuer.strip_prefix("https://").unwrap_or(identity.issuer);
        let mut context = Context::default();
        let one = |text: &str| Value::Present(vec![text.to_owned()]);
        context.set(format!("{issuer}:sub"), one(identity.sub));
        let aud = identity.aud.iter().map(|aud| (*aud).to_owned()).collect();
        context.set(format!("{issuer}:aud"), Value::Present(aud));
        // STS has no endpoint without TLS.
        context.set("aws:SecureTransport", one("true"));
        for (key, why) in DEPENDS_ON_THE_CALL {
            context.set_unknown(key, why);
        }
        for key in DEPENDS_ON_THE_ROLE {
            context.set_unknown(key, "it describes the role, and was not read");
        }
        Self {
            principal: Principal::WebIdentity {
                provider_arn: identity.provider_arn.to_owned(),
                issuer: issuer.to_owned(),
            },
            action: "sts:AssumeRoleWithWebIdentity".to_owned(),
            resource: None,
            context,
        }
    }
}
