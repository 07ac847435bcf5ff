//! Admission policies from the checks that need one object alone, so that what they find never gets into the cluster.
//!
//! A [`Rule`] is one such check: the objects that it is about, what is wrong with one as an expression of CEL, and what is said then.
//! [`render`] makes a form of it that a cluster enforces. Names and patterns are those that the checks themselves use.

mod render;

use crate::aws::arn::RoleArn;
use crate::checks;
use crate::derive::container::{PI_VOLUME, ROLE_ARN, TOKEN_FILE, TOKEN_VOLUME};
use crate::derive::missing_role::KNOWN_MISTAKES;
use crate::derive::webhook::{DEFAULT_PREFIX, SKIP_LABEL};
pub use render::{Action, Form, render};

/// What the user wants of the rules.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The accounts that roles may be in; with none, any.
    pub accounts: Vec<String>,
    /// The partition that roles must be in.
    pub partition: Option<String>,
    /// Only these checks; with none, all.
    pub only: Vec<String>,
    /// Not these checks.
    pub skip: Vec<String>,
}

/// The objects that a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// Service accounts.
    ServiceAccounts,
    /// Pods, after the webhook.
    Pods,
}

/// A check as a rule about one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The check's id.
    pub id: &'static str,
    /// The objects.
    pub on: On,
    /// True, in CEL, of a bad `object`.
    pub bad: String,
    /// What is said of it.
    pub message: String,
}

/// The checks that are rules, whatever the user wants of them.
pub const IDS: [&str; 7] = [
    "annotation-key-typo",
    "role-arn-malformed",
    "wrong-account-in-arn",
    "wrong-partition",
    "env-preset-partial",
    "skip-label",
    "subpath-mount",
];

/// The rules that the user wants. Those about an account or a partition need to be told which.
pub fn rules(wanted: &Wanted) -> Vec<Rule> {
    let mut rules: Vec<Rule> = IDS.into_iter().filter_map(|id| rule(id, wanted)).collect();
    rules.retain(|rule| {
        let is = |ids: &[String]| ids.iter().any(|id| id == rule.id);
        (wanted.only.is_empty() || is(&wanted.only)) && !is(&wanted.skip)
    });
    rules
}

fn rule(id: &'static str, wanted: &Wanted) -> Option<Rule> {
    let key = format!("{DEFAULT_PREFIX}/role-arn");
    let annotations = "object.metadata.?annotations.orValue({})";
    let value = format!("{annotations}[{}]", text(&key));
    let named = format!("{} in {annotations} && {value} != ''", text(&key));
    let well_formed = format!("{value}.matches({})", text(RoleArn::PATTERN));
    let containers = "(object.spec.containers + object.spec.?initContainers.orValue([]))";
    let (on, bad, words) = match id {
        "annotation-key-typo" => {
            let mistakes: Vec<String> = KNOWN_MISTAKES.iter().map(|key| text(key)).collect();
            let bad = format!(
                "{annotations}.exists(k, k != {} && (k in [{}] && {annotations}[k] != '' || k.matches({}) && \
                 {annotations}[k].contains('arn:aws') && {annotations}[k].contains(':role/')))",
                text(&key),
                mistakes.join(", "),
                text(&near(&key))
            );
            (On::ServiceAccounts, bad, format!("the webhook reads the annotation {key} and no other"))
        }
        "role-arn-malformed" => (
            On::ServiceAccounts,
            format!("{named} && !{well_formed}"),
            format!("{key} must be the ARN of a role, such as arn:aws:iam::111122223333:role/NAME"),
        ),
        "wrong-account-in-arn" if !wanted.accounts.is_empty() => (
            On::ServiceAccounts,
            format!(
                "{named} && {well_formed} && !{value}.matches({})",
                text(&format!("^arn:[^:]*:iam::({}):", wanted.accounts.join("|")))
            ),
            format!("{key} must name a role of account {}", wanted.accounts.join(" or ")),
        ),
        "wrong-partition" => {
            let partition = wanted.partition.as_ref()?;
            let start = text(&format!("arn:{partition}:"));
            let bad = format!("{named} && {well_formed} && !{value}.startsWith({start})");
            (On::ServiceAccounts, bad, format!("{key} must name a role of partition {partition}"))
        }
        "env-preset-partial" => {
            let has = |name: &str| format!("c.env.exists(e, e.name == {})", text(name));
            let bad =
                format!("{containers}.exists(c, has(c.env) && {} != {})", has(ROLE_ARN), has(TOKEN_FILE));
            let words =
                format!("set both {ROLE_ARN} and {TOKEN_FILE} or neither: the webhook completes no pair");
            (On::Pods, bad, words)
        }
        "skip-label" => (
            On::Pods,
            format!("{} in object.metadata.?labels.orValue({{}})", text(SKIP_LABEL)),
            format!("with the label {SKIP_LABEL}, whatever its value, the pod gets no role"),
        ),
        "subpath-mount" => (
            On::Pods,
            format!(
                "{containers}.exists(c, has(c.volumeMounts) && c.volumeMounts.exists(m, m.name in [{}, {}] && \
                 (m.?subPath.orValue('') != '' || m.?subPathExpr.orValue('') != '')))",
                text(TOKEN_VOLUME),
                text(PI_VOLUME)
            ),
            String::from("a token that is mounted with subPath is never refreshed: mount its directory"),
        ),
        _ => return None,
    };
    let title = checks::by_id(id)?.meta.title;
    let message = format!("{title}: {words} (kubectl irsa explain {id})");
    Some(Rule { id, on, bad, message })
}

/// A string of CEL that holds the text as it is.
fn text(text: &str) -> String {
    // Raw strings have no escapes; none of our texts has a quotation mark.
    format!("r'{}'", text.replace('\'', ""))
}

/// A pattern for what may be meant as the key: with a letter too much, too few, other or in the wrong place, or separated otherwise.
fn near(key: &str) -> String {
    let plain = |text: &str| text.replace('.', "[-._]").replace("role-arn", "role[-._]?arn");
    let mut all = vec![plain(key)];
    let ends: Vec<usize> = (0..key.len()).collect();
    for at in ends {
        let (before, rest) = key.split_at(at);
        let (one, after) = rest.split_at(1);
        let quoted = |text: &str| text.replace('.', r"\.");
        all.push(format!("{}.{{0,2}}{}", quoted(before), quoted(after)));
        if let Some(next) = after.get(..1) {
            all.push(format!("{}{}{}", quoted(before), quoted(&format!("{next}{one}")), quoted(&after[1..])));
        }
    }
    format!("^(?i:{})$", all.join("|"))
}
