//! What holds for every policy.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

/// A few keys, so that policies and requests meet.
const KEYS: [&str; 6] =
    ["$ISSUER:sub", "$ISSUER:aud", "other/id/1:sub", "aws:SourceIp", "aws:TagKeys", "sts:RoleSessionName"];

const OPERATORS: [&str; 22] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCaseIfExists",
    "StringLike",
    "StringLike",
    "StringNotLike",
    "StringEqualsIfExists",
    "ForAllValues:StringLike",
    "ForAllValues:StringNotEquals",
    "ForAnyValue:StringEquals",
    "ForAnyValue:StringNotLike",
    "ForAnyValue:StringLikeIfExists",
    "NumericLessThan",
    "NumericNotEquals",
    "DateGreaterThanEquals",
    "Bool",
    "IpAddress",
    "NotIpAddress",
    "ArnLike",
    "ArnNotEquals",
    "Null",
];

const VALUES: [&str; 20] = [
    SUB,
    "system:serviceaccount:shop:*",
    "system:serviceaccount:Shop:checkout",
    "system:serviceaccount:shop:cart",
    "shop:checkout",
    "system:serviceaccount:sh?p:chec*",
    "sts.amazonaws.com",
    "*",
    "",
    "true",
    "false",
    "10",
    "2020-01-01",
    "10.0.0.0/8",
    "10.1.2.3",
    "arn:aws:iam::111122223333:role/*",
    "arn:aws:iam::111122223333:role/app",
    "${sts:RoleSessionName}",
    "${aws:SourceIp, '10.1.2.3'}",
    "${*}",
];

const PRINCIPALS: [&str; 6] = [
    r#""Principal":{"Federated":"$PROVIDER"}"#,
    r#""Principal":{"Federated":"$PROVIDER"}"#,
    r#""Principal":{"Federated":["arn:aws:iam::444455556666:oidc-provider/$ISSUER","x"]}"#,
    r#""Principal":{"Service":"eks.amazonaws.com"}"#,
    r#""Principal":"*""#,
    r#""NotPrincipal":{"AWS":"*"}"#,
];

const ACTIONS: [&str; 4] = [
    r#""Action":"sts:AssumeRoleWithWebIdentity""#,
    r#""Action":["sts:TagSession","sts:assumerole*"]"#,
    r#""Action":"sts:AssumeRole""#,
    r#""NotAction":"iam:*""#,
];

