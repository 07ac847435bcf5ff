//! Statements that do not match, and what is proposed.

use super::*;

/// What is proposed, in a line for each change, and the answer after it.
fn propose(document: &Document, request: &Request) -> (Vec<String>, &'static str) {
    let nearest = nearest(&evaluate(document, request)).expect("a proposal");
    (lines(&nearest.change), word(nearest.change.correction.after()))
}

/// The wider change that is left to a person, in a line for each edit.
fn wider(statement: &str) -> Option<Vec<String>> {
    let document = policy(&format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#));
    let request = web_identity(SUB);
    nearest(&evaluate(&document, &request)).expect("a proposal").wider.as_ref().map(lines)
}

fn lines(change: &Change) -> Vec<String> {
    match &change.repair {
        Repair::Edit(edits) => edits
            .iter()
            .map(|edit| {
                let place = edit.place.to_string().replace(ISSUER, "$ISSUER");
                let text = |text: &str| {
                    text.replace(PROVIDER, "$PROVIDER").replace(ISSUER, "$ISSUER").replace(SUB, "$SUB")
                };
                format!("{:?} {place}: {} -> {}", edit.kind, text(&edit.from), text(&edit.to))
            })
            .collect(),
        Repair::Append(_) => vec!["Append".to_owned()],
    }
}

fn propose_for(statement: &str) -> Vec<String> {
    let document = policy(&format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#));
    let (lines, after) = propose(&document, &web_identity(SUB));
    assert_eq!(after, "allow", "{statement}");
    lines
}

/// A statement with these conditions.
fn given(conditions: &str) -> String {
    trust(&format!(r#""Condition":{conditions}"#))
}

const GOOD: &str = r#"{"StringEquals":{"$ISSUER:aud":"sts.amazonaws.com","$ISSUER:sub":"$SUB"}}"#;

#[test]
fn a_typing_error_is_replaced_where_nobody_has_that_name() {
    let other = SUB.replacen("checkout", "chekout", 1);
    let document = policy(&format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        given(&GOOD.replace("$SUB", &other))
    ));
    let request = web_identity(SUB);
    let propose = |vacant: &[String]| {
        let change = nearest_beside(&evaluate(&document, &request), vacant).expect("a proposal").change;
        (lines(&change), change.correction.reach())
    };
    let key = r#"Statement[0].Condition.StringEquals["$ISSUER:sub"]"#;
    let replaced = format!("ReplaceValue {key}: {other} -> $SUB");
    // One more subject gets the role: that is for a person to decide.
    assert_eq!(propose(std::slice::from_ref(&other)), (vec![replaced], Reach::One));
    let kept = format!("AddValue {key}: {other} -> $SUB");
    assert_eq!(propose(&[]), (vec![kept.clone()], Reach::One));
    assert_eq!(propose(&[String::from("system:serviceaccount:shop:another")]), (vec![kept], Reach::One));
}

#[test]
fn one_fault_one_edit() {
    let sub = |value: &str| given(&GOOD.replace("$SUB", value));
    let key = r#"Statement[0].Condition.StringEquals["$ISSUER:sub"]"#;
    for (name, statement, expected) in [
        (
            "a wildcard that is literal",
            sub("system:serviceaccount:shop:*"),
            format!("ReplaceValue {key}: system:serviceaccount:shop:* -> $SUB"),
        ),
        (
            "a wildcard for all of the cluster",
            sub("system:serviceaccount:*"),
            format!("ReplaceValue {key}: system:serviceaccount:* -> $SUB"),
        ),
        (
            "a pattern in upper case",
            sub("system:serviceaccount:Shop:*").replace("StringEquals", "StringLike"),
            format!("ReplaceValue {key}: system:serviceaccount:Shop:* -> $SUB").replace("StringEquals", "StringLike"),
        ),
        (
            "upper case",
            sub("system:serviceaccount:Shop:checkout"),
            format!("ReplaceValue {key}: system:serviceaccount:Shop:checkout -> $SUB"),
        ),
        ("no prefix", sub("shop:checkout"), format!("ReplaceValue {key}: shop:checkout -> $SUB")),
        (
            "another separator",
            sub("system:serviceaccount:shop/checkout"),
            format!("ReplaceValue {key}: system:serviceaccount:shop/checkout -> $SUB"),
        ),
        (
            "a plural",
            sub("system:serviceaccounts:shop:checkout"),
            format!("ReplaceValue {key}: system:serviceaccounts:shop:checkout -> $SUB"),
        ),
        (
            "a slip in a name that may exist",
            sub("system:serviceaccount:shop:chekout"),
            format!("AddValue {key}: system:serviceaccount:shop:chekout -> $SUB"),
        ),
        (
            "the release before the name",
            sub("system:serviceaccount:shop:prod-checkout"),
            format!("AddValue {key}: system:serviceaccount:shop:prod-checkout -> $SUB"),
        ),
        (
            "another audience",
            given(&GOOD.replace("sts.amazonaws.com", "my-audience")),
            r#"AddValue Statement[0].Condition.StringEquals["$ISSUER:aud"]: my-audience -> sts.amazonaws.com"#.into(),
        ),
        (
            "the subject under the key of the audience",
            given(r#"{"StringEquals":{"$ISSUER:aud":"$SUB"}}"#),
            r#"RenameKey Statement[0].Condition.StringEquals["$ISSUER:aud"]: $ISSUER:aud -> $ISSUER:sub"#.into(),
        ),
        (
            "the issuer with its scheme",
            given(&GOOD.replace("$ISSUER:sub", "https://$ISSUER:sub")),
            r#"RenameKey Statement[0].Condition.StringEquals["https://$ISSUER:sub"]: https://$ISSUER:sub -> $ISSUER:sub"#
                .into(),
        ),
        (
            "the ARN for a key",
            given(&GOOD.replace("$ISSUER:sub", "$PROVIDER:sub")),
            "RenameKey Statement[0].Condition.StringEquals[\"arn:aws:iam::111122223333:oidc-provider/$ISSUER:sub\"]: \
             $PROVIDER:sub -> $ISSUER:sub"
                .into(),
        ),
        (
            "another way to assume",
            given(GOOD).replace("AssumeRoleWithWebIdentity", "AssumeRole"),
            "ReplaceValue Statement[0].Action: sts:AssumeRole -> sts:AssumeRoleWithWebIdentity".into(),
        ),
        (
            "the action beside it is missing",
            given(GOOD).replace(r#""sts:AssumeRoleWithWebIdentity""#, r#"["sts:TagSession"]"#),
            "AddValue Statement[0].Action: sts:TagSession -> sts:AssumeRoleWithWebIdentity".into(),
        ),
        (
            "a provider of another account",
            given(GOOD).replace("$PROVIDER", "arn:aws:iam::444455556666:oidc-provider/$ISSUER"),
            "ReplaceValue Statement[0].Principal.Federated: arn:aws:iam::444455556666:oidc-provider/$ISSUER -> \
             $PROVIDER"
                .into(),
        ),
        (
            "the bare issuer",
            given(GOOD).replace(r#""$PROVIDER""#, r#"["cognito-identity.amazonaws.com","$ISSUER"]"#),
            "ReplaceValue Statement[0].Principal.Federated[1]: $ISSUER -> $PROVIDER".into(),
        ),
        (
            "a service",
            given(GOOD).replace(r#""Federated":"$PROVIDER""#, r#""Service":"eks.amazonaws.com""#),
            "ReplacePrincipal Statement[0].Principal: eks.amazonaws.com -> $PROVIDER".into(),
        ),
        (
            "a claim that IAM does not take from tokens",
            given(&GOOD.replacen('{', r#"{"StringLike":{"$ISSUER:kubernetes.io/namespace":"shop"},"#, 1)),
            r#"RemoveCondition Statement[0].Condition.StringLike["$ISSUER:kubernetes.io/namespace"]: $ISSUER:kubernetes.io/namespace -> "#
                .into(),
        ),
        (
            "case of the issuer's scheme and claim",
            given(&GOOD.replace("$ISSUER:sub", "https://$ISSUER/:Sub")),
            r#"RenameKey Statement[0].Condition.StringEquals["https://$ISSUER/:Sub"]: https://$ISSUER/:Sub -> $ISSUER:sub"#
                .into(),
        ),
        (
            "a key that no token has",
            given(&GOOD.replacen('{', r#"{"StringLike":{"aws:PrincipalTag/team":"*"},"#, 1)),
            r#"RemoveCondition Statement[0].Condition.StringLike["aws:PrincipalTag/team"]: aws:PrincipalTag/team -> "#
                .into(),
        ),
    ] {
        assert_eq!(propose_for(&statement), [expected], "{name}");
    }
}

#[test]
fn a_mistyped_issuer_is_repaired_key_by_key() {
    assert_eq!(
        propose_for(&given(
            &GOOD.replace("eu-west-1", "").replace("$ISSUER", "oidc.eks.eu-west-1.amazonaws.com/id/0")
        )),
        [
            r#"RenameKey Statement[0].Condition.StringEquals["oidc.eks.eu-west-1.amazonaws.com/id/0:aud"]: oidc.eks.eu-west-1.amazonaws.com/id/0:aud -> $ISSUER:aud"#,
            r#"RenameKey Statement[0].Condition.StringEquals["oidc.eks.eu-west-1.amazonaws.com/id/0:sub"]: oidc.eks.eu-west-1.amazonaws.com/id/0:sub -> $ISSUER:sub"#,
        ]
    );
}

#[test]
fn a_fault_behind_a_fault_is_found() {
    let statement = given(r#"{"StringEquals":{"https://$ISSUER:sub":"system:serviceaccount:shop:*"}}"#);
    assert_eq!(
        propose_for(&statement),
        [
            r#"RenameKey Statement[0].Condition.StringEquals["https://$ISSUER:sub"]: https://$ISSUER:sub -> $ISSUER:sub"#,
            r#"ReplaceValue Statement[0].Condition.StringEquals["$ISSUER:sub"]: system:serviceaccount:shop:* -> $SUB"#,
        ]
    );
}

#[test]
fn what_is_meant_for_others_is_left_alone() {
    let sub = |value: &str| given(&GOOD.replace("$SUB", value));
    let other = "arn:aws:iam::111122223333:oidc-provider/other/id/1";
    let subjects_of_two = given(r#"{"StringEquals":{"$ISSUER:sub":"$SUB","other/id/1:sub":"$SUB"}}"#);
    let with = |condition: &str, block: &str| given(&block.replacen('{', &format!("{{{condition},"), 1));
    let cases = [
        ("another service account", sub("system:serviceaccount:shop:cart")),
        ("another namespace", sub("system:serviceaccount:payments:checkout")),
        (
            "a pattern of another namespace",
            sub("system:serviceaccount:payments:*").replace("StringEquals", "StringLike"),
        ),
        ("another cluster", given(&GOOD.replace("$ISSUER", "other/id/1")).replace("$PROVIDER", other)),
        (
            "a service without conditions",
            trust("").replace(r#""Federated":"$PROVIDER""#, r#""Service":"ec2.amazonaws.com""#),
        ),
        (
            "an account that the statement may serve",
            given(r#"{"StringEqualsIfExists":{"$ISSUER:sub":"$SUB"}}"#)
                .replace(r#""Federated":"$PROVIDER""#, r#""AWS":"444455556666""#),
        ),
        ("a claim of another issuer", with(r#""StringLike":{"other.example/id/1:amr":"x"}"#, GOOD)),
        ("an exclusion", given(r#"{"StringNotEquals":{"$ISSUER:sub":"$SUB"}}"#)),
        (
            "a key that no token has, beside another subject",
            with(
                r#""StringLike":{"aws:PrincipalTag/team":"*"}"#,
                r#"{"StringEquals":{"$ISSUER:sub":"system:serviceaccount:shop:cart"}}"#,
            ),
        ),
        (
            "two clusters at once",
            subjects_of_two.replace(r#""$PROVIDER""#, &format!(r#"["$PROVIDER","{other}"]"#)),
        ),
        ("two keys of one claim", subjects_of_two),
        (
            "another audience, for a pattern",
            given(r#"{"StringEquals":{"$ISSUER:aud":"other"},"StringLike":{"$ISSUER:sub":"system:*"}}"#),
        ),
        ("another action, for every subject", trust("").replace("WithWebIdentity", "")),
        ("another audience, for every subject", given(r#"{"StringEquals":{"$ISSUER:aud":"other"}}"#)),
        (
            "a key that no token has, for every subject",
            given(r#"{"StringLike":{"aws:PrincipalTag/team":"*"}}"#),
        ),
        ("everyone but this one", trust("").replace("Principal", "NotPrincipal")),
        ("all actions but this one", trust("").replace("Action", "NotAction")),
    ];
    for (name, statement) in cases {
        assert_eq!(propose_for(&statement), ["Append"], "{name}");
    }
}

#[test]
fn the_statement_of_its_own() {
    let document = policy(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}"#,
    );
    let request = web_identity(SUB);
    let nearest = nearest(&evaluate(&document, &request)).unwrap();
    assert_eq!(nearest.statement, Some(0));
    let expected = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "Service": "ec2.amazonaws.com"
      },
      "Action": "sts:AssumeRole"
    },
    {
      "Effect": "Allow",
      "Principal": {
        "Federated": "$PROVIDER"
      },
      "Action": "sts:AssumeRoleWithWebIdentity",
      "Condition": {
        "StringEquals": {
          "$ISSUER:aud": "sts.amazonaws.com",
          "$ISSUER:sub": "$SUB"
        }
      }
    }
  ]
}"#;
    let expected = expected.replace("$PROVIDER", PROVIDER).replace("$ISSUER", ISSUER).replace("$SUB", SUB);
    assert_eq!(nearest.change.correction.document().pretty(), expected);
}

#[test]
fn other_principals_get_a_statement() {
    let document = policy(r#"{"Version":"2012-10-17","Statement":[]}"#);
    for (principal, expected) in [
        (Principal::Service("pods.eks.amazonaws.com".into()), r#"{"Service":"pods.eks.amazonaws.com"}"#),
        (
            Principal::Aws {
                arn: "arn:aws:sts::1:assumed-role/a/x".into(),
                role_arn: Some("arn:aws:iam::1:role/b/a".into()),
            },
            r#"{"AWS":"arn:aws:iam::1:role/b/a"}"#,
        ),
    ] {
        let request = Request {
            principal,
            action: "sts:TagSession".into(),
            resource: None,
            context: Context::default(),
        };
        let nearest = nearest(&evaluate(&document, &request)).unwrap();
        let Repair::Append(statement) = nearest.change.repair else { panic!("a statement") };
        let expected = format!(r#"{{"Effect":"Allow","Principal":{expected},"Action":"sts:TagSession"}}"#);
        assert_eq!(serde_json::to_string(&statement).unwrap(), expected);
        assert_eq!(*nearest.change.correction.after(), Decision::Allow { statement: 0 });
    }
}

#[test]
fn several_audiences_take_a_set_operator() {
    let aud = &["sts.amazonaws.com", "other"];
    let request =
        Request::web_identity(WebIdentity { provider_arn: PROVIDER, issuer: ISSUER, sub: SUB, aud });
    let document = policy(r#"{"Version":"2012-10-17","Statement":[]}"#);
    assert_eq!(propose(&document, &request), (vec!["Append".to_owned()], "allow"));
}

#[test]
fn denials_stay_and_are_told() {
    let deny = trust(r#""Condition":{"StringNotLike":{"$ISSUER:sub":"system:serviceaccount:payments:*"}}"#)
        .replace("Allow", "Deny");
    let allow = given(&GOOD.replace("checkout", "*").replace("$SUB", "system:serviceaccount:shop:*"));
    let document = policy(&format!(r#"{{"Version":"2012-10-17","Statement":[{deny},{allow}]}}"#));
    let (lines, after) = propose(&document, &web_identity(SUB));
    assert_eq!(
        lines,
        [
            r#"ReplaceValue Statement[1].Condition.StringEquals["$ISSUER:sub"]: system:serviceaccount:shop:* -> $SUB"#
        ]
    );
    assert_eq!(after, "deny");
}

#[test]
fn the_nearest_of_several() {
    let other = given(&GOOD.replace("$SUB", "system:serviceaccount:shop:cart"));
    let near = given(&GOOD.replace("$SUB", "shop:checkout"));
    let document = policy(&format!(r#"{{"Version":"2012-10-17","Statement":[{other},{near}]}}"#));
    let nearest = nearest(&evaluate(&document, &web_identity(SUB))).unwrap();
    assert_eq!(nearest.statement, Some(1));
    assert_eq!(*nearest.change.correction.after(), Decision::Allow { statement: 1 });
}

#[test]
fn nothing_to_do() {
    let open = given(r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#);
    for statement in [trust(""), open] {
        let document = policy(&format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#));
        assert!(nearest(&evaluate(&document, &web_identity(SUB))).is_none(), "{statement}");
    }
}

#[test]
fn what_stays_unknown_is_told() {
    let statement = given(
        r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"StringEquals":{"$ISSUER:sub":"shop:checkout"}}"#,
    );
    let document = policy(&format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#));
    let (_, after) = propose(&document, &web_identity(SUB));
    assert_eq!(after, "unknown");
}

fn reach(statements: &str) -> Reach {
    let document = policy(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#));
    nearest(&evaluate(&document, &web_identity(SUB))).expect("a proposal").change.correction.reach()
}

#[test]
fn a_slip_in_the_own_statement_reaches_nobody_else() {
    for conditions in [
        GOOD.replace("$SUB", "system:serviceaccount:Shop:checkout"),
        GOOD.replace("$SUB", "shop:checkout"),
        GOOD.replace("$ISSUER:sub", "oidc.eks.eu-west-1.amazonaws.com/id/TYPO:sub"),
        GOOD.replace("sts.amazonaws.com", "my-audience"),
        GOOD.replace("$SUB", "system:serviceaccount:shop:*"),
        GOOD.replace("$SUB", "system:serviceaccount:*"),
    ] {
        assert_eq!(reach(&given(&conditions)), Reach::Own, "{conditions}");
    }
    let other =
        trust(r#""Condition":{"StringEquals":{"$ISSUER:sub":"system:serviceaccount:billing:invoice"}}"#);
    let own = given(&GOOD.replace("$SUB", "shop:checkout"));
    assert_eq!(
        reach(&format!("{other},{own}")),
        Reach::Own,
        "a statement of others beside it stays as it is"
    );
}

#[test]
fn what_gives_the_role_to_one_more_reaches_others() {
    for (name, conditions) in [
        ("beside another account", GOOD.replace("$SUB", "system:serviceaccount:shop:chekout")),
        ("a statement of its own", GOOD.replace("$SUB", "system:serviceaccount:billing:invoice")),
        (
            "a slip in a list of several",
            GOOD.replace(r#""$SUB""#, r#"["shop:checkout","system:serviceaccount:billing:invoice"]"#),
        ),
    ] {
        assert_eq!(reach(&given(&conditions)), Reach::One, "{name}");
    }
}

#[test]
fn a_pattern_is_left_to_a_person_and_only_within_one_namespace() {
    let sub = |value: &str| given(&GOOD.replace("$SUB", value));
    let like = |value: &str| sub(value).replace("StringEquals", "StringLike");
    let key = r#"Statement[0].Condition.StringEquals["$ISSUER:sub"]"#;
    let replaced = format!("ReplaceOperator {key}: StringEquals -> StringLike");
    for value in ["system:serviceaccount:shop:*", "system:serviceaccount:shop:check*"] {
        assert_eq!(wider(&sub(value)), Some(vec![replaced.clone()]), "{value}");
    }
    for value in [
        "system:serviceaccount:*",
        "system:serviceaccount:*:checkout",
        "system:serviceaccount:shop*:checkout",
        "system:serviceaccount:shop*",
        "system:serviceaccount:sh?p:checkout",
        "system:*:shop:checkout",
        "*",
    ] {
        assert_eq!(wider(&sub(value)), None, "{value}");
    }
    let lower = "ReplaceValue Statement[0].Condition.StringLike[\"$ISSUER:sub\"]: system:serviceaccount:Shop:* -> \
                 system:serviceaccount:shop:*";
    assert_eq!(wider(&like("system:serviceaccount:Shop:*")), Some(vec![lower.to_owned()]));
    assert_eq!(wider(&like("System:serviceaccount:*:checkout")), None);
    let aud = like("system:serviceaccount:shop:*").replace("sts.amazonaws.com", "other");
    assert_eq!(propose_for(&aud), ["Append"]);
    assert!(wider(&aud).is_some());
}
