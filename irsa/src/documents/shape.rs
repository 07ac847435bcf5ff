//! Turns a node of a document into one of our types, with serde.
//!
//! Without a `serde_json::Value` in between, so that an error knows the field and its position, and so that no message ever
//! contains a value: it may be a password.

use serde::Deserializer;
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Error, Expected, MapAccess, SeqAccess, Unexpected, Visitor,
};

use super::yaml::{Content, Entry, Node, key_step};
use crate::facts::Position;

/// A field that does not have the type that Kubernetes requires.
#[derive(Debug)]
pub(super) struct Misfit {
    /// Where the value stands.
    pub at: Option<Position>,
    /// The steps to the field, the innermost first.
    steps: Vec<String>,
    /// What is wrong, as the rest of a sentence about the field.
    pub words: String,
}

impl Misfit {
    /// The field: `.spec.containers[0].env`.
    pub(super) fn path(&self) -> String {
        self.steps.iter().rev().map(String::as_str).collect()
    }

    fn under(mut self, step: impl FnOnce() -> String) -> Self {
        self.steps.push(step());
        self
    }

    fn of(words: String) -> Self {
        Self { at: None, steps: Vec::new(), words }
    }
}

/// Reads a node as a type.
///
/// # Errors
/// The first field that does not fit.
pub(super) fn read<T: DeserializeOwned>(node: &Node) -> Result<T, Misfit> {
    T::deserialize(Reader(node))
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.path(), self.words)
    }
}

impl std::error::Error for Misfit {}

impl Error for Misfit {
    /// A type's own error about a value of the right kind, such as a time, is not shown: it may repeat the value.
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self::of(String::from("is not in Kubernetes's format (a time looks like 2026-11-22T08:00:00Z)"))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let (found, scalar) = match found {
            Unexpected::Bool(_) => ("a boolean", true),
            Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => ("a number", true),
            Unexpected::Str(_) | Unexpected::Char(_) => ("a string", false),
            Unexpected::Seq => ("a list", false),
            Unexpected::Map => ("a mapping", false),
            Unexpected::Unit | Unexpected::Option => ("empty", false),
            _ => ("something else", false),
        };
        let wanted = wanted(expected);
        let advice = if scalar && wanted == "a string" { ": put it in quotes" } else { "" };
        Self::of(format!("is {found}; Kubernetes requires {wanted}{advice}"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::of(format!("is out of range; Kubernetes requires {}", wanted(expected)))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::of(format!("is not one of {}", expected.join(", ")))
    }
}

/// What serde expects, without the names of our types.
fn wanted(expected: &dyn Expected) -> String {
    match expected.to_string().as_str() {
        "a sequence" => String::from("a list"),
        "a map" => String::from("a mapping"),
        "i32" => String::from("a whole number of 32 bits"),
        "i64" => String::from("a whole number of 64 bits"),
        "u16" => String::from("a whole number from 0 to 65535"),
        text if text.starts_with("enum ") => String::from("a word"),
        text if text.starts_with("struct ") => String::from("a mapping"),
        text => text.to_owned(),
    }
}

struct Reader<'n>(&'n Node);

impl Reader<'_> {
    /// Adds the position to an error from within the value.
    fn here<T>(&self, result: Result<T, Misfit>) -> Result<T, Misfit> {
        result.map_err(|mut misfit| {
            misfit.at.get_or_insert(self.0.at);
            misfit
        })
    }
}

/// `null` is the empty value of whatever type stands there, as in Go.
macro_rules! or_empty {
    ($($method:ident: $visit:ident($empty:expr);)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            match self.0.content() {
                Content::Null => self.here(visitor.$visit($empty)),
                _ => self.deserialize_any(visitor),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let result = match self.0.content() {
            Content::Null | Content::Shared(_) => visitor.visit_unit(),
            Content::Bool(value) => visitor.visit_bool(*value),
            Content::Int(value) => visitor.visit_i64(*value),
            Content::Uint(value) => visitor.visit_u64(*value),
            Content::Float(value) => visitor.visit_f64(*value),
            Content::Text(text) => visitor.visit_str(text),
            Content::List(items) => visitor.visit_seq(Items { items: items.iter(), index: 0 }),
            Content::Map(entries) => visitor.visit_map(Entries { entries: entries.iter(), value: None }),
        };
        self.here(result)
    }

    or_empty! {
        deserialize_bool: visit_bool(false);
        deserialize_i8: visit_i64(0);
        deserialize_i16: visit_i64(0);
        deserialize_i32: visit_i64(0);
        deserialize_i64: visit_i64(0);
        deserialize_u8: visit_i64(0);
        deserialize_u16: visit_i64(0);
        deserialize_u32: visit_i64(0);
        deserialize_u64: visit_i64(0);
        deserialize_f32: visit_i64(0);
        deserialize_f64: visit_i64(0);
        deserialize_str: visit_str("");
        deserialize_string: visit_str("");
        deserialize_seq: visit_seq(Items { items: [].iter(), index: 0 });
        deserialize_map: visit_map(Entries { entries: [].iter(), value: None });
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        if matches!(self.0.content(), Content::List(_)) {
            // Derived types accept a list of their fields in order; Kubernetes does not.
            return self.here(Err(Misfit::invalid_type(Unexpected::Seq, &visitor)));
        }
        self.deserialize_map(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0.content() {
            Content::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0.content() {
            Content::Text(text) => self.here(visitor.visit_enum(StrDeserializer::new(text))),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

struct Items<'n> {
    items: std::slice::Iter<'n, Node>,
    index: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Misfit;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Misfit> {
        let Some(item) = self.items.next() else { return Ok(None) };
        let index = self.index;
        self.index += 1;
        seed.deserialize(Reader(item)).map(Some).map_err(|misfit| misfit.under(|| format!("[{index}]")))
    }

    /// A list that is told its length takes no more room than that.
    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Entries<'n> {
    entries: std::slice::Iter<'n, Entry>,
    value: Option<&'n Entry>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Misfit;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Misfit> {
        self.value = self.entries.next();
        self.value.map(|entry| seed.deserialize(StrDeserializer::new(&entry.key))).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Misfit> {
        let Some(entry) = self.value.take() else { return Err(Misfit::of(String::from("has no value"))) };
        seed.deserialize(Reader(&entry.value)).map_err(|misfit| misfit.under(|| key_step(&entry.key)))
    }
}
