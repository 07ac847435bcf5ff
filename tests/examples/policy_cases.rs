//! Writes policies and requests with our answers, a JSON object on each line, for `tests/differential`.
//!
//! `cargo run -p irsa-tests --example policy_cases -- COUNT SEED`

use std::io::{BufWriter, Write};

use irsa::policy::{
    Call, Context, Decision, Document, Evaluation, Found, Principal, Reason, Request, Tri, Value, evaluate,
};
use serde_json::{Map, Value as Json, json};

const ISSUER: &str = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF";
const PROVIDER: &str = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF";
const SUB: &str = "system:serviceaccount:shop:checkout";
const ROLE: &str = "arn:aws:iam::111122223333:role/app";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:111122223333:orders:dead";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse());
    let (count, seed) = (number(100_000)?, number(1)?);
    let mut random = Random(seed);
    let mut out = BufWriter::new(std::io::stdout().lock());
    for _ in 0..count {
        writeln!(out, "{}", case(&mut random)?)?;
    }
    out.flush()?;
    Ok(())
}

/// SplitMix64: the same cases for the same seed on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap_or(0)
    }

    /// True once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// A key with values that it may have, and operators and values that policies may ask of it.
struct Key {
    names: &'static [&'static str],
    found: &'static [&'static str],
    operators: &'static [&'static str],
    expected: &'static [&'static str],
}

const STRINGS: [&str; 6] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
];

