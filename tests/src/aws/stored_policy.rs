//! What IAM refuses to store as a policy document, in its words. It is stricter than what is stored already: worlds hold what older
//! rules let through.

use super::account::Account;
use super::failure::Failure;
use serde_json::{Map, Value};

/// Characters of a trust policy, white space left out; IAM's quota unless it was raised.
const TRUST_QUOTA: usize = 2048;
/// Condition operators, without `IfExists` and set operators.
const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "Null",
];
/// The same for all inline policies of a role together.
pub const INLINE_QUOTA: usize = 10_240;

/// Reads a trust policy that is to be stored; `all` are the accounts of the world, whose principals must exist.
pub fn trust(text: &str, all: &[Account]) -> Result<Value, Failure> {
    let policy = read(text, "assumeRolePolicyDocument")?;
    for statement in statements(&policy)? {
        if let Some(field) = ["Resource", "NotResource"].iter().find(|field| statement.contains_key(**field))
        {
            return Err(malformed(format!("Has prohibited field {field}")));
        }
        let principal = statement.get("Principal").or_else(|| statement.get("NotPrincipal"));
        principals(principal.ok_or_else(|| malformed("Missing required field Principal"))?, all)?;
        if !actions(statement)?.iter().all(|action| action.to_lowercase().starts_with("sts:")) {
            return Err(malformed("AssumeRole policy may only specify STS AssumeRole actions."));
        }
    }
    if length(text) > TRUST_QUOTA {
        return Err(limit(format!("Cannot exceed quota for ACLSizePerRole: {TRUST_QUOTA}")));
    }
    Ok(policy)
}

/// Reads an identity-based policy that is to be stored.
pub fn identity(text: &str) -> Result<Value, Failure> {
    let policy = read(text, "policyDocument")?;
    for statement in statements(&policy)? {
        if statement.contains_key("Principal") || statement.contains_key("NotPrincipal") {
            return Err(malformed("Policy document should not specify a principal."));
        }
        if !actions(statement)?.iter().all(|action| *action == "*" || action.contains(':')) {
            return Err(malformed(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
            ));
        }
        let resources = statement.get("Resource").or_else(|| statement.get("NotResource"));
        let resources =
            strings(resources.ok_or_else(|| malformed("Policy statement must contain resources."))?)?;
        if let Some(odd) = resources.iter().find(|it| **it != "*" && it.splitn(6, ':').count() < 6) {
            return Err(malformed(format!("Resource {odd} must be in ARN format or \"*\".")));
        }
    }
    Ok(policy)
}

/// Characters that count.
pub fn length(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

/// A quota that is used up.
pub fn limit(message: String) -> Failure {
    Failure::refused(409, "LimitExceeded", message)
}

fn malformed(message: impl Into<String>) -> Failure {
    Failure::refused(400, "MalformedPolicyDocument", message)
}

/// The parameter's pattern, then what every policy must have.
fn read(text: &str, parameter: &str) -> Result<Value, Failure> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}');
    if text.is_empty() || !text.chars().all(allowed) {
        return Err(Failure::refused(
            400,
            "ValidationError",
            format!(
                "The specified value for {parameter} is invalid. It must contain only printable ASCII characters."
            ),
        ));
    }
    let syntax = || malformed("Syntax errors in policy.");
    serde_json::from_str::<Value>(text).map_err(|_| syntax())?;
    // Read as YAML as well, of which JSON is a part, because this reader refuses keys that occur twice.
    let policy: Value = serde_saphyr::from_str(text).map_err(|_| syntax())?;
    let fields = policy.as_object().ok_or_else(syntax)?;
    if fields.keys().any(|field| !["Version", "Id", "Statement"].contains(&field.as_str())) {
        return Err(syntax());
    }
    match fields.get("Version").map(Value::as_str) {
        None | Some(Some("2012-10-17" | "2008-10-17")) => Ok(policy),
        Some(_) => Err(malformed("The policy must contain a valid version string.")),
    }
}

