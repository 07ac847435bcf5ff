//! Evaluates trust policies, independently of the plugin. It knows little and says so: whatever it does not know for
//! certain is [`Unknown`], which fails the test, because a guess here would make a wrong diagnosis pass.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Why a policy cannot be evaluated.
#[derive(Debug, PartialEq, Eq)]
pub struct Unknown(pub String);

/// The result of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allowed,
    /// No statement allows it.
    NotAllowed,
    /// A statement denies it.
    Denied,
}

/// What is asked.
#[derive(Debug)]
pub struct Request<'a> {
    /// `sts:AssumeRoleWithWebIdentity`.
    pub action: &'a str,
    /// Who asks.
    pub caller: Caller<'a>,
    /// Condition keys in lower case.
    pub context: &'a BTreeMap<String, String>,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub enum Caller<'a> {
    /// Whoever has a token of the OIDC provider with this ARN.
    Provider(&'a str),
    /// An AWS service.
    Service(&'a str),
    /// A session of the role with this ARN.
    Role(&'a str),
}

/// Global keys that are absent from a call without AWS credentials, made by no service. A global key that is
/// neither here nor in the request's context is unknown.
const ABSENT: &[&str] = &[
    "aws:assumedroot",
    "aws:calledvia",
    "aws:calledviaawsmcp",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:chatbotsourcearn",
    "aws:ec2instancesourceprivateipv4",
    "aws:ec2instancesourcevpc",
    "aws:ismcpserviceaction",
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:referer",
    "aws:signinsessionarn",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceidentity",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:tagkeys",
    "aws:tokenissuetime",
    "aws:username",
    "aws:vpcsourceip",
    "sts:externalid",
    "sts:sourceidentity",
    "sts:transitivetagkeys",
];

const ABSENT_PREFIXES: &[&str] = &["aws:principaltag/", "aws:requesttag/"];

/// Decides about one request.
pub fn evaluate(policy: &str, request: &Request<'_>) -> Result<Decision, Unknown> {
    let document = parse(policy)?;
    only(&document, &["Version", "Id", "Statement"], "the policy")?;
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().collect(),
        Some(statement @ Value::Object(_)) => vec![statement],
        other => return Err(Unknown(format!("Statement is {other:?}"))),
    };
    let mut decision = Decision::NotAllowed;
    for statement in statements {
        let statement = object(statement, "a statement")?;
        let applies = applies(statement, request)?;
        match text(statement.get("Effect"), "Effect")? {
            "Deny" if applies => decision = Decision::Denied,
            "Allow" if applies && decision != Decision::Denied => decision = Decision::Allowed,
            "Allow" | "Deny" => {}
            other => return Err(Unknown(format!("Effect {other:?}"))),
        }
    }
    Ok(decision)
}

/// Read as YAML, of which JSON is a part, because this reader refuses keys that occur twice.
fn parse(policy: &str) -> Result<Map<String, Value>, Unknown> {
    let parsed: Value =
        serde_saphyr::from_str(policy).map_err(|error| Unknown(format!("the policy: {error}")))?;
    Ok(object(&parsed, "the policy")?.clone())
}

fn applies(statement: &Map<String, Value>, request: &Request<'_>) -> Result<bool, Unknown> {
    only(statement, &["Sid", "Effect", "Principal", "Action", "NotAction", "Condition"], "a statement")?;
    // No short cut: what is unknown anywhere must be reported, and not only if the rest of the statement applies.
    let principal = principal(statement.get("Principal"), request)?;
    let action = match (statement.get("Action"), statement.get("NotAction")) {
        (Some(actions), None) => names(actions, request.action)?,
        (None, Some(actions)) => !names(actions, request.action)?,
        _ => return Err(Unknown("a statement needs Action or NotAction".to_owned())),
    };
    let condition = condition(statement.get("Condition"), request.context)?;
    Ok(principal && action && condition)
}

fn principal(principal: Option<&Value>, request: &Request<'_>) -> Result<bool, Unknown> {
    let kinds = match principal {
        Some(Value::String(everyone)) if everyone == "*" => return Ok(true),
        Some(Value::Object(kinds)) => kinds,
        other => return Err(Unknown(format!("Principal {other:?}"))),
    };
    let mut applies = false;
    for (kind, values) in kinds {
        let values = strings(values, kind)?;
        applies |= match kind.as_str() {
            "Federated" | "Service" if values.contains(&"*") => {
                return Err(Unknown(format!("{kind} \"*\"")));
            }
            "Federated" => matches!(request.caller, Caller::Provider(arn) if values.contains(&arn)),
            "Service" => matches!(request.caller, Caller::Service(name) if values.contains(&name)),
            "AWS" => {
                values.contains(&"*") || matches!(request.caller, Caller::Role(arn) if is_among(arn, &values))
            }
            "CanonicalUser" => false,
            other => return Err(Unknown(format!("Principal of kind {other:?}"))),
        };
    }
    Ok(applies)
}

/// Whether the role, or its whole account, is among the principals.
fn is_among(arn: &str, values: &[&str]) -> bool {
    let account = arn.split(':').nth(4).unwrap_or_default();
    let root = arn.split_once(":role/").map(|(head, _)| format!("{head}:root")).unwrap_or_default();
    values.iter().any(|value| *value == arn || *value == account || *value == root)
}

/// Whether one of the patterns names the action; action names have no case.
fn names(patterns: &Value, action: &str) -> Result<bool, Unknown> {
    let action = action.to_lowercase();
    Ok(strings(patterns, "Action")?.iter().any(|pattern| like(&pattern.to_lowercase(), &action)))
}

/// Every key of every operator must hold.
fn condition(block: Option<&Value>, context: &BTreeMap<String, String>) -> Result<bool, Unknown> {
    let Some(block) = block else { return Ok(true) };
    let mut holds = true;
    for (operator, keys) in object(block, "Condition")? {
        for (key, values) in object(keys, operator)? {
            let found = lookup(key, context)?;
            holds &= test(operator, found, &strings_or_booleans(values, key)?)?;
        }
    }
    Ok(holds)
}

fn lookup<'c>(key: &str, context: &'c BTreeMap<String, String>) -> Result<Option<&'c str>, Unknown> {
    let lower = key.to_lowercase();
    let global = lower.starts_with("aws:") || lower.starts_with("sts:");
    match context.get(&lower) {
        Some(value) => Ok(Some(value)),
        None if !global || ABSENT.contains(&lower.as_str()) => Ok(None),
        None if ABSENT_PREFIXES.iter().any(|prefix| lower.starts_with(prefix)) => Ok(None),
        None => Err(Unknown(format!("condition key {key}"))),
    }
}

