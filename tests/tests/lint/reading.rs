//! What is read, what is not known, and what is no fault.

use irsa::lint::{Lint, Options, Report};
use proptest::prelude::*;

use crate::lint::change_set::ChangeSet;
use crate::{judged, reported};

const ISSUER: &str = "oidc.eks.eu-west-1.amazonaws.com/id/4F1E27D9A0B84C6E93D5720AB81C6EF3";

fn one(name: &str, text: &str) -> Report {
    judged(&[(name.to_owned(), text.to_owned())])
}

fn ids(report: &Report) -> Vec<&'static str> {
    report.problems.iter().map(|problem| problem.id).collect()
}

/// A role as a resource of a template.
fn role(name: &str, federated: &str, sub: &str) -> String {
    format!(
        "Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: {name}
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          Effect: Allow
          Principal: {{Federated: {federated}}}
          Action: sts:AssumeRoleWithWebIdentity
          Condition: {{StringEquals: {{'{ISSUER}:sub': {sub}}}}}
"
    )
}

fn account(namespace: &str, role: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: checkout\n{namespace}  annotations:\n    eks.amazonaws.com/role-arn: {role}\n"
    )
}

const ARN: &str = "arn:aws:iam::111122223333:role/shop-checkout";

/// IAM does not use the thumbprints of EKS's issuers, whatever a widely copied rule says.
#[test]
fn thumbprints_are_never_demanded() {
    for list in [
        "",
        "      ThumbprintList: []\n",
        "      ThumbprintList: ['0000000000000000000000000000000000000000']\n",
    ] {
        let text = format!(
            "Resources:\n  P:\n    Type: AWS::IAM::OIDCProvider\n    Properties:\n      Url: https://{ISSUER}\n      ClientIdList: [sts.amazonaws.com]\n{list}"
        );
        assert!(one("t.yaml", &text).problems.is_empty(), "{list}");
    }
}

/// What cannot be resolved is never a fault; what is known around it is compared.
#[test]
fn functions_that_cannot_be_resolved() {
    let arn = format!("arn:aws:iam::111122223333:oidc-provider/{ISSUER}");
    let good = "system:serviceaccount:shop:checkout";
    let fine = [
        (String::from("!ImportValue provider"), good.to_owned()),
        (
            String::from("!Sub 'arn:${AWS::Partition}:iam::${AWS::AccountId}:oidc-provider/${Issuer}'"),
            good.to_owned(),
        ),
        (arn.clone(), String::from("!Sub 'system:serviceaccount:${Namespace}:checkout'")),
        (arn.clone(), String::from("!Ref Subject")),
        (arn.clone(), String::from("!If [a, b, c]")),
        (arn.clone(), String::from("!Join [':', [system, serviceaccount, shop, checkout]]")),
        (
            String::from(
                "!Join ['', ['arn:aws:iam::', !Ref 'AWS::AccountId', ':oidc-provider/', !Select [1, !Split ['//', !GetAtt C.OpenIdConnectIssuerUrl]]]]",
            ),
            good.to_owned(),
        ),
    ];
    for (federated, sub) in fine {
        let files = [
            ("t.yaml".to_owned(), role("shop-checkout", &federated, &sub)),
            ("m.yaml".to_owned(), account("  namespace: shop\n", ARN)),
        ];
        let report = judged(&files);
        assert!(report.problems.is_empty() && report.unread.is_empty(), "{federated} {sub}: {report:?}");
    }
    for sub in [
        "!Sub 'system:serviceaccount:${Namespace}:basket'",
        "!Join [':', [system, serviceaccount, shop, !Ref X, y]]",
    ] {
        let files = [
            ("t.yaml".to_owned(), role("shop-checkout", &arn, sub)),
            ("m.yaml".to_owned(), account("  namespace: shop\n", ARN)),
        ];
        assert_eq!(ids(&judged(&files)), ["trust-sub-mismatch"], "{sub}");
    }
    // Another account than the one that is known.
    let files = [
        ("t.yaml".to_owned(), role("shop-checkout", &arn.replace("1111", "9999"), good)),
        ("m.yaml".to_owned(), account("  namespace: shop\n", ARN)),
    ];
    assert_eq!(ids(&judged(&files)), ["trust-provider-other-account"]);
}