const KEYS: &[Key] = &[
    Key {
        names: &["ISSUER:sub", "issuer:SUB", "other/id/1:sub"],
        found: &[SUB, "system:serviceaccount:shop:cart", "system:serviceaccount:Shop:checkout", "a*b"],
        operators: &STRINGS,
        expected: &[
            SUB,
            "system:serviceaccount:shop:*",
            "system:serviceaccount:SHOP:check*",
            "*:c?rt",
            "*",
            "??????*checkout",
            "system:serviceaccount:${aws:PrincipalTag/team}:checkout",
            "system:serviceaccount:${aws:PrincipalTag/team, 'shop'}:*",
            "a${*}b",
            "a${*}${?}",
            "$SUB(.*)[a-z]+",
            "",
        ],
    },
    Key {
        names: &["ISSUER:aud"],
        found: &["sts.amazonaws.com", "other"],
        operators: &STRINGS,
        expected: &["sts.amazonaws.com", "STS.amazonaws.com", "sts?amazonaws.com", "sts*", "other"],
    },
    Key {
        names: &["aws:TagKeys", "AWS:tagkeys"],
        found: &["key1:a", "key2:b", "key3"],
        operators: &STRINGS,
        expected: &["key1*", "key2*", "key3", "KEY3", "key?:a"],
    },
    Key {
        names: &["aws:MultiFactorAuthAge"],
        found: &["0", "10", "10.5", "-3", "300"],
        operators: &[
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
        ],
        expected: &["0", "10", "10.50", "-3", "-2.5", "300", "ten"],
    },
    Key {
        names: &["aws:CurrentTime"],
        found: &["2020-06-01T12:00:00Z", "2020-01-01T00:00:00Z", "1577836800"],
        operators: &[
            "DateEquals",
            "DateNotEquals",
            "DateLessThan",
            "DateLessThanEquals",
            "DateGreaterThan",
            "DateGreaterThanEquals",
        ],
        expected: &["2020-06-01T14:00:00+02:00", "2020-01-01", "2020-06", "2020", "1577836800", "soon"],
    },
    Key {
        names: &["aws:SecureTransport"],
        found: &["true", "false"],
        operators: &["Bool", "StringEquals", "StringLike"],
        expected: &["true", "false", "TRUE", "yes"],
    },
    Key {
        names: &["aws:SourceIp"],
        found: &["10.1.2.3", "203.0.113.9", "2001:db8::1"],
        operators: &["IpAddress", "NotIpAddress"],
        expected: &[
            "10.0.0.0/8",
            "10.1.2.3",
            "203.0.113.0/25",
            "0.0.0.0/0",
            "2001:db8::/32",
            "2001:db8::1",
            "10.0.0.0/33",
        ],
    },
    Key {
        names: &["aws:SourceArn"],
        found: &[ROLE, QUEUE, "arn:aws:s3:::bucket/key"],
        operators: &["ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike", "StringLike"],
        expected: &[
            ROLE,
            "arn:aws:iam::*:role/*",
            "arn:aws:iam::111122223333:role/ap?",
            "arn:*:sqs:*:*:orders*",
            "arn:aws:sqs:*:orders:dead",
            "arn:aws:iam::${aws:PrincipalTag/account}:role/app",
            "*",
            "orders",
        ],
    },
    // Global keys that a call with a token certainly has, may have, or lacks.
    Key {
        names: &["aws:ViaAWSService", "AWS:viaawsservice"],
        found: &["true", "false"],
        operators: &["Bool", "StringEquals"],
        expected: &["true", "false", "False"],
    },
    Key {
        names: &["aws:FederatedProvider"],
        found: &[PROVIDER, "arn:aws:iam::111122223333:oidc-provider/other"],
        operators: &["ArnEquals", "ArnNotEquals", "ArnLike", "StringEquals", "StringLike"],
        expected: &[
            PROVIDER,
            "arn:aws:iam::*:oidc-provider/oidc.eks.*",
            "arn:aws:iam::111122223333:oidc-provider/other",
        ],
    },
    Key {
        names: &["aws:PrincipalIsAWSService"],
        found: &["true", "false"],
        operators: &["Bool"],
        expected: &["true", "false"],
    },
    Key {
        names: &["aws:PrincipalType"],
        found: &["Anonymous", "AssumedRole"],
        operators: &STRINGS,
        expected: &["Anonymous", "assumedrole", "A*", "User"],
    },
    Key {
        names: &["aws:RequestedRegion", "aws:requestedregion"],
        found: &["eu-west-1", "us-east-1"],
        operators: &STRINGS,
        expected: &["eu-west-1", "us-east-1", "eu-*", "EU-WEST-1"],
    },
    Key {
        names: &["aws:SourceVpce"],
        found: &["vpce-0a1b2c3d4e5f60718"],
        operators: &STRINGS,
        expected: &["vpce-0a1b2c3d4e5f60718", "vpce-*", "vpce-1"],
    },
    Key {
        names: &["sts:RoleSessionName"],
        found: &["checkout-1", "botocore-session-1795334400"],
        operators: &STRINGS,
        expected: &["checkout-*", "botocore-session-*", "checkout-1"],
    },
    Key { names: &["aws:PrincipalOrgID"], found: &[], operators: &STRINGS, expected: &["o-1", "o-*"] },
    Key {
        names: &["aws:MultiFactorAuthPresent"],
        found: &[],
        operators: &["Bool"],
        expected: &["true", "false"],
    },
    Key {
        names: &["aws:RequestTag/team", "aws:requesttag/TEAM"],
        found: &[],
        operators: &STRINGS,
        expected: &["shop", "sh*"],
    },
];

