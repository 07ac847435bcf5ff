//! One denial, one fault: trust policies and the failure mode that each is.

use super::fault::{self, Fault, FaultKind};
use super::{About, Token, open};
use crate::policy::{Document, Repair, Request, Value, WebIdentity, evaluate, nearest};

const ISSUER: &str = "oidc.eks.eu-west-1.amazonaws.com/id/B61F0D97A2C84E5D93F02AE871C4D5B0";
const OTHER: &str = "oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F60718293A4B5C6D7E8F9";
const SUB: &str = "system:serviceaccount:shop:checkout";
const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

fn token() -> Token {
    Token {
        issuer: ISSUER.to_owned(),
        provider_arn: format!("arn:aws:iam::111122223333:oidc-provider/{ISSUER}"),
        sub: SUB.to_owned(),
        aud: vec!["sts.amazonaws.com".to_owned()],
        source: None,
    }
}

fn request(token: &Token) -> Request {
    let aud: Vec<&str> = token.aud.iter().map(String::as_str).collect();
    let (provider_arn, issuer, sub) = (&*token.provider_arn, &*token.issuer, &*token.sub);
    Request::web_identity(WebIdentity { provider_arn, issuer, sub, aud: &aud })
}

fn fault_of(policy: &str) -> Option<Fault> {
    let (token, document) = (token(), Document::parse(policy).unwrap());
    let mut request = request(&token);
    request.context.set("sts:RoleSessionName", Value::Present(vec!["checkout".to_owned()]));
    let evaluation = evaluate(&document, &request);
    let nearest = nearest(&evaluation).filter(|nearest| matches!(nearest.change.repair, Repair::Edit(_)));
    fault::of(&evaluation, &token, nearest.and_then(|nearest| nearest.statement))
}

fn kind(policy: &str) -> Option<FaultKind> {
    fault_of(policy).map(|fault| fault.kind)
}