/// A whole policy as a text, for the sake of a function in a key.
#[test]
fn a_policy_as_text() {
    let policy = |sub: &str| {
        format!(
            "Parameters: {{Name: {{Type: String, Default: checkout}}}}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: shop-checkout
      AssumeRolePolicyDocument: !Sub |
        {{\"Version\": \"2012-10-17\", \"Statement\": [{{\"Effect\": \"Allow\",
          \"Principal\": {{\"Federated\": \"arn:aws:iam::${{AWS::AccountId}}:oidc-provider/${{Issuer}}\"}},
          \"Action\": \"sts:AssumeRoleWithWebIdentity\",
          \"Condition\": {{\"StringEquals\": {{\"{ISSUER}:sub\": \"{sub}\"}}}}}}]}}
"
        )
    };
    for (sub, expected) in [
        ("system:serviceaccount:shop:${Name}", &[][..]),
        ("system:serviceaccount:shop:${Name}s", &["trust-sub-mismatch"]),
        ("system:serviceaccount:shop:${Unknown}", &[]),
    ] {
        let files =
            [("t.yaml".to_owned(), policy(sub)), ("m.yaml".to_owned(), account("  namespace: shop\n", ARN))];
        assert_eq!(ids(&judged(&files)), expected, "{sub}");
    }
}

/// A manifest without a namespace goes where it is sent: what is known is compared.
#[test]
fn a_namespace_that_is_not_known() {
    let arn = format!("arn:aws:iam::111122223333:oidc-provider/{ISSUER}");
    let files = |sub: &str| {
        [("t.yaml".to_owned(), role("shop-checkout", &arn, sub)), ("m.yaml".to_owned(), account("", ARN))]
    };
    assert!(judged(&files("system:serviceaccount:shop:checkout")).problems.is_empty());
    assert_eq!(ids(&judged(&files("system:serviceaccount:shop:basket"))), ["trust-sub-mismatch"]);
    let sent = |namespace: &str| {
        let mut lint = Lint::default();
        for (name, text) in files("system:serviceaccount:shop:checkout") {
            lint.file(&name, text.into_bytes(), false);
        }
        lint.report(&Options { namespace: Some(namespace.to_owned()), ..Options::default() })
    };
    assert!(sent("shop").problems.is_empty());
    assert_eq!(ids(&sent("other")), ["trust-sub-mismatch"]);
}

#[test]
fn the_issuer_that_the_user_names() {
    let arn = format!("arn:aws:iam::111122223333:oidc-provider/{ISSUER}");
    let with = |issuer: &str| {
        let mut lint = Lint::default();
        lint.file(
            "t.yaml",
            role("shop-checkout", &arn, "system:serviceaccount:shop:checkout").into_bytes(),
            false,
        );
        lint.file("m.yaml", account("  namespace: shop\n", ARN).into_bytes(), false);
        lint.report(&Options { issuer: Some(issuer.to_owned()), ..Options::default() })
    };
    assert!(with(&format!("https://{ISSUER}")).problems.is_empty());
    let other = "https://oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F60718293A4B5C6D7E8F9";
    assert_eq!(ids(&with(other)), ["oidc-other-cluster"]);
}

/// The overlays of two environments in one directory: each is judged.
#[test]
fn an_object_that_is_there_twice() {
    let files = ["staging", "prod", "test"].map(|name| {
        let role = if name == "prod" { "arn:aws:iam::111122223333:shop-checkout" } else { ARN };
        (format!("{name}.yaml"), account("  namespace: shop\n", role))
    });
    let found: Vec<_> = reported(&judged(&files)).into_iter().collect();
    assert_eq!(found, [("role-arn-malformed".to_owned(), "prod.yaml".to_owned(), 7)]);
}

#[test]
fn lists_streams_and_what_is_no_object() {
    let item =
        r#"{"metadata":{"name":"a","namespace":"b","annotations":{"eks.amazonaws.com/role-arn":"x:y"}}}"#;
    let list = format!(r#"{{"apiVersion":"v1","kind":"ServiceAccountList","items":[{item}]}}"#);
    assert_eq!(ids(&one("l.json", &list)), ["role-arn-malformed"]);
    let object = item.replacen('{', r#"{"apiVersion":"v1","kind":"ServiceAccount","#, 1);
    let stream = format!("{object}\n{}\n", object.replace("\"a\"", "\"c\""));
    assert_eq!(ids(&one("s.json", &stream)).len(), 2);
    // A chart that is not rendered, and values beside it.
    let mut lint = Lint::default();
    lint.file(
        "t.yaml",
        b"apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {{ .Values.name }}\n".into(),
        true,
    );
    lint.file("values.yaml", b"a: b\n".into(), true);
    lint.file(
        "q.yaml",
        b"apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: '{{ .Values.name }}'}\n".into(),
        true,
    );
    let report = lint.report(&Options::default());
    assert_eq!((report.skipped.len(), report.unread.len()), (3, 0), "{report:?}");
    assert!(report.checked.is_nothing());
}

/// Values that are known after apply: nothing is wrong with them, and what could not be checked is said.
#[test]
fn known_after_apply() {
    let plan = include_str!("plan.json");
    let report = one("plan.json", plan);
    assert_eq!(
        ids(&report),
        ["pi-trust"],
        "the association refers to the role, and the role's policy is known"
    );
    let said: Vec<&str> = report.unchecked.iter().map(|one| one.words.as_str()).collect();
    assert_eq!(said, ["aws_iam_role.later: its trust policy is known after apply"]);
    // `terraform show -json` of a state, and a plan without changes.
    let state = format!(
        r#"{{"terraform_version":"1.9.0","values":{{"root_module":{{"child_modules":[{{"resources":[{{"address":"module.a.aws_iam_openid_connect_provider.p",
        "mode":"managed","type":"aws_iam_openid_connect_provider","values":{{"url":"{ISSUER}","client_id_list":["x"]}}}}]}}]}}}}}}"#
    );
    assert_eq!(ids(&one("state.json", &state)), ["oidc-client-id"]);
}