fn case(random: &mut Random) -> Result<Json, Box<dyn std::error::Error>> {
    let is_trust = !random.once_in(4);
    let mut found = found(random);
    let context = to_context(&mut found, is_trust);
    let statements: Vec<Json> = (0..=random.below(3)).map(|_| statement(random, is_trust)).collect();
    let statements = match statements.as_slice() {
        [single] if random.once_in(4) => single.clone(),
        _ => Json::Array(statements),
    };
    let policy = match random.below(8) {
        0 => json!({"Version": "2008-10-17", "Statement": statements}),
        1 => json!({"Statement": statements}),
        _ => json!({"Version": "2012-10-17", "Statement": statements}),
    };
    let provider = PROVIDER.to_owned();
    let (principal, name, action, resource) = if is_trust {
        let principal = Principal::WebIdentity { provider_arn: provider.clone(), issuer: ISSUER.to_owned() };
        (principal, provider, "sts:AssumeRoleWithWebIdentity", ROLE)
    } else {
        let user = "arn:aws:iam::111122223333:user/ana".to_owned();
        (Principal::Holder, user, "sqs:SendMessage", QUEUE)
    };
    let request =
        Request { principal, action: action.to_owned(), resource: Some(resource.to_owned()), context };
    let document = Document::parse(&policy.to_string())?;
    let evaluation = evaluate(&document, &request);
    Ok(json!({
        "kind": if is_trust { "trust" } else { "identity" },
        "policy": policy,
        "principal": name,
        "action": action,
        "resource": resource,
        "context": found,
        "decision": match evaluation.decision {
            Decision::Allow { .. } => "Allowed",
            Decision::ExplicitDeny { .. } => "ExplicitlyDenied",
            Decision::NoMatch => "ImplicitlyDenied",
            Decision::Unknown { .. } => "Unknown",
        },
        "open": open(&evaluation),
    }))
}

