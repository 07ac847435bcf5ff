//! Names and accounts in a bundle, replaced by stand-ins wherever they stand.
//!
//! Everything is taken for a name unless its field says that it is none: a new fact is hidden until somebody says otherwise. What
//! people wrote in sentences keeps its words; in them, what stands for a name elsewhere is replaced, and all that has the form of one.

use core::net::IpAddr;
use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::kept::SAME;
use super::stand_in::StandIns;
use super::vocabulary;
use crate::facts::kubernetes::EnvValue;

/// What is replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Redaction {
    /// Names: of namespaces, service accounts, workloads, pods, containers, nodes, roles, policies, clusters, images, hosts.
    Names,
    /// Account ids.
    Accounts,
    #[default]
    /// Both, and the ids of issuers.
    All,
}

impl Redaction {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Names, Self::Accounts, Self::All];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Names => "names",
            Self::Accounts => "accounts",
            Self::All => "all",
        }
    }

    /// What it replaces, in a few words.
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::Names => "Namespaces, workloads, pods, service accounts, roles, clusters, images, hosts",
            Self::Accounts => "AWS account ids",
            Self::All => "Names, account ids, and the ids of issuers",
        }
    }

    const fn replaces(self, kind: Word) -> bool {
        match kind {
            Word::Name => matches!(self, Self::Names | Self::All),
            Word::Account => matches!(self, Self::Accounts | Self::All),
            Word::Id => matches!(self, Self::All),
            Word::Kept => false,
        }
    }
}

/// Replaces what is to be replaced, in all documents alike.
pub(super) fn redact(documents: &mut [&mut Value], level: Redaction) {
    let mut found = Found { sorter: Sorter { level, ..Sorter::default() }, ..Found::default() };
    for document in &mut *documents {
        walk(document, Field::default(), &mut |text, class| {
            if class == Class::Action {
                let words = text.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_owned);
                found.sorter.actions.extend(words);
            }
            None
        });
    }
    for document in &mut *documents {
        walk(document, Field::default(), &mut |text, class| {
            found.note(text, class);
            None
        });
    }
    let Found { mut sorter, words, parts } = found;
    let stand_ins = StandIns::of(&words, &parts);
    for document in documents {
        walk(document, Field::default(), &mut |text, class| replaced(text, class, &mut sorter, &stand_ins));
    }
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Of a fixed set of words, or of no meaning: a reason, a time, a certificate.
    Plain,
    /// What AWS does: its words stay wherever they stand.
    Action,
    /// A sentence.
    Sentence,
    /// Names, and what is made of names: ARNs, URLs, policies.
    Name,
}

/// Where a value stands.
#[derive(Clone, Copy, Default)]
struct Field<'f> {
    key: &'f str,
    /// True among labels, annotations and the like, whose keys are anybody's.
    is_free: bool,
    /// The variable whose value it is.
    variable: Option<&'f str>,
}

/// Keys of values that are no names.
const PLAIN: &[&str] = &[
    // Kubernetes
    "apiVersion",
    "kind",
    "reason",
    "operator",
    "type",
    "status",
    "phase",
    "failurePolicy",
    "reinvocationPolicy",
    "policyTypes",
    "protocol",
    "operations",
    "resources",
    "dnsPolicy",
    "restartPolicy",
    "caBundle",
    "ca.crt",
    "uid",
    "admissionReviewVersions",
    "fieldPath",
    "gitVersion",
    "manager",
    "cidr",
    "except",
    "podIP",
    "driver",
    "expression",
    // facts
    "state",
    "from",
    "verb",
    "field",
    "error_code",
    "decision",
    "matched_context",
    "missing_context",
    "code",
    "source",
    "request_id",
    "layer",
    "voice",
    "signature",
    "chosen_by",
    "alg",
    "kid",
    "kty",
    "material",
    "thumbprints",
    "client_ids",
    "live",
    "version",
    "redacted",
    "place",
    "created",
    "stage",
    // the probe's report
    "schema",
    "ended",
    "fault",
    "remote",
];