/// `OWN` and `OTHER` stand for the issuers of the cluster and of another one.
fn policy(statements: &str) -> String {
    let statements = statements.replace("OWN", ISSUER).replace("OTHER", OTHER);
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

/// A statement for the cluster's provider with these conditions.
fn with(conditions: &str) -> String {
    allow(r#"{"Federated":"arn:aws:iam::111122223333:oidc-provider/OWN"}"#, ACTION, conditions)
}

fn allow(principal: &str, action: &str, conditions: &str) -> String {
    policy(&format!(
        r#"{{"Effect":"Allow","Principal":{principal},"Action":"{action}","Condition":{{{conditions}}}}}"#
    ))
}

#[test]
fn what_lets_the_token_in_is_no_fault() {
    for conditions in [
        "",
        r#""StringEquals":{"OWN:sub":"system:serviceaccount:shop:checkout"}"#,
        r#""StringEquals":{"OWN:SUB":["system:serviceaccount:shop:other","system:serviceaccount:shop:checkout"]}"#,
        r#""StringLike":{"OWN:sub":"system:serviceaccount:shop:*"}"#,
        r#""ForAnyValue:StringEquals":{"OWN:aud":"sts.amazonaws.com"}"#,
        r#""ForAllValues:StringEquals":{"OTHER:sub":"system:serviceaccount:shop:other"}"#,
    ] {
        assert_eq!(kind(&with(conditions)), None, "{conditions}");
    }
}

#[test]
fn conditions() {
    for (conditions, expected) in [
        (r#""StringEquals":{"OWN:sub":"system:serviceaccount:shop:chekout"}"#, FaultKind::SubMismatch),
        (r#""StringEquals":{"OWN:sub":"shop:checkout"}"#, FaultKind::SubMismatch),
        (r#""StringEquals":{"OWN:sub":"system:serviceaccount:ops:backup"}"#, FaultKind::SubMismatch),
        (r#""StringNotEquals":{"OWN:sub":"system:serviceaccount:shop:checkout"}"#, FaultKind::SubMismatch),
        (r#""StringEquals":{"OWN:sub":"system:serviceaccount:shop:*"}"#, FaultKind::WildcardInStringEquals),
        (r#""StringEquals":{"OWN:sub":"system:serviceaccount:ops:*"}"#, FaultKind::SubMismatch),
        (r#""StringEquals":{"OWN:sub":"System:ServiceAccount:shop:checkout"}"#, FaultKind::Case),
        (r#""StringEquals":{"OWN:aud":"sts.amazonaws.com.cn"}"#, FaultKind::AudMismatch),
        (r#""StringEquals":{"OWN:aud":"system:serviceaccount:shop:checkout"}"#, FaultKind::KeyValueSwapped),
        (r#""StringEquals":{"OWN:sub":"sts.amazonaws.com"}"#, FaultKind::KeyValueSwapped),
        (
            r#""StringEquals":{"https://OWN:sub":"system:serviceaccount:shop:checkout"}"#,
            FaultKind::IssuerTypo,
        ),
        (
            r#""StringEquals":{"arn:aws:iam::111122223333:oidc-provider/OWN:sub":"system:serviceaccount:shop:checkout"}"#,
            FaultKind::IssuerTypo,
        ),
        (r#""StringEquals":{"OTHER:sub":"system:serviceaccount:shop:checkout"}"#, FaultKind::IssuerTypo),
        (
            r#""StringEquals":{"OWN:sub":"system:serviceaccount:shop:checkout","OTHER:sub":"system:serviceaccount:shop:checkout"}"#,
            FaultKind::TwoClustersAnded,
        ),
        (r#""StringEquals":{"OWN:iss":"https://OWN"}"#, FaultKind::UnavailableKey),
        (r#""StringEquals":{"aws:PrincipalTag/team":"shop"}"#, FaultKind::UnavailableKey),
        (r#""StringEquals":{"OWN:kubernetes.io/namespace":"shop"}"#, FaultKind::UnavailableKey),
        (r#""StringLike":{"sts:RoleSessionName":"backup-*"}"#, FaultKind::SessionName),
    ] {
        assert_eq!(kind(&with(conditions)), Some(expected), "{conditions}");
    }
}

#[test]
fn principals_and_actions() {
    let sub = r#""StringEquals":{"OWN:sub":"system:serviceaccount:shop:checkout"}"#;
    let other_sub = r#""StringEquals":{"OTHER:sub":"system:serviceaccount:shop:checkout"}"#;
    let own = r#"{"Federated":"arn:aws:iam::111122223333:oidc-provider/OWN"}"#;
    let other = r#"{"Federated":"arn:aws:iam::111122223333:oidc-provider/OTHER"}"#;
    for (principal, action, conditions, expected) in [
        (r#"{"Service":"eks.amazonaws.com"}"#, ACTION, sub, FaultKind::WrongPrincipal),
        (r#"{"Service":"pods.eks.amazonaws.com"}"#, "sts:AssumeRole", "", FaultKind::WrongPrincipal),
        (r#"{"AWS":"arn:aws:iam::111122223333:root"}"#, "sts:AssumeRole", "", FaultKind::WrongPrincipal),
        (r#"{"Federated":"OWN"}"#, ACTION, sub, FaultKind::WrongPrincipal),
        (
            r#"{"Federated":"arn:aws-cn:iam::111122223333:oidc-provider/OWN"}"#,
            ACTION,
            sub,
            FaultKind::WrongPrincipal,
        ),
        (
            r#"{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}"#,
            ACTION,
            r#""StringLike":{"token.actions.githubusercontent.com:sub":"repo:example/shop:*"}"#,
            FaultKind::WrongPrincipal,
        ),
        (
            r#"{"Federated":"arn:aws:iam::444455556666:oidc-provider/OWN"}"#,
            ACTION,
            sub,
            FaultKind::ProviderOtherAccount,
        ),
        (
            r#"{"Federated":"arn:aws:iam::111122223333:oidc-provider/https://OWN"}"#,
            ACTION,
            sub,
            FaultKind::IssuerTypo,
        ),
        (other, ACTION, sub, FaultKind::IssuerTypo),
        (other, ACTION, other_sub, FaultKind::OtherCluster),
        (other, ACTION, "", FaultKind::OtherCluster),
        (
            r#"{"Federated":"arn:aws:iam::111122223333:oidc-provider/s3.example.com/green"}"#,
            ACTION,
            r#""StringEquals":{"s3.example.com/green:sub":"system:serviceaccount:shop:checkout"}"#,
            FaultKind::OtherCluster,
        ),
        (own, "sts:AssumeRole", sub, FaultKind::WrongAction),
        (own, "sts:AssumeRoleWithSAML", sub, FaultKind::WrongAction),
    ] {
        assert_eq!(
            kind(&allow(principal, action, conditions)),
            Some(expected),
            "{principal} {action} {conditions}"
        );
    }
}

#[test]
fn one_statement_for_two_clusters() {
    let both = r#"{"Federated":["arn:aws:iam::111122223333:oidc-provider/OTHER","arn:aws:iam::111122223333:oidc-provider/OWN"]}"#;
    let each = |issuer: &str| format!(r#""{issuer}:sub":"{SUB}","{issuer}:aud":"sts.amazonaws.com""#);
    let conditions = format!(r#""StringEquals":{{{},{}}}"#, each("OTHER"), each("OWN"));
    assert_eq!(kind(&allow(both, ACTION, &conditions)), Some(FaultKind::TwoClustersAnded));
    let conditions = format!(r#""StringEquals":{{{}}}"#, each("OTHER"));
    assert_eq!(kind(&allow(both, ACTION, &conditions)), Some(FaultKind::TwoClustersAnded));
}

#[test]
fn a_denial_comes_first_and_says_what_it_denies() {
    let deny = |conditions: &str| {
        policy(&format!(
            r#"{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::111122223333:oidc-provider/OWN"}},"Action":"{ACTION}"}},
               {{"Sid":"OnlyOps","Effect":"Deny","Principal":"*","Action":"*","Condition":{{{conditions}}}}}"#
        ))
    };
    let fault = fault_of(&deny(r#""StringNotLike":{"OWN:sub":"system:serviceaccount:ops:*"}"#)).unwrap();
    assert_eq!((fault.kind, fault.sid.as_deref()), (FaultKind::Deny, Some("OnlyOps")));
    assert_eq!(fault.misses[0].found, ["system:serviceaccount:ops:*"]);
    assert_eq!(fault.place.unwrap().to_string(), "Statement[1]");
    let absent =
        fault_of(&deny(r#""StringNotEquals":{"OTHER:sub":"system:serviceaccount:shop:checkout"}"#)).unwrap();
    assert!(absent.misses[0].what.contains("does not have that key"), "{absent:?}");
    assert_eq!(kind(&deny(r#""StringEquals":{"OWN:sub":"system:serviceaccount:ops:backup"}"#)), None);
}

#[test]
fn of_several_faults_the_first_to_repair_is_named_and_all_are_shown() {
    let conditions = r#""StringEquals":{"OWN:sub":"system:serviceaccount:shop:chekout","OWN:aud":"wrong"}"#;
    let fault = fault_of(&allow(
        r#"{"Federated":"arn:aws:iam::444455556666:oidc-provider/OWN"}"#,
        "sts:AssumeRole",
        conditions,
    ));
    let kinds: Vec<FaultKind> = fault.unwrap().misses.iter().map(|miss| miss.kind).collect();
    let expected = [
        FaultKind::ProviderOtherAccount,
        FaultKind::WrongAction,
        FaultKind::AudMismatch,
        FaultKind::SubMismatch,
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn the_statement_that_is_meant_is_the_nearest() {
    let statement = |principal: &str, sub: &str| {
        format!(
            r#"{{"Effect":"Allow","Principal":{principal},"Action":"{ACTION}","Condition":{{"StringEquals":{sub}}}}}"#
        )
    };
    let own = r#"{"Federated":"arn:aws:iam::111122223333:oidc-provider/OWN"}"#;
    let fault = fault_of(&policy(
        &[
            r#"{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}"#
                .to_owned(),
            statement(own, r#"{"OWN:sub":"system:serviceaccount:ops:backup"}"#),
            statement(own, r#"{"OWN:sub":"system:serviceaccount:shop:catalogue"}"#),
        ]
        .join(","),
    ))
    .unwrap();
    assert_eq!(fault.kind, FaultKind::SubMismatch);
    assert_eq!(fault.place.unwrap().to_string(), "Statement[2]");
}

#[test]
fn conditions_that_a_new_statement_would_drop_are_noticed() {
    for (condition, expected) in [
        (r#""IpAddress":{"aws:SourceIp":"198.51.100.0/24"}"#, true),
        (r#""StringLike":{"sts:RoleSessionName":"backup-*"}"#, true),
        (r#""Bool":{"aws:SecureTransport":"true"}"#, true),
        (r#""StringEquals":{"OWN:aud":"sts.amazonaws.com"}"#, false),
        (r#""StringEquals":{"aws:PrincipalTag/team":"shop"}"#, false),
    ] {
        let sub = r#""StringLike":{"OWN:sub":"system:serviceaccount:ops:*"}"#;
        // The same operator twice is one too many for a policy.
        let sub = if condition.contains("StringLike") {
            sub.replace("StringLike", "ArnLike")
        } else {
            sub.to_owned()
        };
        let fault = fault_of(&with(&format!("{sub},{condition}"))).unwrap();
        assert_eq!(fault.other_conditions, expected, "{condition}");
    }
}

#[test]
fn the_nearest_value_is_shown_first() {
    let fault = fault_of(&with(
        r#""StringEquals":{"OWN:sub":["system:serviceaccount:ops:backup","system:serviceaccount:shop:checkouts"]}"#,
    ));
    assert_eq!(fault.unwrap().misses[0].found[0], "system:serviceaccount:shop:checkouts");
}

#[test]
fn a_policy_without_allow_is_a_fault() {
    for statements in ["", r#"{"Effect":"Deny","Principal":"*","Action":"sts:TagSession"}"#] {
        let fault = fault_of(&policy(statements)).unwrap();
        assert_eq!((fault.kind, fault.place), (FaultKind::WrongPrincipal, None));
    }
}

#[test]
fn what_is_not_known_is_named() {
    for (conditions, about) in [
        (r#""StringEquals":{"aws:SourceVpce":"vpce-0a1b2c3d4e5f60718"}"#, About::Network),
        (r#""IpAddress":{"AWS:sourceip":"198.51.100.0/24"}"#, About::Network),
        (r#""StringLike":{"sts:RoleSessionName":"checkout-*"}"#, About::SessionName),
        (r#""StringEquals":{"aws:ResourceTag/team":"shop"}"#, About::Other),
        (r#""__doc_comment":"only for the shop""#, About::Other),
    ] {
        let (document, token) = (Document::parse(&with(conditions)).unwrap(), token());
        let request = request(&token);
        let evaluation = evaluate(&document, &request);
        let found: Vec<About> = open(&evaluation).iter().map(|open| open.about).collect();
        assert_eq!(found, [about], "{conditions}");
        assert_eq!(fault::of(&evaluation, &token, None), None, "{conditions}");
    }
}
