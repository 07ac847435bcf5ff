//! A trust policy in a file: with the position of each part, and with parts that are not known before deployment.

use crate::documents::yaml::{Content, Node};
use crate::facts::{Position, Positions};
use crate::policy::{Json, Path, known_claim};

use super::text::Text;

/// The field of the role under which a policy's places stand in a source.
const FIELD: &str = ".Role.AssumeRolePolicyDocument";

/// A part of a policy.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    /// Where it stands.
    pub at: Position,
    /// What it is.
    pub value: Value,
}

/// What a part is.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// A number, a boolean, `null`.
    Plain(Json),
    /// A text.
    Text(Text),
    /// A list.
    List(Vec<Tree>),
    /// An object.
    Map(Vec<Member>),
    /// It is not known what it is; its label.
    Gap(String),
}

/// One member of an object.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// Its key.
    pub key: Text,
    /// Where that stands.
    pub at: Position,
    /// Its value.
    pub value: Tree,
}

/// What the gaps of a policy are filled with: the values of whoever asks, wherever they fit. What they cannot fit is a difference,
/// however the gap is filled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    /// ARN of the OIDC provider, or the name of the service.
    pub principal: &'a str,
    /// Issuer without scheme.
    pub issuer: &'a str,
    /// Values by condition key; `sub` and `aud` stand for those claims of the issuer.
    pub keys: &'a [(&'a str, &'a str)],
}

/// Nobody in particular: every gap stays.
pub(crate) const NOBODY: Asker<'_> = Asker { principal: "", issuer: "", keys: &[] };

/// A policy whose gaps are filled.
#[derive(Debug, Clone)]
pub(crate) struct Filled {
    /// The policy.
    pub json: Json,
    /// Where its parts stand.
    pub positions: Positions,
}

impl Tree {
    /// A part of a file as it is, without functions in it.
    pub(crate) fn of_node(node: &Node) -> Self {
        let value = match node.content() {
            Content::Null | Content::Shared(_) => Value::Plain(Json::Null),
            Content::Bool(value) => Value::Plain(Json::Bool(*value)),
            Content::Int(value) => Value::Plain(Json::Number((*value).into())),
            Content::Uint(value) => Value::Plain(Json::Number((*value).into())),
            Content::Float(value) => {
                Value::Plain(serde_json::Number::from_f64(*value).map_or(Json::Null, Json::Number))
            }
            Content::Text(text) => Value::Text(Text::known(text.as_str())),
            Content::List(items) => Value::List(items.iter().map(Self::of_node).collect()),
            Content::Map(entries) => {
                let member = |entry: &crate::documents::yaml::Entry| Member {
                    key: Text::known(entry.key.as_str()),
                    at: entry.key_at,
                    value: Self::of_node(&entry.value),
                };
                Value::Map(entries.iter().map(member).collect())
            }
        };
        Self { at: node.at, value }
    }

    /// The policy in a text, all of whose parts stand where the text does. `None` if it is no JSON.
    pub(crate) fn of_text(text: &Text, at: Position) -> Option<Self> {
        let (marked, sign, labels) = text.marked()?;
        let json: Json = serde_json::from_str(&marked).ok()?;
        Some(Self::of_json(json, at, &|text| Text::unmarked(text, sign, &labels)))
    }