/// One operator on one key. All keys of a web identity call have one value at most, for which `ForAnyValue` is the
/// plain operator that is false when the key is missing, and `ForAllValues` the one that is true then.
fn test(operator: &str, found: Option<&str>, values: &[String]) -> Result<bool, Unknown> {
    if operator == "Null" {
        return match values {
            [wanted] if wanted == "true" => Ok(found.is_none()),
            [wanted] if wanted == "false" => Ok(found.is_some()),
            other => Err(Unknown(format!("Null: {other:?}"))),
        };
    }
    let (set, plain) = operator.split_once(':').map_or((None, operator), |(set, plain)| (Some(set), plain));
    let (plain, if_exists) = plain.strip_suffix("IfExists").map_or((plain, false), |plain| (plain, true));
    let (matcher, negated) = matcher(plain)?;
    let when_missing = match set {
        None => negated || if_exists,
        Some("ForAllValues") => true,
        Some("ForAnyValue") => if_exists,
        Some(other) => return Err(Unknown(format!("set operator {other}"))),
    };
    // Before the key is looked at, so that an odd value is noticed in any case.
    let matches = values
        .iter()
        .map(|value| literal(value).and_then(|value| matcher(&value, found.unwrap_or_default())))
        .collect::<Result<Vec<bool>, Unknown>>()?;
    Ok(found.map_or(when_missing, |_| matches.contains(&true) != negated))
}

