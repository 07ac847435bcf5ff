//! What a change of a trust policy gives and takes: judged by the fake's own evaluator, which shares no code with the plugin's.

use super::policy::{Caller, Decision, Request, evaluate};
use serde_json::Value;
use std::collections::BTreeMap;

/// The service account that a change is for.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The issuer of its tokens, without `https://`.
    pub issuer: &'a str,
    /// ARN of the issuer's provider in the role's account.
    pub provider: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Subjects of its namespace that no service account has.
    pub vacant: &'a [String],
}

/// Whom a change may let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant {
    /// The service account, and nobody else.
    Alone,
    /// Others of its namespace as well.
    Namespace,
}

/// What is wrong with a change: the service account is not let in, somebody else is, or somebody loses the role.
pub fn problems(before: &str, after: &str, asker: Asker<'_>, meant: Meant) -> Vec<String> {
    let mut problems = Vec::new();
    let Asker { issuer, provider, namespace, name, vacant } = asker;
    let own = format!("system:serviceaccount:{namespace}:{name}");
    let audiences: Vec<String> =
        audiences(after).into_iter().chain([String::from("sts.amazonaws.com")]).collect();
    let let_in = |aud: &String| decide(after, provider, issuer, &own, aud);
    let answers: Vec<_> = audiences.iter().map(let_in).collect();
    // A denial that was there before stays; what the evaluator does not know is no proof of anything.
    if answers.iter().all(|answer| *answer == Some(Decision::NotAllowed)) {
        problems.push(format!("{own} is not let in"));
    }
    let same_name = format!("system:serviceaccount:another:{name}");
    let subjects = [
        format!("system:serviceaccount:{namespace}:another"),
        format!("system:serviceaccount:{namespace}:{name}x"),
        format!("system:serviceaccount:{namespace}:{name}-x"),
        format!("system:serviceaccount:{namespace}:x{name}"),
        format!("system:serviceaccount:{namespace}x:{name}"),
        format!("system:serviceaccount:{namespace}-x:{name}"),
        format!("system:serviceaccount:x{namespace}:{name}"),
        format!("system:serviceaccount:{namespace}-x:another"),
        same_name.clone(),
        String::from("system:serviceaccount:another:another"),
        String::from("system:serviceaccount:kube-system:default"),
    ];
    let of_own = subjects.iter().cloned().chain(subjects_in(before)).chain(subjects_in(after));
    let (head, _) = provider.split_once(":oidc-provider/").unwrap_or_default();
    let other_issuer = "oidc.eks.eu-west-1.amazonaws.com/id/00000000000000000000000000000000";
    let other_provider = format!("{head}:oidc-provider/{other_issuer}");
    let of_own = of_own.filter(|sub| *sub != own).map(|sub| (provider, issuer, sub));
    let elsewhere = [own.clone(), same_name].map(|sub| (other_provider.as_str(), other_issuer, sub));
    for (provider, issuer, sub) in of_own.chain(elsewhere) {
        for aud in &audiences {
            let was = decide(before, provider, issuer, &sub, aud) == Some(Decision::Allowed);
            let is = decide(after, provider, issuer, &sub, aud) == Some(Decision::Allowed);
            let of_namespace = sub.starts_with(&format!("system:serviceaccount:{namespace}:"));
            if was && !is && !(issuer == asker.issuer && vacant.contains(&sub)) {
                problems.push(format!("{sub} of {issuer} loses the role"));
            }
            if is && !was && !(meant == Meant::Namespace && of_namespace && issuer == asker.issuer) {
                problems.push(format!("{sub} of {issuer} is let in"));
            }
        }
    }
    problems.sort();
    problems.dedup();
    problems
}

/// The decision on a token; `None` if the evaluator does not know it.
fn decide(policy: &str, provider: &str, issuer: &str, sub: &str, aud: &str) -> Option<Decision> {
    let keys = [
        (format!("{issuer}:sub"), sub),
        (format!("{issuer}:aud"), aud),
        (String::from("aws:federatedprovider"), provider),
        (String::from("aws:requestedregion"), "eu-west-1"),
        (String::from("aws:securetransport"), "true"),
        (String::from("aws:viaawsservice"), "false"),
        (String::from("sts:rolesessionname"), "kubectl-irsa-debug"),
    ];
    let context: BTreeMap<String, String> =
        keys.into_iter().map(|(key, value)| (key.to_lowercase(), value.to_owned())).collect();
    let request = Request {
        action: "sts:AssumeRoleWithWebIdentity",
        caller: Caller::Provider(provider),
        context: &context,
    };
    evaluate(policy, &request).ok()
}

/// The audiences that a policy names.
fn audiences(policy: &str) -> Vec<String> {
    named(policy, &|key, _| key.to_lowercase().ends_with(":aud"))
}

/// The service accounts that a policy names, and one for each pattern.
pub fn subjects_in(policy: &str) -> Vec<String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:".contains(c);
    let values = named(policy, &|_, value| value.starts_with("system:serviceaccount:"));
    let values = values.into_iter().map(|value| value.replace(['*', '?'], "z"));
    values.filter(|value| value.chars().all(plain) && value.matches(':').count() == 3).collect()
}

/// The values of conditions that are asked for by key and value.
fn named(policy: &str, is: &dyn Fn(&str, &str) -> bool) -> Vec<String> {
    let Ok(policy) = serde_saphyr::from_str::<Value>(policy) else { return Vec::new() };
    let statements = match &policy["Statement"] {
        Value::Array(statements) => statements.clone(),
        single => vec![single.clone()],
    };
    let mut found = Vec::new();
    for keys in statements.iter().filter_map(|statement| statement["Condition"].as_object()) {
        for (key, values) in keys.values().filter_map(Value::as_object).flatten() {
            let values = values.as_array().cloned().unwrap_or_else(|| vec![values.clone()]);
            let values = values.iter().filter_map(Value::as_str);
            found.extend(values.filter(|value| is(key, value)).map(str::to_owned));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const PROVIDER: &str = "arn:aws:iam::111122223333:oidc-provider/issuer.example/id/A";
    const ASKER: Asker<'_> = Asker {
        issuer: "issuer.example/id/A",
        provider: PROVIDER,
        namespace: "shop",
        name: "checkout",
        vacant: &[],
    };

    fn trusts(operator: &str, sub: &str) -> String {
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {operator: {"issuer.example/id/A:sub": sub}}}]})
        .to_string()
    }

    #[test]
    fn what_a_change_gives_and_takes() {
        let pattern = trusts("StringEquals", "system:serviceaccount:shop:*");
        let exact = trusts("StringEquals", "system:serviceaccount:shop:checkout");
        let namespace = trusts("StringLike", "system:serviceaccount:shop:*");
        let cluster = trusts("StringLike", "system:serviceaccount:*");
        assert_eq!(problems(&pattern, &exact, ASKER, Meant::Alone), [""; 0]);
        assert_eq!(problems(&pattern, &namespace, ASKER, Meant::Namespace), [""; 0]);
        assert!(!problems(&pattern, &namespace, ASKER, Meant::Alone).is_empty());
        assert!(!problems(&pattern, &cluster, ASKER, Meant::Namespace).is_empty());
        assert_eq!(
            problems(&pattern, &pattern, ASKER, Meant::Alone),
            ["system:serviceaccount:shop:checkout is not let in"]
        );
        let other = trusts("StringEquals", "system:serviceaccount:shop:cart");
        let lost = problems(&other, &exact, ASKER, Meant::Alone);
        assert_eq!(lost, ["system:serviceaccount:shop:cart of issuer.example/id/A loses the role"]);
    }
}