/// A manifest in a plan, and one that a template engine of the cluster fills in.
#[test]
fn manifests_in_a_plan() {
    let plan = |role: &str| {
        format!(
            r#"{{"terraform_version":"1.9.0","resource_changes":[{{"address":"kubernetes_manifest.a","mode":"managed","type":"kubernetes_manifest",
            "change":{{"actions":["create"],"after":{{"manifest":{{"apiVersion":"v1","kind":"ServiceAccount","metadata":{{"name":"a","namespace":"b",
            "annotations":{{"eks.amazonaws.com/role-arn":{role}}}}}}}}},"after_unknown":{{"manifest":{{"metadata":{{"annotations":{{"eks.amazonaws.com/role-arn":{}}}}}}}}}}}}}]}}"#,
            role == "null"
        )
    };
    assert_eq!(ids(&one("p.json", &plan("\"x/y:z\""))), ["role-arn-malformed"]);
    assert!(one("p.json", &plan("null")).problems.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever is in a file, it is read or refused with its place.
    #[test]
    fn bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut lint = Lint::default();
        lint.file("x", bytes, false);
        let report = lint.report(&Options::default());
        prop_assert!(report.problems.is_empty());
    }

    /// A change set that is cut or altered somewhere.
    #[test]
    fn altered(seed in 0..400u64, at in any::<prop::sample::Index>(), with in "[\\x00-\\x7f]{0,3}", cut in any::<bool>()) {
        let set = ChangeSet::generate(seed, true);
        let mut lint = Lint::default();
        for (name, text) in set.files {
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            if cut {
                bytes.truncate(at);
            } else {
                bytes.splice(at..(at + 1).min(bytes.len()), with.bytes());
            }
            lint.file(&name, bytes, true);
        }
        let report = lint.report(&Options::default());
        let text = irsa::output::lint::text(&report, &irsa::output::Style::default());
        prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    }
}

/// A statement that matches nobody is an error where it is all that the role has for a cluster; beside others it may be a leftover.
#[test]
fn what_another_statement_makes_up_for_is_a_warning() {
    use irsa::severity::Severity;
    let statement = |sub: &str| {
        format!(
            "          - Effect: Allow\n            Principal: {{Federated: 'arn:aws:iam::111122223333:oidc-provider/{ISSUER}'}}\n            \
             Action: sts:AssumeRoleWithWebIdentity\n            Condition: {{StringEquals: {{'{ISSUER}:sub': '{sub}'}}}}\n"
        )
    };
    let template = |statements: &str| {
        format!(
            "Resources:\n  Role:\n    Type: AWS::IAM::Role\n    Properties:\n      RoleName: r\n      AssumeRolePolicyDocument:\n        \
             Version: '2012-10-17'\n        Statement:\n{statements}"
        )
    };
    let (pattern, exact) =
        (statement("system:serviceaccount:shop:*"), statement("system:serviceaccount:shop:checkout"));
    let severity = |text: &str| {
        let report = one("t.yaml", text);
        report.problems.iter().map(|problem| (problem.id, problem.severity)).collect::<Vec<_>>()
    };
    let id = "trust-wildcard-in-stringequals";
    assert_eq!(severity(&template(&pattern)), [(id, Severity::Error)]);
    assert_eq!(severity(&template(&format!("{exact}{pattern}"))), [(id, Severity::Warning)]);
    assert_eq!(severity(&template(&exact)), []);
}

