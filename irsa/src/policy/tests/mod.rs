//! Facts about IAM, as tables; and properties that hold for every policy.

mod conformance;
mod documentation;
mod nearest;
mod properties;

use super::*;

/// Issuer, provider and subject of most cases.
const ISSUER: &str = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF";
const PROVIDER: &str = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF";
const SUB: &str = "system:serviceaccount:shop:checkout";

fn web_identity(sub: &str) -> Request {
    let aud = &["sts.amazonaws.com"];
    Request::web_identity(WebIdentity { provider_arn: PROVIDER, issuer: ISSUER, sub, aud })
}

/// A policy with `$ISSUER`, `$PROVIDER` and `$SUB` filled in.
fn policy(text: &str) -> Document {
    let text = text.replace("$ISSUER", ISSUER).replace("$PROVIDER", PROVIDER).replace("$SUB", SUB);
    Document::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A statement about web identities around what differs from case to case.
fn trust(rest: &str) -> String {
    let comma = if rest.is_empty() { "" } else { "," };
    format!(
        r#"{{"Effect":"Allow","Principal":{{"Federated":"$PROVIDER"}},"Action":"sts:AssumeRoleWithWebIdentity"{comma}{rest}}}"#
    )
}

/// The answer in one word.
fn word(decision: &Decision) -> &'static str {
    match decision {
        Decision::Allow { .. } => "allow",
        Decision::ExplicitDeny { .. } => "deny",
        Decision::NoMatch => "no match",
        Decision::Unknown { .. } => "unknown",
    }
}

/// Condition keys with their values.
type Keys<'a> = &'a [(&'a str, &'a [&'a str])];

fn context(keys: Keys<'_>) -> Context {
    let mut context = Context::default();
    for (key, values) in keys {
        context.set(*key, Value::Present(values.iter().map(|value| (*value).to_owned()).collect()));
    }
    context
}

/// Whether a condition block holds, for a request with these keys.
fn holds(block: &str, keys: Keys<'_>) -> Tri {
    let request = Request {
        principal: Principal::Holder,
        action: "a:b".into(),
        resource: None,
        context: context(keys),
    };
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{block}}}}}"#
    );
    let document = policy(&text);
    let evaluation = evaluate(&document, &request);
    let matched = evaluation.statements[0].matched;
    let decided = match matched {
        Tri::True => "allow",
        Tri::False => "no match",
        Tri::Unknown => "unknown",
    };
    assert_eq!(word(&evaluation.decision), decided);
    matched
}
