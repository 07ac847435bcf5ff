//! Trust policies with faults: what the core proposes lets in the service account, nobody else, and takes the role from nobody,
//! by the word of the fake's own evaluator.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use irsa::policy::{Document, Reach, Request, WebIdentity, evaluate, nearest};
use irsa_tests::aws::trust_change::{Asker, Meant, problems};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

const ISSUER: &str = "oidc.eks.eu-west-1.amazonaws.com/id/4F1E27D9A0B84C6E93D5720AB81C6EF3";
const PROVIDER: &str = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/4F1E27D9A0B84C6E93D5720AB81C6EF3";

/// A statement that may be meant for the service account, with a fault or two.
fn statement() -> impl Strategy<Value = Value> {
    let principal = select(vec![
        json!({"Federated": PROVIDER}),
        json!({"Federated": PROVIDER}),
        json!({"Federated": format!("arn:aws:iam::444455556666:oidc-provider/{ISSUER}")}),
        json!({"Federated": [PROVIDER, "arn:aws:iam::111122223333:oidc-provider/other.example/id/1"]}),
        json!({"Federated": format!("arn:aws:iam::111122223333:oidc-provider/https://{ISSUER}")}),
        json!({"Service": "eks.amazonaws.com"}),
        json!({"AWS": "arn:aws:iam::111122223333:root"}),
    ]);
    let action = select(vec![
        json!("sts:AssumeRoleWithWebIdentity"),
        json!("sts:AssumeRoleWithWebIdentity"),
        json!(["sts:TagSession", "sts:AssumeRole"]),
        json!("sts:AssumeRole"),
    ]);
    let effect = select(vec!["Allow", "Allow", "Allow", "Allow", "Allow", "Deny"]);
    let conditions = prop::collection::vec((operator(), key(), values()), 0..4);
    (effect, principal, action, conditions).prop_map(|(effect, principal, action, conditions)| {
        let mut block = json!({});
        for (operator, key, values) in conditions {
            block[operator][key] = json!(values);
        }
        json!({"Effect": effect, "Principal": principal, "Action": action, "Condition": block})
    })
}

fn operator() -> impl Strategy<Value = &'static str> {
    select(vec![
        "StringEquals",
        "StringEquals",
        "StringLike",
        "StringEqualsIgnoreCase",
        "StringEqualsIfExists",
        "StringNotLike",
        "ForAnyValue:StringLike",
        "ForAnyValue:StringEquals",
    ])
}

fn key() -> impl Strategy<Value = String> {
    let keys = [
        "ISSUER:sub",
        "ISSUER:sub",
        "ISSUER:sub",
        "ISSUER:aud",
        "https://ISSUER/:sub",
        "oidc.eks.eu-west-1.amazonaws.com/id/0:sub",
        "aws:PrincipalTag/team",
        "aws:FederatedProvider",
        "aws:ViaAWSService",
        "aws:RequestedRegion",
        "sts:ExternalId",
    ];
    select(keys.to_vec()).prop_map(|key| key.replace("ISSUER", ISSUER))
}

fn values() -> impl Strategy<Value = Vec<&'static str>> {
    let values = vec![
        "system:serviceaccount:shop:checkout",
        "system:serviceaccount:shop:*",
        "system:serviceaccount:*",
        "system:serviceaccount:*:checkout",
        "system:serviceaccount:sho*:checkout",
        "system:serviceaccount:Shop:check*",
        "System:ServiceAccount:shop:checkout",
        "system:serviceaccount:shop:chekout",
        "system:serviceaccount:shop:cart",
        "system:serviceaccount:billing:invoice",
        "shop:checkout",
        "system:serviceaccount:shop/checkout",
        "sts.amazonaws.com",
        "sts.*",
        "false",
        "eu-west-1",
        "*",
    ];
    prop::collection::vec(select(values), 1..3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_proposed_lets_in_one_more(statements in prop::collection::vec(statement(), 0..3)) {
        let before = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let document = Document::parse(&before).unwrap();
        let aud = &["sts.amazonaws.com"];
        let sub = "system:serviceaccount:shop:checkout";
        let mut request = Request::web_identity(WebIdentity { provider_arn: PROVIDER, issuer: ISSUER, sub, aud });
        let region = irsa::policy::Value::Present(vec![String::from("eu-west-1")]);
        request.context.set("aws:RequestedRegion", region);
        let Some(nearest) = nearest(&evaluate(&document, &request)) else { return Ok(()) };
        let asker = Asker { issuer: ISSUER, provider: PROVIDER, namespace: "shop", name: "checkout", vacant: &[] };
        for change in std::iter::once(&nearest.change).chain(&nearest.wider) {
            let wide = change.correction.reach() == Reach::Namespace;
            let meant = if wide { Meant::Namespace } else { Meant::Alone };
            let found = problems(&before, &change.correction.document().line(), asker, meant);
            prop_assert!(found.is_empty(), "{found:?}\n{before}\n{}", change.correction.document().line());
        }
    }
}
