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
