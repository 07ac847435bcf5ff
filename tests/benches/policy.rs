//! How long a fleet's trust policies take: `cargo bench -p irsa-tests --bench policy`.
//!
//! 2,000 roles, each asked by ten service accounts, with every trace kept; the aim is a second on one core.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::expect_used, reason = "a bench fails by panicking")]

use criterion::{Criterion, criterion_group, criterion_main};
use irsa::policy::{Decision, Document, Request, WebIdentity, evaluate, nearest};

const ROLES: usize = 2_000;
const SUBJECTS: usize = 10;
const ISSUER: &str = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF";

/// A policy with two clusters' statements, of which the second is this one's.
fn policy(role: usize) -> String {
    let statement = |issuer: &str, condition: String| {
        format!(
            r#"{{"Sid":"Cluster","Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::111122223333:oidc-provider/{issuer}"}},
                 "Action":["sts:AssumeRoleWithWebIdentity"],"Condition":{{{condition}}}}}"#
        )
    };
    let other = "oidc.eks.us-east-1.amazonaws.com/id/FEDCBA9876543210FEDCBA9876543210";
    let (namespace, name) = (role % 100, role % SUBJECTS);
    let aud = |issuer: &str| format!(r#""{issuer}:aud":"sts.amazonaws.com""#);
    let sub = |issuer: &str, name: &str| {
        format!(r#""{issuer}:sub":"system:serviceaccount:team-{namespace}:{name}""#)
    };
    let like = format!(r#""StringEquals":{{{}}},"StringLike":{{{}}}"#, aud(other), sub(other, "*"));
    let exact = format!(r#""StringEquals":{{{},{}}}"#, aud(ISSUER), sub(ISSUER, &format!("app-{name}")));
    let (like, exact) = (statement(other, like), statement(ISSUER, exact));
    format!(r#"{{"Version":"2012-10-17","Statement":[{like},{exact}]}}"#)
}

fn fleet(criterion: &mut Criterion) {
    let texts: Vec<String> = (0..ROLES).map(policy).collect();
    let documents: Vec<Document> =
        texts.iter().map(|text| Document::parse(text).expect("a policy")).collect();
    let provider_arn = format!("arn:aws:iam::111122223333:oidc-provider/{ISSUER}");
    let requests: Vec<Request> = (0..SUBJECTS)
        .map(|name| {
            let sub = format!("system:serviceaccount:team-7:app-{name}");
            let aud = &["sts.amazonaws.com"];
            Request::web_identity(WebIdentity { provider_arn: &provider_arn, issuer: ISSUER, sub: &sub, aud })
        })
        .collect();
    let mut bench = criterion.benchmark_group(format!("{ROLES} roles, {SUBJECTS} subjects"));
    bench.sample_size(10);
    bench.bench_function("parse", |bencher| {
        bencher.iter(|| texts.iter().map(|text| Document::parse(text)).filter(Result::is_ok).count())
    });
    let traces =
        || documents.iter().flat_map(|document| requests.iter().map(|request| evaluate(document, request)));
    bench.bench_function("evaluate, with traces", |bencher| {
        bencher.iter(|| {
            let traces: Vec<_> = traces().collect();
            let allowed = traces.iter().filter(|trace| matches!(trace.decision, Decision::Allow { .. }));
            assert_eq!(allowed.count(), ROLES / 100);
        })
    });
    bench.bench_function("the nearest statement, for a hundred that are refused", |bencher| {
        let refused: Vec<_> =
            traces().filter(|trace| trace.decision == Decision::NoMatch).take(100).collect();
        bencher.iter(|| assert_eq!(refused.iter().filter_map(nearest).count(), 100))
    });
}

criterion_group!(benches, fleet);
criterion_main!(benches);
