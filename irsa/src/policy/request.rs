//! What is asked: who calls which action, and what is known of the circumstances.

use super::keys::{self, Call, Class};
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
    /// What is known of the global keys that are not set follows from who calls.
    call: Option<Call>,
    /// What is known of all keys of a pattern, unless they are set.
    patterns: Vec<(String, Value)>,
}

impl Context {
    /// The keys of such a call, each present, absent or unknown; set those of which more is known.
    pub fn of(call: Call) -> Self {
        let certain = keys::certain(call);
        let values = certain.map(|(key, value)| (key.to_owned(), Value::Present(vec![value.to_owned()])));
        Self { values: values.collect(), call: Some(call), patterns: Vec::new() }
    }

    /// Sets a key, in place of what was known of it.
    pub fn set(&mut self, key: impl Into<String>, value: Value) {
        let key = key.into();
        self.values.retain(|(known, _)| !known.eq_ignore_ascii_case(&key));
        self.values.push((key, value));
    }

    /// Says that keys of this pattern cannot be known, unless they are set. `*` and `?` are wildcards.
    pub fn set_unknown(&mut self, pattern: &str, why: impl Into<String>) {
        self.patterns.push((pattern.to_ascii_lowercase(), Value::Unknown(why.into())));
    }

    /// Says that the request has no keys of this pattern but those that are set.
    pub fn set_absent(&mut self, pattern: &str) {
        self.patterns.push((pattern.to_ascii_lowercase(), Value::Absent));
    }

    /// What is known of a key. One that nothing is said about is absent, and so is one without values.
    pub fn get(&self, key: &str) -> Found<'_> {
        let lower = key.to_ascii_lowercase();
        let set = self.values.iter().find(|(known, _)| known.eq_ignore_ascii_case(key));
        let of_pattern = || self.patterns.iter().find(|(pattern, _)| matches(&wild(pattern), &lower));
        match set.or_else(of_pattern) {
            Some((_, Value::Present(values))) if !values.is_empty() => return Found::Present(values),
            Some((_, Value::Present(_) | Value::Absent)) => return Found::Absent,
            Some((_, Value::Unknown(why))) => return Found::Unknown(why),
            None => {}
        }
        match self.call.and_then(|call| keys::class(call, key)) {
            Some(Class::Unknown(why)) => Found::Unknown(why),
            // What is certainly there was set when the context was made.
            Some(Class::Is(_) | Class::Absent) | None => Found::Absent,
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

impl Request {
    /// `sts:AssumeRoleWithWebIdentity` with a token. What the token does not say and the call does is unknown; set it if
    /// you know it.
    pub fn web_identity(identity: WebIdentity<'_>) -> Self {
        let issuer = identity.issuer.strip_prefix("https://").unwrap_or(identity.issuer);
        let mut context = Context::of(Call::WebIdentity);
        let one = |text: &str| Value::Present(vec![text.to_owned()]);
        context.set(format!("{issuer}:sub"), one(identity.sub));
        let aud = identity.aud.iter().map(|aud| (*aud).to_owned()).collect();
        context.set(format!("{issuer}:aud"), Value::Present(aud));
        context.set("aws:FederatedProvider", one(identity.provider_arn));
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
