//! The tables of the IAM User Guide.

use super::*;
use crate::policy::Tri::{False, True, Unknown};

/// `reference_policies_condition-logic-multiple-context-keys-or-values`
#[test]
fn several_keys_and_values() {
    let block = |operator: &str| {
        format!(
            r#"{{"StringEquals":{{"aws:PrincipalTag/department":["finance","hr","legal"],
                                  "aws:PrincipalTag/role":["audit","security"]}},
                "{operator}":{{"aws:PrincipalArn":["arn:aws:iam::222222222222:user/Ana",
                                                   "arn:aws:iam::222222222222:user/Mary"]}}}}"#
        )
    };
    let mary = "arn:aws:iam::222222222222:user/Mary";
    let nikki = "arn:aws:iam::222222222222:user/Nikki";
    let ask = |operator: &str, department: Option<&str>, role: Option<&str>, arn: &str| {
        let tags = [("aws:PrincipalTag/department", department), ("aws:PrincipalTag/role", role)];
        let mut keys: Vec<(&str, Vec<&str>)> =
            tags.into_iter().filter_map(|(key, value)| Some((key, vec![value?]))).collect();
        keys.push(("aws:PrincipalArn", vec![arn]));
        let keys: Vec<_> = keys.iter().map(|(key, values)| (*key, values.as_slice())).collect();
        holds(&block(operator), &keys)
    };
    for (operator, inside, outside) in [("ArnLike", mary, nikki), ("ArnNotLike", nikki, mary)] {
        assert_eq!(ask(operator, Some("legal"), Some("audit"), inside), True, "{operator}");
        assert_eq!(ask(operator, Some("hr"), Some("audit"), outside), False, "{operator}");
        assert_eq!(ask(operator, Some("hr"), Some("payroll"), inside), False, "{operator}");
        assert_eq!(ask(operator, Some("hr"), None, inside), False, "{operator}");
        assert_eq!(ask(operator, None, None, inside), False, "{operator}");
    }
}