/// Why the answer is open, in words for counting.
fn open(evaluation: &Evaluation<'_>) -> Vec<&'static str> {
    let Decision::Unknown { statements } = &evaluation.decision else { return Vec::new() };
    let mut words: Vec<_> = statements
        .iter()
        .flat_map(|index| {
            let trace = &evaluation.statements[*index];
            let parts = [(trace.principal.outcome, "principal"), (trace.resource.outcome, "resource")];
            let conditions = trace.conditions.iter().map(|condition| {
                let word = match condition.reason {
                    Reason::SeveralValues => "several values without a set operator",
                    Reason::AbsentUnspecified => "ForAnyValue with IfExists, key absent",
                    Reason::VariableUnknown { .. } | Reason::KeyUnknown => "a key that is not known",
                    Reason::UnknownOperator => "an operator that does not exist",
                    _ => "negation of what cannot be compared, or an ARN pattern of fewer than six parts",
                };
                (condition.outcome, word)
            });
            parts.into_iter().chain(conditions).collect::<Vec<_>>()
        })
        .filter_map(|(outcome, word)| (outcome == Tri::Unknown).then_some(word))
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// The keys of a request: a text for one value, a list for several.
fn found(random: &mut Random) -> Map<String, Json> {
    let mut context = Map::new();
    for key in KEYS {
        if key.found.is_empty() || random.once_in(3) {
            continue;
        }
        let name = key.names[0].replace("ISSUER", ISSUER);
        // What has one value is no set, except where the key is one of several values.
        let is_tags = name == "aws:TagKeys";
        let values = if is_tags || random.once_in(12) {
            let first = random.below(key.found.len());
            let last = if is_tags { random.below(3) } else { 1 };
            json!((0..=last).map(|n| key.found[(first + n) % key.found.len()]).collect::<Vec<_>>())
        } else {
            json!(random.pick(key.found))
        };
        context.insert(name, values);
    }
    if random.once_in(2) {
        context.insert("aws:PrincipalTag/team".into(), json!(random.pick(&["shop", "sh*", "payments"])));
        context.insert("aws:PrincipalTag/account".into(), json!("111122223333"));
    }
    context
}

/// The request's keys as ours has them. In a call with a token, those that it certainly has go to the other engine as well; those
/// that are not known are what was found, or absent.
fn to_context(found: &mut Map<String, Json>, is_trust: bool) -> Context {
    let mut context = if is_trust { Context::of(Call::WebIdentity) } else { Context::default() };
    for (key, values) in &*found {
        let values = match values {
            Json::Array(values) => values.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            value => value.as_str().map(str::to_owned).into_iter().collect(),
        };
        context.set(key.clone(), Value::Present(values));
    }
    for name in KEYS.iter().map(|key| key.names[0].replace("ISSUER", ISSUER)) {
        match context.get(&name) {
            Found::Present([value]) if !found.contains_key(&name) => {
                found.insert(name, json!(value));
            }
            Found::Unknown(_) => context.set(name, Value::Absent),
            Found::Present(_) | Found::Absent => {}
        }
    }
    context
}

fn statement(random: &mut Random, is_trust: bool) -> Json {
    let mut statement = Map::new();
    statement.insert("Effect".into(), json!(if random.once_in(4) { "Deny" } else { "Allow" }));
    let provider = format!("arn:aws:iam::111122223333:oidc-provider/{ISSUER}");
    if is_trust {
        let other = "arn:aws:iam::111122223333:oidc-provider/other";
        let principal = match random.below(12) {
            0 => json!("*"),
            1 => json!({"AWS": "*"}),
            2 => json!({"Federated": other}),
            3 => json!({"Service": "ec2.amazonaws.com", "Federated": [other, provider]}),
            4 => json!({"AWS": "arn:aws:iam::111122223333:user/ana"}),
            _ => json!({"Federated": provider}),
        };
        let name = if random.once_in(10) { "NotPrincipal" } else { "Principal" };
        statement.insert(name.into(), principal);
    } else {
        let name = if random.once_in(5) { "NotResource" } else { "Resource" };
        let patterns = [
            "*",
            QUEUE,
            "arn:aws:sqs:*:*:orders:*",
            "arn:aws:sqs:*",
            "arn:aws:sqs:eu-*-1:111122223333:*",
            "arn:aws:sqs:eu-west-1:*:other",
            "arn:aws:sqs:eu-west-?:111122223333:${aws:PrincipalTag/team, 'orders'}:dead",
            "arn:aws:sqs:eu-west-1:${aws:PrincipalTag/account}:orders:*",
        ];
        statement.insert(name.into(), one_or_several(random, &patterns));
    }
    let actions: &[&str] = if is_trust {
        &["sts:AssumeRoleWithWebIdentity", "STS:assumerole*", "sts:*", "*", "sts:AssumeRole", "sts:Tag*"]
    } else {
        &["sqs:SendMessage", "sqs:*", "SQS:send?essage", "*", "sqs:Receive*", "sns:*"]
    };
    let name = if random.once_in(8) { "NotAction" } else { "Action" };
    statement.insert(name.into(), one_or_several(random, actions));
    let mut block = Map::new();
    for _ in 0..random.below(4) {
        condition(random, &mut block);
    }
    if !block.is_empty() || random.once_in(10) {
        statement.insert("Condition".into(), Json::Object(block));
    }
    Json::Object(statement)
}

fn condition(random: &mut Random, block: &mut Map<String, Json>) {
    let key = &KEYS[random.below(KEYS.len())];
    let name = random.pick(key.names).replace("ISSUER", ISSUER).replace("issuer", &ISSUER.to_uppercase());
    let (operator, values) = if random.once_in(10) {
        ("Null".to_owned(), one_or_several(random, &["true", "false"]))
    } else {
        let base = random.pick(key.operators);
        let set = match random.below(6) {
            0 => "ForAllValues:",
            1 => "ForAnyValue:",
            _ if key.names[0] == "aws:TagKeys" => random.pick(&["ForAllValues:", "ForAnyValue:"]),
            _ => "",
        };
        let if_exists = if random.once_in(6) { "IfExists" } else { "" };
        (format!("{set}{base}{if_exists}"), one_or_several(random, key.expected))
    };
    let keys = block.entry(operator).or_insert_with(|| json!({}));
    if let Json::Object(keys) = keys {
        keys.insert(name, values);
    }
}

/// One of the values, or a list of up to three; booleans and numbers now and then as such.
fn one_or_several(random: &mut Random, from: &[&'static str]) -> Json {
    let one = |random: &mut Random| match random.pick(from) {
        "true" if random.once_in(2) => json!(true),
        "300" if random.once_in(2) => json!(300),
        text => json!(text),
    };
    match random.below(3) {
        0 => Json::Array((0..=random.below(3)).map(|_| one(random)).collect()),
        _ => one(random),
    }
}