/// Its statements, each with what every statement must have.
fn statements(policy: &Value) -> Result<Vec<&Map<String, Value>>, Failure> {
    let all = match &policy["Statement"] {
        Value::Array(several) => several.iter().collect(),
        one => vec![one],
    };
    let all: Option<Vec<_>> = all.into_iter().map(Value::as_object).collect();
    let all = all.filter(|all| !all.is_empty()).ok_or_else(|| malformed("Syntax errors in policy."))?;
    let mut sids = Vec::new();
    for statement in &all {
        const FIELDS: [&str; 9] = [
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ];
        if statement.keys().any(|field| !FIELDS.contains(&field.as_str())) {
            return Err(malformed("Syntax errors in policy."));
        }
        match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow" | "Deny") => {}
            Some(other) => return Err(malformed(format!("Invalid effect: {other}"))),
            None => return Err(malformed("Missing required field Effect")),
        }
        if let Some(sid) = statement.get("Sid").and_then(Value::as_str).filter(|sid| !sid.is_empty()) {
            if !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                let message = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular \
                               expression [0-9A-Za-z]*";
                return Err(malformed(message));
            }
            if sids.contains(&sid) {
                return Err(malformed("Statement IDs (SID) in a single policy must be unique."));
            }
            sids.push(sid);
        }
        conditions(statement.get("Condition"))?;
    }
    Ok(all)
}

fn actions(statement: &Map<String, Value>) -> Result<Vec<&str>, Failure> {
    match (statement.get("Action"), statement.get("NotAction")) {
        (Some(actions), None) | (None, Some(actions)) => strings(actions),
        _ => Err(malformed("Policy statement must contain actions.")),
    }
}

fn conditions(block: Option<&Value>) -> Result<(), Failure> {
    let Some(block) = block else { return Ok(()) };
    let syntax = || malformed("Syntax errors in policy.");
    for (operator, keys) in block.as_object().ok_or_else(syntax)? {
        let plain = operator.rsplit(':').next().unwrap_or_default();
        let plain = plain.strip_suffix("IfExists").unwrap_or(plain);
        if !OPERATORS.contains(&plain) {
            return Err(malformed(format!("Invalid Condition type : {operator}.")));
        }
        for values in keys.as_object().ok_or_else(syntax)?.values() {
            let values = values.as_array().map_or_else(|| vec![values], |values| values.iter().collect());
            if !values.iter().all(|value| value.is_string() || value.is_boolean() || value.is_number()) {
                return Err(syntax());
            }
        }
    }
    Ok(())
}

fn principals(principal: &Value, all: &[Account]) -> Result<(), Failure> {
    if principal == "*" {
        return Ok(());
    }
    for (kind, values) in principal.as_object().ok_or_else(|| malformed("Syntax errors in policy."))? {
        for value in strings(values)? {
            let valid = match kind.as_str() {
                "AWS" => value == "*" || exists(value, all),
                "Service" => value.contains('.') && !value.contains(['*', '/', ':']),
                "Federated" if is_federated(value) => true,
                "Federated" => {
                    let message = "Federated principals must be valid domain names or SAML metadata ARNs";
                    return Err(malformed(message));
                }
                _ => false,
            };
            if !valid {
                return Err(malformed(format!("Invalid principal in policy: \"{kind}\":\"{value}\"")));
            }
        }
    }
    Ok(())
}

/// Whether IAM finds it: an account, or a user or role of it. An account that the world does not describe holds anything.
fn exists(value: &str, all: &[Account]) -> bool {
    let is_number = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    let ["arn", _, service @ ("iam" | "sts"), "", number, resource] = parts.as_slice() else {
        return is_number(value);
    };
    let known = all.iter().find(|account| account.account == *number);
    let of_role = |account: &Account| account.roles.iter().any(|role| account.role_arn(role) == value);
    is_number(number)
        && !resource.contains('*')
        && (*resource == "root"
            || *service == "sts"
            || !resource.starts_with("role/")
            || known.is_none_or(of_role))
}

/// A domain name, or the ARN of a provider. Whether there is such a provider is not asked.
fn is_federated(value: &str) -> bool {
    let host = |text: &str| {
        let host = text.split('/').next().unwrap_or_default();
        host.contains('.') && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
    };
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "iam", "", _, resource] => {
            resource.strip_prefix("oidc-provider/").is_some_and(host)
                || resource.starts_with("saml-provider/")
        }
        _ => !value.contains('/') && host(value),
    }
}