/// `reference_policies_condition_examples-multi-valued-context-keys`
#[test]
fn sets() {
    let cases: [(&str, &[&str], Tri); 13] = [
        (r#"{"ForAllValues:StringNotLike":{"aws:TagKeys":"key1*"}}"#, &["key1:legal"], False),
        (r#"{"ForAllValues:StringNotLike":{"aws:TagKeys":"key1*"}}"#, &["key1:hr", "key1:personnel"], False),
        (r#"{"ForAllValues:StringNotLike":{"aws:TagKeys":"key1*"}}"#, &["key2:audit"], True),
        (r#"{"ForAllValues:StringNotLike":{"aws:TagKeys":"key1*"}}"#, &[], True),
        (r#"{"ForAllValues:StringNotLike":{"aws:TagKeys":["key1*","key2*"]}}"#, &["key1:legal"], False),
        (
            r#"{"ForAllValues:StringNotLike":{"aws:TagKeys":["key1*","key2*"]}}"#,
            &["key1:hr", "key1:personnel"],
            False,
        ),
        (
            r#"{"ForAllValues:StringNotLike":{"aws:TagKeys":["key1*","key2*"]}}"#,
            &["key1:hr", "key2:audit"],
            False,
        ),
        (r#"{"ForAllValues:StringNotLike":{"aws:TagKeys":["key1*","key2*"]}}"#, &["key3:legal"], True),
        (r#"{"ForAllValues:StringNotLike":{"aws:TagKeys":["key1*","key2*"]}}"#, &[], True),
        (r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":"webserver"}}"#, &["webserver"], True),
        (
            r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":"webserver"}}"#,
            &["environment", "webserver", "test"],
            True,
        ),
        (r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":"webserver"}}"#, &["environment", "test"], False),
        (r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":"webserver"}}"#, &[], False),
    ];
    for (block, values, expected) in cases {
        assert_eq!(holds(block, &[("aws:TagKeys", values)]), expected, "{block} {values:?}");
    }
}

/// `reference_policies_elements_condition_operators`: the key is missing, or it has the value `v`, or the value `w`.
#[test]
fn missing_keys() {
    for (operator, missing, same, other) in [
        ("StringEquals", False, True, False),
        ("StringNotEquals", True, False, True),
        ("StringEqualsIgnoreCase", False, True, False),
        ("StringNotEqualsIgnoreCase", True, False, True),
        ("StringLike", False, True, False),
        ("StringNotLike", True, False, True),
        ("StringEqualsIfExists", True, True, False),
        ("StringNotEqualsIfExists", True, False, True),
        ("ForAllValues:StringEquals", True, True, False),
        ("ForAllValues:StringNotEquals", True, False, True),
        ("ForAnyValue:StringEquals", False, True, False),
        ("ForAnyValue:StringNotEquals", False, False, True),
        ("ForAllValues:StringEqualsIfExists", True, True, False),
        // Its two parts contradict each other where the key is missing.
        ("ForAnyValue:StringEqualsIfExists", Unknown, True, False),
        ("BinaryEquals", False, True, False),
    ] {
        let block = format!(r#"{{"{operator}":{{"k":"v"}}}}"#);
        assert_eq!(holds(&block, &[]), missing, "{operator}");
        assert_eq!(holds(&block, &[("k", &["v"])]), same, "{operator}");
        assert_eq!(holds(&block, &[("k", &["w"])]), other, "{operator}");
    }
}

#[test]
fn every_type() {
    for (block, value, expected) in [
        (r#"{"NumericLessThanEquals":{"k":"10"}}"#, "10", True),
        (r#"{"NumericLessThanEquals":{"k":10}}"#, "10.5", False),
        (r#"{"NumericNotEquals":{"k":["1","2"]}}"#, "2.0", False),
        (r#"{"NumericEquals":{"k":"ten"}}"#, "10", False),
        // Whether the negation of what cannot be compared is true is not documented.
        (r#"{"NumericNotEquals":{"k":"ten"}}"#, "10", Unknown),
        (r#"{"DateGreaterThan":{"k":"2020-01-01T00:00:01Z"}}"#, "2020-01-01T00:00:02Z", True),
        (r#"{"DateLessThan":{"k":"2020-01-01"}}"#, "1577836799", True),
        (r#"{"Bool":{"k":true}}"#, "true", True),
        (r#"{"Bool":{"k":"false"}}"#, "True", False),
        (r#"{"Bool":{"k":"yes"}}"#, "true", False),
        (
            r#"{"IpAddress":{"k":["203.0.113.0/24","2001:DB8:1234:5678::/64"]}}"#,
            "2001:db8:1234:5678::9",
            True,
        ),
        (r#"{"NotIpAddress":{"k":"203.0.113.0/24"}}"#, "203.0.113.9", False),
        (
            r#"{"ArnEquals":{"k":"arn:aws:sns:*:123456789012:topic"}}"#,
            "arn:aws:sns:eu-west-1:123456789012:topic",
            True,
        ),
        (r#"{"ArnNotLike":{"k":"arn:aws:sns:*:*:*"}}"#, "arn:aws:sqs:eu-west-1:1:q", True),
        (r#"{"Null":{"k":"true"}}"#, "v", False),
        (r#"{"Null":{"k":false}}"#, "v", True),
        (r#"{"StringEquals":{"k":"v*"}}"#, "vw", False),
        (r#"{"StringEquals":{"k":"${*}"}}"#, "*", True),
        (r#"{"StringLike":{"k":"a${*}*"}}"#, "a*b", True),
        (r#"{"StringLike":{"k":"a${*}*"}}"#, "ab", False),
        (r#"{"StringNotLike":{"k":"${aws:PrincipalTag/team}"}}"#, "v", True),
        (r#"{"StringLike":{"k":"${aws:PrincipalTag/team}*"}}"#, "v", False),
        (r#"{"StringEquals":{"k":"${aws:PrincipalTag/team, 'v'}"}}"#, "v", True),
        // No variables in numbers.
        (r#"{"NumericEquals":{"k":"${k}"}}"#, "1", False),
    ] {
        assert_eq!(holds(block, &[("k", &[value])]), expected, "{block} {value}");
    }
    assert_eq!(holds(r#"{"Null":{"k":"true"}}"#, &[]), True);
    assert_eq!(holds(r#"{"Null":{"k":"false"}}"#, &[]), False);
}

/// The documentation demands a set operator for several values; what happens without is not said.
#[test]
fn several_values_without_a_set_operator() {
    let ask = |block| holds(block, &[("k", &["v", "w"])]);
    assert_eq!(ask(r#"{"StringEquals":{"k":"v"}}"#), Unknown);
    assert_eq!(ask(r#"{"StringEquals":{"k":"x"}}"#), False, "no reading of the rule makes it true");
    assert_eq!(ask(r#"{"StringNotEquals":{"k":"x"}}"#), Unknown);
    assert_eq!(ask(r#"{"StringNotEquals":{"k":["v","w"]}}"#), False);
}

/// `reference_policies_elements_principal`
#[test]
fn principals() {
    let user = ("arn:aws:iam::111122223333:user/ana", None);
    let role = Some("arn:aws:iam::111122223333:role/team/app");
    let session = ("arn:aws:sts::111122223333:assumed-role/app/x", role);
    for (clause, (arn, role_arn), expected) in [
        (r#""Principal":"*""#, user, "allow"),
        (r#""Principal":{"AWS":"*"}"#, user, "allow"),
        (r#""Principal":{"AWS":"111122223333"}"#, user, "allow"),
        (r#""Principal":{"AWS":111122223333}"#, user, "allow"),
        (r#""Principal":{"AWS":"arn:aws:iam::111122223333:root"}"#, session, "allow"),
        (r#""Principal":{"AWS":"arn:aws:iam::444455556666:root"}"#, session, "no match"),
        (r#""Principal":{"AWS":"arn:aws:iam::111122223333:role/team/app"}"#, session, "allow"),
        (r#""Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/app/x"}"#, session, "allow"),
        (r#""Principal":{"AWS":"arn:aws:iam::111122223333:role/*"}"#, session, "no match"),
        (r#""Principal":{"AWS":"arn:aws:iam::111122223333:user/*"}"#, user, "no match"),
        (r#""Principal":{"Service":"ec2.amazonaws.com"}"#, user, "no match"),
        (r#""NotPrincipal":{"AWS":"arn:aws:iam::444455556666:root"}"#, user, "allow"),
        // Excepting a user takes its account's ARN as well.
        (r#""NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/ana"}"#, user, "unknown"),
    ] {
        let document = policy(&format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow",{clause},"Action":"a:*"}}}}"#
        ));
        let principal = Principal::Aws { arn: arn.into(), role_arn: role_arn.map(str::to_owned) };
        let request =
            Request { principal, action: "a:b".into(), resource: None, context: Context::default() };
        assert_eq!(word(&evaluate(&document, &request).decision), expected, "{clause} {arn}");
    }
}

#[test]
fn elements_that_are_turned_round() {
    let ask = |statement: &str, resource: Option<&str>| {
        let document =
            policy(&format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow",{statement}}}}}"#));
        let mut context = Context::default();
        context.set("aws:username", Value::Present(vec!["ana".into()]));
        let resource = resource.map(str::to_owned);
        let request =
            Request { principal: Principal::Holder, action: "s3:GetObject".into(), resource, context };
        word(&evaluate(&document, &request).decision)
    };
    let key = Some("arn:aws:s3:::home/ana/x");
    assert_eq!(ask(r#""NotAction":"s3:Get*","Resource":"*""#, key), "no match");
    assert_eq!(ask(r#""NotAction":["iam:*"],"Resource":"*""#, key), "allow");
    assert_eq!(
        ask(r#""Action":"s3:G?tObject","Resource":"arn:aws:s3:::home/${aws:username}/*""#, key),
        "allow"
    );
    assert_eq!(ask(r#""Action":"*","Resource":"arn:aws:s3:::home/${aws:userid}/*""#, key), "no match");
    assert_eq!(ask(r#""Action":"*","NotResource":"arn:aws:s3:::home/*""#, key), "no match");
    assert_eq!(ask(r#""Action":"*","NotResource":"arn:aws:s3:::else/*""#, key), "allow");
    assert_eq!(ask(r#""Action":"*","Resource":"arn:aws:s3:::home/*""#, None), "unknown");
    assert_eq!(ask(r#""Action":"*","Resource":"*""#, None), "allow");
}

/// What differs on the way from our own side, and what does not.
#[test]
fn what_cannot_be_known_from_here() {
    for (block, expected) in [
        (r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, "unknown"),
        (r#"{"StringEquals":{"aws:sourcevpce":"vpce-1"}}"#, "unknown"),
        (r#"{"Null":{"aws:SourceVpc":"true"}}"#, "unknown"),
        (r#"{"StringLike":{"sts:RoleSessionName":"app-*"}}"#, "unknown"),
        (r#"{"StringEquals":{"$ISSUER:sub":"${sts:RoleSessionName}"}}"#, "unknown"),
        (r#"{"StringEquals":{"aws:ResourceTag/team":"shop"}}"#, "unknown"),
        (r#"{"StringEquals":{"aws:PrincipalTag/team":"shop"}}"#, "no match"),
        (r#"{"Bool":{"aws:SecureTransport":"true"}}"#, "allow"),
        (r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"StringEquals":{"$ISSUER:sub":"x"}}"#, "no match"),
    ] {
        let allow = trust(&format!(r#""Condition":{block}"#));
        let document = policy(&format!(r#"{{"Version":"2012-10-17","Statement":[{allow}]}}"#));
        assert_eq!(word(&evaluate(&document, &web_identity(SUB)).decision), expected, "{block}");
    }
}

#[test]
fn what_is_not_known_counts_only_where_it_decides() {
    let unknown = r#""Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#;
    let (open, shut) = (trust(unknown), trust(unknown).replace("Allow", "Deny"));
    let (allow, deny) = (trust(""), trust("").replace("Allow", "Deny"));
    for (statements, expected) in [
        (vec![&open], Decision::Unknown { statements: vec![0] }),
        (vec![&open, &allow], Decision::Allow { statement: 1 }),
        (vec![&shut, &allow], Decision::Unknown { statements: vec![0] }),
        (vec![&shut, &open], Decision::Unknown { statements: vec![0, 1] }),
        (vec![&shut], Decision::NoMatch),
        (vec![&shut, &allow, &deny], Decision::ExplicitDeny { statement: 2 }),
    ] {
        let text = statements.into_iter().cloned().collect::<Vec<_>>().join(",");
        let document = policy(&format!(r#"{{"Version":"2012-10-17","Statement":[{text}]}}"#));
        assert_eq!(evaluate(&document, &web_identity(SUB)).decision, expected, "{text}");
    }
}

#[test]
fn oddities_are_reported() {
    let document = policy(
        r#"{"Statement":[{"Sid":"a","Effect":"Allow","Action":"*","Comment":"x",
            "Condition":{"__doc_comment":"a remark","StringEquals":{"k":"v","k":"w"},"StringMatches":{"l":"v"}}}],
            "Owner":"me","Statement":[{"Effect":"Allow","Action":"*","Action":"a:b","Remark":"y"}]}"#,
    );
    let place = |index| Path::default().key("Statement").index(index);
    assert_eq!(
        document.oddities,
        [
            Oddity::Duplicate(Path::default().key("Statement")),
            Oddity::Duplicate(place(0).key("Action")),
            Oddity::UnknownElement(Path::default().key("Owner")),
            Oddity::NoVersion,
            Oddity::UnknownElement(place(0).key("Remark")),
        ]
    );
    let document = policy(
        r#"{"Version":"2012-10-18","Statement":[{"Effect":"Allow","Action":"*",
            "Condition":{"__doc_comment":"a remark","StringEquals":{"k":"v","k":"w"}}}]}"#,
    );
    let block = place(0).key("Condition");
    assert_eq!(
        document.oddities,
        [
            Oddity::Duplicate(block.key("StringEquals").key("k")),
            Oddity::UnknownVersion("2012-10-18".into()),
            Oddity::UnknownOperator(block.key("__doc_comment")),
        ]
    );
    assert_eq!(document.statements[0].conditions[1].values, ["w"], "the last one counts");
    assert_eq!(
        block.key("StringEquals").key("a.b/c:sub").to_string(),
        r#"Statement[0].Condition.StringEquals["a.b/c:sub"]"#
    );
}

#[test]
fn what_is_no_policy_is_refused_without_repeating_it() {
    let long = format!(
        r#"{{"Statement":{{"Effect":"Allow","Action":"*","Condition":{{"{}":[]}}}}}}"#,
        "x".repeat(9000)
    );
    let deep = "[".repeat(100_000);
    let big = " ".repeat(1 << 20);
    for (text, expected) in [
        ("", "not JSON (line 1, column 0)"),
        ("[]", "the document is not a policy, which is an object"),
        ("{}", "Statement is not there; a policy has statements"),
        (r#"{"Statement":[1]}"#, "Statement[0] is not a statement, which is an object"),
        (r#"{"Statement":{"effect":"Allow"}}"#, "Statement.Effect is not `Allow` or `Deny`"),
        (r#"{"Statement":{"Effect":"allow"}}"#, "Statement.Effect is not `Allow` or `Deny`"),
        (r#"{"Statement":{"Effect":"Allow"}}"#, "Statement.Action is not there; a statement has actions"),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"*","NotAction":"*"}}"#,
            "Statement.NotAction is not allowed beside its opposite",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"*","Principal":"me"}}"#,
            "Statement.Principal is not `*` or an object",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"*","Condition":{"Bool":{"k":null}}}}"#,
            "Statement.Condition.Bool.k is not a string",
        ),
        (&deep, "not JSON (line 1, column 128)"),
        (&big, "longer than any policy: 1048576 bytes"),
    ] {
        let error = Document::parse(text).expect_err(expected);
        assert_eq!(error.to_string(), expected);
    }
    // An unknown operator with a list is a remark, however long its name.
    assert!(Document::parse(&long).is_ok());
    let error = Document::parse(
        &long
            .replace(&"x".repeat(9000), "Bool")
            .replace("[]", &format!(r#"{{"{}":{{}}}}"#, "k".repeat(9000))),
    );
    assert!(error.expect_err("a key with an object").to_string().len() < 300);
}
