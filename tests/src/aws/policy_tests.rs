//! The evaluator, row by row.

use super::*;
use serde_json::json;

const PROVIDER: &str = "arn:aws:iam::111122223333:oidc-provider/issuer.example/id/A";
const SUBJECT: &str = "system:serviceaccount:shop:checkout";

fn decide(policy: &str) -> Result<Decision, Unknown> {
    let context = [
        ("issuer.example/id/a:aud", "sts.amazonaws.com"),
        ("issuer.example/id/a:sub", SUBJECT),
        ("aws:sourceip", "203.0.113.17"),
        ("aws:federatedprovider", PROVIDER),
        ("aws:securetransport", "true"),
    ];
    let context = context.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let caller = Caller::Provider(PROVIDER);
    let request = Request { action: "sts:AssumeRoleWithWebIdentity", caller, context: &context };
    evaluate(policy, &request)
}

fn statement(principal: Value, action: Value, condition: Value) -> Value {
    json!({"Effect": "Allow", "Principal": principal, "Action": action, "Condition": condition})
}

fn policy(statements: Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn with_condition(condition: Value) -> Result<Decision, Unknown> {
    decide(&policy(statement(
        json!({"Federated": PROVIDER}),
        json!("sts:AssumeRoleWithWebIdentity"),
        condition,
    )))
}

#[test]
fn conditions() {
    for (holds, condition) in [
        (true, json!({})),
        (
            true,
            json!({"StringEquals": {"issuer.example/id/A:sub": SUBJECT, "issuer.example/id/A:aud": "sts.amazonaws.com"}}),
        ),
        (true, json!({"StringEquals": {"ISSUER.example/id/a:SUB": SUBJECT}})),
        (true, json!({"StringEquals": {"issuer.example/id/A:sub": ["other", SUBJECT]}})),
        (
            false,
            json!({"StringEquals": {"issuer.example/id/A:sub": SUBJECT, "issuer.example/id/A:aud": "other"}}),
        ),
        (
            false,
            json!({"StringEquals": {"issuer.example/id/A:sub": SUBJECT}, "StringLike": {"issuer.example/id/A:aud": "x*"}}),
        ),
        (false, json!({"StringEquals": {"issuer.example/id/A:sub": "System:serviceaccount:shop:checkout"}})),
        (
            true,
            json!({"StringEqualsIgnoreCase": {"issuer.example/id/A:sub": "System:serviceaccount:shop:checkout"}}),
        ),
        (false, json!({"StringEquals": {"issuer.example/id/A:sub": "system:serviceaccount:shop:*"}})),
        (true, json!({"StringLike": {"issuer.example/id/A:sub": "system:serviceaccount:shop:*"}})),
        (true, json!({"StringLike": {"issuer.example/id/A:sub": "system:*:checkou?"}})),
        (false, json!({"StringLike": {"issuer.example/id/A:sub": "system:serviceaccount:shop"}})),
        (false, json!({"StringEquals": {"issuer.example/id/B:sub": SUBJECT}})),
        (true, json!({"StringEqualsIfExists": {"issuer.example/id/B:sub": "x"}})),
        (false, json!({"StringEqualsIfExists": {"issuer.example/id/A:sub": "x"}})),
        (true, json!({"StringNotEquals": {"issuer.example/id/B:sub": "x"}})),
        (false, json!({"StringNotLike": {"issuer.example/id/A:sub": ["x", "system:*"]}})),
        (true, json!({"StringNotLike": {"issuer.example/id/A:sub": ["x", "y*"]}})),
        (true, json!({"ForAllValues:StringEquals": {"issuer.example/id/B:sub": "x"}})),
        (false, json!({"ForAllValues:StringEquals": {"issuer.example/id/A:sub": "x"}})),
        (false, json!({"ForAnyValue:StringEquals": {"issuer.example/id/B:sub": "x"}})),
        (false, json!({"ForAnyValue:StringNotEquals": {"issuer.example/id/B:sub": "x"}})),
        (true, json!({"ForAnyValue:StringLike": {"issuer.example/id/A:sub": "system:*"}})),
        (true, json!({"Null": {"issuer.example/id/B:sub": "true"}})),
        (false, json!({"Null": {"issuer.example/id/A:sub": true}})),
        (true, json!({"Bool": {"aws:SecureTransport": "True"}})),
        (true, json!({"IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "203.0.113.0/24"]}})),
        (false, json!({"IpAddress": {"aws:SourceIp": "203.0.113.18"}})),
        (true, json!({"NotIpAddress": {"aws:SourceIp": "203.0.113.18"}})),
        (true, json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}})),
        (false, json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}})),
        (false, json!({"StringEquals": {"aws:PrincipalTag/team": "shop"}})),
        (
            true,
            json!({"ArnLike": {"aws:FederatedProvider": "arn:aws:iam::*:oidc-provider/issuer.example/*"}}),
        ),
        (false, json!({"ArnLike": {"aws:FederatedProvider": "arn:aws:*:oidc-provider/issuer.example/*"}})),
        (false, json!({"ArnLike": {"aws:PrincipalArn": "*"}})),
    ] {
        let expected = if holds { Decision::Allowed } else { Decision::NotAllowed };
        assert_eq!(with_condition(condition.clone()), Ok(expected), "{condition}");
    }
}