/// Compares a policy's value with the one in the request.
type Matcher = fn(&str, &str) -> Result<bool, Unknown>;

fn matcher(operator: &str) -> Result<(Matcher, bool), Unknown> {
    let equals: Matcher = |value, found| Ok(value == found);
    let ignore_case: Matcher = |value, found| Ok(value.to_lowercase() == found.to_lowercase());
    let like: Matcher = |value, found| Ok(like(value, found));
    Ok(match operator {
        "StringEquals" => (equals, false),
        "StringNotEquals" => (equals, true),
        "StringEqualsIgnoreCase" => (ignore_case, false),
        "StringNotEqualsIgnoreCase" => (ignore_case, true),
        "StringLike" => (like, false),
        "StringNotLike" => (like, true),
        "ArnEquals" | "ArnLike" => (arn_like, false),
        "ArnNotEquals" | "ArnNotLike" => (arn_like, true),
        "Bool" => (ignore_case, false),
        "IpAddress" => (in_network, false),
        "NotIpAddress" => (in_network, true),
        other => return Err(Unknown(format!("condition operator {other}"))),
    })
}

/// Each of the six parts may hold wildcards, which do not reach beyond it.
fn arn_like(pattern: &str, found: &str) -> Result<bool, Unknown> {
    let (patterns, parts): (Vec<_>, Vec<_>) =
        (pattern.splitn(6, ':').collect(), found.splitn(6, ':').collect());
    Ok(patterns.len() == parts.len()
        && patterns.iter().zip(&parts).all(|(pattern, part)| like(pattern, part)))
}

fn in_network(network: &str, found: &str) -> Result<bool, Unknown> {
    let (address, bits) = network.split_once('/').unwrap_or((network, "32"));
    let unknown = || Unknown(format!("network {network}"));
    let address: Ipv4Addr = address.parse().map_err(|_| unknown())?;
    let bits: u32 = bits.parse().ok().filter(|bits| *bits <= 32).ok_or_else(unknown)?;
    let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    Ok(found.parse::<Ipv4Addr>().is_ok_and(|found| found.to_bits() & mask == address.to_bits() & mask))
}

/// `*` is any text and `?` any character.
pub fn like(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = &pattern[1..];
            text.char_indices().any(|(at, _)| like(rest, &text[at..])) || like(rest, "")
        }
        Some(wanted) => text.chars().next().is_some_and(|first| {
            (wanted == '?' || wanted == first)
                && like(&pattern[wanted.len_utf8()..], &text[first.len_utf8()..])
        }),
    }
}

fn literal(value: &str) -> Result<String, Unknown> {
    if value.contains("${") {
        Err(Unknown(format!("policy variable in {value:?}")))
    } else {
        Ok(value.to_owned())
    }
}

fn object<'v>(value: &'v Value, what: &str) -> Result<&'v Map<String, Value>, Unknown> {
    value.as_object().ok_or_else(|| Unknown(format!("{what} is {value}")))
}

fn text<'v>(value: Option<&'v Value>, what: &str) -> Result<&'v str, Unknown> {
    value.and_then(Value::as_str).ok_or_else(|| Unknown(format!("{what} is {value:?}")))
}

/// One string or a list of strings.
fn strings<'v>(value: &'v Value, what: &str) -> Result<Vec<&'v str>, Unknown> {
    let items = value.as_array().map_or_else(|| vec![value], |items| items.iter().collect());
    items.into_iter().map(|item| text(Some(item), what)).collect()
}

/// Conditions may also write booleans without quotes.
fn strings_or_booleans(value: &Value, what: &str) -> Result<Vec<String>, Unknown> {
    match value {
        Value::Bool(value) => Ok(vec![value.to_string()]),
        other => Ok(strings(other, what)?.into_iter().map(str::to_owned).collect()),
    }
}

fn only(map: &Map<String, Value>, known: &[&str], what: &str) -> Result<(), Unknown> {
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(Unknown(format!("element {key} of {what}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
