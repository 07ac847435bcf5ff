//! What `policy export` prints, held against objects by a CEL evaluator, and against the checks' own reading.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::sync::Arc;

use cel::{Context, Env, Value as Cel};
use irsa::admission::{Action, Form, IDS, On, Rule, Wanted, render, rules};
use irsa::aws::arn::RoleArn;
use proptest::prelude::*;
use serde_json::{Value, json};

const KEY: &str = "eks.amazonaws.com/role-arn";
const ARN: &str = "arn:aws:iam::111122223333:role/team/x";

fn all() -> Vec<Rule> {
    rules(&Wanted {
        accounts: ["111122223333", "444455556666"].map(str::to_owned).into(),
        partition: Some(String::from("aws")),
        ..Wanted::default()
    })
}

/// The rules that an object breaks, of those that are about its kind.
fn broken(object: &Value) -> Vec<&'static str> {
    let on = if object["kind"] == "Pod" { On::Pods } else { On::ServiceAccounts };
    let env = Arc::new(Env::stdlib().with_optional_support(true));
    let is_bad = |rule: &Rule| {
        let mut context = Context::with_env(Arc::clone(&env));
        context.add_variable_from_value("object", cel::to_value(object).unwrap());
        let program = env.compile(&rule.bad).unwrap_or_else(|error| panic!("{}: {error}", rule.bad));
        match program.execute(&context) {
            Ok(Cel::Bool(bad)) => bad,
            other => panic!("{}: {other:?} of {object}", rule.bad),
        }
    };
    all().iter().filter(|rule| rule.on == on && is_bad(rule)).map(|rule| rule.id).collect()
}

fn account(annotations: &Value) -> Value {
    json!({"kind": "ServiceAccount", "metadata": {"name": "x", "annotations": annotations}})
}

fn pod(container: &Value, labels: &Value) -> Value {
    json!({"kind": "Pod", "metadata": {"name": "x", "labels": labels},
           "spec": {"containers": [{"name": "a", "image": "i"}], "initContainers": [container]}})
}

/// As a real API server has judged them, too (docs/admission/README.md).
#[test]
fn each_rule_finds_its_fault_and_nothing_else() {
    let role = json!({"name": "AWS_ROLE_ARN", "value": ARN});
    let file = json!({"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/t"});
    let mount = |name: &str, path: &str| json!({"name": "b", "volumeMounts": [{"name": name, "mountPath": "/t", "subPath": path}]});
    let env = |variables: Value| pod(&json!({"name": "b", "env": variables}), &json!({}));
    let none = json!({});
    let fine = [
        json!({"kind": "ServiceAccount", "metadata": {"name": "x"}}),
        json!({"kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [{"name": "a", "image": "i"}]}}),
        account(&none),
        account(&json!({KEY: ARN})),
        account(&json!({KEY: ""})),
        account(&json!({KEY: "arn:aws:iam::444455556666:role/x"})),
        account(&json!({"a": "b", "iam.amazonaws.com/role": ""})),
        // Some other tool's: nothing says that a role is meant.
        account(&json!({"eks.amazonaws.com/role-arm": "soft"})),
        env(json!([role, file])),
        env(json!([])),
        pod(&mount("aws-iam-token", ""), &json!({"a": "b"})),
        pod(&mount("other", "token"), &none),
    ];
    for object in fine {
        assert_eq!(broken(&object), [""; 0], "{object}");
    }
    let bad = [
        ("annotation-key-typo", account(&json!({"eks.amazonaws.com/role-anr": ARN}))),
        ("annotation-key-typo", account(&json!({"eks.amazonaws.com/rolearn": ARN}))),
        ("annotation-key-typo", account(&json!({"eks.amazonaws.com/role-arns": ARN}))),
        ("annotation-key-typo", account(&json!({"eks.amazonaw.com/role-arn": ARN}))),
        ("annotation-key-typo", account(&json!({"EKS.amazonaws.com/Role-ARN": ARN}))),
        ("annotation-key-typo", account(&json!({"iam.amazonaws.com/role": "x"}))),
        ("role-arn-malformed", account(&json!({KEY: "x"}))),
        ("role-arn-malformed", account(&json!({KEY: format!("{ARN} ")}))),
        ("role-arn-malformed", account(&json!({KEY: format!("{ARN}\n")}))),
        ("role-arn-malformed", account(&json!({KEY: "arn:aws:iam::11112222333:role/x"}))),
        ("wrong-account-in-arn", account(&json!({KEY: "arn:aws:iam::999922223333:role/x"}))),
        ("wrong-partition", account(&json!({KEY: "arn:aws-cn:iam::111122223333:role/x"}))),
        ("env-preset-partial", env(json!([role]))),
        ("env-preset-partial", env(json!([file]))),
        (
            "skip-label",
            pod(&json!({"name": "b"}), &json!({"eks.amazonaws.com/skip-pod-identity-webhook": "false"})),
        ),
        ("subpath-mount", pod(&mount("aws-iam-token", "token"), &none)),
        ("subpath-mount", pod(&mount("eks-pod-identity-token", "token"), &none)),
    ];
    for (id, object) in &bad {
        assert_eq!(broken(object), [*id], "{object}");
    }
    for id in IDS {
        assert!(bad.iter().any(|(tried, _)| *tried == id), "no object breaks {id}");
    }
}

#[test]
fn an_account_or_a_partition_is_only_asked_for_where_it_is_told() {
    let ids: Vec<&str> = rules(&Wanted::default()).iter().map(|rule| rule.id).collect();
    assert!(!ids.contains(&"wrong-account-in-arn") && !ids.contains(&"wrong-partition"), "{ids:?}");
    assert_eq!(all().len(), IDS.len());
}

/// One policy in each form.
#[test]
fn each_form_is_as_its_reader_wants_it() {
    let one = rules(&Wanted { only: vec![String::from("skip-label")], ..Wanted::default() });
    for (form, action) in
        [(Form::Vap, Action::Warn), (Form::Kyverno, Action::Deny), (Form::Gatekeeper, Action::Audit)]
    {
        let text = render(&one, form, action, Some(("team", "shop"))).unwrap();
        insta::assert_snapshot!(format!("{form:?}").to_lowercase(), text);
    }
}

proptest! {
    /// The pattern and the webhook's reading agree.
    #[test]
    fn an_arn_is_malformed_for_both(
        arn in "(arn:aws[a-z-]{0,4}:iam::[0-9]{11,13}:(role|rol|user)/[a-z/+=,.@_$ -]{0,6}|arn:aws:iam::111122223333:role/[a-z/]{0,3}[a-z]{60,66}|[ -~]{1,30})"
    ) {
        let bad = broken(&account(&json!({KEY: arn})));
        prop_assert_eq!(bad.contains(&"role-arn-malformed"), RoleArn::parse(&arn).is_err(), "{}", arn);
    }

    /// One slip in the key is found, and the key itself is in order.
    #[test]
    fn one_slip_in_the_key_is_found(at in 0..KEY.len(), letter in "[a-z0-9.-]", kind in 0..4_usize) {
        let mut key: Vec<char> = KEY.chars().collect();
        match kind {
            0 => drop(key.remove(at)),
            1 => key.insert(at, letter.chars().next().unwrap()),
            2 => key[at] = letter.chars().next().unwrap(),
            _ => key.swap(at, (at + 1).min(KEY.len() - 1)),
        }
        let key: String = key.into_iter().collect();
        let found = broken(&account(&json!({key.clone(): ARN})));
        prop_assert_eq!(found.contains(&"annotation-key-typo"), key != KEY, "{}", key);
    }
}
