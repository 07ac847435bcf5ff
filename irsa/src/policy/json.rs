//! JSON that keeps the order of its members and sees those that are there twice.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// A JSON value; the members of an object stay in the order in which they were written.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(serde_json::Number),
    /// A string.
    String(String),
    /// A list.
    Array(Vec<Json>),
    /// An object.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// A string.
    pub fn text(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// An object with these members.
    pub fn object<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// The member of an object.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The value at a place.
    pub fn at(&self, place: &[Segment]) -> Option<&Self> {
        place.iter().try_fold(self, |json, segment| match (json, segment) {
            (Self::Object(_), Segment::Key(key)) => json.get(key),
            (Self::Array(items), Segment::Index(index)) => items.get(*index),
            _ => None,
        })
    }

    /// The value at a place, to change it.
    pub(super) fn at_mut(&mut self, place: &[Segment]) -> Option<&mut Self> {
        let Some((first, rest)) = place.split_first() else { return Some(self) };
        let next = match (self, first) {
            (Self::Object(members), Segment::Key(key)) => {
                members.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
            }
            (Self::Array(items), Segment::Index(index)) => items.get_mut(*index),
            _ => None,
        };
        next?.at_mut(rest)
    }

    /// On one line, as a command takes it.
    pub fn line(&self) -> String {
        // Writing these values to memory cannot fail: every key is a string.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Indented by two spaces, as the AWS console shows a policy.
    pub fn pretty(&self) -> String {
        // Writing these values to memory cannot fail: every key is a string.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// To review, in few lines: each member of an object has a line of its own, a list of strings that fits `columns` is on one line,
    /// and an only member stays beside its brackets. A string is never broken. The lines hold the same document.
    pub fn lines(&self, columns: usize) -> Vec<String> {
        let mut lines = vec![String::new()];
        self.lay_out(0, 0, columns, &mut lines);
        lines
    }

    /// Continues the last of the lines; `after` columns are needed behind the value.
    fn lay_out(&self, indent: usize, after: usize, columns: usize, lines: &mut Vec<String>) {
        fn put(lines: &mut [String], text: &str) {
            if let Some(last) = lines.last_mut() {
                last.push_str(text);
            }
        }
        let (open, close, members): (_, _, Vec<(Option<&str>, &Self)>) = match self {
            Self::Array(items) => ("[", "]", items.iter().map(|item| (None, item)).collect()),
            Self::Object(members) => {
                ("{", "}", members.iter().map(|(key, value)| (Some(key.as_str()), value)).collect())
            }
            _ => return put(lines, &self.flat()),
        };
        let flat = self.flat();
        let used = lines.last().map_or(0, |line| line.chars().count());
        if members.is_empty() || (self.is_plain() && used + flat.chars().count() + after <= columns) {
            return put(lines, &flat);
        }
        let key =
            |key: Option<&str>| key.map_or_else(String::new, |key| format!("{}: ", Self::text(key).line()));
        if let [(name, only)] = members.as_slice() {
            put(lines, &format!("{open}{}", key(*name)));
            only.lay_out(indent, after + 1, columns, lines);
            return put(lines, close);
        }
        put(lines, open);
        for (index, (name, member)) in members.iter().enumerate() {
            let comma = if index + 1 < members.len() { "," } else { "" };
            lines.push(format!("{}{}", " ".repeat(indent + 2), key(*name)));
            member.lay_out(indent + 2, comma.len(), columns, lines);
            put(lines, comma);
        }
        lines.push(format!("{}{close}", " ".repeat(indent)));
    }

    /// Reads well on one line: a scalar, a list of scalars, or an object of one such member.
    fn is_plain(&self) -> bool {
        let is_scalar = |json: &Self| !matches!(json, Self::Array(_) | Self::Object(_));
        match self {
            Self::Array(items) => items.iter().all(is_scalar),
            Self::Object(members) => match members.as_slice() {
                [] => true,
                [(_, only)] => only.is_plain(),
                _ => false,
            },
            _ => true,
        }
    }

    /// On one line, with a space behind each colon and comma.
    fn flat(&self) -> String {
        match self {
            Self::Array(items) => {
                format!("[{}]", items.iter().map(Self::flat).collect::<Vec<_>>().join(", "))
            }
            Self::Object(members) => {
                let member = |(key, value): &(String, Self)| {
                    format!("{}: {}", Self::text(key.as_str()).line(), value.flat())
                };
                format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
            }
            scalar => scalar.line(),
        }
    }

    /// Drops all but the last of equal members, as most readers do, and says where there were such.
    pub(super) fn drop_duplicates(&mut self) -> Vec<Path> {
        let mut found = Vec::new();
        self.drop_duplicates_below(&Path::default(), &mut found);
        found
    }

    fn drop_duplicates_below(&mut self, place: &Path, found: &mut Vec<Path>) {
        match self {
            Self::Object(members) => {
                let mut seen = HashSet::new();
                let is_last: Vec<bool> =
                    members.iter().rev().map(|(key, _)| seen.insert(key.clone())).collect();
                if seen.len() < members.len() {
                    let mut is_last = is_last.into_iter().rev();
                    members.retain(|(key, _)| {
                        let last = is_last.next().unwrap_or(true);
                        if !last {
                            found.push(place.key(key));
                        }
                        last
                    });
                }
                for (key, value) in members {
                    value.drop_duplicates_below(&place.key(key), found);
                }
            }
            Self::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    item.drop_duplicates_below(&place.index(index), found);
                }
            }
            _ => {}
        }
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => value.serialize(serializer),
            Self::String(value) => serializer.serialize_str(value),
            Self::Array(items) => items.serialize(serializer),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (key, value) in members {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Json;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }

            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
                Ok(Json::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
                Ok(Json::Number(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
                Ok(Json::Number(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
                Ok(serde_json::Number::from_f64(value).map_or(Json::Null, Json::Number))
            }

            fn visit_str<E>(self, value: &str) -> Result<Json, E> {
                Ok(Json::text(value))
            }

            fn visit_string<E>(self, value: String) -> Result<Json, E> {
                Ok(Json::String(value))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Json::Array(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Json::Object(members))
            }
        }

        deserializer.deserialize_any(Read)
    }
}

/// A place in a document; as text `Statement[0].Condition.StringEquals["oidc.example/id/1:sub"]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Path(pub Vec<Segment>);

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Into the member of an object.
    Key(String),
    /// Into the item of a list, counted from 0.
    Index(usize),
}

impl Path {
    /// The place of a member.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.below(Segment::Key(key.to_owned()))
    }

    /// The place of an item.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.below(Segment::Index(index))
    }

    fn below(&self, segment: Segment) -> Self {
        Self(self.0.iter().cloned().chain([segment]).collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
                    write!(f, "{}{key}", if depth == 0 { "" } else { "." })?;
                }
                Segment::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}
