//! What other evaluators of trust policies are tested for, restated as facts.
//!
//! The cases are those of `DataDog/managed-kubernetes-auditing-toolkit` (`internal/aws/iam_evaluation`, 43),
//! `floci-io/floci` (`WebIdentityTrustPolicyEvaluatorTest`, 22) and `mulgadc/spinifex`
//! (`assume_role_with_web_identity_test`, 6 of 20: the others are about tokens and parameters). Where IAM's documentation
//! says otherwise than they do, the case says so and has IAM's answer.

use super::*;
use crate::policy::Tri::{False, True, Unknown};

#[test]
fn mkat_conditions() {
    let cases: [(&str, &str, Keys<'_>, Tri); 11] = [
        // They say no match. IAM stores no such policy; we say so and do not decide.
        ("an operator that does not exist", r#"{"OperatorThatIsNot":{"k":"v"}}"#, &[], Unknown),
        ("equal", r#"{"StringEquals":{"k":"v"}}"#, &[("k", &["v"])], True),
        ("not equal", r#"{"StringEquals":{"k":"w"}}"#, &[("k", &["v"])], False),
        ("one of two values", r#"{"StringEquals":{"k":["w","v"]}}"#, &[("k", &["v"])], True),
        ("case of keys", r#"{"StringEquals":{"AWS:SourceIp":"v"}}"#, &[("aws:sourceip", &["v"])], True),
        ("like, without wildcard", r#"{"StringLike":{"k":"v"}}"#, &[("k", &["v"])], True),
        ("like, with a prefix", r#"{"StringLike":{"k":"v*"}}"#, &[("k", &["vw"])], True),
        ("like, another prefix", r#"{"StringLike":{"k":"v*"}}"#, &[("k", &["wv"])], False),
        ("like, one of two", r#"{"StringLike":{"k":["w*","v*"]}}"#, &[("k", &["vw"])], True),
        ("like anything", r#"{"StringLike":{"k":"*"}}"#, &[("k", &["v"])], True),
        ("a missing key is not like anything", r#"{"StringLike":{"k":"*"}}"#, &[("l", &["v"])], False),
    ];
    for (name, block, keys, expected) in cases {
        assert_eq!(holds(block, keys), expected, "{name}");
    }
}

/// Asks for `ec2:RunInstances` in the name of a user.
fn ask_user(statements: &str, keys: Keys<'_>) -> &'static str {
    let context = context(keys);
    let arn = "arn:aws:iam::111122223333:user/ana".to_owned();
    let request = Request {
        principal: Principal::Aws { arn, role_arn: None },
        action: "ec2:RunInstances".into(),
        resource: None,
        context,
    };
    let document = policy(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#));
    word(&evaluate(&document, &request).decision)
}

#[test]
fn mkat_statements() {
    let conditional = |block: &str| {
        format!(r#"{{"Effect":"Allow","Principal":"*","Action":"ec2:RunInstances","Condition":{block}}}"#)
    };
    let allow = r#"{"Effect":"Allow","Principal":"*","Action":"ec2:RunInstances"}"#.to_owned();
    let cases: [(&str, String, Keys<'_>, &str); 12] = [
        ("action and principal match", allow.clone(), &[], "allow"),
        ("another action", allow.replace("Run", "Stop"), &[], "no match"),
        (
            "another principal",
            allow.replace(r#""*""#, r#"{"AWS":"arn:aws:iam::111122223333:user/bob"}"#),
            &[],
            "no match",
        ),
        ("a denial matches", allow.replace("Allow", "Deny"), &[], "deny"),
        (
            "a denial of another action",
            allow.replace("Allow", "Deny").replace("Run", "Stop"),
            &[],
            "no match",
        ),
        ("a condition holds", conditional(r#"{"StringEquals":{"k":"v"}}"#), &[("k", &["v"])], "allow"),
        ("one of two values", conditional(r#"{"StringEquals":{"k":["v","w"]}}"#), &[("k", &["w"])], "allow"),
        (
            "two keys",
            conditional(r#"{"StringEquals":{"k":"v","l":"w"}}"#),
            &[("k", &["v"]), ("l", &["w"])],
            "allow",
        ),
        (
            "two keys with two values",
            conditional(r#"{"StringEquals":{"k":["v","x"],"l":["w","y"]}}"#),
            &[("k", &["x"]), ("l", &["w"])],
            "allow",
        ),
        ("like", conditional(r#"{"StringLike":{"k":"t2.*"}}"#), &[("k", &["t2.medium"])], "allow"),
        ("not like", conditional(r#"{"StringLike":{"k":"t2.*"}}"#), &[("k", &["m3.large"])], "no match"),
        ("case of actions", allow.replace("ec2:", "EC2:"), &[], "allow"),
    ];
    for (name, statement, keys, expected) in cases {
        assert_eq!(ask_user(&statement, keys), expected, "{name}");
    }
}

#[test]
fn mkat_policies() {
    let never = r#"{"Effect":"Allow","Principal":{},"Action":[]}"#;
    let always = r#"{"Effect":"Allow","Principal":"*","Action":"*"}"#;
    let deny = r#"{"Effect":"Deny","Principal":"*","Action":"*"}"#;
    let cases: [(&[&str], &str); 6] = [
        (&[], "no match"),
        (&[never, never], "no match"),
        (&[always], "allow"),
        (&[always, never], "allow"),
        (&[deny], "deny"),
        (&[always, deny], "deny"),
    ];
    for (statements, expected) in cases {
        assert_eq!(ask_user(&statements.join(","), &[]), expected, "{statements:?}");
    }
}

#[test]
fn mkat_documents() {
    let service = policy(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
            "Principal":{"Service":"ec2.amazonaws.com"}}]}"#,
    );
    let [statement] = &service.statements[..] else { panic!("one statement") };
    let principal = statement.principal.as_ref().unwrap();
    assert_eq!(principal.entries, [entry(PrincipalKind::Service, "ec2.amazonaws.com")]);
    assert_eq!(statement.action.entries, ["sts:AssumeRole"]);
    assert!(statement.conditions.is_empty() && statement.effect == Effect::Allow);

    // A provider of one's own, a cluster's provider, and two patterns of subjects.
    for (operator, values) in [
        ("StringEquals", &["Administrator"][..]),
        ("StringEquals", &["system:serviceaccount:default:my-service-account"]),
        ("StringLike", &["system:serviceaccount:a:*", "system:serviceaccount:b:*"]),
    ] {
        let json = serde_json::to_string(values).unwrap();
        let document = policy(&format!(
            r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
            trust(&format!(
                r#""Condition":{{"{operator}":{{"$ISSUER:sub":{json}}},"StringEqualsIfExists":{{"$ISSUER:aud":"x"}}}}"#
            ))
        ));
        let [sub, aud] = &document.statements[0].conditions[..] else { panic!("two conditions") };
        assert_eq!(sub.operator_name, operator);
        assert_eq!(sub.values, values);
        assert_eq!(sub.key, format!("{ISSUER}:sub"));
        assert_eq!(
            (aud.operator_name.as_str(), aud.values.as_slice()),
            ("StringEqualsIfExists", &["x".to_owned()][..])
        );
        assert_eq!(
            document.statements[0].principal.as_ref().unwrap().entries,
            [entry(PrincipalKind::Federated, PROVIDER)]
        );
    }
}

#[test]
fn mkat_strings_and_lists() {
    let actions = |json: &str| {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":{json}}}}}"#);
        Document::parse(&text).map(|document| document.statements[0].action.entries.clone())
    };
    assert_eq!(actions(r#""a:b""#), Ok(vec!["a:b".into()]));
    assert_eq!(actions(r#"["a:b","a:c"]"#), Ok(vec!["a:b".into(), "a:c".into()]));
    assert_eq!(actions("[]"), Ok(vec![]));
    // They refuse a number. It is text here, as in conditions; no action has such a name.
    assert_eq!(actions("42"), Ok(vec!["42".into()]));
    assert!(actions("{}").is_err() && actions("null").is_err() && actions("[[]]").is_err());
}

#[test]
fn mkat_principals() {
    let read = |json: &str| {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Principal":{json}}}}}"#
        );
        let document = policy(&text);
        (document.statements[0].principal.as_ref().unwrap().entries.clone(), document.oddities)
    };
    assert_eq!(read(r#"{"AWS":"x"}"#).0, [entry(PrincipalKind::Aws, "x")]);
    assert_eq!(
        read(r#"{"Federated":["x","y"]}"#).0,
        [entry(PrincipalKind::Federated, "x"), entry(PrincipalKind::Federated, "y")]
    );
    let (entries, oddities) = read(r#"{"IAmNotThere":"x"}"#);
    assert_eq!(entries, [entry(PrincipalKind::Other("IAmNotThere".into()), "x")]);
    let place = Path::default().key("Statement").key("Principal").key("IAmNotThere");
    assert_eq!(oddities, [Oddity::UnknownPrincipalKind(place)]);
}

#[test]
fn mkat_condition_blocks() {
    let read = |block: &str| {
        let document =
            policy(&format!(r#"{{"Statement":{{"Effect":"Allow","Action":"*","Condition":{block}}}}}"#));
        let conditions = document.statements[0].conditions.iter();
        conditions.map(|c| (c.operator_name.clone(), c.key.clone(), c.values.join(","))).collect::<Vec<_>>()
    };
    let of = |key: &str, values: &str| ("StringEquals".to_owned(), key.to_owned(), values.to_owned());
    assert_eq!(read(r#"{"StringEquals":{"k":"v"}}"#), [of("k", "v")]);
    assert_eq!(read(r#"{"StringEquals":{"k":["v","w"]}}"#), [of("k", "v,w")]);
    assert_eq!(read(r#"{"StringEquals":{"k":"v","l":"w"}}"#), [of("k", "v"), of("l", "w")]);
}

fn entry(kind: PrincipalKind, value: &str) -> PrincipalEntry {
    PrincipalEntry { kind, value: value.to_owned() }
}

/// Asks with a token of the subject.
fn ask(statements: &str, sub: &str) -> &'static str {
    let document = policy(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#));
    word(&evaluate(&document, &web_identity(sub)).decision)
}

fn equals(key: &str, value: &str) -> String {
    trust(&format!(r#""Condition":{{"StringEquals":{{"{key}":"{value}"}}}}"#))
}

#[test]
fn floci() {
    let irsa =
        trust(r#""Condition":{"StringEquals":{"$ISSUER:sub":"$SUB","$ISSUER:aud":"sts.amazonaws.com"}}"#);
    let like = |operator: &str, pattern: &str| {
        trust(&format!(r#""Condition":{{"{operator}":{{"$ISSUER:sub":"{pattern}"}}}}"#))
    };
    let upper = format!("{}:SUB", ISSUER.to_uppercase());
    let cases: [(&str, String, &str, &str); 19] = [
        ("subject and audience", irsa.clone(), SUB, "allow"),
        ("another service account", irsa.clone(), "system:serviceaccount:shop:cart", "no match"),
        ("another namespace", irsa.clone(), "system:serviceaccount:cafe:checkout", "no match"),
        ("case of the value", equals("$ISSUER:sub", "system:serviceaccount:shop:Checkout"), SUB, "no match"),
        ("case of the claim", irsa.clone(), "system:serviceaccount:shop:Checkout", "no match"),
        ("another audience", equals("$ISSUER:aud", "other"), SUB, "no match"),
        (
            "another provider",
            irsa.replace("$PROVIDER", "arn:aws:iam::111122223333:oidc-provider/other"),
            SUB,
            "no match",
        ),
        (
            "the key of another provider",
            equals("oidc.eks.eu-west-1.amazonaws.com/id/OTHER:sub", SUB),
            SUB,
            "no match",
        ),
        (
            "an account",
            r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:*"}"#
                .into(),
            SUB,
            "no match",
        ),
        ("another action", irsa.replace("WithWebIdentity", ""), SUB, "no match"),
        ("actions with a wildcard", irsa.replace("AssumeRoleWithWebIdentity", "*"), SUB, "allow"),
        ("a denial", format!("{irsa},{}", trust("").replace("Allow", "Deny")), SUB, "deny"),
        ("a list of subjects", irsa.replace(r#""$SUB""#, r#"["x","$SUB"]"#), SUB, "allow"),
        ("a pattern", like("StringLike", "system:serviceaccount:shop:*"), SUB, "allow"),
        ("case of a pattern", like("StringLike", "system:serviceaccount:Shop:*"), SUB, "no match"),
        ("case of a negated pattern", like("StringNotLike", "system:serviceaccount:SHOP:*"), SUB, "allow"),
        ("no condition", trust(""), SUB, "allow"),
        // They deny, since they do not know the operator. The time of the call is not known from here.
        (
            "a date",
            trust(r#""Condition":{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}"#),
            SUB,
            "unknown",
        ),
        ("case of key and action", equals(&upper, SUB).replace("sts:", "STS:"), SUB, "allow"),
    ];
    for (name, statement, sub, expected) in cases {
        assert_eq!(ask(&statement, sub), expected, "{name}");
    }
    for text in ["", "{not json", "null"] {
        assert!(Document::parse(text).is_err(), "{text}");
    }
    let single = policy(&format!(r#"{{"Statement":{irsa}}}"#));
    assert_eq!(word(&evaluate(&single, &web_identity(SUB)).decision), "allow", "a statement without a list");
}

#[test]
fn floci_wildcards() {
    let like = |pattern: &str, text: &str| {
        holds(&format!(r#"{{"StringLike":{{"k":"{pattern}"}}}}"#), &[("k", &[text])])
    };
    for (pattern, text, expected) in [
        ("abc", "abc", True),
        ("abc", "ABC", False),
        ("a*", "abcdef", True),
        ("*f", "abcdef", True),
        ("a*e?", "abcdef", True),
        ("**abc**", "xxabcyy", True),
        ("*", "", True),
        ("a?c", "ac", False),
        ("abc", "abcd", False),
    ] {
        assert_eq!(like(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn spinifex() {
    let irsa = equals("$ISSUER:sub", "$SUB");
    let deny = irsa.replace("Allow", "Deny");
    let anyone = r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRoleWithWebIdentity"}"#.to_owned();
    let other = trust("").replace("$PROVIDER", "arn:aws:iam::111122223333:oidc-provider/other");
    for (name, statements, sub, expected) in [
        ("subject", irsa.clone(), SUB, "allow"),
        ("no condition", trust(""), SUB, "allow"),
        ("another subject", irsa, "system:serviceaccount:shop:cart", "no match"),
        ("another provider", other, SUB, "no match"),
        // They say no match. `"*"` is everyone, also who is anonymous, says `reference_policies_elements_principal`.
        ("everyone", anyone, SUB, "allow"),
        ("a denial", format!("{},{deny}", trust("")), SUB, "deny"),
    ] {
        assert_eq!(ask(&statements, sub), expected, "{name}");
    }
}