fn condition() -> impl Strategy<Value = (String, String)> {
    let values = prop::collection::vec(select(&VALUES[..]), 1..3);
    (select(&OPERATORS[..]), select(&KEYS[..]), values).prop_map(|(operator, key, values)| {
        let values = serde_json::to_string(&values).unwrap();
        (operator.to_owned(), format!(r#"{{"{key}":{values}}}"#))
    })
}

fn statement(effects: &'static [&'static str]) -> impl Strategy<Value = String> {
    let conditions = prop::collection::btree_map(select(&OPERATORS[..]), condition(), 0..3);
    (select(effects), select(&PRINCIPALS[..]), select(&ACTIONS[..]), conditions).prop_map(
        |(effect, principal, action, conditions)| {
            let block: Vec<_> =
                conditions.iter().map(|(operator, (_, keys))| format!(r#""{operator}":{keys}"#)).collect();
            format!(r#"{{"Effect":"{effect}",{principal},{action},"Condition":{{{}}}}}"#, block.join(","))
        },
    )
}

/// A statement that may be meant for the subject, with a fault or two.
fn meant() -> impl Strategy<Value = String> {
    let keys = [
        "$ISSUER:sub",
        "$ISSUER:sub",
        "$ISSUER:aud",
        "https://$ISSUER/:sub",
        "oidc.eks.eu-west-1.amazonaws.com/id/0:sub",
    ];
    let operators = ["StringEquals", "StringEquals", "StringLike", "StringEqualsIfExists"];
    let more = [
        "",
        r#","Bool":{"aws:SecureTransport":true}"#,
        r#","ForAnyValue:StringEquals":{"$ISSUER:aud":"sts.amazonaws.com"}"#,
        r#","StringEqualsIgnoreCase":{"$ISSUER:aud":"other"}"#,
        r#","ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}"#,
        r#","IpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#,
    ];
    let values = prop::collection::vec(select(&VALUES[..7]), 1..3);
    let condition = (select(operators.to_vec()), select(keys.to_vec()), values, select(more.to_vec()));
    (select(&PRINCIPALS[..4]), select(&ACTIONS[..3]), condition).prop_map(
        |(principal, action, (operator, key, values, more))| {
            let values = serde_json::to_string(&values).unwrap();
            let block = format!(r#"{{"{operator}":{{"{key}":{values}}}{more}}}"#);
            format!(r#"{{"Effect":"Allow",{principal},{action},"Condition":{block}}}"#)
        },
    )
}

fn with_faults() -> impl Strategy<Value = Vec<String>> {
    let statement = prop_oneof![3 => meant().boxed(), 1 => statement(&["Allow", "Deny"]).boxed()];
    prop::collection::vec(statement, 0..3)
}

fn statements() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(statement(&["Allow", "Allow", "Allow", "Deny"]), 0..4)
}

fn document(statements: &[String]) -> Document {
    policy(&format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(",")))
}

fn decide(statements: &[String], request: &Request) -> Decision {
    evaluate(&document(statements), request).decision
}

/// How far a decision gives access; what is unknown lies between.
fn rank(decision: &Decision) -> u8 {
    match decision {
        Decision::ExplicitDeny { .. } | Decision::NoMatch => 0,
        Decision::Unknown { .. } => 1,
        Decision::Allow { .. } => 2,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn parse_never_panics(text in ".{0,200}") {
        let _ = Document::parse(&text);
    }

    #[test]
    fn parse_never_panics_on_what_is_nearly_a_policy(statements in statements(), cut in any::<Index>(), noise in ".{0,3}") {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
        let at = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect::<Vec<_>>();
        let at = at[cut.index(at.len())];
        let _ = Document::parse(&format!("{}{noise}{}", &text[..at], &text[at..]));
        let _ = Document::parse(&text[..at]);
    }

    #[test]
    fn one_more_allow_never_takes_access(statements in statements(), more in statement(&["Allow"])) {
        let request = web_identity(SUB);
        let before = decide(&statements, &request);
        let after = decide(&[statements, vec![more]].concat(), &request);
        prop_assert!(rank(&after) >= rank(&before), "{before:?} {after:?}");
    }

    #[test]
    fn one_more_deny_never_gives_access(statements in statements(), more in statement(&["Deny"])) {
        let request = web_identity(SUB);
        let before = decide(&statements, &request);
        let after = decide(&[statements, vec![more]].concat(), &request);
        prop_assert!(rank(&after) <= rank(&before), "{before:?} {after:?}");
    }

    #[test]
    fn the_order_of_statements_does_not_matter(statements in statements()) {
        let request = web_identity(SUB);
        let reversed: Vec<_> = statements.iter().rev().cloned().collect();
        prop_assert_eq!(word(&decide(&statements, &request)), word(&decide(&reversed, &request)));
    }

    #[test]
    fn the_case_of_keys_does_not_matter(statements in statements()) {
        let request = web_identity(SUB);
        let upper: Vec<_> = statements
            .iter()
            .map(|text| KEYS.iter().fold(text.clone(), |text, key| {
                let key = key.replace("$ISSUER", ISSUER);
                text.replace("$ISSUER:", &format!("{ISSUER}:")).replace(&format!("\"{key}\":"), &format!("\"{}\":", key.to_uppercase()))
            }))
            .collect();
        prop_assert_eq!(decide(&statements, &request), decide(&upper, &request));
    }

    /// What is unknown becomes known: a certain answer stays, and the unknown one may become any.
    #[test]
    fn knowing_more_never_turns_an_answer_round(
        statements in statements(),
        source in prop::option::of(prop::collection::vec(select(&VALUES[..]), 1..3)),
        session in prop::option::of(select(&VALUES[..])),
    ) {
        let request = web_identity(SUB);
        let before = decide(&statements, &request);
        let mut known = request.clone();
        let present = |values: Vec<&str>| Value::Present(values.into_iter().map(str::to_owned).collect());
        known.context.set("aws:SourceIp", source.map_or(Value::Absent, present));
        known.context.set("sts:RoleSessionName", session.map_or(Value::Absent, |value| present(vec![value])));
        let after = decide(&statements, &known);
        let was_open = matches!(before, Decision::Unknown { .. });
        // Which statement is named, and whether it is an explicit denial, may become clearer.
        prop_assert!(was_open || rank(&before) == rank(&after), "{before:?} {after:?}");
    }

    #[test]
    fn what_is_proposed_makes_it_allowed(statements in with_faults()) {
        let request = web_identity(SUB);
        let document = document(&statements);
        let evaluation = evaluate(&document, &request);
        let Some(nearest) = nearest(&evaluation) else {
            let may_allow = evaluation.statements.iter().any(|s| s.effect == Effect::Allow && s.matched != Tri::False);
            prop_assert!(may_allow, "no proposal, and nothing allows");
            return Ok(());
        };
        prop_assert_ne!(nearest.change.correction.reach(), Reach::Namespace);
        for change in std::iter::once(&nearest.change).chain(&nearest.wider) {
            let text = change.correction.document().pretty();
            let corrected = Document::parse(&text).expect("the proposal is a policy");
            let after = evaluate(&corrected, &request);
            prop_assert_eq!(&after.decision, change.correction.after());
            let certain = matches!(change.repair, Repair::Append(_));
            match after.decision {
                Decision::Allow { .. } => {}
                Decision::ExplicitDeny { statement } => {
                    prop_assert_eq!(after.statements[statement].effect, Effect::Deny);
                    prop_assert_eq!(evaluation.statements[statement].matched, Tri::True, "the denial was there before");
                }
                Decision::Unknown { statements } => {
                    let of_ours = statements.iter().any(|index| after.statements[*index].effect == Effect::Allow);
                    prop_assert!(!certain || !of_ours, "a new statement leaves nothing open");
                }
                Decision::NoMatch => prop_assert!(false, "nothing was repaired"),
            }
        }
    }

    /// Whoever could assume the role before still can, and nobody else can now: in its namespace only by the wider change.
    #[test]
    fn what_is_proposed_changes_nothing_for_others(statements in with_faults(), sub in stranger()) {
        let document = document(&statements);
        let request = web_identity(SUB);
        let Some(nearest) = nearest(&evaluate(&document, &request)) else { return Ok(()) };
        // Any spelling of the subject but its own is somebody else.
        prop_assume!(sub != SUB);
        let other = web_identity(&sub);
        let before = evaluate(&document, &other).decision;
        for change in std::iter::once(&nearest.change).chain(&nearest.wider) {
            let after = evaluate(change.correction.document(), &other).decision;
            prop_assert!(rank(&after) >= rank(&before), "{sub} loses: {before:?} {after:?}");
            let of_namespace = change.correction.reach() == Reach::Namespace
                && sub.starts_with("system:serviceaccount:shop:");
            prop_assert!(of_namespace || rank(&after) == rank(&before), "{sub} gains: {before:?} {after:?}");
        }
    }
}

/// A service account: one that the policies name, one close to the subject, or any.
fn stranger() -> impl Strategy<Value = String> {
    let close = ["shop:cart", "shop:checkouts", "shop:x", "shop-x:checkout", "xshop:checkout", "ship:checks"];
    let any = ("[a-z]{1,4}", "[a-z]{1,5}").prop_map(|(namespace, name)| format!("{namespace}:{name}"));
    prop_oneof![select(close.to_vec()).prop_map(str::to_owned), any]
        .prop_map(|account| format!("system:serviceaccount:{account}"))
}