/// The annotation on the workload itself, beside a service account without one.
#[test]
fn on_the_workload_itself() {
    let text = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a, namespace: b}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  \
                name: d\n  namespace: b\n  annotations:\n    eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/x\nspec:\n  \
                selector: {matchLabels: {app: d}}\n  template:\n    metadata: {labels: {app: d}}\n    spec:\n      serviceAccountName: a\n      \
                containers: [{name: c, image: i}]\n";
    let found: Vec<_> = reported(&one("d.yaml", text)).into_iter().collect();
    assert_eq!(found, [("annotation-on-wrong-object".to_owned(), "d.yaml".to_owned(), 11)]);
}

/// A name that the API server makes up, and none at all.
#[test]
fn without_a_name() {
    let job = |metadata: &str| {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {metadata}\nspec:\n  template:\n    spec:\n      containers:\n        - name: c\n          \
             env:\n            - {{name: AWS_REGION, value: eu-west-1a}}\n"
        )
    };
    assert_eq!(ids(&one("j.yaml", &job("{generateName: import-, namespace: b}"))), ["region-bogus"]);
    let nameless = one("j.yaml", &job("{}"));
    let said: Vec<&str> = nameless.unchecked.iter().map(|one| one.words.as_str()).collect();
    assert_eq!((ids(&nameless), said), (vec![], vec!["Job: it has no name"]));
}

/// Gaps in keys, and where a policy needs more than a text.
#[test]
fn gaps_in_the_form_of_a_policy() {
    let condition = |block: &str| {
        role("shop-checkout", &format!("arn:aws:iam::111122223333:oidc-provider/{ISSUER}"), "x")
            .replace(&format!("{{StringEquals: {{'{ISSUER}:sub': x}}}}"), block)
    };
    for block in
        ["!Ref Condition", "{StringEquals: !GetAtt Custom.Conditions}", "{StringEquals: !If [a, b, c]}"]
    {
        let report = one("t.yaml", &condition(block));
        assert_eq!((ids(&report), report.unchecked.len()), (vec![], 1), "{block}: {report:?}");
    }
    let keys = |sub: &str, aud: &str| {
        let policy = format!(
            "!Sub '{{\"Version\":\"2012-10-17\",\"Statement\":{{\"Effect\":\"Allow\",\"Principal\":{{\"Federated\":\"arn:aws:iam::111122223333:oidc-provider/{ISSUER}\"}},\
             \"Action\":\"sts:AssumeRoleWithWebIdentity\",\"Condition\":{{\"StringEquals\":{{\"{sub}\":\"system:serviceaccount:a:b\",\"{aud}\":\"sts.amazonaws.com\"}}}}}}}}'"
        );
        format!(
            "Resources: {{R: {{Type: AWS::IAM::Role, Properties: {{AssumeRolePolicyDocument: {policy}}}}}}}\n"
        )
    };
    assert_eq!(ids(&one("t.yaml", &keys("${A}:sub", "${A}:aud"))), Vec::<&str>::new());
    assert_eq!(ids(&one("t.yaml", &keys("${A}:sub", "${B}:sub"))), Vec::<&str>::new());
    let wholly = one("t.yaml", &keys("${A}", "${B}"));
    assert_eq!((ids(&wholly), wholly.unchecked.len()), (vec![], 1));
}

/// Who is meant by a pattern is not known, and that is how it is said.
#[test]
fn what_stands_for_any_is_said_so() {
    let arn = format!("arn:aws:iam::111122223333:oidc-provider/{ISSUER}");
    let report = one("t.yaml", &role("r", &arn, "'system:serviceaccount:shop:app-*'"));
    let [problem] = report.problems.as_slice() else { panic!("{report:?}") };
    assert_eq!(problem.expected.as_deref(), Some("system:serviceaccount:shop:app-<name>"));
    assert!(
        problem.fix.as_ref().is_some_and(|fix| fix.contains("system:serviceaccount:shop:app-<name>")),
        "{problem:?}"
    );
}