/// Keys of what AWS does; policies are called after it.
const ACTIONS: &[&str] = &["action", "operation"];

/// Keys of values in which nothing is a name.
const WHOLLY_PLAIN: &[&str] = &["sdk", "sdks", "then", "because", "run"];

/// Keys of values that are sentences.
const SENTENCES: &[&str] =
    &["message", "error_message", "what", "detail", "of", "excerpt", "before", "words", "denied", "failed"];

/// Keys of maps whose keys are anybody's.
const FREE: &[&str] = &[
    "labels",
    "annotations",
    "matchLabels",
    "nodeSelector",
    "data",
    "config_maps",
    "secrets",
    "f:annotations",
    "f:data",
];

impl Field<'_> {
    fn class(self) -> Class {
        if let Some(variable) = self.variable {
            return match is_of_names(variable) {
                true => Class::Name,
                false => Class::Plain,
            };
        }
        match self.key {
            key if PLAIN.contains(&key) => Class::Plain,
            key if ACTIONS.contains(&key) => Class::Action,
            _ if self.is_free => Class::Name,
            key if SENTENCES.contains(&key) => Class::Sentence,
            _ => Class::Name,
        }
    }
}

/// True for a variable whose value may name something; of the others it is one of a few words, a number or a region.
fn is_of_names(variable: &str) -> bool {
    let upper = variable.to_ascii_uppercase();
    let plain = [
        "REGION",
        "STS_REGIONAL",
        "DISABLED",
        "ENABLE",
        "USE_",
        "IGNORE_",
        "MODE",
        "ATTEMPTS",
        "TIMEOUT",
        "LOAD",
    ];
    !plain.iter().any(|part| upper.contains(part))
}

