//! A policy is refused, or evaluated: the same however it is written, never against a denial, and the proposed repair does
//! what it says.
#![no_main]

use std::iter;

use irsa::policy::{
    Call, Context, Decision, Document, Principal, Reach, Request, WebIdentity, evaluate, nearest,
};
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
            assert_ne!(nearest.change.correction.reach(), Reach::Namespace, "it lets in one more");
            for change in iter::once(&nearest.change).chain(&nearest.wider) {
                let (text, after) = (change.correction.document().pretty(), change.correction.after());
                let corrected = Document::parse(&text).expect("the proposal is a policy");
                assert_eq!(evaluate(&corrected, &request).decision, *after, "the repair does what it says");
                assert_ne!(*after, Decision::NoMatch, "it repairs something");
            }
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
    let asks = |principal, call| Request {
        principal,
        action: String::from("sts:AssumeRole"),
        resource: Some(String::from("arn:aws:iam::111122223333:role/app")),
        context: Context::of(call),
    };
    let role = Principal::Aws {
        arn: String::from("arn:aws:sts::111122223333:assumed-role/app/session"),
        role_arn: Some(String::from("arn:aws:iam::111122223333:role/app")),
    };
    let service = Principal::Service(String::from("pods.eks.amazonaws.com"));
    [token, asks(service, Call::Service), asks(role, Call::RoleSession)]
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
