//! A policy is refused, or evaluated: the same however it is written, never against a denial, and the proposed repair does
//! what it says.
#![no_main]

use irsa::policy::{Context, Decision, Document, Principal, Request, WebIdentity, evaluate, nearest};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fuzz_target!(|text: &str| {
    let Ok(document) = Document::parse(text) else { return };
    let pretty = Document::parse(&document.pretty()).expect("a policy is written as one");
    let line = Document::parse(&document.line()).expect("a policy is written as one");
    for request in requests() {
        let evaluation = evaluate(&document, &request);
        for again in [&document, &pretty, &line] {
            assert_eq!(evaluate(again, &request).decision, evaluation.decision);
        }
        let denied = Document::parse(&with_denial(&document)).expect("one more statement");
        let after = evaluate(&denied, &request).decision;
        assert!(matches!(after, Decision::ExplicitDeny { .. }), "{after:?} in spite of the denial");
        if let Some(nearest) = nearest(&evaluation) {
            let corrected = Document::parse(&nearest.corrected.pretty()).expect("the proposal is a policy");
            assert_eq!(
                evaluate(&corrected, &request).decision,
                nearest.after,
                "the repair does what it says"
            );
            assert_ne!(nearest.after, Decision::NoMatch, "it repairs something");
        }
    }
});

/// Who may ask: a token, a service, a role.
fn requests() -> [Request; 3] {
    let token = Request::web_identity(WebIdentity {
        provider_arn: "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A",
        issuer: "oidc.eks.eu-west-1.amazonaws.com/id/A",
        sub: "system:serviceaccount:shop:checkout",
        aud: &["sts.amazonaws.com"],
    });
    let asks = |principal| Request {
        principal,
        action: String::from("sts:AssumeRole"),
        resource: Some(String::from("arn:aws:iam::111122223333:role/app")),
        context: Context::default(),
    };
    let role = Principal::Aws {
        arn: String::from("arn:aws:sts::111122223333:assumed-role/app/session"),
        role_arn: Some(String::from("arn:aws:iam::111122223333:role/app")),
    };
    [token, asks(Principal::Service(String::from("pods.eks.amazonaws.com"))), asks(role)]
}

/// The document with a statement that denies everything to everyone.
fn with_denial(document: &Document) -> String {
    let mut json: Value = serde_json::from_str(&document.line()).expect("JSON");
    let denial = json!({"Effect": "Deny", "Principal": "*", "Action": "*"});
    match &mut json["Statement"] {
        Value::Array(statements) => statements.push(denial),
        single => *single = json!([single.take(), denial]),
    }
    json.to_string()
}