/// One string or a list of some.
fn strings(value: &Value) -> Result<Vec<&str>, Failure> {
    let items = value.as_array().map_or_else(|| vec![value], |items| items.iter().collect());
    let items: Option<Vec<&str>> = items.into_iter().map(Value::as_str).collect();
    items.filter(|items| !items.is_empty()).ok_or_else(|| malformed("Syntax errors in policy."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn statement(changes: Value) -> String {
        let mut statement = json!({
            "Effect": "Allow",
            "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/issuer.example/id/A"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {"issuer.example/id/A:sub": "system:serviceaccount:shop:checkout"}},
        });
        for (field, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => drop(statement.as_object_mut().unwrap().remove(field)),
                value => statement[field] = value.clone(),
            }
        }
        json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    }

    fn refusal<T>(result: Result<T, Failure>) -> String {
        match result {
            Ok(_) => String::new(),
            Err(Failure::Refused(refusal)) => format!("{}: {}", refusal.code, refusal.message),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_iam_does_not_store() {
        for (changes, words) in [
            (json!({}), ""),
            (json!({"Principal": "*"}), ""),
            (
                json!({"Action": ["sts:AssumeRole", "sts:TagSession"], "Principal": {"Service": "pods.eks.amazonaws.com"}}),
                "",
            ),
            (json!({"Principal": {"AWS": ["111122223333", "arn:aws:iam::111122223333:root"]}}), ""),
            (
                json!({"Principal": {"AWS": "arn:aws:iam::999988887777:role/of-an-account-that-nobody-knows"}}),
                "",
            ),
            (json!({"Resource": "*"}), "MalformedPolicyDocument: Has prohibited field Resource"),
            (json!({"Principal": null}), "MalformedPolicyDocument: Missing required field Principal"),
            (json!({"Effect": "allow"}), "Invalid effect: allow"),
            (json!({"Action": "s3:GetObject"}), "may only specify STS AssumeRole actions"),
            (json!({"Condition": {"StringEqual": {"a:sub": "b"}}}), "Invalid Condition type : StringEqual."),
            (json!({"Condition": {"StringEquals": {"a:sub": {"b": 1}}}}), "Syntax errors"),
            (
                json!({"Principal": {"AWS": "arn:aws:iam::111122223333:role/nobody"}}),
                "Invalid principal in policy: \"AWS\"",
            ),
            (
                json!({"Principal": {"Federated": "arn:aws:iam::1:oidc-provider/https://issuer.example"}}),
                "Federated principals must",
            ),
            (json!({"Principal": {"Federated": "https://issuer.example"}}), "Federated principals must"),
            (json!({"Sid": "a b"}), "must be alpha-numeric"),
            (json!({"Efect": "Allow"}), "Syntax errors"),
            (json!({"Condition": {"StringEquals": {"a:sub": "\u{200b}x"}}}), "ValidationError: "),
            (
                json!({"Condition": {"StringEquals": {"a:sub": "x".repeat(2048)}}}),
                "LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048",
            ),
        ] {
            let account: Account = serde_json::from_value(json!({
                "apiVersion": "irsa.test/v1", "kind": "AwsAccount", "account": "111122223333"}))
            .unwrap();
            let found = refusal(trust(&statement(changes.clone()), &[account]));
            assert!(found.contains(words) && found.is_empty() == words.is_empty(), "{changes}: {found}");
        }
        assert!(refusal(trust(r#"{"Statement": [], "Statement": []}"#, &[])).contains("Syntax errors"));
        assert!(refusal(trust("{", &[])).contains("Syntax errors"));
    }

    #[test]
    fn identity_based_policies() {
        let allow = json!({"Principal": null, "Condition": null, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/k"});
        for (field, value, words) in [
            ("Effect", json!("Allow"), ""),
            ("Principal", json!("*"), "should not specify a principal"),
            ("Action", json!("GetObject"), "prefaced by a vendor"),
            ("Resource", json!("bucket"), "Resource bucket must be in ARN format"),
            ("Resource", Value::Null, "must contain resources"),
        ] {
            let mut changes = allow.clone();
            changes[field] = value;
            let found = refusal(identity(&statement(changes)));
            assert!(found.contains(words) && found.is_empty() == words.is_empty(), "{field}: {found}");
        }
    }
}