#[test]
fn principals_and_actions() {
    let action = json!("sts:AssumeRoleWithWebIdentity");
    for (allowed, principal, action) in [
        (true, json!({"Federated": PROVIDER}), action.clone()),
        (true, json!({"Federated": ["x", PROVIDER]}), action.clone()),
        (true, json!("*"), action.clone()),
        (true, json!({"AWS": "*"}), action.clone()),
        (false, json!({"Federated": "issuer.example/id/A"}), action.clone()),
        (false, json!({"Federated": PROVIDER.to_uppercase()}), action.clone()),
        (false, json!({"Service": "pods.eks.amazonaws.com"}), action.clone()),
        (false, json!({"AWS": "arn:aws:iam::111122223333:root"}), action),
        (true, json!({"Federated": PROVIDER}), json!("sts:*")),
        (true, json!({"Federated": PROVIDER}), json!(["sts:TagSession", "STS:assumerolewithweb*"])),
        (false, json!({"Federated": PROVIDER}), json!("sts:AssumeRole")),
        (false, json!({"Federated": PROVIDER}), json!("sts:AssumeRoleWithSAML")),
    ] {
        let expected = if allowed { Decision::Allowed } else { Decision::NotAllowed };
        let policy = policy(statement(principal, action, json!({})));
        assert_eq!(decide(&policy), Ok(expected), "{policy}");
    }
}

#[test]
fn statements() {
    let allow = |sub: &str| {
        let condition = json!({"StringEquals": {"issuer.example/id/A:sub": sub}});
        statement(json!({"Federated": PROVIDER}), json!("sts:*"), condition)
    };
    let deny = |sub: &str| {
        let mut statement = allow(sub);
        statement["Effect"] = json!("Deny");
        statement
    };
    let other_actions =
        json!({"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "NotAction": "sts:TagSession"});
    for (expected, statements) in [
        (Decision::Allowed, json!([allow("x"), allow(SUBJECT)])),
        (Decision::NotAllowed, json!([allow("x"), allow("y")])),
        (Decision::Denied, json!([deny(SUBJECT), allow(SUBJECT)])),
        (Decision::Denied, json!([allow(SUBJECT), deny(SUBJECT)])),
        (Decision::Allowed, json!([allow(SUBJECT), deny("x")])),
        (Decision::Allowed, json!([other_actions])),
        (Decision::NotAllowed, json!([])),
    ] {
        assert_eq!(decide(&policy(statements.clone())), Ok(expected), "{statements}");
    }
}

#[test]
fn what_is_not_known_is_said() {
    for (condition, complaint) in [
        (json!({"NumericLessThan": {"sts:DurationSeconds": "900"}}), "condition key sts:DurationSeconds"),
        (json!({"DateLessThan": {"aws:SourceIp": "x"}}), "condition operator DateLessThan"),
        (json!({"stringEquals": {"issuer.example/id/B:sub": "x"}}), "condition operator stringEquals"),
        (json!({"ForEachValue:StringEquals": {"aws:SourceIp": "x"}}), "set operator ForEachValue"),
        (json!({"StringEquals": {"aws:PrincipalType": "x"}}), "condition key aws:PrincipalType"),
        (json!({"StringEquals": {"issuer.example/id/A:sub": "${aws:username}"}}), "policy variable"),
        (json!({"StringEquals": {"issuer.example/id/A:sub": 1}}), "is Some(Number(1))"),
        (json!({"StringEquals": "x"}), "StringEquals is \"x\""),
        (json!({"IpAddress": {"aws:SourceVpce": "2001:db8::/32"}}), "network 2001:db8::/32"),
        (json!({"Null": {"issuer.example/id/A:sub": "maybe"}}), "Null"),
    ] {
        let unknown = with_condition(condition.clone()).unwrap_err();
        assert!(unknown.0.contains(complaint), "{condition}: {unknown:?}");
    }
    let duplicate = r#"{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}"#;
    for (policy, complaint) in [
        (duplicate, "duplicate"),
        (
            r#"{"Statement": [{"Effect": "Allow", "NotPrincipal": {}, "Action": "x"}]}"#,
            "element NotPrincipal",
        ),
        (
            r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "x", "Resource": "*"}]}"#,
            "element Resource",
        ),
        (r#"{"Statement": [{"Effect": "allow", "Principal": "*", "Action": "x"}]}"#, "Effect \"allow\""),
        (
            r#"{"Statement": [{"Effect": "Allow", "Principal": {"Federated": "*"}, "Action": "x"}]}"#,
            "Federated",
        ),
        (r#"{"Statement": [{"Effect": "Allow", "Principal": {"Robot": "x"}, "Action": "x"}]}"#, "Robot"),
        (r#"{"Statement": [{"Effect": "Allow", "Principal": "*"}]}"#, "needs Action"),
        ("[]", "the policy is []"),
    ] {
        let unknown = decide(policy).unwrap_err();
        assert!(unknown.0.contains(complaint), "{policy}: {unknown:?}");
    }
}