/// Calls for every text, and for every key that is anybody's; what it gives takes their place.
fn walk(value: &mut Value, field: Field<'_>, each: &mut dyn FnMut(&str, Class) -> Option<String>) {
    match value {
        Value::String(text) => {
            if let Some(new) = each(text, field.class()) {
                *text = new;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, field, each)),
        Value::Object(fields) => {
            let variable = variable(fields);
            if field.is_free && !fields.contains_key(SAME) {
                let all = std::mem::take(fields);
                for (key, mut value) in all {
                    // Facts by name are facts, whatever their names.
                    let is_known = is_known(&key) && !value.get("state").is_some_and(Value::is_string);
                    let class = if is_known { Class::Plain } else { Class::Name };
                    let variable = is_known.then_some(key.as_str());
                    let of = Field { key: &key, is_free: value.is_string(), variable };
                    walk(&mut value, of, each);
                    let new = match key.strip_prefix("f:") {
                        Some(rest) => each(rest, class).map(|new| format!("f:{new}")),
                        None => each(&key, class),
                    };
                    fields.insert(new.unwrap_or(key), value);
                }
                return;
            }
            for (key, value) in fields {
                // A fact stands before its value.
                let key = if key == "value" && variable.is_none() { field.key } else { key };
                if WHOLLY_PLAIN.contains(&key) && value.get("source").is_none() {
                    continue;
                }
                let is_free = FREE.contains(&key) && value.is_object();
                match (key, &variable) {
                    ("name", Some(name)) if is_known(name) => {}
                    ("value" | "literal", Some(name)) if is_known(name) => {
                        walk(value, Field { key, is_free, variable: Some(name) }, each);
                    }
                    _ => walk(value, Field { key, is_free, variable: None }, each),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The name of the variable, if an object is one.
fn variable(fields: &Map<String, Value>) -> Option<String> {
    let is_one = fields.contains_key("value") || fields.contains_key("valueFrom");
    fields.get("name").and_then(Value::as_str).filter(|_| is_one && fields.len() <= 4).map(str::to_owned)
}

/// True for a variable that AWS reads, and for a label or an annotation of AWS or Kubernetes; also for what may be meant as one.
fn is_known(name: &str) -> bool {
    EnvValue::is_read(name)
        || ["AWS", "KUBERNETES.IO", "K8S.IO"].iter().any(|part| name.to_ascii_uppercase().contains(part))
}

/// What a run of letters and digits is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Kept,
    Name,
    Account,
    Id,
}

/// Shorter hexadecimal words are names, or parts of such.
const SHORTEST_ID: usize = 20;

impl Word {
    fn of(word: &str) -> Self {
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            // With a digit more or less it is still meant as one.
            return if (11..=13).contains(&word.len()) { Self::Account } else { Self::Kept };
        }
        // A time, as signatures have it, or a version.
        let is_time =
            word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'T' | b'Z'));
        let is_version =
            word.strip_prefix('v').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
        if is_time || is_version {
            return Self::Kept;
        }
        let is_hex = word.len() >= SHORTEST_ID && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        if vocabulary::is_near(word) {
            Self::Kept
        } else if is_hex {
            Self::Id
        } else {
            Self::Name
        }
    }
}

/// Tells which words are replaced, each looked at once.
#[derive(Default)]
struct Sorter {
    level: Redaction,
    /// Words of the actions in these facts.
    actions: BTreeSet<String>,
    known: HashMap<String, bool>,
}

impl Sorter {
    fn replaces(&mut self, word: &str) -> bool {
        if let Some(known) = self.known.get(word) {
            return *known;
        }
        let replaces = self.level.replaces(Word::of(word)) && !self.actions.contains(word);
        self.known.insert(word.to_owned(), replaces);
        replaces
    }
}

/// A text in pieces: words, and what is no word or stays in any case.
fn pieces<'t>(text: &'t str, class: Class, mut each: impl FnMut(&'t str, bool)) {
    if matches!(class, Class::Plain | Class::Action) || text.parse::<Timestamp>().is_ok() {
        return each(text, false);
    }
    let mut rest = text;
    let (mut last, mut gap) = ("", "");
    while let Some(first) = rest.chars().next() {
        if !first.is_ascii_alphanumeric() {
            let length = rest.find(|c: char| c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            let (between, after) = rest.split_at(length);
            each(between, false);
            (gap, rest) = (between, after);
            continue;
        }
        if let Some(length) = vocabulary::region(rest).or_else(|| address(rest)) {
            let (kept, after) = rest.split_at(length);
            each(kept, false);
            (last, rest) = ("", after);
            continue;
        }
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        // An action or a condition key of AWS: `sts:TagSession`, `aws:PrincipalOrgID`.
        each(word, !(gap == ":" && vocabulary::is_service(last)));
        (last, rest) = (word, after);
    }
}

/// The length of an IP address at the beginning of a text.
fn address(text: &str) -> Option<usize> {
    let end = text.find(|c: char| !(c.is_ascii_hexdigit() || c == '.' || c == ':')).unwrap_or(text.len());
    let whole = text.get(..end)?;
    // A port may stand behind it.
    let ends = [whole.len(), whole.rfind(':').unwrap_or(0)];
    ends.into_iter().find(|end| whole.get(..*end).is_some_and(|text| text.parse::<IpAddr>().is_ok()))
}

/// True for a word of a sentence that is no word of a language: an ARN, a path, an address, a number.
fn is_made_of_names(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    word.contains([':', '/', '_', '@', '='])
        || word.contains('.')
        || word.bytes().any(|byte| byte.is_ascii_digit())
}

/// The words that are replaced.
#[derive(Default)]
struct Found {
    sorter: Sorter,
    words: BTreeSet<String>,
    parts: BTreeSet<String>,
}

impl Found {
    fn note(&mut self, text: &str, class: Class) {
        let mut note = |text: &str| {
            let mut before = "";
            let mut word_before: Option<String> = None;
            pieces(text, class, |piece, is_word| {
                if is_word && self.sorter.replaces(piece) {
                    let word = piece.to_ascii_lowercase();
                    if before.ends_with(['*', '?']) {
                        self.parts.insert(word.clone());
                    }
                    word_before = Some(word.clone());
                    self.words.insert(word);
                } else if let Some(word) = word_before.take().filter(|_| piece.starts_with(['*', '?'])) {
                    self.parts.insert(word);
                }
                before = piece;
            });
        };
        match class {
            Class::Plain | Class::Action => {}
            Class::Name => note(text),
            Class::Sentence => text.split_whitespace().filter(|word| is_made_of_names(word)).for_each(note),
        }
    }
}

/// The text with stand-ins; `None` if it holds nothing to replace.
fn replaced(text: &str, class: Class, sorter: &mut Sorter, stand_ins: &StandIns) -> Option<String> {
    let mut new = String::with_capacity(text.len());
    pieces(text, class, |piece, is_word| {
        let stand_in = (is_word && sorter.replaces(piece)).then(|| stand_ins.get(piece)).flatten();
        new.push_str(stand_in.as_deref().unwrap_or(piece));
    });
    (new != text).then_some(new)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn redacted(mut value: Value, level: Redaction) -> Value {
        redact(&mut [&mut value], level);
        value
    }

    /// An object, a policy and a message that all name the same.
    fn sample() -> Value {
        json!({
            "metadata": {"name": "checkout", "namespace": "ledgers", "creationTimestamp": "2026-11-22T08:00:00Z",
                "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::412806097331:role/pay/ledgers-checkout",
                    "eks.amazonaws.com/role-anr": "x", "acme.example/owner": "zebra"}},
            "env": [{"name": "AWS_REGION", "value": "eu-central-1"}, {"name": "ZEBRA", "value": "[withheld]"}],
            "trust": "{\"Condition\":{\"StringLike\":{\"oidc.eks.eu-west-1.amazonaws.com/id/4F1E27D9A0B84C6E93D5720AB81C6EF3:sub\":\
                      \"system:serviceaccount:ledgers:chekout-*\"}}}",
            "message": "User: arn:aws:sts::412806097331:assumed-role/ledgers-checkout/1 is not authorized, says checkout at 10.0.0.7:443",
        })
    }

    #[test]
    fn names_are_gone_and_what_is_compared_is_there() {
        let text = redacted(sample(), Redaction::All).to_string();
        for name in ["checkout", "chekout", "ledgers", "zebra", "ZEBRA", "acme", "412806097331", "4F1E27D9"] {
            assert!(!text.contains(name), "{name}: {text}");
        }
        for kept in [
            "2026-11-22T08:00:00Z",
            "eks.amazonaws.com/role-arn",
            "eks.amazonaws.com/role-anr",
            "arn:aws:iam::",
            "eu-central-1",
            "AWS_REGION",
            "[withheld]",
            "StringLike",
            "system:serviceaccount:",
            "-*",
            "is not authorized, says",
            "10.0.0.7:443",
            "oidc.eks.eu-west-1.amazonaws.com/id/",
        ] {
            assert!(text.contains(kept), "{kept}: {text}");
        }
    }

    #[test]
    fn a_level_leaves_the_rest() {
        let names = redacted(sample(), Redaction::Names).to_string();
        assert!(
            names.contains("412806097331") && names.contains("4F1E27D9A0B84C6E93D5720AB81C6EF3"),
            "{names}"
        );
        let accounts = redacted(sample(), Redaction::Accounts);
        let mut accounts = accounts.to_string();
        assert!(!accounts.contains("412806097331"));
        let stand_in = accounts.split("iam::").nth(1).unwrap()[..12].to_owned();
        accounts = accounts.replace(&stand_in, "412806097331");
        assert_eq!(accounts, sample().to_string());
    }

    proptest! {
        #[test]
        fn any_text_keeps_its_form(text in "\\PC{0,60}") {
            let new = redacted(json!({"x": text, "message": text}), Redaction::All);
            for new in [&new["x"], &new["message"]] {
                let shape = |text: &str| text.chars().map(|c| match c {
                    'a'..='z' => 'a',
                    'A'..='Z' => 'A',
                    '0'..='9' => '0',
                    other => other,
                }).collect::<String>();
                prop_assert_eq!(shape(new.as_str().unwrap()), shape(&text));
            }
        }
    }
}