    fn of_json(json: Json, at: Position, text_of: &impl Fn(&str) -> Text) -> Self {
        let value = match json {
            Json::String(text) => Value::Text(text_of(&text)),
            Json::Array(items) => {
                Value::List(items.into_iter().map(|item| Self::of_json(item, at, text_of)).collect())
            }
            Json::Object(members) => {
                let member = |(key, value): (String, Json)| Member {
                    key: text_of(&key),
                    at,
                    value: Self::of_json(value, at, text_of),
                };
                Value::Map(members.into_iter().map(member).collect())
            }
            plain => Value::Plain(plain),
        };
        Self { at, value }
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(members) => members
                .iter()
                .rev()
                .find(|member| member.key.whole() == Some(key))
                .map(|member| &member.value),
            _ => None,
        }
    }

    /// The statements: one, or those of a list.
    pub(crate) fn statements(&self) -> Vec<&Self> {
        match self.get("Statement").map(|statements| (&statements.value, statements)) {
            Some((Value::List(items), _)) => items.iter().collect(),
            Some((_, one)) => vec![one],
            None => Vec::new(),
        }
    }

    /// The policy with one of its statements only.
    pub(crate) fn with_only(&self, statement: &Self) -> Self {
        let Value::Map(members) = &self.value else { return self.clone() };
        let mut members = members.clone();
        for member in &mut members {
            if member.key.whole() == Some("Statement") && matches!(member.value.value, Value::List(_)) {
                member.value.value = Value::List(vec![statement.clone()]);
            }
        }
        Self { at: self.at, value: Value::Map(members) }
    }

    /// What stands for the first part of which not even the form is known.
    pub(crate) fn formless(&self) -> Option<&str> {
        match &self.value {
            Value::Gap(label) => Some(label),
            Value::List(items) => items.iter().find_map(Self::formless),
            Value::Map(members) => {
                members.iter().find_map(|member| member.key.only_gap().or_else(|| member.value.formless()))
            }
            Value::Plain(_) | Value::Text(_) => None,
        }
    }

    /// True if a part of it is not known.
    pub(crate) fn has_gaps(&self) -> bool {
        match &self.value {
            Value::Plain(_) => false,
            Value::Gap(_) => true,
            Value::Text(text) => text.whole().is_none(),
            Value::List(items) => items.iter().any(Self::has_gaps),
            Value::Map(members) => {
                members.iter().any(|member| member.key.whole().is_none() || member.value.has_gaps())
            }
        }
    }

    /// The policy with its gaps filled for whoever asks.
    pub(crate) fn filled(&self, asker: &Asker<'_>) -> Filled {
        let mut marks = vec![(String::from(FIELD), self.at)];
        let json = self.fill(asker, &Path::default(), &Within::default(), &mut marks);
        let positions = Positions::of(|found| marks.iter().for_each(|(path, at)| found(path, *at)));
        Filled { json, positions }
    }

    fn fill(
        &self,
        asker: &Asker<'_>,
        path: &Path,
        within: &Within,
        marks: &mut Vec<(String, Position)>,
    ) -> Json {
        match &self.value {
            Value::Plain(json) => json.clone(),
            Value::Gap(label) => Json::text(format!("${{{label}}}")),
            Value::Text(text) => within.text(text, asker),
            Value::List(items) => {
                let item = |(index, item): (usize, &Self)| {
                    let path = path.index(index);
                    marks.push((format!("{FIELD}.{path}"), item.at));
                    item.fill(asker, &path, within, marks)
                };
                Json::Array(items.iter().enumerate().map(item).collect())
            }
            Value::Map(members) => {
                let denies = self.get("Effect").is_some_and(
                    |effect| matches!(&effect.value, Value::Text(text) if text.whole() == Some("Deny")),
                );
                let mut filled: Vec<(String, Json)> = Vec::new();
                for member in members {
                    let key = within.key(&member.key, asker);
                    // Two gaps that fit the same key need not be the same.
                    if member.key.whole().is_none() && filled.iter().any(|(known, _)| *known == key) {
                        continue;
                    }
                    let path = path.key(&key);
                    let holds_more = matches!(member.value.value, Value::List(_) | Value::Map(_));
                    let at = if holds_more { member.at } else { member.value.at };
                    marks.push((format!("{FIELD}.{path}"), at));
                    let value = member.value.fill(asker, &path, &within.under(&key, denies), marks);
                    filled.push((key, value));
                }
                Json::Object(filled)
            }
        }
    }
}

/// Where in a policy one is.
#[derive(Debug, Clone, Default)]
struct Within {
    /// The keys above, the innermost last.
    keys: Vec<String>,
    /// A gap in what denies is never what makes it apply.
    denies: bool,
}

impl Within {
    fn under(&self, key: &str, denies: bool) -> Self {
        let keys = self.keys.iter().cloned().chain([key.to_owned()]).collect();
        Self { keys, denies: self.denies || denies }
    }

    /// True below the operator of a condition.
    fn in_condition(&self) -> bool {
        self.keys
            .len()
            .checked_sub(2)
            .and_then(|above| self.keys.get(above))
            .is_some_and(|key| key == "Condition")
    }

    fn key(&self, key: &Text, asker: &Asker<'_>) -> String {
        let wanted = ["sub", "aud"].map(|claim| format!("{}:{claim}", asker.issuer));
        let found =
            wanted.into_iter().filter(|_| key.whole().is_none() && self.in_condition() && !self.denies);
        let mut found = found.filter(|wanted| key.may_be(wanted));
        found.next().unwrap_or_else(|| key.shown())
    }

    fn text(&self, text: &Text, asker: &Asker<'_>) -> Json {
        if text.whole().is_some() || self.denies {
            return text.json();
        }
        let last = self.keys.last().map(String::as_str).unwrap_or_default();
        let wanted: Vec<&str> = match last {
            "Federated" | "Service" | "AWS" => vec![asker.principal],
            "Effect" => vec!["Allow"],
            "Action" => vec!["sts:AssumeRoleWithWebIdentity", "sts:AssumeRole", "sts:TagSession"],
            key => {
                let claim = known_claim(key).1;
                let is = |known: &str| known.eq_ignore_ascii_case(key) || claim == Some(known);
                asker.keys.iter().filter(|(known, _)| is(known)).map(|(_, value)| *value).collect()
            }
        };
        let fits = wanted.into_iter().find(|wanted| text.may_be(wanted));
        fits.map_or_else(|| text.json(), Json::text)
    }
}
