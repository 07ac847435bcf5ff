//! Values written as YAML that any parser reads back, and that cannot harm a terminal.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_saphyr::DoubleQuoted;

use super::safe;

/// Escapes what the printer passed through and must not reach a terminal. It can only be in double quotes: [`Node`] puts such
/// strings there.
fn escape(document: &str) -> String {
    let mut safe = String::with_capacity(document.len());
    for c in document.chars() {
        if (c.is_control() && c != '\n') || safe::is_invisible(c) {
            let number = u32::from(c);
            safe.push_str(&if number > 0xffff {
                format!("\\U{number:08x}")
            } else {
                format!("\\u{number:04x}")
            });
        } else {
            safe.push(c);
        }
    }
    safe
}

/// A JSON value that keeps the order of its keys.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Integer(i64),
    Number(f64),
    Text(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl Node {
    /// The value as a document of YAML, which ends its last line.
    pub(crate) fn document(&self) -> Result<String, serde_saphyr::ser::Error> {
        // Folded and literal blocks would show control characters as they are.
        let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
        let mut text = escape(&serde_saphyr::to_string_with_options(self, options)?);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Ok(text)
    }
}

impl Node {
    /// With the keys of manifests, templates and policies in the order in which people write them.
    pub(crate) fn in_usual_order(self) -> Self {
        const FIRST: [&str; 11] = [
            "apiVersion",
            "kind",
            "metadata",
            "name",
            "namespace",
            "Parameters",
            "Type",
            "Version",
            "Effect",
            "Principal",
            "Action",
        ];
        let rank = |key: &str| FIRST.iter().position(|first| *first == key).unwrap_or(FIRST.len());
        match self {
            Self::List(items) => Self::List(items.into_iter().map(Self::in_usual_order).collect()),
            Self::Map(entries) => {
                let entries = entries.into_iter().map(|(key, value)| (key, value.in_usual_order()));
                let mut entries: Vec<_> = entries.collect();
                entries.sort_by_key(|(key, _)| rank(key));
                Self::Map(entries)
            }
            plain => plain,
        }
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Number(value) => serializer.serialize_f64(*value),
            Self::Text(text) if hostile(text) => DoubleQuoted(text).serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => items.serialize(serializer),
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    match hostile(key) {
                        true => map.serialize_entry(&DoubleQuoted(key), value)?,
                        false => map.serialize_entry(key, value)?,
                    }
                }
                map.end()
            }
        }
    }
}

fn hostile(text: &str) -> bool {
    text.chars().any(|c| c.is_control() || safe::is_invisible(c))
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NodeVisitor;
        impl<'de> Visitor<'de> for NodeVisitor {
            type Value = Node;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }
            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
                Ok(Node::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
                Ok(Node::Integer(value))
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Node, E> {
                i64::try_from(value).map(Node::Integer).map_err(E::custom)
            }
            fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
                Ok(Node::Number(value))
            }
            fn visit_str<E>(self, text: &str) -> Result<Node, E> {
                Ok(Node::Text(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Node::List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Node::Map(entries))
            }
        }
        deserializer.deserialize_any(NodeVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(text: &str) {
        let node = Node::Map(vec![
            (String::from("a"), Node::Text(text.to_owned())),
            (String::from("l"), Node::List(vec![Node::Text(text.to_owned()), Node::Null])),
            (
                String::from("m"),
                Node::List(vec![Node::Map(vec![(String::from("k"), Node::Text(text.to_owned()))])]),
            ),
        ]);
        let yaml = node.document().unwrap();
        assert!(!yaml.chars().any(|c| (c.is_control() && c != '\n') || safe::is_invisible(c)), "{yaml:?}");
        let back: serde_json::Value = serde_saphyr::from_str(&yaml).unwrap_or_else(|e| panic!("{e}\n{yaml}"));
        assert_eq!(back["a"], text, "{yaml}");
        assert_eq!(back["l"], serde_json::json!([text, null]), "{yaml}");
        assert_eq!(back["m"][0]["k"], text, "{yaml}");
    }

    #[test]
    fn strings_stay_strings() {
        for text in [
            "yes",
            "no",
            "on",
            "off",
            "y",
            "null",
            "~",
            "true",
            "",
            " ",
            "0123",
            "0x1f",
            "1e3",
            "1_000",
            "12:30:45",
            "2026-11-22",
            ".inf",
            "-",
            "- a",
            "? a",
            "a: b",
            "a #b",
            "#a",
            "&a",
            "*a",
            "!a",
            "%a",
            "@a",
            "`a",
            "|",
            ">",
            "'",
            "\"",
            "\\",
            "\\u0041",
            "[a]",
            "{a}",
            "a\nb",
            "a\n",
            "\na",
            "a\r\nb",
            "\t",
            "\u{1b}[31m",
            "\u{7f}",
            "\u{85}",
            "\u{9b}2J",
            "\u{a0}",
            "\u{feff}",
            "\u{2028}",
            "\u{202e}abc",
            "\u{e0041}",
            "\u{1d173}",
            "\0",
            "=",
            "<<",
            "---",
            "...",
            "a\u{200b}: b",
            " lead",
            "trail ",
        ] {
            round(text);
        }
        round(&"long words ".repeat(30));
        round(&format!("{}\nb", "long ".repeat(40)));
    }

    proptest::proptest! {
        #[test]
        fn every_string_comes_back(text in ".*") {
            round(&text);
        }

        #[test]
        fn every_mean_string_comes_back(text in "[ \\n\\r\\t\\x1b\"'\\\\:#\\-?\\[\\]{}!&*|>%@`~0-9a-eyYnN._+\u{85}\u{a0}\u{200b}\u{2028}\u{202e}\u{feff}\u{e0041}]{0,12}") {
            round(&text);
        }
    }
}
